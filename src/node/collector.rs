//! Figures that are read when the metrics are.

use std::fmt;
use std::sync::Arc;

use metal_bgp::{BfdState, BfdStatus, PeerState, PeerStatus};
use metal_storage::{LATENCY_BOUNDS, ReplicaStatus, Stats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::announce::Driver;
use crate::auth::Authenticator;
use crate::clock;
use crate::edge::certificates::Certificates;
use crate::edge::drain::Drain;
use crate::log;
use crate::stores::Stores;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Peer {
    peer: String,
}

/// `local` or `global`; where both are one store, `local`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Role {
    store: &'static str,
}

/// Reads the speaker, the certificate, and what is in flight.
pub struct NodeCollector {
    /// The speaker, where peers are configured.
    pub speaker: Option<Arc<Driver>>,
    /// The certificate in use.
    pub certificates: Arc<Certificates>,
    /// Remembers signatures.
    pub authenticator: Arc<Authenticator>,
    /// Counts requests in flight.
    pub drain: Drain,
    /// Both stores.
    pub stores: Arc<Stores>,
}

/// A figure of every peer.
type PeerFigure = (&'static str, &'static str, fn(&PeerStatus) -> u64);

const PEER_GAUGES: [PeerFigure; 3] = [
    (
        "bgp_peer_established",
        "Whether the session with the peer is established",
        |peer| u64::from(peer.state == PeerState::Established),
    ),
    (
        "bgp_peer_prefixes_announced",
        "Prefixes that the peer was told",
        |peer| peer.announced.len() as u64,
    ),
    (
        "bgp_peer_prefixes_not_forwarded",
        "Prefixes that the peer was told and does not send here",
        |peer| {
            let forwarding = peer.forwarding.as_ref();
            forwarding.map_or(0, |shown| shown.missing.len() as u64)
        },
    ),
];

/// A figure of the BFD session with a peer.
type BfdFigure = (&'static str, &'static str, fn(&BfdStatus) -> u64);

const BFD_GAUGES: [BfdFigure; 2] = [
    (
        "bfd_peer_up",
        "Whether BFD says that the peer lives",
        |bfd| u64::from(bfd.state == BfdState::Up),
    ),
    (
        "bfd_peer_detection_time_milliseconds",
        "Silence of the peer after which it is taken for dead",
        |bfd| bfd.detection_time_ms,
    ),
];

const PEER_COUNTERS: [PeerFigure; 7] = [
    (
        "bgp_peer_connects",
        "Attempts to connect to the peer",
        |peer| peer.counters.connects,
    ),
    (
        "bgp_peer_flaps",
        "Established sessions with the peer that ended",
        |peer| peer.counters.flaps,
    ),
    (
        "bgp_peer_updates_sent",
        "UPDATE messages sent to the peer",
        |peer| peer.counters.updates_sent,
    ),
    (
        "bgp_peer_updates_received",
        "UPDATE messages of the peer, dropped",
        |peer| peer.counters.updates_received,
    ),
    (
        "bgp_peer_prefixes_received",
        "Prefixes that the peer announced, dropped",
        |peer| peer.counters.prefixes_received,
    ),
    (
        "bgp_peer_notifications_sent",
        "NOTIFICATION messages sent to the peer",
        |peer| peer.counters.notifications_sent,
    ),
    (
        "bgp_peer_notifications_received",
        "NOTIFICATION messages of the peer",
        |peer| peer.counters.notifications_received,
    ),
];

/// A figure of the store.
type StoreFigure = (&'static str, &'static str, fn(&Stats) -> u64);

const STORE_COUNTERS: [StoreFigure; 10] = [
    ("store_commits", "Commits acknowledged", |stats| {
        stats.committed
    }),
    (
        "store_conflicts",
        "Commits refused by a guard or a unique column",
        |stats| stats.conflicted,
    ),
    (
        "store_unavailable",
        "Commits that could not be made",
        |stats| stats.unavailable,
    ),
    (
        "store_unknown",
        "Commits whose outcome is not known",
        |stats| stats.unknown,
    ),
    (
        "store_groups",
        "Groups of commits that shared one sync",
        |stats| stats.groups,
    ),
    (
        "store_grouped_commits",
        "Commits in those groups",
        |stats| stats.batches,
    ),
    (
        "store_invalid",
        "Commits refused because of a rule or a bound",
        |stats| stats.invalid,
    ),
    (
        "store_retries",
        "Groups tried again, because another node came between or the store was away",
        |stats| stats.retries,
    ),
    ("store_faults", "Errors of the medium", |stats| stats.faults),
    (
        "store_recoveries",
        "Times the store was opened again after an error",
        |stats| stats.recoveries,
    ),
];

// === impl NodeCollector ===

