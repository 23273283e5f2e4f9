//! What the node says about itself, for `status`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use metal_bgp::PeerAs;
use tokio::sync::watch;

use crate::announce::departure::{Exit, Phase};
use crate::announce::{Driver, Policy};
use crate::api::{HealthSource, ServiceHealth, ServiceStatus};
use crate::clock;
use crate::edge::certificates::Certificates;
use crate::health::checker::Pulses;
use crate::health::{Finding, Level, Pulse, Verdict};
use crate::status::{
    Announcement, AnnouncementState, Certificate, Daemon, Forwarding, Peer, Probe, Report, Store,
    VerdictState,
};
use crate::stores::{Engine, Stores};

/// Name of the local store's probe.
const LOCAL: &str = "store";
/// Name of the global store's probe, where that is another.
const GLOBAL: &str = "global store";

/// Reads the node's state when asked.
pub struct Reporter {
    /// The node's name.
    pub node: String,
    /// Its partition.
    pub partition: String,
    /// When the process started.
    pub started: DateTime<Utc>,
    /// The latest verdict.
    pub verdicts: watch::Receiver<Verdict>,
    /// What the probes found.
    pub pulses: Pulses,
    /// How far a departure is.
    pub exit: Exit,
    /// The speaker, where peers are configured.
    pub speaker: Option<Arc<Driver>>,
    /// What says which prefixes are announced, where there is a speaker.
    pub policy: Option<watch::Receiver<Policy>>,
    /// Both stores.
    pub stores: Arc<Stores>,
    /// The certificate in use.
    pub certificates: Arc<Certificates>,
}

// === impl Reporter ===

impl Reporter {
    /// The node as of now.
    pub fn report(&self) -> Report {
        let pulses = self.pulses.read();
        Report {
            node: self.node.clone(),
            partition: self.partition.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started: self.started,
            verdict: self.verdict(),
            announcement: self.announcement(),
            peers: self.peers(),
            listening: self
                .speaker
                .as_ref()
                .map_or_else(Vec::new, |speaker| speaker.listening()),
            store: store(&*self.stores.local, LOCAL, &pulses),
            global_store: (!self.stores.is_one())
                .then(|| store(&*self.stores.global, GLOBAL, &pulses)),
            certificate: Some(self.certificate()),
            probes: pulses.iter().map(probe).collect(),
        }
    }

