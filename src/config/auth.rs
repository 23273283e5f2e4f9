use std::{path::PathBuf, time::Duration};

/// `[auth]`: who may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// The tenant that operates the installation; its members alone may call.
    pub provider_tenant: String,
    /// `[auth.hmac]`.
    pub hmac: Hmac,
}

/// `[auth.hmac]`: the three shared keys that clients sign their requests with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hmac {
    /// `Metal-View`: reads.
    pub view: HmacKey,
    /// `Metal-Edit`: writes inside a project.
    pub edit: HmacKey,
    /// `Metal-Admin`: everything.
    pub admin: HmacKey,
    /// How far in the future a request may be dated.
    pub future_skew: Duration,
}

/// One of the three keys. The key itself is read when it is used, and is in no
/// struct that can be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmacKey {
    /// File with the key, readable by its owner alone; surrounding white space
    /// does not count. Absent: made in the data directory at the first start.
    pub file: Option<PathBuf>,
    /// How old a request may be.
    pub lifetime: Duration,
}
