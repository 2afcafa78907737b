//! What the gateway answers: what the function said, or a problem of its own.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use hyper::{StatusCode, header};
use serde_json::{Value, json};

use crate::serve::{Answer, answer};

/// The gateway's own answer, as problem details.
pub fn problem(status: StatusCode, code: &str, message: &str) -> Answer {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "code": code,
        "message": message,
    });
    answer(status, "application/problem+json", body.to_string())
}

/// What a function's output asks to be answered.
pub(super) fn read(output: &Bytes) -> Answer {
    let Ok(output) = serde_json::from_slice::<Value>(output) else {
        return problem(
            StatusCode::BAD_GATEWAY,
            "bad_gateway",
            "The function's answer is not JSON.",
        );
    };
    let Some(status) = output.get("statusCode") else {
        // Anything else is a body in itself.
        return answer(StatusCode::OK, "application/json", output.to_string());
    };
    match formatted(status, &output) {
        Some(answer) => answer,
        None => {
            let message = "The function's answer cannot be sent.";
            problem(StatusCode::BAD_GATEWAY, "bad_gateway", message)
        }
    }
}

fn formatted(status: &Value, output: &Value) -> Option<Answer> {
    let status = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    let status = StatusCode::from_u16(u16::try_from(status).ok()?).ok()?;
    let text = output.get("body").and_then(Value::as_str).unwrap_or_default();
    let body = match output.get("isBase64Encoded").and_then(Value::as_bool) {
        Some(true) => STANDARD.decode(text).ok()?,
        Some(false) | None => text.as_bytes().to_vec(),
    };
    let mut answer = answer(status, "text/plain", body);
    for (name, value) in output.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name: HeaderName = name.parse().ok()?;
        if name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING {
            continue;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        answer.headers_mut().insert(name, HeaderValue::from_str(&text).ok()?);
    }
    for cookie in output.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        let cookie = HeaderValue::from_str(cookie.as_str()?).ok()?;
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    if text.is_empty()
        && !output["headers"].as_object().is_some_and(|h| h.contains_key("content-type"))
    {
        answer.headers_mut().remove(CONTENT_TYPE);
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_become_answers() {
        for (output, status) in [
            (r#"{"statusCode": 201, "headers": {"X-A": "b"}, "body": "x"}"#, 201),
            (r#"{"statusCode": "204"}"#, 204),
            (r#"{"any": "thing"}"#, 200),
            (r#"{"statusCode": 99999}"#, 502),
            (r#"{"statusCode": 200, "headers": {"bad name": "b"}}"#, 502),
            (r#"{"statusCode": 200, "isBase64Encoded": true, "body": "?"}"#, 502),
            ("not json", 502),
        ] {
            assert_eq!(read(&Bytes::from(output)).status().as_u16(), status, "{output}");
        }
    }
}
