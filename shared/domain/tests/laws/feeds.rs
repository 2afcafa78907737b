//! Feeds (R-96): how a message is signed, and which addresses may be spoken to.

use std::net::IpAddr;

use domain::feed::{TargetUrl, TargetUrlError, is_public, signature};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Computed by `openssl dgst -sha256 -hmac <secret>` over `<seconds>.<body>`.
#[test]
fn r96_a_signature_is_hmac_sha256_over_time_and_body() {
    for (secret, seconds, body, expected) in [
        (
            "whsec-of-the-crm",
            1_795_305_600,
            r#"{"messages":[]}"#,
            "a92b97915ceb82f095517209f9bbe2b766d15fd76639becdd37d21705176d1b6",
        ),
        ("k", 0, "", "6b4a4b8b3c40f1e8f53a3d36682e5f99f7ad2ac1df1c93dfe336f329167641e7"),
    ] {
        let signed = signature(secret, seconds, body.as_bytes()).unwrap();
        assert_eq!(hex(&signed), expected, "{secret} {seconds} {body}");
    }
    let one = signature("secret", 12, b"3.body");
    assert_ne!(one, signature("secret", 123, b"body"), "the full stop stands between");
}

#[test]
fn r96_only_public_addresses_and_this_machine_are_spoken_to() {
    for fine in [
        "https://crm.example/hook",
        "https://crm.example",
        "https://crm.example:8443/a/b",
        "https://8.8.8.8/hook",
        "https://[2606:4700::1111]/",
        "https://2crm.example/",
        "http://localhost:8080/hook",
        "http://127.0.0.1:1",
        "http://[::1]:9/",
    ] {
        assert!(TargetUrl::parse(fine).is_ok(), "{fine}");
    }
    let (form, private) = (TargetUrlError::Form, TargetUrlError::Private);
    for (text, why) in [
        ("", form),
        ("crm.example", form),
        ("ftp://crm.example", form),
        ("https://", form),
        ("https://crm.example:0", form),
        ("https://crm.example:99999", form),
        ("https://crm..example", form),
        ("https://crm.example/a b", form),
        ("https://crm.example/\u{e4}", form),
        ("https://[::1", form),
        ("https://[::1]x", form),
        ("http://crm.example", TargetUrlError::Plain),
        ("http://8.8.8.8", TargetUrlError::Plain),
        ("http://localhost.example", TargetUrlError::Plain),
        ("https://a:b@crm.example", TargetUrlError::Extras),
        ("https://crm.example/?key=1", TargetUrlError::Extras),
        ("https://crm.example/#a", TargetUrlError::Extras),
        ("https://10.0.0.1/", private),
        ("https://172.16.0.1/", private),
        ("https://192.168.1.1/", private),
        ("https://169.254.169.254/latest", private),
        ("https://100.64.0.1/", private),
        ("https://0.0.0.0/", private),
        ("https://224.0.0.1/", private),
        ("https://[fd00::1]/", private),
        ("https://[fe80::1]/", private),
        ("https://[::ffff:10.0.0.1]/", private),
        ("https://[2002:0a00:0001::]/", private),
        // Other ways to write an address are none that is taken.
        ("https://2130706433/", form),
        ("https://0x7f.1/", form),
        ("https://127.1/", form),
        ("https://010.0.0.1/", form),
    ] {
        assert_eq!(TargetUrl::parse(text).unwrap_err(), why, "{text}");
    }
    assert!(!is_public(IpAddr::from([172, 31, 255, 255])));
    assert!(is_public(IpAddr::from([172, 32, 0, 0])));
}

#[test]
fn an_origin_is_what_stands_before_the_path() {
    for (text, origin, place) in [
        ("https://org.crm.example/api/data", "https://org.crm.example", ("org.crm.example", 443)),
        ("http://127.0.0.1:81", "http://127.0.0.1:81", ("127.0.0.1", 81)),
    ] {
        let url = TargetUrl::parse(text).unwrap();
        assert_eq!((url.origin(), url.place()), (origin, place));
        assert_eq!(format!("{url:?}"), "TargetUrl(..)");
    }
}
