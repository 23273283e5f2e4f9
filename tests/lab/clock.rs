//! Wall clock time, the only one that `ip monitor` stamps its lines with.

use std::time::Duration;

/// A moment of the wall clock, as microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

/// Now.
#[allow(
    clippy::disallowed_methods,
    reason = "compared with the stamps of another process"
)]
pub fn now() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since.expect("the clock is after 1970").as_micros();
    Moment(i64::try_from(micros).expect("the clock is before 294247"))
}

// === impl Moment ===

impl Moment {
    /// Reads `2026-11-22T08:08:51.123456` as UTC.
    pub fn parse(stamp: &str) -> Option<Self> {
        let (date, time) = stamp.split_once('T')?;
        let mut date = date.splitn(3, '-').map(str::parse::<i64>);
        let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
        let (time, micros) = time.split_once('.')?;
        let mut time = time.splitn(3, ':').map(str::parse::<i64>);
        let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
        // Days since 1970 in the proleptic Gregorian calendar, with years that begin in March.
        let (year, month) = match month {
            1 | 2 => (year - 1, month + 9),
            _ => (year, month - 3),
        };
        let in_year = (153 * month + 2) / 5 + day - 1;
        let days = 365 * year + year / 4 - year / 100 + year / 400 + in_year - 719_468;
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
        Some(Self(seconds * 1_000_000 + micros.parse::<i64>().ok()?))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}
