use std::{path::PathBuf, time::Duration};

use super::reader::Reader;

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

// === impl Auth ===

impl Auth {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            provider_tenant: reader.get("auth.provider-tenant"),
            hmac: Hmac::read(reader),
        }
    }
}

// === impl Hmac ===

impl Hmac {
    fn read(reader: &mut Reader<'_>) -> Self {
        let mut key = |file, lifetime| HmacKey {
            file: reader.optional(file),
            lifetime: reader.within(lifetime, Duration::from_secs(1)..=Duration::from_secs(3600)),
        };
        Self {
            view: key("auth.hmac.view-key-file", "auth.hmac.view-lifetime"),
            edit: key("auth.hmac.edit-key-file", "auth.hmac.edit-lifetime"),
            admin: key("auth.hmac.admin-key-file", "auth.hmac.admin-lifetime"),
            future_skew: reader.within(
                "auth.hmac.future-skew",
                Duration::ZERO..=Duration::from_secs(3600),
            ),
        }
    }
}
