//! Wire types of images.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::wire::{filled, word};
use crate::domain::{Classification, Feature, Image, ImageQuery, Invalid};

/// Body of create and update; what is left out of an update stays as it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ImageRequest {
    pub id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub url: Option<String>,
    pub features: Option<Vec<String>>,
    pub classification: Option<String>,
    #[serde(rename = "expirationDate")]
    pub expiration_date: Option<DateTime<Utc>>,
    pub changed: Option<DateTime<Utc>>,
}

/// Body of find.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ImageFindRequest {
    id: Option<String>,
    name: Option<String>,
    os: Option<String>,
    version: Option<String>,
    classification: Option<String>,
    features: Option<Vec<String>>,
}

/// An image in an answer.
#[derive(Debug, Serialize)]
pub(super) struct ImageResponse {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    features: Vec<&'static str>,
    classification: &'static str,
    #[serde(rename = "expirationDate")]
    expiration_date: DateTime<Utc>,
    created: DateTime<Utc>,
    changed: DateTime<Utc>,
}

/// The features of a request.
pub(super) fn features(words: Vec<String>) -> Result<BTreeSet<Feature>, Invalid> {
    words
        .iter()
        .map(|text| {
            word(
                "features",
                text,
                Feature::from_word,
                &["machine", "firewall"],
            )
        })
        .collect()
}

/// The classification of a request, if there is one.
pub(super) fn classification(text: Option<String>) -> Result<Option<Classification>, Invalid> {
    filled(text)
        .map(|text| {
            word(
                "classification",
                &text,
                Classification::from_word,
                &["preview", "supported", "deprecated"],
            )
        })
        .transpose()
}

// === impl ImageFindRequest ===

impl ImageFindRequest {
    pub fn into_query(self) -> Result<ImageQuery, Invalid> {
        Ok(ImageQuery {
            id: filled(self.id),
            name: filled(self.name),
            os: filled(self.os),
            version: filled(self.version),
            classification: classification(self.classification)?,
            features: features(self.features.unwrap_or_default())?,
        })
    }
}

// === impl ImageResponse ===

impl From<Image> for ImageResponse {
    fn from(image: Image) -> Self {
        Self {
            id: image.id.into(),
            name: image.name,
            description: image.description,
            url: image.url,
            features: image.features.into_iter().map(Feature::word).collect(),
            classification: image.classification.word(),
            expiration_date: image.expires,
            created: image.times.created,
            changed: image.times.changed,
        }
    }
}
