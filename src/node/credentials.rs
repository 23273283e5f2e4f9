//! Keys, token and certificate, made where there are none.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::auth::{Authenticator, HmacKey, Role, RoleKey};
use crate::clock;
use crate::config::{self, Config, Tls};
use crate::edge::certificates::{self, Certificates};
use crate::status::HmacFiles;
use crate::trust::own_ca::{self, OwnCa, Subject};
use crate::trust::secrets;

/// Signatures remembered against replay: enough for 1,000 writing requests a
/// second over the longest default lifetime.
const REMEMBERED: usize = 100_000;

/// Why a credential could not be had.
#[derive(Debug, Error)]
pub enum Error {
    /// A key or token file could not be read or made.
    #[error("{path}: {source}")]
    Secret {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The own authority could not issue.
    #[error(transparent)]
    OwnCa(#[from] own_ca::Error),
    /// The certificate could not be loaded.
    #[error(transparent)]
    Certificate(#[from] certificates::Error),
}

/// Who may call, from the configured key files or from generated ones.
pub fn authenticator(config: &Config) -> Result<Authenticator, Error> {
    let files = hmac_files(config);
    let hmac = &config.auth.hmac;
    let key = |role, path: &Path, settings: &config::HmacKey| {
        let secret = match settings.file {
            Some(_) => secrets::load(path),
            None => secrets::load_or_create(path),
        };
        let secret = secret.map_err(|source| Error::Secret {
            path: path.to_owned(),
            source,
        })?;
        Ok::<_, Error>(RoleKey {
            role,
            key: HmacKey::new(secret.as_bytes()),
            lifetime: settings.lifetime,
        })
    };
    let keys = vec![
        key(Role::View, &files.view, &hmac.view)?,
        key(Role::Edit, &files.edit, &hmac.edit)?,
        key(Role::Admin, &files.admin, &hmac.admin)?,
    ];
    Ok(Authenticator::new(
        keys,
        &config.auth.provider_tenant,
        hmac.future_skew,
        REMEMBERED,
        clock::wall(),
    ))
}

/// Where the keys stand.
pub fn hmac_files(config: &Config) -> HmacFiles {
    let hmac = &config.auth.hmac;
    let file =
        |settings: &config::HmacKey, generated: PathBuf| settings.file.clone().unwrap_or(generated);
    HmacFiles {
        view: file(&hmac.view, config.data_dir.hmac_view_key()),
        edit: file(&hmac.edit, config.data_dir.hmac_edit_key()),
        admin: file(&hmac.admin, config.data_dir.hmac_admin_key()),
    }
}

/// The token of the admin listener.
pub fn admin_token(config: &Config) -> Result<Arc<str>, Error> {
    let path = config.data_dir.admin_token();
    let token = secrets::load_or_create(&path);
    token
        .map(Arc::from)
        .map_err(|source| Error::Secret { path, source })
}

/// The node's own authority, where the configuration names no certificate.
pub fn own_ca(config: &Config) -> Option<(OwnCa, Subject)> {
    match &config.tls {
        Tls::OwnCa => Some((OwnCa::new(config.data_dir.path()), subject(config))),
        Tls::Files { .. } => None,
    }
}

/// The certificate to serve.
pub fn certificates(config: &Config) -> Result<Certificates, Error> {
    if let Some((ca, subject)) = own_ca(config) {
        if ca.ensure(&subject)? {
            tracing::info!(file = %ca.certificate().display(), "issued a server certificate");
        }
        return Ok(Certificates::load(ca.certificate(), ca.key())?);
    }
    match &config.tls {
        Tls::Files { certificate, key } => Ok(Certificates::load(certificate, key)?),
        Tls::OwnCa => unreachable!("handled above"),
    }
}

/// Everything that clients may call this node.
fn subject(config: &Config) -> Subject {
    let mut addresses: BTreeSet<IpAddr> = config
        .listen
        .api
        .iter()
        .map(|address| address.ip())
        .filter(|ip| !ip.is_unspecified())
        .collect();
    addresses.insert(Ipv4Addr::LOCALHOST.into());
    addresses.insert(Ipv6Addr::LOCALHOST.into());
    let node = config.node.to_string();
    Subject {
        names: BTreeSet::from(["localhost".to_owned(), node.clone()]),
        node,
        addresses,
    }
}
