//! Why a value is refused.

/// A value that breaks a rule; says which field and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// Path of the field, as the caller knows it.
    pub field: String,
    /// The rule that is broken, in words.
    pub reason: String,
}

// === impl Invalid ===

impl Invalid {
    /// `field` is refused because of `reason`.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}
