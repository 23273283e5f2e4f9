//! A peer that says what it is told to.

use std::net::Ipv4Addr;

use rustbgpd_wire::{Capability, NotificationMessage, OpenMessage, decode_message};

use super::*;

/// The machine under test, the other end of its connection, and the time.
pub(super) struct FakePeer {
    pub(super) machine: Machine,
    pub(super) now: Instant,
    heard: BytesMut,
}

pub(super) const LEAF: u32 = 4_210_000_001;
pub(super) const NODE: u32 = 4_200_000_001;

pub(super) fn terms(own: u32, peer: u32, last: u8) -> Arc<Terms> {
    let asn = |number: u32| Asn::try_from(number).unwrap();
    Arc::new(Terms {
        asn: asn(own),
        router_id: Ipv4Addr::new(10, 0, 0, last),
        peer: PeerConfig::new([10, 0, 0, 3 - last].into(), asn(peer)),
        verify: false,
    })
}

pub(super) fn candidates(last: u8) -> Candidates {
    Candidates {
        local: [10, 0, 0, last].into(),
        v4: Vec::new(),
        v6: vec![[0x2001, 0xdb8, 0xf, 0, 0, 0, 0, u16::from(last)].into()],
    }
}

// === impl FakePeer ===

impl FakePeer {
    pub(super) fn connect() -> Self {
        Self::connect_wanting(None)
    }

    fn connect_wanting(wanted: Wanted) -> Self {
        Self::connect_on(terms(NODE, LEAF, 1), wanted)
    }

    pub(super) fn connect_on(terms: Arc<Terms>, wanted: Wanted) -> Self {
        let now = Instant::now();
        let machine = Machine::connected(now, terms, candidates(1), wanted);
        Self {
            machine,
            now,
            heard: BytesMut::new(),
        }
    }

    pub(super) fn established() -> Self {
        Self::wanting(None)
    }

    /// Established, with UPDATE messages still to be read if something is wanted.
    pub(super) fn wanting(wanted: Wanted) -> Self {
        Self::wanting_with(wanted, Self::open(90))
    }

    pub(super) fn wanting_with(wanted: Wanted, open: OpenMessage) -> Self {
        let mut peer = Self::connect_wanting(wanted);
        assert!(matches!(peer.next(), Some(Message::Open(_))));
        peer.say(&Message::Open(open));
        assert_eq!(peer.next(), Some(Message::Keepalive));
        assert_eq!(peer.machine.state(), PeerState::OpenConfirm);
        peer.say(&Message::Keepalive);
        assert_eq!(peer.machine.state(), PeerState::Established);
        peer
    }

    /// The OPEN of a modern leaf.
    pub(super) fn open(hold_time: u16) -> OpenMessage {
        Self::open_of(LEAF, hold_time)
    }

    /// The OPEN of a modern leaf in this AS.
    pub(super) fn open_of(asn: u32, hold_time: u16) -> OpenMessage {
        let safi = Safi::Unicast;
        OpenMessage {
            version: 4,
            my_as: 23_456,
            hold_time,
            bgp_identifier: Ipv4Addr::new(10, 0, 0, 2),
            capabilities: vec![
                Capability::MultiProtocol {
                    afi: Afi::Ipv4,
                    safi,
                },
                Capability::MultiProtocol {
                    afi: Afi::Ipv6,
                    safi,
                },
                Capability::RouteRefresh,
                Capability::EnhancedRouteRefresh,
                Capability::FourOctetAs { asn },
            ],
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.machine.receive(self.now, bytes);
    }

    pub(super) fn say(&mut self, message: &Message) {
        self.send(&encode_message(message).unwrap());
    }

    /// Takes what waits and gives the next message of it.
    pub(super) fn next(&mut self) -> Option<Message> {
        let waiting = self.machine.outbox().len();
        self.heard.extend_from_slice(self.machine.outbox());
        if waiting > 0 {
            self.machine.sent(self.now, waiting);
        }
        let mut frame = crate::wire::next_frame(&mut self.heard, 65_535).unwrap()?;
        Some(decode_message(&mut frame, 65_535).unwrap())
    }

    /// The UPDATE messages that wait; nothing else may.
    pub(super) fn updates(&mut self) -> Vec<UpdateMessage> {
        let messages = std::iter::from_fn(|| self.next());
        let update = |message| match message {
            Message::Update(update) => update,
            other => panic!("no UPDATE: {other:?}"),
        };
        messages.map(update).collect()
    }

    /// Code and subcode of the last message, if it is a NOTIFICATION.
    pub(super) fn last_notification(&mut self) -> Option<(u8, u8)> {
        match std::iter::from_fn(|| self.next()).last() {
            Some(Message::Notification(NotificationMessage { code, subcode, .. })) => {
                Some((code.as_u8(), subcode))
            }
            _ => None,
        }
    }

    pub(super) fn pass_until_deadline(&mut self) {
        self.now = self.machine.deadline().expect("something is due");
        self.machine.tick(self.now);
    }

    pub(super) fn reason(&self) -> &str {
        match self.machine.end() {
            Some(End::Lost(reason)) => reason,
            other => panic!("not lost: {other:?}"),
        }
    }
}
