//! What a caller is told when the store did not do what it was asked.

use axum::http::StatusCode;
use metal_storage::Error;

use super::ApiError;
use crate::domain::Invalid;

impl From<Error> for ApiError {
    /// The message carries ids that the caller sent, and nothing of the store's inside; that is
    /// logged.
    fn from(error: Error) -> Self {
        let answer = match &error {
            Error::Conflict(key) => Self::conflict(format!(
                "{} {:?} was changed meanwhile",
                key.table(),
                key.id()
            )),
            Error::Taken(index) => {
                Self::conflict(format!("{} {} is already taken", index.column, index.value))
            }
            Error::Unavailable { .. } => {
                Self::unavailable("the store is unavailable, nothing was changed")
            }
            Error::Behind { .. } => {
                Self::unavailable("the store has not yet reached the revision asked for")
            }
            Error::Unknown(_) => Self::unavailable(
                "outcome unknown: the store did not say whether the change was made",
            ),
            Error::Compacted(_) | Error::Corrupt { .. } | Error::Invalid(_) => {
                Self::internal("the store refused, see the log of this node")
            }
        };
        if answer.status == StatusCode::CONFLICT {
            tracing::debug!(%error, "the store refused a change");
        } else {
            tracing::error!(%error, status = answer.status.as_u16(), "the store failed");
        }
        answer
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unavailable_store_is_503_and_tells_nothing_of_its_inside() {
        let answer = ApiError::from(Error::Unavailable {
            reason: "/secret/path is full".into(),
        });
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.message.contains("unavailable") && !answer.message.contains("secret"));
    }

    #[test]
    fn an_unknown_outcome_is_503_and_says_so() {
        let answer = ApiError::from(Error::Unknown(metal_storage::OpId::new()));
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.message.contains("outcome unknown"));
    }
}
