//! What the wire types of all entities share.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Datelike, Utc};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::domain::Invalid;

/// A JSON object, and nothing else: a struct would also be read from an array of its fields.
#[derive(Debug, Default)]
pub(super) struct Object<T>(pub T);

// === impl Object ===

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// An object, or none: for `deserialize_with`.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let object = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(object.map(|Object(value)| value))
}

/// A list of objects, or none: for `deserialize_with`.
pub(super) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let list = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(list.map(|list| list.into_iter().map(|Object(value)| value).collect()))
}

/// A JSON object of texts; `null` as value is the empty text.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Texts(BTreeMap<String, Option<String>>);

// === impl Texts ===

impl Texts {
    pub fn into_map(self) -> BTreeMap<String, String> {
        let fill = |(key, value): (String, Option<String>)| (key, value.unwrap_or_default());
        self.0.into_iter().map(fill).collect()
    }
}

/// The texts, or none.
pub(super) fn texts(texts: Option<Texts>) -> BTreeMap<String, String> {
    texts.unwrap_or_default().into_map()
}

/// `text`, or nothing if it is empty: how a filter says that it does not care.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The text, which must be given.
pub(super) fn required(field: &str, text: Option<String>) -> Result<String, Invalid> {
    filled(text).ok_or_else(|| Invalid::new(field, "should not be empty"))
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
