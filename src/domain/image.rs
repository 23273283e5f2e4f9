//! Images of operating systems.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use super::{ImageId, Invalid, Timestamps, bounds};

/// How long a new image is usable if nothing else is said.
const DEFAULT_LIFETIME: Duration = Duration::days(90);

/// An operating system that machines can be installed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Id: operating system and version.
    pub id: ImageId,
    /// When it was made and changed.
    #[serde(flatten)]
    pub times: Timestamps,
    /// Display name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Where it is fetched from.
    pub url: String,
    /// What it can be installed on.
    pub features: BTreeSet<Feature>,
    /// How far it is trusted.
    pub classification: Classification,
    /// Until when it should be used.
    pub expires: DateTime<Utc>,
}

/// What an image can be installed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Feature {
    /// Machines.
    Machine,
    /// Firewalls.
    Firewall,
}

/// How far an image is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Classification {
    /// New, to be tried.
    #[default]
    Preview,
    /// To be used.
    Supported,
    /// Not to be used any more.
    Deprecated,
}

/// Which images are meant: those that match everything given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageQuery {
    /// This id.
    pub id: Option<String>,
    /// This name.
    pub name: Option<String>,
    /// This operating system.
    pub os: Option<String>,
    /// This version.
    pub version: Option<String>,
    /// This classification.
    pub classification: Option<Classification>,
    /// All these features.
    pub features: BTreeSet<Feature>,
}

// === impl Image ===

impl Image {
    /// Until when an image made now should be used, if nothing else is said.
    pub fn default_expiry(now: DateTime<Utc>) -> DateTime<Utc> {
        (now + DEFAULT_LIFETIME).trunc_subsecs(3)
    }

    /// Refuses texts beyond their bounds.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        bounds::filled_line("url", &self.url, bounds::TEXT)
    }

    /// The newest of `images` that `asked` asks for; of the same version, the greatest id.
    pub fn latest<'a>(
        images: impl IntoIterator<Item = &'a Self>,
        asked: &ImageId,
    ) -> Option<&'a Self> {
        images
            .into_iter()
            .filter(|image| asked.asks_for(&image.id))
            .max_by_key(|image| (image.id.version(), image.id.as_str()))
    }
}

// === impl ImageQuery ===

impl ImageQuery {
    /// Whether `image` is meant. A version is compared as a version: `24.04` means 24.4.0.
    pub fn matches(&self, image: &Image) -> bool {
        let version = |wanted: &String| match wanted.parse() {
            Ok(version) => image.id.version() == version,
            Err(_) => false,
        };
        self.id.as_deref().is_none_or(|id| id == image.id.as_str())
            && self.name.as_ref().is_none_or(|name| *name == image.name)
            && self.os.as_deref().is_none_or(|os| os == image.id.os())
            && self.version.as_ref().is_none_or(version)
            && self
                .classification
                .is_none_or(|classification| classification == image.classification)
            && self.features.is_subset(&image.features)
    }
}

// === impl Feature ===

impl Feature {
    /// The feature by its name in the API.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Machine, Self::Firewall]
            .into_iter()
            .find(|feature| feature.word() == word)
    }

    /// Its name in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Firewall => "firewall",
        }
    }
}

// === impl Classification ===

impl Classification {
    /// The classification by its name in the API.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Preview, Self::Supported, Self::Deprecated]
            .into_iter()
            .find(|classification| classification.word() == word)
    }

    /// Its name in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Supported => "supported",
            Self::Deprecated => "deprecated",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str) -> Image {
        Image {
            id: ImageId::try_from(id.to_owned()).unwrap(),
            times: Timestamps::new(DateTime::UNIX_EPOCH),
            name: String::new(),
            description: String::new(),
            url: "http://a/b".into(),
            features: BTreeSet::from([Feature::Machine]),
            classification: Classification::Preview,
            expires: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_latest_image_has_the_highest_patch() {
        let images = [
            "ubuntu-24.4.9",
            "ubuntu-24.4.10",
            "ubuntu-24.10",
            "debian-24.4.99",
        ]
        .map(image);
        let asked = ImageId::try_from("ubuntu-24.4".to_owned()).unwrap();
        let latest = Image::latest(&images, &asked).unwrap();
        assert_eq!(latest.id.as_str(), "ubuntu-24.4.10");
        let asked = ImageId::try_from("ubuntu-26.4".to_owned()).unwrap();
        assert_eq!(Image::latest(&images, &asked), None);
    }

    #[test]
    fn a_query_means_the_images_that_match_everything_given() {
        let image = image("ubuntu-24.04");
        let query = ImageQuery {
            os: Some("ubuntu".into()),
            version: Some("24.4.0".into()),
            features: BTreeSet::from([Feature::Machine]),
            ..ImageQuery::default()
        };
        assert!(query.matches(&image));
        let other = ImageQuery {
            classification: Some(Classification::Supported),
            ..query
        };
        assert!(!other.matches(&image));
    }
}
