//! How long texts and lists may be.

use std::collections::{BTreeMap, BTreeSet};

use super::Invalid;

/// Longest id, bytes.
pub const ID: usize = 255;
/// Longest name, bytes.
pub const NAME: usize = 255;
/// Longest description, bytes.
pub const DESCRIPTION: usize = 4096;
/// Longest single-line text that is neither a name nor a description, bytes.
pub const TEXT: usize = 2048;
/// Most labels or annotations of a record.
pub const LABELS: usize = 128;
/// Longest key of a label or annotation, bytes.
pub const LABEL_KEY: usize = 255;
/// Longest value of a label or annotation, bytes.
pub const LABEL_VALUE: usize = 4096;
/// Most bytes of all labels or annotations of a record together.
pub const LABELS_BYTES: usize = 64 * 1024;

/// `text` has no control characters and at most `max` bytes.
pub fn line(field: &str, text: &str, max: usize) -> Result<(), Invalid> {
    length(field, text, max)?;
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(field, "control characters are not allowed"));
    }
    Ok(())
}

/// `text` has at most `max` bytes and no control characters but tabs and line ends.
pub fn paragraph(field: &str, text: &str, max: usize) -> Result<(), Invalid> {
    length(field, text, max)?;
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(Invalid::new(field, "control characters are not allowed"));
    }
    Ok(())
}

/// A [`line`] that is not empty.
pub fn filled_line(field: &str, text: &str, max: usize) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::new(field, "must not be empty"));
    }
    line(field, text, max)
}

/// `number` is one that every client's signed 64-bit type holds.
pub fn number(field: &str, number: u64) -> Result<(), Invalid> {
    if i64::try_from(number).is_err() {
        return Err(Invalid::new(
            field,
            format!("{number} is greater than {}", i64::MAX),
        ));
    }
    Ok(())
}

/// A list has `len` of at most `max` entries.
pub fn count(field: &str, len: usize, max: usize) -> Result<(), Invalid> {
    if len > max {
        return Err(Invalid::new(
            field,
            format!("{len} entries, at most {max} are allowed"),
        ));
    }
    Ok(())
}

/// Every entry is a [`filled_line`] of at most `max_len` bytes; at most `max_count` of them.
pub fn lines(
    field: &str,
    list: &[String],
    max_count: usize,
    max_len: usize,
) -> Result<(), Invalid> {
    count(field, list.len(), max_count)?;
    for (i, entry) in list.iter().enumerate() {
        filled_line(&format!("{field}[{i}]"), entry, max_len)?;
    }
    Ok(())
}

/// No entry of `list` is there twice.
pub fn distinct<'a>(field: &str, list: impl IntoIterator<Item = &'a str>) -> Result<(), Invalid> {
    let mut seen = BTreeSet::new();
    for entry in list {
        if !seen.insert(entry) {
            return Err(Invalid::new(field, format!("{entry:?} is given twice")));
        }
    }
    Ok(())
}

/// Labels or annotations with values: bounded in count, key, value and sum.
pub fn labels(field: &str, labels: &BTreeMap<String, String>) -> Result<(), Invalid> {
    count(field, labels.len(), LABELS)?;
    let mut sum = 0;
    for (key, value) in labels {
        filled_line(field, key, LABEL_KEY)?;
        paragraph(&format!("{field}.{key}"), value, LABEL_VALUE)?;
        sum += key.len() + value.len();
    }
    total(field, sum)
}

/// Labels without values: bounded in count, length and sum.
pub fn tags(field: &str, tags: &[String]) -> Result<(), Invalid> {
    lines(field, tags, LABELS, LABEL_VALUE)?;
    total(field, tags.iter().map(String::len).sum())
}

fn total(field: &str, bytes: usize) -> Result<(), Invalid> {
    if bytes > LABELS_BYTES {
        return Err(Invalid::new(
            field,
            format!("{bytes} bytes in all, at most {LABELS_BYTES} are allowed"),
        ));
    }
    Ok(())
}

fn length(field: &str, text: &str, max: usize) -> Result<(), Invalid> {
    if text.len() > max {
        return Err(Invalid::new(
            field,
            format!("{} bytes, at most {max} are allowed", text.len()),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_bounded_and_has_no_control_characters() {
        assert!(line("name", "größe", NAME).is_ok());
        assert!(line("name", "a\u{0}b", NAME).is_err());
        assert!(line("name", "a\nb", NAME).is_err());
        assert!(line("name", &"x".repeat(NAME), NAME).is_ok());
        let error = line("name", &"x".repeat(NAME + 1), NAME).unwrap_err();
        assert_eq!(
            error.to_string(),
            "name: 256 bytes, at most 255 are allowed"
        );
    }

    #[test]
    fn labels_are_bounded_in_count_and_bytes() {
        let many: BTreeMap<_, _> = (0..=LABELS)
            .map(|i| (format!("k{i}"), String::new()))
            .collect();
        assert!(labels("labels", &many).is_err());
        let big: BTreeMap<_, _> = (0..20)
            .map(|i| (format!("k{i}"), "x".repeat(LABEL_VALUE)))
            .collect();
        assert!(
            labels("labels", &big)
                .unwrap_err()
                .reason
                .contains("in all")
        );
        let empty_key = BTreeMap::from([(String::new(), "x".into())]);
        assert!(labels("labels", &empty_key).is_err());
    }
}
