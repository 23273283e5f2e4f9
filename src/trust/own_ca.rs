//! The node's own certificate authority.
//!
//! Where the configuration names no certificate, the node makes an authority
//! once and issues its server certificate from it: clients need to trust one
//! file, `ca.crt` in the data directory, and renewals go unnoticed.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType,
};
use thiserror::Error;
use x509_parser::pem::parse_x509_pem;

use super::x509::alternative_names;
use crate::{clock, files};

const DAY: Duration = Duration::from_secs(24 * 3600);
const CA_LIFE: u32 = 10 * 365;
const SERVER_LIFE: u32 = 90;
/// A certificate is good from an hour before its making, for clocks that lag.
const BACKDATE: Duration = Duration::from_secs(3600);
const MAX_FILE: u64 = 64 * 1024;

/// Why the node's own certificate could not be had.
#[derive(Debug, Error)]
pub enum Error {
    /// A file of the authority could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the authority does not hold what it should.
    #[error("{path}: {reason}; restore it, or move ca.key and ca.crt away to make a new authority")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// The files of the authority and of the certificate it issued.
#[derive(Debug, Clone)]
pub struct OwnCa {
    ca_certificate: PathBuf,
    ca_key: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

/// Whom a server certificate speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The node's name, as the certificate's common name.
    pub node: String,
    /// DNS names.
    pub names: BTreeSet<String>,
    /// Addresses.
    pub addresses: BTreeSet<IpAddr>,
}

// === impl OwnCa ===

impl OwnCa {
    /// The authority whose files stand in `data_dir`.
    pub fn new(data_dir: &Path) -> Self {
        Self {
            ca_certificate: data_dir.join("ca.crt"),
            ca_key: data_dir.join("ca.key"),
            certificate: data_dir.join("tls.crt"),
            key: data_dir.join("tls.key"),
        }
    }

    /// The certificate that clients need to trust.
    pub fn ca_certificate(&self) -> &Path {
        &self.ca_certificate
    }

    /// The server certificate, followed by nothing: the authority issues it.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// The server certificate's key.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// Makes the authority where there is none, and issues a server certificate
    /// where there is none for `subject`, or where two thirds of its life are
    /// over. Returns whether a new one was issued.
    pub fn ensure(&self, subject: &Subject) -> Result<bool, Error> {
        let issuer = self.authority(subject)?;
        let now = clock::wall();
        if self.is_current(subject, now) {
            return Ok(false);
        }
        let key = KeyPair::generate()?;
        let certificate = server_params(subject, now)?.signed_by(&key, &issuer)?;
        // The key goes first: a certificate without its key would not load.
        write(&self.key, key.serialize_pem().as_bytes(), files::SECRET)?;
        write(
            &self.certificate,
            certificate.pem().as_bytes(),
            files::PUBLIC,
        )?;
        Ok(true)
    }

    fn authority(&self, subject: &Subject) -> Result<Issuer<'static, KeyPair>, Error> {
        if !self.ca_key.exists() && !self.ca_certificate.exists() {
            let key = KeyPair::generate()?;
            let certificate = authority_params(&subject.node, clock::wall())?.self_signed(&key)?;
            write(&self.ca_key, key.serialize_pem().as_bytes(), files::SECRET)?;
            write(
                &self.ca_certificate,
                certificate.pem().as_bytes(),
                files::PUBLIC,
            )?;
        }
        let invalid = |path: &Path| {
            let path = path.to_owned();
            move |error: rcgen::Error| Error::Invalid {
                path,
                reason: error.to_string(),
            }
        };
        let key = KeyPair::from_pem(&read(&self.ca_key)?).map_err(invalid(&self.ca_key))?;
        Issuer::from_ca_cert_pem(&read(&self.ca_certificate)?, key)
            .map_err(invalid(&self.ca_certificate))
    }

