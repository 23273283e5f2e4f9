//! Which session a packet is for.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::packet::{Discriminator, Packet};

/// Packets that a session has not looked at yet. More are dropped: newer ones say the same.
const WAITING: usize = 16;

/// One of the ports of one family, where some of the sessions listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    pub(crate) v6: bool,
    pub(crate) multihop: bool,
}

/// The sessions of a speaker. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    entries: Vec<Entry>,
    /// Why nothing is received, by kind.
    faults: HashMap<Kind, String>,
}

#[derive(Debug)]
struct Entry {
    my: Discriminator,
    peer: SocketAddr,
    multihop: bool,
    packets: mpsc::Sender<Packet>,
}

/// A place in the registry, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    registry: Registry,
    pub(super) my: Discriminator,
    pub(super) packets: mpsc::Receiver<Packet>,
}

// === impl Registry ===

impl Registry {
    /// A place for a session with `peer`, under a random discriminator that no other has.
    pub(super) fn enter(&self, peer: SocketAddr, multihop: bool) -> Place {
        let (sender, packets) = mpsc::channel(WAITING);
        let entries = &mut self.inner().entries;
        let my = loop {
            let random = RandomState::new().build_hasher().finish();
            let random = NonZeroU32::new(random as u32).unwrap_or(NonZeroU32::MIN);
            if entries.iter().all(|entry| entry.my != random) {
                break random;
            }
        };
        entries.push(Entry {
            my,
            peer,
            multihop,
            packets: sender,
        });
        Place {
            registry: self.clone(),
            my,
            packets,
        }
    }

    /// Hands a packet to its session (RFC 5880 section 6.3): by its discriminator, or while the
    /// peer does not know that by where it came from, which must be right in either case. Says
    /// whether there is such a session. Linear in the sessions.
    pub(super) fn deliver(&self, packet: Packet, from: SocketAddr, multihop: bool) -> bool {
        let inner = self.inner();
        let entry = inner.entries.iter().find(|entry| {
            entry.multihop == multihop
                && same_host(entry.peer, from)
                && packet.your.is_none_or(|your| your == entry.my)
        });
        // A full queue loses this packet; the next says the same.
        entry.is_some_and(|entry| entry.packets.try_send(packet).is_ok())
    }

    /// Notes why nothing of a kind is received, or that it is. Says whether that is news.
    pub(super) fn set_fault(&self, kind: Kind, fault: Option<String>) -> bool {
        let faults = &mut self.inner().faults;
        match fault {
            Some(fault) => faults.insert(kind, fault.clone()).as_ref() != Some(&fault),
            None => faults.remove(&kind).is_some(),
        }
    }

    /// Why nothing of a kind is received.
    pub(super) fn fault(&self, kind: Kind) -> Option<String> {
        self.inner().faults.get(&kind).cloned()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether both are one host: a link-local address says that only together with its interface.
fn same_host(a: SocketAddr, b: SocketAddr) -> bool {
    let on_link = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    match (a, b) {
        (SocketAddr::V6(x), SocketAddr::V6(y)) if on_link(a.ip()) => {
            x.ip() == y.ip() && x.scope_id() == y.scope_id()
        }
        _ => a.ip() == b.ip(),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry
            .inner()
            .entries
            .retain(|entry| entry.my != self.my);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bfd::{BfdDiagnostic, BfdState};
    use std::num::NonZeroU8;
    use std::time::Duration;

    fn packet(your: Option<Discriminator>) -> Packet {
        Packet {
            diagnostic: BfdDiagnostic::NONE,
            state: BfdState::Down,
            poll: false,
            is_final: false,
            multiplier: NonZeroU8::MIN,
            my: Discriminator::MIN,
            your,
            desired_min_tx: Duration::from_secs(1),
            required_min_rx: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_packet_reaches_the_session_of_its_sender_and_no_other() {
        let registry = Registry::default();
        let peer: SocketAddr = "10.0.0.2:3784".parse().unwrap();
        let from = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mut place = registry.enter(peer, false);
        let right = from("10.0.0.2:49152");
        assert!(registry.deliver(packet(None), right, false));
        assert!(registry.deliver(packet(Some(place.my)), right, false));
        assert!(place.packets.try_recv().is_ok() && place.packets.try_recv().is_ok());
        assert!(!registry.deliver(packet(None), right, true), "other kind");
        let stranger = from("10.0.0.3:49152");
        assert!(!registry.deliver(packet(Some(place.my)), stranger, false));
        let other = Discriminator::new(place.my.get() ^ 1);
        assert!(!registry.deliver(packet(other), right, false));
        drop(place);
        assert!(!registry.deliver(packet(None), right, false));
    }

    #[test]
    fn a_link_local_address_counts_on_its_interface_only() {
        let registry = Registry::default();
        let at = |scope| std::net::SocketAddrV6::new("fe80::2".parse().unwrap(), 1, 0, scope);
        let place = registry.enter(at(3).into(), false);
        assert!(registry.deliver(packet(None), at(3).into(), false));
        assert!(!registry.deliver(packet(None), at(4).into(), false));
        drop(place);
    }

    #[test]
    fn a_flood_fills_one_queue_and_no_more() {
        let registry = Registry::default();
        let peer: SocketAddr = "10.0.0.2:3784".parse().unwrap();
        let place = registry.enter(peer, false);
        let taken = (0..1000).filter(|_| registry.deliver(packet(None), peer, false));
        assert_eq!(taken.count(), WAITING);
        drop(place);
    }
}
