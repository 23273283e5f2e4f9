//! Can the API be served over TLS, and to whom?

use std::path::Path;

use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Subject, finding::Group};
use crate::{
    clock,
    config::Tls,
    edge::certificates::{Certificates, Loaded},
};

/// Fewer days left are worth a warning: long enough to find somebody.
const WARN_DAYS: i64 = 7;
/// An own certificate is renewed long before.
const WARN_DAYS_OWN: i64 = 0;

pub(super) fn check(subject: &Subject) -> Group {
    let mut group = Group::new("certificate");
    let directory = &subject.config.data_dir;
    match &subject.config.tls {
        Tls::Files { certificate, key } => {
            look(&mut group, subject, certificate, key, WARN_DAYS);
        }
        Tls::OwnCa if directory.certificate().exists() => {
            let (certificate, key) = (directory.certificate(), directory.key());
            look(&mut group, subject, &certificate, &key, WARN_DAYS_OWN);
        }
        Tls::OwnCa => group.ok("the node makes its own CA and certificate at its first start"),
    }
    group
}

fn look(group: &mut Group, subject: &Subject, certificate: &Path, key: &Path, warn_days: i64) {
    let shown = certificate.display();
    let loaded = match Certificates::load(certificate, key) {
        Ok(certificates) => certificates.current(),
        Err(error) => {
            let fix = "put a PEM chain and its PEM key there, readable by the node's user";
            group.failed(shown.to_string(), error.to_string(), fix);
            return;
        }
    };
    group.ok(format!(
        "{shown} and its key belong together, issued by {}",
        loaded.issuer
    ));
    validity(group, &loaded, warn_days);
    names(group, subject, &loaded);
}

fn validity(group: &mut Group, loaded: &Loaded, warn_days: i64) {
    let now = clock::wall();
    let days = (loaded.not_after - now).num_days();
    let until = loaded.not_after.format("%Y-%m-%d %H:%M UTC");
    let what = format!("valid until {until}, {days} days left");
    let fix = "renew it: the node reads the files again when they change";
    if loaded.not_after <= now {
        group.failed(what, "it has expired: no client trusts it", fix);
    } else if not_before(loaded).is_some_and(|from| from > now.timestamp()) {
        let fix = "set the clock of this machine, or wait";
        group.failed(what, "it is not valid yet", fix);
    } else if days < warn_days {
        group.warning(what, "it expires soon", fix);
    } else {
        group.ok(what);
    }
}

fn not_before(loaded: &Loaded) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(&loaded.leaf).ok()?;
    Some(certificate.validity().not_before.timestamp())
}

/// Clients that use an address need it in the certificate. Those that use a
/// name need that, and which it is nobody told us.
fn names(group: &mut Group, subject: &Subject, loaded: &Loaded) {
    let names = loaded.names.join(" ");
    let addresses = subject
        .config
        .listen
        .api
        .iter()
        .map(std::net::SocketAddr::ip);
    let missing: Vec<_> = addresses
        .filter(|address| !address.is_unspecified())
        .map(|address| address.to_string())
        .filter(|address| !loaded.names.contains(address))
        .collect();
    if missing.is_empty() {
        group.ok(format!("covers every address of listen.api: {names}"));
    } else {
        group.warning(
            format!("does not cover {}", missing.join(" ")),
            format!("clients must use one of its names: {names}"),
            "add the addresses to it, or point a name of it at them",
        );
    }
}
