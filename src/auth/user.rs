//! The caller of a request.

use std::fmt;

/// What a caller may do. Each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    View,
    /// Reads, and allocates and frees what projects use.
    Edit,
    /// Everything.
    Admin,
}

// === impl Role ===

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Role; 3] = [Role::View, Role::Edit, Role::Admin];

    /// The authorization type that clients name in the `Authorization` header.
    pub const fn hmac_type(self) -> &'static str {
        match self {
            Role::View => "Metal-View",
            Role::Edit => "Metal-Edit",
            Role::Admin => "Metal-Admin",
        }
    }

    /// The group that grants the role.
    pub const fn group(self) -> &'static str {
        match self {
            Role::View => "maas-all-all-view",
            Role::Edit => "maas-all-all-edit",
            Role::Admin => "maas-all-all-admin",
        }
    }

    /// The role as the command line and the logs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::View => "view",
            Role::Edit => "edit",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An authenticated caller, as `GET /v1/user/me` reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Mail address; the creator that allocations record.
    pub email: String,
    /// Display name.
    pub name: String,
    /// The tenant that the caller belongs to.
    pub tenant: String,
    /// Groups that grant roles.
    pub groups: Vec<String>,
    /// Issuer of the token; empty for HMAC.
    pub issuer: String,
    /// Subject of the token; empty for HMAC.
    pub subject: String,
    /// The strongest role that the groups grant.
    pub role: Role,
}

// === impl User ===

impl User {
    /// The technical user that stands for the holder of a role's HMAC key.
    pub fn technical(role: Role, provider_tenant: &str) -> Self {
        Self {
            email: format!("metal-{role}@metal-stack.io"),
            name: role.hmac_type().to_owned(),
            tenant: provider_tenant.to_owned(),
            groups: vec![role.group().to_owned()],
            issuer: String::new(),
            subject: String::new(),
            role,
        }
    }
}
