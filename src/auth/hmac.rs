//! The HMAC scheme of metal-stack's clients.
//!
//! A client sends `X-Date` (RFC 3339, UTC, seconds), `X-Data-Salt` and
//! `Authorization: <type> <hex>`, where `<hex>` is
//! HMAC-SHA256(key, date ‖ method ‖ salt) without separators. Path, query,
//! host and body are not signed.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, Method, header};
use chrono::{DateTime, SecondsFormat, Utc};
use thiserror::Error;

use super::replay::{Mac, ReplayGuard, Seen};
use super::user::{Role, User};

const X_DATE: &str = "x-date";
const X_SALT: &str = "x-data-salt";
/// Longest salt accepted, in bytes; clients send 24.
const MAX_SALT: usize = 128;

/// A secret key. Never printed, not even by `Debug`.
#[derive(Clone)]
pub struct HmacKey(hmac::Key);

// === impl HmacKey ===

impl HmacKey {
    /// A key from its bytes, as they stand in the key file.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(..)")
    }
}

/// The key of one role, and how long a signature made with it is good.
#[derive(Debug, Clone)]
pub struct RoleKey {
    /// Which role the key grants.
    pub role: Role,
    /// The key.
    pub key: HmacKey,
    /// Greatest age of `X-Date`.
    pub lifetime: Duration,
}

/// Why a request was not authenticated. The text is the answer's message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no `Authorization` header.
    #[error(
        "no credentials: send Authorization, X-Date and X-Data-Salt as metal-stack's clients do"
    )]
    Missing,
    /// The `Authorization` header names no type that is known here.
    #[error("unknown authorization type, want one of Metal-View, Metal-Edit, Metal-Admin")]
    UnknownType,
    /// A header is there, but not well formed.
    #[error("malformed {0} header")]
    Malformed(&'static str),
    /// The signature is not the key holder's.
    #[error("Wrong HMAC found")]
    WrongHmac,
    /// `X-Date` is older than the role's lifetime.
    #[error(
        "the timestamp in your header is too old: {0:?}, please check if you have time synchronization activated"
    )]
    TooOld(String),
    /// `X-Date` is further ahead than the allowed skew.
    #[error(
        "the timestamp in your header is in the future: {0:?}, please check if you have time synchronization activated"
    )]
    TooNew(String),
    /// A writing request whose signature was seen before.
    #[error("this signature was used before: sign each request that changes something anew")]
    Replayed,
    /// A writing request signed before this node started; whether it was seen
    /// before is not known.
    #[error(
        "this request was signed before this node started, so a repetition could not be told: sign it anew"
    )]
    BeforeStart,
    /// The memory of signatures is full.
    #[error("too many signed requests in a short time, try again in a while")]
    Overloaded,
}

// === impl Refusal ===

impl Refusal {
    /// The reason as a metric label.
    pub const fn label(&self) -> &'static str {
        match self {
            Refusal::Missing => "missing",
            Refusal::UnknownType => "unknown_type",
            Refusal::Malformed(_) => "malformed",
            Refusal::WrongHmac => "wrong_hmac",
            Refusal::TooOld(_) => "too_old",
            Refusal::TooNew(_) => "too_new",
            Refusal::Replayed => "replayed",
            Refusal::BeforeStart => "before_start",
            Refusal::Overloaded => "overloaded",
        }
    }
}

/// The moment of a request on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Wall clock, for the date that the client signed.
    pub wall: DateTime<Utc>,
    /// Monotonic clock, for the memory of signatures.
    pub monotonic: Instant,
}

/// Checks signatures.
#[derive(Debug)]
pub struct Authenticator {
    /// One per role, each with the user that it stands for.
    roles: Vec<(RoleKey, Arc<User>)>,
    future_skew: Duration,
    started: DateTime<Utc>,
    replay: ReplayGuard,
}

// === impl Authenticator ===