    fn verdict(&self) -> crate::status::Verdict {
        let verdict = self.verdicts.borrow().clone();
        let now = Instant::now();
        let left = verdict.valid_until.saturating_duration_since(now);
        let (state, why) = match (self.exit.phase(), verdict.level) {
            (Phase::Serving, Level::Healthy) => (VerdictState::Healthy, String::new()),
            (Phase::Serving, Level::Degraded) => (VerdictState::Degraded, verdict.why.to_string()),
            (Phase::Serving, Level::Down) => (VerdictState::Down, verdict.why.to_string()),
            (Phase::Gone, _) => (VerdictState::Drained, leaving(Phase::Gone).to_owned()),
            (phase, _) => (VerdictState::Draining, leaving(phase).to_owned()),
        };
        let since = match self.exit.phase() {
            Phase::Serving => verdict.since,
            _ => self.exit.since(),
        };
        crate::status::Verdict {
            state,
            why,
            since: clock::wall() - ago(now.saturating_duration_since(since)),
            valid_until_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn announcement(&self) -> Announcement {
        let Some(speaker) = &self.speaker else {
            return Announcement {
                state: AnnouncementState::Off,
                prefixes: Vec::new(),
                communities: Vec::new(),
                daemon: None,
            };
        };
        let status = speaker.status();
        let daemon = status.daemon.map(|daemon| Daemon {
            address: daemon.address,
            api: daemon.api,
            last_error: daemon.last_error,
        });
        let policy = self.policy.as_ref();
        let prefixes = policy.map(|policy| policy.borrow().prefixes().to_vec());
        let prefixes = prefixes.unwrap_or_default();
        let announced = status.announcement;
        let communities: Vec<String> = announced
            .iter()
            .flat_map(metal_bgp::Announcement::routes)
            .flat_map(|(_, attributes)| attributes.communities())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(ToString::to_string)
            .collect();
        let shutdown = metal_bgp::Community::GRACEFUL_SHUTDOWN.to_string();
        let state = match announced {
            None => AnnouncementState::Withdrawn,
            Some(_) if communities.contains(&shutdown) => AnnouncementState::GracefulShutdown,
            Some(_) => AnnouncementState::Announced,
        };
        Announcement {
            state,
            prefixes,
            communities,
            daemon,
        }
    }

    fn peers(&self) -> Vec<Peer> {
        let peers = self
            .speaker
            .iter()
            .flat_map(|speaker| speaker.status().peers);
        peers
            .map(|peer| Peer {
                address: peer.name,
                asn: peer.remote_asn.or(match peer.asn {
                    PeerAs::Exactly(asn) => Some(asn.get()),
                    PeerAs::External => None,
                }),
                state: peer.state.to_string(),
                since: peer.since_seconds,
                prefixes: u32::try_from(peer.announced.len()).unwrap_or(u32::MAX),
                last_error: peer
                    .last_error
                    .or(peer.not_announced)
                    .or(peer.bfd.and_then(|bfd| bfd.fault)),
                forwarding: peer.forwarding.map(|shown| Forwarding {
                    notice: shown.notice(),
                    verified: shown.verified,
                    missing: shown.missing,
                    unverified: shown.unverified,
                }),
            })
            .collect()
    }

    fn certificate(&self) -> Certificate {
        let current = self.certificates.current();
        Certificate {
            path: self.certificates.path().display().to_string(),
            names: current.names.clone(),
            not_after: current.not_after,
            days_left: (current.not_after - clock::wall()).num_days(),
            issuer: current.issuer.clone(),
        }
    }
}

fn store(store: &dyn Engine, name: &str, pulses: &[Pulse]) -> Store {
    let pulse = pulses.iter().find(|pulse| pulse.name == name);
    let finding = pulse.and_then(|pulse| pulse.finding.as_ref());
    Store {
        backend: store.engine().to_owned(),
        ok: finding == Some(&Finding::Good),
        error: finding.and_then(Finding::why).map(ToString::to_string),
        commits: store.stats().committed,
    }
}

fn leaving(phase: Phase) -> &'static str {
    match phase {
        Phase::Serving => "",
        Phase::Leaving => "announced with GRACEFUL_SHUTDOWN",
        Phase::Withdrawn => "withdrawn, finishing requests in flight",
        Phase::Gone => "withdrawn, sessions closed",
    }
}

fn probe(pulse: &Pulse) -> Probe {
    let why = pulse.finding.as_ref().map(Finding::why);
    Probe {
        name: pulse.name.clone(),
        ok: pulse.finding == Some(Finding::Good),
        last_error: match why {
            Some(why) => why.map(ToString::to_string),
            None => Some("not probed yet".to_owned()),
        },
        latency_ms: pulse.took.as_secs_f64() * 1000.0,
    }
}

fn ago(duration: Duration) -> chrono::Duration {
    chrono::Duration::from_std(duration).unwrap_or_default()
}

/// What `GET /v1/health` says: which service works, not why. Anyone may ask.
pub struct PublicHealth(pub Pulses);

// === impl PublicHealth ===

impl HealthSource for PublicHealth {
    fn services(&self) -> BTreeMap<String, ServiceHealth> {
        let service = |pulse: Pulse| {
            let (status, message) = match pulse.finding {
                Some(Finding::Good) => (ServiceStatus::Healthy, ""),
                Some(Finding::Poor(_)) => (ServiceStatus::Degraded, "needs attention"),
                Some(Finding::Bad(_)) => (ServiceStatus::Unhealthy, "does not work"),
                None => (ServiceStatus::Unhealthy, "starting"),
            };
            let health = ServiceHealth {
                status,
                message: message.to_owned(),
            };
            (pulse.name, health)
        };
        self.0.read().into_iter().map(service).collect()
    }
}
