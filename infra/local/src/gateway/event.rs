//! The event of a request: API Gateway's payload format 2.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Routed;
use crate::template::ACCOUNT;

pub(super) fn event(
    routed: &Routed,
    request: &Parts,
    body: &Bytes,
    claims: Option<Map<String, Value>>,
    now: DateTime<Utc>,
) -> String {
    let route = &routed.route;
    let (path, query) = (request.uri.path(), request.uri.query().unwrap_or_default());
    let route_key = format!("{} {}", route.method, route.path);
    let text = |name| {
        let value =
            request.headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let mut context = json!({
        "accountId": ACCOUNT,
        "apiId": "local",
        "domainName": text(header::HOST),
        "domainPrefix": "local",
        "http": {
            "method": route.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
            "userAgent": text(header::USER_AGENT),
        },
        "requestId": Uuid::new_v4().to_string(),
        "routeKey": route_key,
        "stage": "$default",
        "time": now.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": now.timestamp_millis(),
    });
    if let Some(claims) = claims {
        let claims: Map<_, _> =
            claims.into_iter().map(|(name, value)| (name, claim(&value))).collect();
        let scopes = (!route.scopes.is_empty()).then_some(&route.scopes);
        context["authorizer"] = json!({"jwt": {"claims": claims, "scopes": scopes}});
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&request.headers),
        "requestContext": context,
        "isBase64Encoded": false,
    });
    let cookies =
        request.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<&str> = cookies.flat_map(|value| value.split("; ")).collect();
    let query = query_parameters(query);
    for (name, value, present) in [
        ("cookies", json!(cookies), !cookies.is_empty()),
        ("pathParameters", json!(routed.parameters), !routed.parameters.is_empty()),
        ("queryStringParameters", json!(query), !query.is_empty()),
    ] {
        if present {
            event[name] = value;
        }
    }
    if !body.is_empty() {
        let plain = std::str::from_utf8(body).ok();
        match plain.filter(|_| !request.headers.contains_key(header::CONTENT_ENCODING)) {
            Some(text) => event["body"] = Value::from(text),
            None => {
                event["body"] = Value::from(STANDARD.encode(body));
                event["isBase64Encoded"] = Value::from(true);
            }
        }
    }
    event.to_string()
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut all = Map::new();
    for name in headers.keys().filter(|name| **name != header::COOKIE) {
        let values =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let joined = values.collect::<Vec<_>>().join(",");
        all.insert(name.as_str().to_owned(), Value::from(joined));
    }
    all
}

fn query_parameters(query: &str) -> Map<String, Value> {
    let mut all = Map::new();
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        let joined = match all.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value,
        };
        all.insert(name, Value::from(joined));
    }
    all
}

/// Claims reach a function as text; lists in brackets.
fn claim(value: &Value) -> Value {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Value::from(match value.as_array() {
        Some(list) => format!("[{}]", list.iter().map(text).collect::<Vec<_>>().join(" ")),
        None => text(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings_are_decoded_and_joined() {
        let all = query_parameters("a=1&b=x+y%2Bz&a=2&c&&d=%ff");
        assert_eq!(json!(all), json!({"a": "1,2", "b": "x y+z", "c": "", "d": "\u{fffd}"}));
    }

    #[test]
    fn claims_are_text() {
        assert_eq!(claim(&json!(["a", "b"])), json!("[a b]"));
        assert_eq!(claim(&json!(12)), json!("12"));
    }
}