impl Authenticator {
    /// `started` is when this process began to remember signatures: writing
    /// requests signed before it are refused, so that a restart opens no window
    /// for a replay.
    pub fn new(
        keys: Vec<RoleKey>,
        provider_tenant: &str,
        future_skew: Duration,
        remembered: usize,
        started: DateTime<Utc>,
    ) -> Self {
        let roles = keys
            .into_iter()
            .map(|key| {
                let user = User::technical(key.role, provider_tenant);
                (key, Arc::new(user))
            })
            .collect();
        Self {
            roles,
            future_skew,
            started,
            replay: ReplayGuard::new(remembered),
        }
    }

    /// Who signed this request.
    ///
    /// `writes` says whether the operation changes anything: only then does a
    /// signature pass no more than once.
    ///
    /// Cost: one HMAC-SHA256 over about 50 bytes.
    pub fn authenticate(
        &self,
        method: &Method,
        headers: &HeaderMap,
        writes: bool,
        now: Moment,
    ) -> Result<&Arc<User>, Refusal> {
        let authorization = headers
            .get(header::AUTHORIZATION)
            .ok_or(Refusal::Missing)?
            .to_str()
            .map_err(|_| Refusal::Malformed("Authorization"))?;
        let (kind, hex) = authorization
            .split_once(' ')
            .filter(|(_, hex)| !hex.contains(' '))
            .ok_or(Refusal::Malformed("Authorization"))?;
        let (role, user) = self
            .roles
            .iter()
            .find(|(key, _)| key.role.hmac_type() == kind)
            .ok_or(Refusal::UnknownType)?;

        let date_text = text(headers, X_DATE, "X-Date")?;
        let date = DateTime::parse_from_rfc3339(date_text)
            .map_err(|_| Refusal::Malformed("X-Date"))?
            .with_timezone(&Utc);
        let salt = text(headers, X_SALT, "X-Data-Salt")?;
        if salt.len() > MAX_SALT {
            return Err(Refusal::Malformed("X-Data-Salt"));
        }

        let mac = decode(hex).ok_or(Refusal::Malformed("Authorization"))?;
        let message = format!(
            "{}{}{}",
            date.to_rfc3339_opts(SecondsFormat::Secs, true),
            method.as_str(),
            salt
        );
        hmac::verify(&role.key.0, message.as_bytes(), &mac).map_err(|_| Refusal::WrongHmac)?;

        let remaining = self.check_date(date, date_text, role.lifetime, now)?;
        if method != Method::GET && method != Method::HEAD {
            match self.replay.remember(mac, now.monotonic, remaining) {
                Seen::First => {}
                Seen::Before if writes => return Err(Refusal::Replayed),
                Seen::Full if writes => return Err(Refusal::Overloaded),
                Seen::Before | Seen::Full => {}
            }
            // Dates are signed in whole seconds.
            if writes && date.timestamp() < self.started.timestamp() {
                return Err(Refusal::BeforeStart);
            }
        }
        Ok(user)
    }

    /// How many signatures are remembered.
    pub fn remembered(&self) -> usize {
        self.replay.len()
    }

    /// How long a signature of `date` stays acceptable.
    fn check_date(
        &self,
        date: DateTime<Utc>,
        text: &str,
        lifetime: Duration,
        now: Moment,
    ) -> Result<Duration, Refusal> {
        let age = now.wall.signed_duration_since(date);
        let remaining = chrono::Duration::from_std(lifetime)
            .unwrap_or(chrono::Duration::MAX)
            .checked_sub(&age)
            .and_then(|left| left.to_std().ok())
            .ok_or_else(|| Refusal::TooOld(text.to_owned()))?;
        let ahead = (-age).to_std().unwrap_or_default();
        if ahead > self.future_skew {
            return Err(Refusal::TooNew(text.to_owned()));
        }
        Ok(remaining)
    }
}

fn text<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
    shown: &'static str,
) -> Result<&'h str, Refusal> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
        .ok_or(Refusal::Malformed(shown))
}

fn decode(hex: &str) -> Option<Mac> {
    let hex = hex.as_bytes();
    let mut mac = [0_u8; 32];
    if hex.len() != 2 * mac.len() {
        return None;
    }
    for (byte, pair) in mac.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(mac)
}

/// Lower case only, as clients send it.
const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/hmac.rs"]
mod tests;
