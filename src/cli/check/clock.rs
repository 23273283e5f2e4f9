//! Is the clock right? Clients sign the time, and certificates have dates.

use std::path::Path;

use chrono::Datelike;
use x509_parser::pem::parse_x509_pem;

use super::{Subject, finding::Group};
use crate::{clock, files};

/// This program is not older.
const FIRST_YEAR: i32 = 2025;
/// Files that only a time service makes, and what they say.
const SERVICES: [(&str, &str); 4] = [
    (
        "/run/systemd/timesync/synchronized",
        "synchronized by systemd-timesyncd",
    ),
    ("/run/chrony/chronyd.pid", "kept by chronyd"),
    ("/run/chronyd.pid", "kept by chronyd"),
    ("/run/ntpd.pid", "kept by ntpd"),
];
/// The host keeps the clock of a container.
const CONTAINERS: [&str; 2] = ["/run/systemd/container", "/.dockerenv"];

pub(super) fn check(subject: &Subject) -> Group {
    let mut group = Group::new("clock");
    let now = clock::wall();
    let what = format!("it is {}", now.format("%Y-%m-%d %H:%M:%S UTC"));
    let set = "set the clock, and run chrony or systemd-timesyncd";
    if now.year() < FIRST_YEAR {
        group.failed(what, "that is in the past", set);
    } else if now.timestamp() < not_before(&subject.config.data_dir.ca_certificate()) {
        group.failed(what, "the node's own CA was made after that", set);
    } else {
        group.ok(what);
    }
    let there = |path: &&str| Path::new(path).exists();
    if let Some((_, how)) = SERVICES.iter().find(|(path, _)| there(path)) {
        group.ok(*how);
    } else if CONTAINERS.iter().any(there) {
        group.ok("kept by the host of this container");
    } else {
        let lifetime = subject.config.auth.hmac.view.lifetime;
        group.warning(
            "no time service was found here",
            format!(
                "requests are signed with the time, and refused when it differs by more than {}",
                humantime::format_duration(lifetime)
            ),
            "run chrony or systemd-timesyncd",
        );
    }
    group
}

/// When the CA was made, in seconds; the beginning of time without a CA.
fn not_before(ca: &Path) -> i64 {
    let made = |pem: Vec<u8>| {
        let (_, pem) = parse_x509_pem(&pem).ok()?;
        let certificate = pem.parse_x509().ok()?;
        Some(certificate.validity().not_before.timestamp())
    };
    files::read(ca, 1 << 20)
        .ok()
        .and_then(made)
        .unwrap_or(i64::MIN)
}
