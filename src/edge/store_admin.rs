//! What the admin listener says of the stores, and their backup.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::stream;
use metal_storage::Scope;
use metal_storage::backup::{self, Compression, Options, Part};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::sync::Semaphore;

use super::admin::{Admin, refusal};
use crate::clock;
use crate::config::Config;
use crate::schemas;
use crate::stores::info::Info;
use crate::stores::{self, Stores};

/// Bytes on their way to a client that is slower than the store.
const PIPE: usize = 256 * 1024;
/// A client that takes nothing for so long is given up.
const STALL: Duration = Duration::from_secs(60);
/// One backup at a time: each reads everything.
static RUNNING: Semaphore = Semaphore::const_new(1);

/// `GET /store`.
pub(super) async fn info(State(admin): State<Admin>) -> Response {
    match stores::known_parts(&admin.config, &admin.stores).await {
        Ok(parts) => Json(Info::of(&admin.stores, &parts).await).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot describe the stores");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `POST /store/backup?scope=SCOPE&compression=none`, the token asked for: the backup as the
/// body, made while it is sent. A backup that fails is cut off, and has no end line.
pub(super) async fn back_up(
    State(admin): State<Admin>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refusal(&admin, &headers) {
        return refusal;
    }
    let request = match Request::parse(query.as_deref().unwrap_or_default()) {
        Ok(request) => request,
        Err(what) => return (StatusCode::BAD_REQUEST, what + "\n").into_response(),
    };
    match stores::parts(&admin.config, &admin.stores).await {
        Ok(parts) => {
            let kept = |scope: &Scope| parts.iter().any(|part| part.scope == *scope);
            if let Some(scope) = request.scopes.iter().find(|scope| !kept(scope)) {
                let what = format!("scope {scope} is not kept here\n");
                return (StatusCode::BAD_REQUEST, what).into_response();
            }
        }
        Err(error) => {
            tracing::error!(%error, "cannot name the scopes");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    let Ok(running) = RUNNING.try_acquire() else {
        let busy = "another backup is being made\n";
        return (StatusCode::SERVICE_UNAVAILABLE, busy).into_response();
    };
    let (mut writer, reader) = duplex(PIPE);
    let (config, stores) = (Arc::clone(&admin.config), Arc::clone(&admin.stores));
    let making = tokio::spawn(async move {
        let _running = running;
        let taken = AtomicU64::new(0);
        let made = tokio::select! {
            made = make(&config, &stores, &request, &mut writer, &taken) => made,
            () = stalled(&taken) => Err(anyhow::anyhow!("nothing was taken for {STALL:?}")),
        };
        match &made {
            Ok(()) => tracing::info!("backup sent"),
            Err(error) => tracing::error!(error = %format!("{error:#}"), "backup failed"),
        }
        made.map_err(|error| io::Error::other(format!("{error:#}")))
    });
    let body = Body::from_stream(stream::unfold(Some((reader, making)), async |state| {
        next(state?).await
    }));
    ([(CONTENT_TYPE, "application/octet-stream")], body).into_response()
}

type Making = tokio::task::JoinHandle<io::Result<()>>;
type Sending = Option<(DuplexStream, Making)>;

/// The next bytes; an error once there are none, if the backup failed.
async fn next(
    (mut reader, making): (DuplexStream, Making),
) -> Option<(io::Result<Bytes>, Sending)> {
    let mut bytes = vec![0; PIPE / 4];
    match reader.read(&mut bytes).await {
        Ok(0) => match making.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some((Err(error), None)),
            Err(error) => Some((Err(io::Error::other(error)), None)),
        },
        Ok(read) => {
            bytes.truncate(read);
            Some((Ok(bytes.into()), Some((reader, making))))
        }
        Err(error) => Some((Err(error), None)),
    }
}

async fn make(
    config: &Config,
    stores: &Stores,
    request: &Request,
    writer: &mut DuplexStream,
    taken: &AtomicU64,
) -> anyhow::Result<()> {
    let mut parts = stores::parts(config, stores).await?;
    request.select(&mut parts);
    let mut options = Options::new(by(), clock::wall().to_rfc3339());
    options.compression = request.compression;
    backup::backup(&parts, schemas::ALL, &options, writer, &|progress| {
        // Called between pages, so the client has taken most of those before.
        taken.store(progress.records.wrapping_add(1), Relaxed);
    })
    .await?;
    Ok(())
}

/// Returns when nothing has been taken for a while.
async fn stalled(taken: &AtomicU64) {
    loop {
        let before = taken.load(Relaxed);
        tokio::time::sleep(STALL).await;
        if taken.load(Relaxed) == before {
            return;
        }
    }
}

/// Who makes backups.
pub fn by() -> String {
    concat!("metal-edge ", env!("CARGO_PKG_VERSION")).to_owned()
}

/// What is to be backed up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// These scopes; all that are kept here if there is none.
    pub scopes: Vec<Scope>,
    /// Whether the backup is compressed.
    pub compression: Compression,
}

// === impl Request ===

impl Request {
    /// The path and query that ask for it.
    pub fn path(&self) -> String {
        let mut path = "/store/backup".to_owned();
        let mut separator = '?';
        let mut add = |name: &str, value: &str| {
            path += &format!("{separator}{name}={value}");
            separator = '&';
        };
        // The characters of a scope are all allowed in a query.
        for scope in &self.scopes {
            add("scope", &scope.to_string());
        }
        if self.compression == Compression::None {
            add("compression", "none");
        }
        path
    }

    /// Leaves the parts that are asked for.
    pub fn select(&self, parts: &mut Vec<Part<'_>>) {
        if !self.scopes.is_empty() {
            parts.retain(|part| self.scopes.contains(&part.scope));
        }
    }

    fn parse(query: &str) -> Result<Self, String> {
        let mut request = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("scope", scope)) => {
                    let scope = scope
                        .parse()
                        .map_err(|e: metal_storage::Error| e.to_string())?;
                    request.scopes.push(scope);
                }
                Some(("compression", "none")) => request.compression = Compression::None,
                Some(("compression", "zstd")) => request.compression = Compression::Zstd,
                _ => {
                    return Err(format!(
                        "expected scope=SCOPE or compression=none, found {pair:?}"
                    ));
                }
            }
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back_as_it_was_written() {
        let scopes = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        for request in [
            Request::default(),
            Request {
                scopes: scopes(&["global", "partition/fra-1.a"]),
                compression: Compression::None,
            },
        ] {
            let path = request.path();
            let query = path.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(Request::parse(query), Ok(request));
        }
        assert!(Request::parse("scope=elsewhere").is_err());
        assert!(Request::parse("color=red").is_err());
    }
}