impl NodeCollector {
    fn encode_stores(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut stores = vec![(Role { store: "local" }, self.stores.local.stats())];
        if !self.stores.is_one() {
            stores.push((Role { store: "global" }, self.stores.global.stats()));
        }
        for (name, help, figure) in STORE_COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (role, stats) in &stores {
                ConstCounter::new(figure(stats)).encode(family.encode_family(role)?)?;
            }
        }
        let mut family = encoder.encode_descriptor(
            "store_commits_waiting",
            "Commits that wait for the store",
            None,
            MetricType::Gauge,
        )?;
        for (role, stats) in &stores {
            let waiting = i64::try_from(stats.waiting).unwrap_or(i64::MAX);
            ConstGauge::new(waiting).encode(family.encode_family(role)?)?;
        }
        let mut family = encoder.encode_descriptor(
            "store_commit_duration_seconds",
            "Time from a commit's arrival at the store to its answer",
            None,
            MetricType::Histogram,
        )?;
        for (role, stats) in &stores {
            let bounds = LATENCY_BOUNDS.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(stats.latency).collect();
            family.encode_family(role)?.encode_histogram::<Role>(
                stats.latency_sum,
                stats.latency.iter().sum(),
                &buckets,
                None,
            )?;
        }
        Ok(())
    }

    fn encode_speaker(&self, speaker: &Driver, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let status = speaker.status();
        let announced = status
            .announcement
            .as_ref()
            .map_or(0, |announcement| announcement.prefixes().len());
        gauge(
            encoder,
            "bgp_prefixes_announced",
            "Prefixes that peers are told, 0 while withdrawn",
            i64::try_from(announced).unwrap_or(i64::MAX),
        )?;
        counter(
            encoder,
            "bgp_announcement_expirations",
            "Announcements withdrawn because no verdict renewed them",
            status.expirations,
        )?;
        if let Some(daemon) = &status.daemon {
            gauge(
                encoder,
                "bgp_daemon_connected",
                "Whether the external BGP daemon has what it was told",
                i64::from(daemon.api.is_some()),
            )?;
        }
        for (name, help, figure) in PEER_GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for peer in &status.peers {
                let value = i64::try_from(figure(peer)).unwrap_or(i64::MAX);
                ConstGauge::new(value).encode(family.encode_family(&label(peer))?)?;
            }
        }
        for (name, help, figure) in BFD_GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for peer in &status.peers {
                if let Some(bfd) = &peer.bfd {
                    let value = i64::try_from(figure(bfd)).unwrap_or(i64::MAX);
                    ConstGauge::new(value).encode(family.encode_family(&label(peer))?)?;
                }
            }
        }
        for (name, help, figure) in PEER_COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for peer in &status.peers {
                ConstCounter::new(figure(peer)).encode(family.encode_family(&label(peer))?)?;
            }
        }
        Ok(())
    }
}

impl Collector for NodeCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        gauge(
            encoder,
            "requests_in_flight",
            "Requests that are being answered",
            i64::try_from(self.drain.in_flight()).unwrap_or(i64::MAX),
        )?;
        gauge(
            encoder,
            "signatures_remembered",
            "Signatures remembered against replay",
            i64::try_from(self.authenticator.remembered()).unwrap_or(i64::MAX),
        )?;
        let left = self.certificates.current().not_after - clock::wall();
        gauge(
            encoder,
            "certificate_expiry_seconds",
            "Time until the server certificate expires",
            left.num_seconds(),
        )?;
        counter(
            encoder,
            "log_lines_dropped",
            "Log lines dropped because nobody took them",
            log::dropped(),
        )?;
        self.encode_stores(encoder)?;
        if let Some(replica) = self.stores.replica() {
            let fell_back = self.stores.fell_back();
            encode_replica(&replica.status(), fell_back, encoder)?;
        }
        match &self.speaker {
            Some(speaker) => self.encode_speaker(speaker, encoder),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for NodeCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeCollector(..)")
    }
}

fn encode_replica(
    status: &ReplicaStatus,
    fell_back: u64,
    encoder: &mut DescriptorEncoder<'_>,
) -> fmt::Result {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    gauge(
        encoder,
        "replica_following",
        "Whether the replica follows the global store now",
        i64::from(status.following),
    )?;
    gauge(
        encoder,
        "replica_revision",
        "The revision of the global scope that the replica has",
        status.revision.map_or(0, |revision| whole(revision.get())),
    )?;
    gauge(
        encoder,
        "replica_age_seconds",
        "How old the replica is at most, -1 if that is not known",
        status.age.map_or(-1, |age| whole(age.as_secs())),
    )?;
    counter(
        encoder,
        "replica_copies",
        "Times that the global scope was copied whole",
        status.copies,
    )?;
    counter(
        encoder,
        "replica_fallbacks",
        "Reads answered by the replica because the global store was away",
        fell_back,
    )
}

fn label(peer: &PeerStatus) -> Peer {
    Peer {
        peer: peer.name.clone(),
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    ConstCounter::new(value).encode(encoder.encode_descriptor(
        name,
        help,
        None,
        MetricType::Counter,
    )?)
}
