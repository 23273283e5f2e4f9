//! Runs the node.

use anyhow::Result;

use crate::{config::Config, guard::Heart};

/// Serves until told to stop.
pub async fn run(config: Config, heart: Heart) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tracing::info!(partition = %config.partition, "serving nothing yet");
    tokio::select! {
        error = heart.run() => Heart::die(&error),
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    heart.stop();
    Ok(())
}
