//! The authenticated caller.

/// What a caller may do. Each role includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May read.
    View,
    /// May also change what projects own.
    Edit,
    /// May also change what the operator owns.
    Admin,
}

/// The caller of a request, put into the request's extensions by authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// E-mail address; recorded as the creator of what the caller creates.
    pub email: String,
    /// Display name.
    pub name: String,
    /// Tenant the caller belongs to.
    pub tenant: String,
    /// Groups the caller is a member of.
    pub groups: Vec<String>,
    /// Issuer of the token; empty for HMAC.
    pub issuer: String,
    /// Subject of the token; empty for HMAC.
    pub subject: String,
    /// The highest role the caller holds.
    pub role: Role,
}
