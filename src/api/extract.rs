//! What handlers take from a request, each refusal in the API's error body.

use std::collections::BTreeSet;
use std::fmt;

use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::{self, DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use super::ApiError;
use super::wire::Object;

/// A JSON body. Unknown fields are ignored and the content type is not looked at; a wrong type is
/// refused with 400 naming the field, a field given twice likewise, a body that is too long
/// with 413.
pub(super) struct JsonOf<T>(pub T);

/// The one `{id}` of the path, percent-decoded.
pub(super) struct PathId(pub String);

/// The query string.
pub(super) struct QueryOf<T>(pub T);

// === impl JsonOf ===

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonOf<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, state)
            .await
            .map_err(unreadable)?;
        parse(&body).map(Self)
    }
}

fn unreadable(rejection: BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body of the request is too long",
        )
    } else {
        ApiError::bad_request("the body of the request could not be read")
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::bad_request(
            "the body of the request is empty, a JSON object is expected",
        ));
    }
    serde_json::from_slice::<Unambiguous>(body).map_err(|error| refuse("", error))?;
    let mut json = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        refuse(&path, error.into_inner())
    })?;
    json.end().map_err(|error| refuse("", error))?;
    Ok(value)
}

fn refuse(path: &str, error: serde_json::Error) -> ApiError {
    ApiError::bad_request(match error.classify() {
        Category::Data if matches!(path, "" | "." | "?") => error.to_string(),
        Category::Data => format!("field {path}: {error}"),
        _ => format!("the body is not valid JSON: {error}"),
    })
}

// === Unambiguous ===

/// Any JSON in which no object has a field twice, known or not: of two values one reader takes
/// the first and another one the last.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some((key, Self)) = map.next_entry::<String, Self>()? {
            if let Some(twice) = seen.replace(key) {
                return Err(A::Error::custom(format_args!("duplicate field `{twice}`")));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while let Some(Self) = seq.next_element::<Self>()? {}
        Ok(self)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self, E> {
        Ok(self)
    }
}

// === impl PathId ===

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(PathRejection::FailedToDeserializePathParams(error))
                if matches!(error.kind(), ErrorKind::InvalidUtf8InPathParam { .. }) =>
            {
                Err(ApiError::bad_request("the id in the path is not UTF-8"))
            }
            Err(_) => Err(ApiError::bad_request("the id in the path is not readable")),
        }
    }
}

// === impl QueryOf ===

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Query::from_request_parts(parts, state)
            .await
            .map(|Query(params)| Self(params))
            .map_err(|rejection| ApiError::bad_request(rejection.body_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Outer {
        id: Option<String>,
        list: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        size: Option<u64>,
    }

    fn message(body: &str) -> String {
        let error = parse::<Outer>(body.as_bytes()).unwrap_err();
        assert_eq!(error.status, StatusCode::BAD_REQUEST);
        error.message
    }

    #[test]
    fn a_wrong_type_names_the_field() {
        let message = message(r#"{"id":"x","list":[{"size":1},{"size":"two"}]}"#);
        assert!(
            message.starts_with("field list[1].size: invalid type"),
            "{message}"
        );
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        for body in [
            r#"{"id":"x","id":"y"}"#,
            r#"{"list":[{"id":1,"x":{},"\u0069d":2}]}"#,
            r#"{"unknown":{"id":1.5,"id":-2}}"#,
        ] {
            assert!(message(body).contains("duplicate field `id`"), "{body}");
        }
    }

    #[test]
    fn what_follows_the_object_is_refused() {
        assert!(message(r#"{"id":"x"} {"#).contains("trailing characters"));
    }

    #[test]
    fn an_empty_body_says_that_it_is_empty() {
        assert!(message(" \n").contains("is empty"));
    }

    #[test]
    fn unknown_fields_and_nulls_are_ignored() {
        let outer: Outer = parse(br#"{"id":null,"more":{"x":[1]},"list":null}"#).unwrap();
        assert!(outer.id.is_none() && outer.list.is_none());
    }
}
