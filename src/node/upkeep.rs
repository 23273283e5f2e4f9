//! Renewing and reloading the certificate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use crate::edge::certificates::Certificates;
use crate::metrics::Metrics;
use crate::trust::own_ca::{OwnCa, Subject};

/// From one look at the files to the next.
const LOOK: Duration = Duration::from_secs(1);
/// From one look at the certificate's remaining life to the next.
const RENEW: Duration = Duration::from_secs(3600);

/// Keeps the served certificate current: renews it from the node's own
/// authority, and loads files that changed.
pub async fn certificates(
    certificates: Arc<Certificates>,
    own_ca: Option<(OwnCa, Subject)>,
    metrics: Arc<Metrics>,
) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut renewed = Instant::now();
    loop {
        ticks.tick().await;
        if let Some((ca, subject)) = &own_ca
            && renewed.elapsed() >= RENEW
        {
            renewed = Instant::now();
            if let Err(error) = ca.ensure(subject) {
                tracing::error!(%error, "cannot renew the server certificate");
            }
        }
        match certificates.reload() {
            Ok(false) => {}
            Ok(true) => {
                let not_after = certificates.current().not_after;
                tracing::info!(%not_after, "serving a new certificate");
            }
            Err(error) => {
                metrics.certificate_reload_failed();
                tracing::error!(%error, "changed certificate files not loaded, serving the old");
            }
        }
    }
}
