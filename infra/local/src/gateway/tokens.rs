//! Access tokens: issued here, and checked as the deployed API's authorizer checks its issuer's.

use std::collections::HashMap;

use anyhow::Result;
use chrono::Utc;
use hyper::{HeaderMap, StatusCode, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};

use super::reply::problem;
use crate::serve::Answer;

const LIFE_SECONDS: i64 = 30 * 24 * 3600;

/// Issues tokens and checks them. Their times are the machine's: a moved clock expires none.
pub struct Issuer {
    issuer: String,
    audience: Vec<String>,
    /// Every scope that a route needs.
    pub scopes: Vec<String>,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Issuer {
    /// An issuer that signs with `key`.
    pub fn new(issuer: String, audience: Vec<String>, scopes: Vec<String>, key: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&audience);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = 0;
        Self {
            issuer,
            audience,
            scopes,
            encoding: EncodingKey::from_secret(key.as_bytes()),
            decoding: DecodingKey::from_secret(key.as_bytes()),
            validation,
        }
    }

    /// A token with these scopes; `claims` join or replace its own, and `null` removes one.
    pub fn token(&self, scopes: &[String], claims: &Map<String, Value>) -> Result<String> {
        let now = Utc::now().timestamp();
        let mut all = Map::new();
        for (name, value) in [
            ("iss", json!(self.issuer)),
            ("aud", json!(self.audience)),
            ("sub", json!("local")),
            ("iat", json!(now)),
            ("exp", json!(now + LIFE_SECONDS)),
            ("scope", json!(scopes.join(" "))),
        ] {
            all.insert(name.to_owned(), value);
        }
        all.extend(claims.clone());
        all.retain(|_, value| !value.is_null());
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &all, &self.encoding)?)
    }

    /// The claims of the request's token, if it is good for a route that needs one of `scopes`.
    pub fn check(
        &self,
        headers: &HeaderMap,
        scopes: &[String],
    ) -> Result<Map<String, Value>, Box<Answer>> {
        let unauthorized = |message| {
            let mut answer = problem(StatusCode::UNAUTHORIZED, "unauthorized", message);
            let challenge = header::HeaderValue::from_static("Bearer");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            Box::new(answer)
        };
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = token else {
            return Err(unauthorized("An access token is needed."));
        };
        // Like the deployed authorizer, which takes a token without a scheme too.
        let token = match token.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            Some(_) | None => token,
        };
        let decoded =
            jsonwebtoken::decode::<HashMap<String, Value>>(token, &self.decoding, &self.validation);
        let Ok(decoded) = decoded else {
            return Err(unauthorized("The access token is not valid."));
        };
        let claims: Map<String, Value> = decoded.claims.into_iter().collect();
        let issued = claims.get("iat").and_then(Value::as_i64);
        if issued.is_some_and(|issued| issued > Utc::now().timestamp()) {
            return Err(unauthorized("The access token is not valid."));
        }
        let held = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
        let mut held = held.split_whitespace();
        if !scopes.is_empty() && !held.any(|scope| scopes.iter().any(|needed| needed == scope)) {
            let message = format!("The access token lacks the scope {}.", scopes.join(" or "));
            return Err(Box::new(problem(StatusCode::FORBIDDEN, "forbidden", &message)));
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(key: &str) -> Issuer {
        Issuer::new("http://here".to_owned(), vec!["local".to_owned()], Vec::new(), key)
    }

    fn status(token: &str, scope: &str) -> u16 {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        match issuer("key").check(&headers, &[scope.to_owned()]) {
            Ok(_) => 200,
            Err(answer) => answer.status().as_u16(),
        }
    }

    #[test]
    fn only_what_was_issued_here_for_this_is_taken() {
        let token = |claims: Value| {
            let claims = claims.as_object().unwrap();
            issuer("key").token(&["a.read".to_owned(), "b".to_owned()], claims).unwrap()
        };
        assert_eq!(status(&token(json!({})), "a.read"), 200);
        assert_eq!(status(&token(json!({})), "a"), 403);
        for claims in [
            json!({"exp": 1}),
            json!({"exp": null}),
            json!({"iss": "other"}),
            json!({"iss": null}),
            json!({"aud": "other"}),
            json!({"aud": null}),
            json!({"nbf": 4_102_444_800_i64}),
            json!({"iat": 4_102_444_800_i64}),
        ] {
            assert_eq!(status(&token(claims.clone()), "b"), 401, "{claims}");
        }
        let forged = issuer("other").token(&["b".to_owned()], &Map::new()).unwrap();
        assert_eq!(status(&forged, "b"), 401);
        // An unsigned token: {"alg":"none"}.
        let claims = token(json!({})).split('.').nth(1).unwrap().to_owned();
        assert_eq!(status(&format!("eyJhbGciOiJub25lIn0.{claims}."), "b"), 401);
        assert_eq!(status("x", "b"), 401);
    }
}
