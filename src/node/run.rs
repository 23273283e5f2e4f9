//! A node's life, from its start to its end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use rustls::crypto::aws_lc_rs;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use super::start::{Node, start};
use crate::announce::Phase;
use crate::config::{Config, Loaded, Sources};
use crate::edge::drain::Pace;
use crate::guard::Heart;
use crate::status::NodeFile;

/// How long the audit trail is waited for at the end.
const FLUSH: Duration = Duration::from_secs(5);

/// Runs a node until it is told to stop, and stops it in order: announced with
/// GRACEFUL_SHUTDOWN, withdrawn, requests answered, sessions closed. A second
/// signal cuts that short.
///
/// # Errors
/// What keeps the node from starting, or the task whose end ended it.
pub async fn run(loaded: Loaded, sources: Sources, heart: Heart) -> anyhow::Result<()> {
    // Another provider could only come from a second call in this process.
    if aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a cryptography provider was installed before");
    }
    let mut stop = Stop::new()?;
    let heart = Arc::new(heart);
    let beating = tokio::spawn({
        let heart = Arc::clone(&heart);
        async move { Heart::die(&heart.run().await) }
    });
    let mut node = start(&loaded, sources).await?;
    let config = &loaded.config;
    heart.ready("serving");
    tracing::info!(
        node = %config.node,
        partition = %config.partition,
        data_dir = %config.data_dir.path().display(),
        "ready"
    );
    let failed = tokio::select! {
        () = stop.asked() => None,
        task = node.tasks.failed() => Some(task),
    };
    if let Some(task) = failed {
        // Ending closes the BGP sessions, which withdraws.
        bail!("{task}: this node ends");
    }
    heart.stopping("draining");
    tokio::select! {
        () = leave(&mut node, config) => {}
        () = stop.asked() => tracing::warn!("told twice to stop, leaving at once"),
    }
    end(node, config).await;
    beating.abort();
    heart.stop();
    Ok(())
}

async fn leave(node: &mut Node, config: &Config) {
    let stop_accepting = {
        let (mut phases, stop) = (node.exit.phases(), node.stop.clone());
        async move {
            // An error means that the departure is over.
            let _ = phases.wait_for(|phase| *phase >= Phase::Withdrawn).await;
            stop.cancel();
        }
    };
    tokio::join!(node.exit.leave(), stop_accepting);
    node.drain.set(Pace::Stopping);
    node.connections.close();
    let closed = timeout(config.drain.timeout, node.connections.wait());
    if closed.await.is_err() {
        let connections = node.connections.len();
        tracing::warn!(
            connections,
            "connections are still open, ending without them"
        );
    }
}

async fn end(node: Node, config: &Config) {
    if let Err(error) = NodeFile::remove(&config.data_dir) {
        tracing::warn!(%error, "cannot remove node.json");
    }
    // Only after the withdrawal: a leaf that still has the route would send
    // its packets to an address that is nowhere.
    if let Some(loopback) = &node.loopback
        && node.exit.phase() == Phase::Gone
        && let Err(error) = loopback.leave().await
    {
        tracing::warn!(
            error = format!("{error:#}"),
            "the anycast addresses stay on lo"
        );
    }
    node.space.close().await;
    if !node.trail.flush(FLUSH).await {
        tracing::error!("the last entries of the audit trail were not written in time");
    }
    node.stores.close().await;
    drop(node.tasks);
    drop(node.lock);
    tracing::info!("stopped");
}

/// SIGTERM and SIGINT.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

// === impl Stop ===

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
