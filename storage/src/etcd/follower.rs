use std::sync::Arc;
use std::time::Duration;

use tonic::Streaming;

use super::fault::Fault;
use super::mirror::Mirror;
use super::proto::{WatchCreateRequest, WatchResponse};

/// Between two attempts to watch.
const REST: Duration = Duration::from_millis(250);

/// Keeps a mirror up while others commit, until it is dropped.
///
/// What etcd's watch says is taken for a hint that something is new, never for the news: those
/// are read, and by our own revisions none is missed or seen twice. So it does not matter that a
/// watch of etcd 3.4 may lose events, is cancelled by a compaction, or dies in silence with its
/// member: the mirror is looked at every [`poll`](super::EtcdOptions::poll) besides.
pub(super) async fn follow(mirror: Arc<Mirror>) {
    while let Err(fault) = mirror.load().await {
        tracing::debug!(scope = %mirror.scope, ?fault, "reading the scope again");
        tokio::time::sleep(REST).await;
    }
    loop {
        if let Err(cause) = once(&mirror).await {
            tracing::debug!(scope = %mirror.scope, cause, "watching etcd again");
        }
        tokio::time::sleep(REST).await;
    }
}

async fn once(mirror: &Mirror) -> Result<(), String> {
    let told = |fault: Fault| fault.into_error().to_string();
    let request = WatchCreateRequest {
        key: mirror.layout.head(),
    };
    let watch = mirror.shared.cluster.watch(request).await;
    let mut watch = watch.map_err(told)?;
    loop {
        mirror.share().await.map_err(told)?;
        let seen = mirror.head().mod_revision;
        if !news(mirror, &mut watch).await? {
            mirror.share().await.map_err(told)?;
            if mirror.head().mod_revision != seen {
                return Err("it missed a change".into());
            }
        }
    }
}

/// Waits for something newer than the mirror; false if there is none for a while.
async fn news(mirror: &Mirror, watch: &mut Streaming<WatchResponse>) -> Result<bool, String> {
    let seen = mirror.head().mod_revision;
    loop {
        let answer = tokio::time::timeout(mirror.shared.options.poll, watch.message()).await;
        let answer = match answer {
            Ok(Ok(Some(answer))) if !answer.canceled => answer,
            Ok(Ok(Some(answer))) => return Err(answer.cancel_reason),
            Ok(Ok(None)) => return Err("the member ended it".into()),
            Ok(Err(status)) => return Err(status.message().to_owned()),
            // Our own commits are no news, but they are told of.
            Err(_) => return Ok(mirror.head().mod_revision != seen),
        };
        let known = mirror.head().mod_revision;
        let mut keys = answer.events.iter().filter_map(|event| event.kv.as_ref());
        if keys.any(|kv| kv.mod_revision > known) {
            return Ok(true);
        }
    }
}
