//! What handlers take from a request, each refusal in the API's error body.

use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::ApiError;

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
    // An array would be read as an object's fields in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::bad_request("the body is not a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            Category::Data if path != "." && path != "?" => {
                ApiError::bad_request(format!("field {path}: {inner}"))
            }
            Category::Data => ApiError::bad_request(inner.to_string()),
            _ => ApiError::bad_request(format!("the body is not valid JSON: {inner}")),
        }
    })?;
    json.end()
        .map_err(|error| ApiError::bad_request(format!("the body is not valid JSON: {error}")))?;
    Ok(value)
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
    use serde::Deserialize;

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
        assert!(message(r#"{"id":"x","id":"y"}"#).contains("duplicate field `id`"));
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
