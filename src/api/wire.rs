//! What the wire types of all entities share.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Datelike, Utc};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::domain::Invalid;

/// A JSON object of texts; a key given twice is refused, `null` as value is the empty text.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts(pub BTreeMap<String, String>);

// === impl Texts ===

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose values are texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
        let mut texts = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Option<String>>()? {
            if texts.contains_key(&key) {
                return Err(A::Error::custom(format_args!("duplicate field {key:?}")));
            }
            texts.insert(key, value.unwrap_or_default());
        }
        Ok(Texts(texts))
    }
}

/// The texts, or none.
pub(super) fn texts(texts: Option<Texts>) -> BTreeMap<String, String> {
    texts.unwrap_or_default().0
}

/// `text`, or nothing if it is empty: how a filter says that it does not care.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Puts what is given in place of what is there.
pub(super) fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

/// A moment, if one is given that is not Go's zero time.
pub(super) fn moment(moment: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    moment.filter(|moment| moment.year() > 1)
}

/// A date that every client can read.
pub(super) fn date(field: &str, date: DateTime<Utc>) -> Result<DateTime<Utc>, Invalid> {
    if (1970..=9999).contains(&date.year()) {
        Ok(date)
    } else {
        Err(Invalid::new(field, "must be a date from 1970 to 9999"))
    }
}

/// The word of an enumeration, refused with those that there are.
pub(super) fn word<T>(
    field: &str,
    word: &str,
    parse: fn(&str) -> Option<T>,
    words: &[&str],
) -> Result<T, Invalid> {
    parse(word)
        .ok_or_else(|| Invalid::new(field, format!("{word:?} is none of {}", words.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_given_twice_is_refused() {
        let error = serde_json::from_str::<Texts>(r#"{"a":"1","a":"2"}"#).unwrap_err();
        assert!(error.to_string().contains("duplicate field \"a\""));
        let texts: Texts = serde_json::from_str(r#"{"a":null}"#).unwrap();
        assert_eq!(texts.0["a"], "");
    }
}