    /// Whether the certificate at hand is for `subject`, from this authority,
    /// belongs to its key, and has a third of its life left.
    fn is_current(&self, subject: &Subject, now: DateTime<Utc>) -> bool {
        let (Ok(certificate), Ok(key), Ok(authority)) = (
            read(&self.certificate),
            read(&self.key),
            read(&self.ca_certificate),
        ) else {
            return false;
        };
        let Ok(key) = KeyPair::from_pem(&key) else {
            return false;
        };
        let (Ok((_, certificate)), Ok((_, authority))) = (
            parse_x509_pem(certificate.as_bytes()),
            parse_x509_pem(authority.as_bytes()),
        ) else {
            return false;
        };
        let (Ok(certificate), Ok(authority)) = (certificate.parse_x509(), authority.parse_x509())
        else {
            return false;
        };
        let from = certificate.validity().not_before.timestamp();
        let until = certificate.validity().not_after.timestamp();
        let fresh = now.timestamp() >= from && now.timestamp() < until - (until - from) / 3;
        let names = alternative_names(&certificate).map(BTreeSet::from_iter);
        fresh
            && names == Some(subject.alternative_names())
            && certificate
                .verify_signature(Some(authority.public_key()))
                .is_ok()
            && certificate.public_key().raw == key.subject_public_key_info()
    }
}

// === impl Subject ===

impl Subject {
    fn alternative_names(&self) -> BTreeSet<String> {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        self.names.iter().cloned().chain(addresses).collect()
    }
}

fn authority_params(node: &str, now: DateTime<Utc>) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    let name = format!("metal-edge {node} {}", now.format("%Y-%m-%d"));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut params, now, CA_LIFE);
    Ok(params)
}

fn server_params(subject: &Subject, now: DateTime<Utc>) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, subject.node.clone());
    for name in &subject.names {
        params
            .subject_alt_names
            .push(SanType::DnsName(name.as_str().try_into()?));
    }
    for address in &subject.addresses {
        params.subject_alt_names.push(SanType::IpAddress(*address));
    }
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    validity(&mut params, now, SERVER_LIFE);
    Ok(params)
}

fn validity(params: &mut CertificateParams, now: DateTime<Utc>, days: u32) {
    let since_epoch = Duration::from_secs(now.timestamp().max(0).unsigned_abs());
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_epoch;
    params.not_before = now - BACKDATE;
    params.not_after = now + DAY * days;
}

fn read(path: &Path) -> Result<String, Error> {
    let bytes = files::read(path, MAX_FILE).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    String::from_utf8(bytes).map_err(|_| Error::Invalid {
        path: path.to_owned(),
        reason: "not PEM".to_owned(),
    })
}

fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    files::write(path, content, mode).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(address: &str) -> Subject {
        Subject {
            node: "fra-1".to_owned(),
            names: BTreeSet::from(["localhost".to_owned()]),
            addresses: BTreeSet::from([address.parse().expect("an address")]),
        }
    }

    #[test]
    fn a_certificate_is_issued_once_and_again_only_for_another_subject() {
        let directory = tempfile::tempdir().expect("a directory");
        let ca = OwnCa::new(directory.path());
        assert!(ca.ensure(&subject("192.0.2.1")).expect("issued"));
        let authority = read(ca.ca_certificate()).expect("there");
        assert!(!ca.ensure(&subject("192.0.2.1")).expect("kept"));
        assert!(ca.ensure(&subject("2001:db8::1")).expect("issued anew"));
        assert_eq!(read(ca.ca_certificate()).expect("there"), authority);
    }

    #[test]
    fn a_certificate_past_two_thirds_of_its_life_is_not_current() {
        let directory = tempfile::tempdir().expect("a directory");
        let ca = OwnCa::new(directory.path());
        let subject = subject("192.0.2.1");
        ca.ensure(&subject).expect("issued");
        let now = clock::wall();
        assert!(ca.is_current(&subject, now + chrono::Duration::days(59)));
        assert!(!ca.is_current(&subject, now + chrono::Duration::days(61)));
        assert!(!ca.is_current(&subject, now - chrono::Duration::days(1)));
    }

    #[test]
    fn a_damaged_authority_is_an_error_that_says_what_to_do() {
        let directory = tempfile::tempdir().expect("a directory");
        let ca = OwnCa::new(directory.path());
        files::write(&directory.path().join("ca.key"), b"junk", 0o600).expect("written");
        files::write(&directory.path().join("ca.crt"), b"junk", 0o600).expect("written");
        let error = ca
            .ensure(&subject("192.0.2.1"))
            .expect_err("damaged")
            .to_string();
        assert!(
            error.contains("ca.key") && error.contains("move"),
            "{error}"
        );
    }
}
