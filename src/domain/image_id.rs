//! Ids of images.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Invalid, Version, id};

/// `<os>-<version>`: `ubuntu-26.4`, `firewall-ubuntu-3.0`, `ubuntu-24.4.20260101`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageId {
    text: String,
    os_len: usize,
    version: Version,
}

// === impl ImageId ===

impl ImageId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The operating system.
    pub fn os(&self) -> &str {
        &self.text[..self.os_len]
    }

    /// The version of the operating system image.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether `other` is what this id asks for: the same operating system, and the same version
    /// or, if this id names no patch, any patch of it.
    pub fn asks_for(&self, other: &Self) -> bool {
        let (asked, found) = (self.version, other.version);
        self.os() == other.os()
            && asked.major == found.major
            && asked.minor == found.minor
            && (asked.patch == 0 || asked.patch == found.patch)
    }
}

impl TryFrom<String> for ImageId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        id::check(&text)?;
        let invalid = || {
            Invalid::new(
                "id",
                format!("{text:?} is not an operating system and a version like ubuntu-26.4"),
            )
        };
        let (os, version) = text.rsplit_once('-').ok_or_else(invalid)?;
        if os.is_empty() {
            return Err(invalid());
        }
        let os_len = os.len();
        let version = version.parse().map_err(|_| invalid())?;
        Ok(Self {
            text,
            os_len,
            version,
        })
    }
}

impl From<ImageId> for String {
    fn from(id: ImageId) -> Self {
        id.text
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ImageId {
        ImageId::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn an_image_id_is_an_operating_system_and_a_version() {
        assert_eq!(id("firewall-ubuntu-3.0").os(), "firewall-ubuntu");
        assert_eq!(id("firewall-ubuntu-3.0").version(), Version::new(3, 0, 0));
        assert_eq!(
            id("ubuntu-24.4.20260101").version(),
            Version::new(24, 4, 20_260_101)
        );
        for bad in [
            "",
            "ubuntu",
            "ubuntu-",
            "-1.0",
            "ubuntu-abc",
            "ubuntu-1.2-rc1",
        ] {
            assert!(ImageId::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_id_without_patch_asks_for_every_patch() {
        let asked = id("ubuntu-24.4");
        assert!(asked.asks_for(&id("ubuntu-24.4.20260101")));
        assert!(asked.asks_for(&id("ubuntu-24.04")));
        assert!(!asked.asks_for(&id("ubuntu-24.10")));
        assert!(!asked.asks_for(&id("debian-24.4")));
        assert!(!id("ubuntu-24.4.1").asks_for(&id("ubuntu-24.4.2")));
    }
}
