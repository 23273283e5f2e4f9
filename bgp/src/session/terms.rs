//! On which terms a session is held.

use std::net::Ipv4Addr;
use std::time::Duration;

use rustbgpd_wire::{Afi, Safi};

use crate::{Asn, PeerAs, PeerConfig, SpeakerConfig, Ttl};

/// Who we are and whom we expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) asn: Asn,
    pub(crate) router_id: Ipv4Addr,
    pub(crate) peer: PeerConfig,
    /// Whether it is looked if the peer sends here what it was told.
    pub(crate) verify: bool,
}

// === impl SpeakerConfig ===

impl SpeakerConfig {
    pub(crate) fn terms(&self, peer: &PeerConfig) -> Terms {
        Terms {
            asn: self.asn,
            router_id: self.router_id,
            peer: peer.clone(),
            verify: self.verify_forwarding,
        }
    }
}

// === impl Terms ===

impl Terms {
    /// Whether the peer is in our own AS.
    pub(crate) fn internal(&self) -> bool {
        self.peer.asn.is_internal(self.asn)
    }

    /// Whether a session on these terms may go on under `new` ones: only what the peer never saw
    /// has changed.
    pub(crate) fn survives(&self, new: &Self) -> bool {
        let mut unseen = self.clone();
        unseen.peer.passive = new.peer.passive;
        unseen.peer.send_hold_time = new.peer.send_hold_time;
        unseen.peer.retry_min = new.peer.retry_min;
        unseen.peer.retry_max = new.peer.retry_max;
        unseen.peer.connect_timeout = new.peer.connect_timeout;
        unseen.peer.next_hop_v4 = new.peer.next_hop_v4;
        unseen.peer.next_hop_v6 = new.peer.next_hop_v6;
        unseen.peer.bfd = new.peer.bfd;
        unseen.verify = new.verify;
        unseen == *new
    }

    /// How long bytes may wait for a peer that does not read (RFC 9687).
    pub(crate) fn send_hold(&self) -> Duration {
        let by_default = match self.peer.hold_time {
            Duration::ZERO => Duration::from_secs(60),
            hold_time => 2 * hold_time,
        };
        self.peer.send_hold_time.unwrap_or(by_default)
    }

    /// Why nothing may be heard over a connection, for the end of a sentence.
    pub(crate) fn silence(&self) -> &'static str {
        match self.peer.ttl {
            Ttl::Security { .. } => {
                ": this node ignores what it sends unless it has TTL security as well"
            }
            Ttl::Direct | Ttl::Multihop(_) => "",
        }
    }

    /// Why a peer may fall silent as soon as a session begins, for the end of a sentence. Routers
    /// that check the TTL after they have accepted a connection hear its first messages.
    pub(crate) fn one_sided(&self) -> &'static str {
        match self.peer.ttl {
            Ttl::Security { .. } => {
                "a likely cause is TTL security on one side only: set it on the peer too, or \
                 remove ttl-security here"
            }
            Ttl::Direct | Ttl::Multihop(_) => {
                "a likely cause is TTL security on one side only: set ttl-security here too, or \
                 remove it on the peer"
            }
        }
    }

    /// The same for the state machine. Never asks for graceful restart: a leaf must not keep the
    /// route of a dead service.
    pub(crate) fn for_machine(&self) -> rustbgpd_fsm::PeerConfig {
        let peer = &self.peer;
        let expected = match peer.asn {
            PeerAs::Exactly(asn) => asn.get(),
            PeerAs::External => 0,
        };
        let mut config = rustbgpd_fsm::PeerConfig::new(self.asn.get(), expected, self.router_id);
        config.remote_asn_external = peer.asn == PeerAs::External;
        config.hold_time = u16::try_from(peer.hold_time.as_secs())
            .expect("a validated hold time has at most 65535 seconds");
        config.families = vec![(Afi::Ipv4, Safi::Unicast), (Afi::Ipv6, Safi::Unicast)];
        config.graceful_restart = false;
        config
    }
}
