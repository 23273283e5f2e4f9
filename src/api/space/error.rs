//! What a caller is told when a pool did not do what it was asked.

use super::super::ApiError;
use crate::ipam::IpamError;

impl From<IpamError> for ApiError {
    /// For callers that know no better: those that know what the pool stands for say more.
    fn from(error: IpamError) -> Self {
        match error {
            IpamError::Store(error) => error.into(),
            IpamError::Conflict(key) => Self::conflict(format!(
                "{} {:?} was changed meanwhile",
                key.table(),
                key.id()
            )),
            IpamError::TooBusy(_) => {
                Self::unavailable("too many changes at once, nothing was changed: try again")
            }
            IpamError::InUse { .. } | IpamError::Taken { .. } | IpamError::Exhausted { .. } => {
                Self::refused(error.to_string())
            }
            error => {
                tracing::error!(%error, "a pool is not as it must be");
                Self::internal("the address pools refused, see the log of this node")
            }
        }
    }
}
