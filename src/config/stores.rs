use std::{fmt, path::PathBuf};

use super::{
    reader::Reader,
    value::{Fault, FromValue, Node, Value},
};
use crate::stores;

/// `[store]`: where state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stores {
    /// What all partitions share.
    pub global: StoreSettings,
    /// What this partition owns.
    pub local: StoreSettings,
}

/// Where one store is, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Its engine and place.
    pub url: StoreUrl,
    /// File with the password, readable by its owner alone.
    pub password_file: Option<PathBuf>,
    /// PEM certificates of the authorities that the server is trusted by; absent: the system's.
    pub ca_file: Option<PathBuf>,
}

/// An engine's name alone, such as `redb`, or a URL without a password, such as
/// `postgres://user@host/database`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreUrl(String);

// === impl Stores ===

impl Stores {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let [global, local] = [
            [
                "store.global",
                "store.global-password-file",
                "store.global-ca-file",
            ],
            [
                "store.local",
                "store.local-password-file",
                "store.local-ca-file",
            ],
        ]
        .map(|keys| StoreSettings::read(keys, reader));
        Self { global, local }
    }
}

// === impl StoreSettings ===

impl StoreSettings {
    fn read([url, password, ca]: [&str; 3], reader: &mut Reader<'_>) -> Self {
        let settings = Self {
            url: reader.get(url),
            password_file: reader.optional(password),
            ca_file: reader.optional(ca),
        };
        if !settings.url.is_server() {
            for key in [password, ca] {
                if reader.node(key).is_some() {
                    let what = format!("{} = \"{}\" has no use for it", url, settings.url);
                    reader.problem(key, what);
                }
            }
        }
        settings
    }
}

// === impl StoreUrl ===

impl StoreUrl {
    /// The engine's name, or the URL's scheme.
    pub fn scheme(&self) -> &str {
        self.0
            .split_once("://")
            .map_or(&*self.0, |(scheme, _)| scheme)
    }

    /// Whether it is another process, perhaps on another machine.
    pub fn is_server(&self) -> bool {
        self.0.contains("://")
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Faults do not repeat the text: there may be a password in it.
impl FromValue for StoreUrl {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>> {
        let (Value::Text(text) | Value::String(text)) = &node.value else {
            return node.fault(format!("expected {}, as a string", stores::expected()));
        };
        if holds_password(text) {
            return node.fault(
                "a password in a URL ends up in logs and on screens: put it into a file of mode \
                 0600, and name that with the key of the same name and -password-file",
            );
        }
        let url = Self(text.clone());
        match stores::check_url(&url) {
            Ok(()) => Ok(url),
            Err(what) => node.fault(what),
        }
    }
}

/// Whether the URL has a password before its hosts, or among its parameters.
fn holds_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    // A password may contain anything, a slash too.
    let user = place.rsplit_once('@').map(|(user, _)| user);
    let named = |parameter: &str| parameter.to_ascii_lowercase().starts_with("password");
    user.is_some_and(|user| user.contains(':')) || parameters.split('&').any(named)
}
