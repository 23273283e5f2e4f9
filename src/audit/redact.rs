//! What is recorded of a body.

use bytes::Bytes;
use serde_json::Value;

/// Longest body that is looked at, bytes.
pub(super) const RAW: usize = 256 * 1024;
/// Longest text inside of a body that is recorded whole, bytes.
const TEXT: usize = 1024;
/// What stands in place of a secret.
const REDACTED: &str = "(redacted)";

/// What the name of a field with a secret has in it, in lower case and without anything but
/// letters and digits.
const SECRETS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "userdata",
    "privatekey",
    "authkey",
    "apikey",
    "accesskey",
];

/// What is recorded of a body of `length` bytes, in at most `most` bytes. Only JSON is, since of
/// nothing else it is known where the secrets are.
pub(super) fn recorded(parts: &[Bytes], length: usize, most: usize) -> String {
    if length == 0 {
        return String::new();
    }
    if length > RAW {
        return format!("({length} bytes, too long to be recorded)");
    }
    match serde_json::from_slice(&parts.concat()) {
        Ok(value) => cut(redacted(value).to_string(), most),
        Err(_) => format!("({length} bytes, not JSON)"),
    }
}

/// At most `most` bytes of `text`, and then how many are missing.
pub(super) fn cut(mut text: String, most: usize) -> String {
    // PostgreSQL, for one, keeps no text with it.
    if text.contains('\0') {
        text = text.replace('\0', "\u{fffd}");
    }
    if text.len() > most {
        let end = text.floor_char_boundary(most);
        let missing = text.len() - end;
        text.truncate(end);
        text += &format!("… ({missing} bytes more)");
    }
    text
}

/// Whether a field of this name has a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRETS.iter().any(|secret| name.contains(secret))
}

/// The same without secrets and long texts. As deep as the parser allows.
fn redacted(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(
                |(name, value)| match is_secret(&name) && !is_empty(&value) {
                    true => (name, Value::from(REDACTED)),
                    false => (name, redacted(value)),
                },
            )
            .collect(),
        Value::Array(values) => values.into_iter().map(redacted).collect(),
        Value::String(text) => Value::from(cut(without_credentials(text), TEXT)),
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// The same with every URL in it without user and password.
pub(super) fn without_credentials(text: String) -> String {
    let mut parts = text.split("://");
    let first = parts.next().unwrap_or_default();
    let mut shown = first.to_owned();
    for part in parts {
        let ends = |c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace();
        let (authority, rest) = part.split_at(part.find(ends).unwrap_or(part.len()));
        shown += "://";
        match authority.rsplit_once('@') {
            Some((_, host)) => shown.extend([REDACTED, "@", host]),
            None => shown += authority,
        }
        shown += rest;
    }
    shown
}
