use std::fmt;

use aws_lc_rs::{hmac, rand};
use chrono::{DateTime, SecondsFormat, Utc};

/// One of the three technical users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    View,
    Edit,
    Admin,
}

/// The three headers of a signed request.
#[derive(Debug, Clone)]
pub struct Signature {
    pub authorization: String,
    pub date: String,
    pub salt: String,
}

// === impl Role ===

impl Role {
    pub fn auth_type(self) -> &'static str {
        match self {
            Role::View => "Metal-View",
            Role::Edit => "Metal-Edit",
            Role::Admin => "Metal-Admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::View => "view",
            Role::Edit => "edit",
            Role::Admin => "admin",
        })
    }
}

// === impl Signature ===

impl Signature {
    /// As header lines of an HTTP/1.1 request.
    pub fn header_lines(&self) -> String {
        self.headers()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .concat()
    }

    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [
            ("Authorization", &self.authorization),
            ("X-Date", &self.date),
            ("X-Data-Salt", &self.salt),
        ]
    }
}

/// Signs `method` with `key` at `date`, with a salt of its own.
pub fn sign_at(key: &str, role: Role, method: &str, date: DateTime<Utc>) -> Signature {
    let date = date.to_rfc3339_opts(SecondsFormat::Secs, true);
    let salt = random_salt();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, format!("{date}{method}{salt}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    Signature {
        authorization: format!("{} {hex}", role.auth_type()),
        date,
        salt,
    }
}

/// Signs `method` with `key` now.
pub fn sign_now(key: &str, role: Role, method: &str) -> Signature {
    sign_at(key, role, method, Utc::now())
}

/// 24 letters, as the clients send them.
fn random_salt() -> String {
    let mut bytes = [0_u8; 24];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect()
}
