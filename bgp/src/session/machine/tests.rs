//! Sessions without a network: bytes and moments go in, bytes and moments come out.

mod fuzz;
mod pair;
mod peer;
mod storm;

use bytes::Bytes;
use rustbgpd_wire::{Afi, Capability, PathAttribute, RouteRefreshMessage, Safi, UpdateMessage};

use super::*;
use crate::{Announcement, Asn, Attributes, Community, PeerAs, PeerConfig};
use peer::{FakePeer, LEAF, NODE, terms};

/// A message header.
fn header(length: u16, kind: u8) -> Vec<u8> {
    let mut bytes = vec![0xFF; 16];
    bytes.extend(length.to_be_bytes());
    bytes.push(kind);
    bytes
}

fn announcement(communities: &[Community]) -> Wanted {
    let prefixes = ["192.0.2.1/32", "2001:db8::1/128"].map(|p| p.parse().unwrap());
    let communities = communities.iter().copied();
    Some(Arc::new(
        Announcement::new(
            prefixes,
            Attributes::default().with_communities(communities).unwrap(),
        )
        .unwrap(),
    ))
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn our_open_offers_both_families_and_four_octets_and_never_graceful_restart() {
    let mut peer = FakePeer::connect();
    let Some(Message::Open(open)) = peer.next() else {
        panic!("no OPEN first");
    };
    assert_eq!(open.four_byte_as(), 4_200_000_001);
    assert_eq!(open.my_as, 23_456);
    assert_eq!(open.hold_time, 8);
    for afi in [Afi::Ipv4, Afi::Ipv6] {
        let safi = Safi::Unicast;
        assert!(
            open.capabilities
                .contains(&Capability::MultiProtocol { afi, safi })
        );
    }
    assert!(open.capabilities.contains(&Capability::RouteRefresh));
    let keeps_dead_routes = |capability: &Capability| {
        use Capability::{GracefulRestart, LongLivedGracefulRestart};
        matches!(
            capability,
            GracefulRestart { .. } | LongLivedGracefulRestart(_)
        )
    };
    assert!(!open.capabilities.iter().any(keeps_dead_routes));
}

#[test]
fn an_established_session_keeps_itself_alive_at_a_third_of_the_hold_time() {
    let mut peer = FakePeer::established();
    assert_eq!(peer.machine.negotiated().unwrap().hold_time, 8);
    let began = peer.now;
    let mut keepalives = Vec::new();
    while peer.now < began + seconds(20) {
        peer.say(&Message::Keepalive);
        peer.pass_until_deadline();
        while let Some(message) = peer.next() {
            assert_eq!(message, Message::Keepalive);
            keepalives.push(peer.now - began);
        }
    }
    assert_eq!(keepalives[..3], [seconds(2), seconds(4), seconds(6)]);
}

#[test]
fn a_silent_peer_is_left_at_the_hold_time_with_hold_timer_expired() {
    let mut peer = FakePeer::established();
    let began = peer.now;
    while peer.machine.end().is_none() {
        peer.pass_until_deadline();
    }
    assert_eq!(peer.now - began, seconds(8));
    assert_eq!(peer.last_notification(), Some((4, 0)));
    assert_eq!(
        peer.reason(),
        "nothing was heard from the peer for the hold time of 8 s"
    );
}

#[test]
fn of_a_peer_that_falls_silent_as_soon_as_the_session_begins_ttl_security_is_named() {
    let end = |went_on: bool| {
        let mut peer = FakePeer::established();
        if went_on {
            peer.say(&Message::Keepalive);
        }
        peer.machine.set_unacknowledged(true);
        while peer.machine.end().is_none() {
            peer.pass_until_deadline();
        }
        peer.reason().to_owned()
    };
    let reason = end(false);
    assert!(
        reason.ends_with(
            "8 s, nor was anything acknowledged since the session began; a likely cause is TTL \
             security on one side only: set ttl-security here too, or remove it on the peer"
        ),
        "{reason}"
    );
    assert!(end(true).ends_with("8 s"), "the link was cut later");
}

#[test]
fn a_peer_that_never_opens_is_left_after_a_bounded_time() {
    let mut peer = FakePeer::connect();
    let began = peer.now;
    peer.pass_until_deadline();
    assert_eq!(peer.now - began, OPEN_WAIT);
    assert_eq!(peer.last_notification(), Some((4, 0)));
    assert_eq!(
        peer.reason(),
        "the peer accepted the connection and sent no OPEN"
    );
}

#[test]
fn a_peer_that_never_confirms_is_left_even_without_a_hold_time() {
    let mut peer = FakePeer::connect();
    peer.say(&Message::Open(FakePeer::open(0)));
    let began = peer.now;
    peer.pass_until_deadline();
    assert_eq!(peer.now - began, OPEN_WAIT);
    assert_eq!(peer.reason(), "the peer did not confirm the session");
}

#[test]
fn a_session_without_a_hold_time_needs_no_keepalives() {
    let mut peer = FakePeer::connect();
    peer.say(&Message::Open(FakePeer::open(0)));
    peer.say(&Message::Keepalive);
    while peer.next().is_some() {}
    assert_eq!(peer.machine.state(), PeerState::Established);
    assert_eq!(peer.machine.deadline(), None);
}

#[test]
fn malformed_messages_are_answered_with_the_code_that_names_the_fault() {
    let bad_marker = {
        let mut bytes = header(19, 4);
        bytes[3] = 0;
        bytes
    };
    let attributes_too_long = [&header(23, 2)[..], &[0, 0, 0, 9]].concat();
    let cases: [(&str, Vec<u8>, (u8, u8)); 6] = [
        ("marker", bad_marker, (1, 1)),
        ("length below the header", header(18, 4), (1, 2)),
        ("length beyond the maximum", header(4097, 4), (1, 2)),
        ("KEEPALIVE with a body", header(20, 4), (1, 2)),
        ("unknown type", header(19, 9), (1, 3)),
        ("attributes beyond the message", attributes_too_long, (3, 1)),
    ];
    for (name, bytes, answer) in cases {
        let mut peer = FakePeer::established();
        peer.send(&bytes);
        assert_eq!(peer.last_notification(), Some(answer), "{name}");
        assert!(matches!(peer.machine.end(), Some(End::Lost(_))), "{name}");
        assert_eq!(peer.machine.counters.flaps, 1, "{name}");
    }
}

#[test]
fn a_message_in_the_wrong_state_is_a_state_machine_error_that_names_the_state() {
    let mut peer = FakePeer::connect();
    peer.say(&Message::Keepalive);
    assert_eq!(peer.last_notification(), Some((5, 1)));
    let mut peer = FakePeer::connect();
    peer.say(&Message::Open(FakePeer::open(8)));
    peer.say(&Message::Open(FakePeer::open(8)));
    assert_eq!(peer.last_notification(), Some((5, 2)));
    let mut peer = FakePeer::established();
    peer.say(&Message::Open(FakePeer::open(8)));
    assert_eq!(peer.last_notification(), Some((5, 3)));
}

#[test]
fn garbage_before_the_open_is_answered_and_ends_the_session() {
    let mut peer = FakePeer::connect();
    peer.send(b"GET / HTTP/1.1\r\nHost: leaf\r\n\r\n");
    assert_eq!(peer.last_notification(), Some((1, 1)));
    let mut peer = FakePeer::connect();
    peer.send(&header(20, 1));
    assert_eq!(peer.last_notification(), Some((1, 2)));
    assert!(
        peer.reason().contains("Bad Message Length"),
        "{}",
        peer.reason()
    );
}

#[test]
fn a_peer_in_another_as_is_refused_and_the_sentence_has_both_numbers() {
    let mut peer = FakePeer::connect();
    let mut open = FakePeer::open(8);
    open.capabilities
        .retain(|c| !matches!(c, Capability::FourOctetAs { .. }));
    open.my_as = 65_010;
    peer.say(&Message::Open(open));
    assert_eq!(peer.last_notification(), Some((2, 2)));
    assert_eq!(
        peer.reason(),
        "the peer is AS 65010, the configuration expects AS 4210000001: correct the peer's asn"
    );
}

#[test]
fn an_external_peer_may_be_in_any_as_but_our_own() {
    let external = || {
        let mut terms = Terms::clone(&terms(NODE, LEAF, 1));
        terms.peer.asn = PeerAs::External;
        FakePeer::connect_on(Arc::new(terms), None)
    };
    for asn in [LEAF, 65_010, 1] {
        let mut peer = external();
        peer.say(&Message::Open(FakePeer::open_of(asn, 8)));
        peer.say(&Message::Keepalive);
        assert_eq!(peer.machine.state(), PeerState::Established);
        assert_eq!(peer.machine.negotiated().unwrap().peer_asn, asn);
    }
    let mut peer = external();
    peer.say(&Message::Open(FakePeer::open_of(NODE, 8)));
    assert_eq!(peer.last_notification(), Some((2, 2)));
    assert_eq!(
        peer.reason(),
        "the peer is AS 4200000001, which is this node's own, the configuration expects an \
         external one: set the peer's asn to 4200000001, or give one side another AS"
    );
}

#[test]
fn an_internal_peer_with_our_own_router_id_is_refused_and_told_apart_from_an_external_one() {
    let with_id = |asn, last| {
        let mut open = FakePeer::open_of(asn, 8);
        open.bgp_identifier = [10, 0, 0, last].into();
        Message::Open(open)
    };
    let mut peer = FakePeer::connect_on(terms(NODE, NODE, 1), None);
    peer.say(&with_id(NODE, 1));
    assert_eq!(peer.last_notification(), Some((2, 3)));
    assert_eq!(
        peer.reason(),
        "the peer's router-id 10.0.0.1 is invalid or the same as this node's: give one of them \
         another router-id"
    );
    // RFC 6286: unique within an AS only.
    let mut peer = FakePeer::connect();
    peer.say(&with_id(LEAF, 1));
    assert_eq!(peer.machine.state(), PeerState::OpenConfirm);
}

#[test]
fn what_was_wanted_before_the_session_is_told_when_it_is_established() {
    let mut peer = FakePeer::wanting(announcement(&[]));
    assert_eq!(peer.updates().len(), 2);
    let announced: Vec<_> = peer.machine.announced().collect();
    assert_eq!(announced, announcement(&[]).unwrap().prefixes());
}

#[test]
fn the_same_wish_again_sends_nothing_and_another_sends_the_difference() {
    let mut peer = FakePeer::wanting(announcement(&[]));
    assert_eq!(peer.updates().len(), 2);
    peer.machine.set_wanted(peer.now, announcement(&[]));
    assert!(peer.machine.outbox().is_empty());
    let gshut = announcement(&[Community::GRACEFUL_SHUTDOWN]);
    peer.machine.set_wanted(peer.now, gshut);
    assert_eq!(peer.updates().len(), 2);
    peer.machine.set_wanted(peer.now, None);
    let withdrawals = peer.updates();
    assert_eq!(withdrawals[0].withdrawn_routes[..], [32, 192, 0, 2, 1]);
    assert_eq!(withdrawals.len(), 2);
    assert_eq!(peer.machine.announced().count(), 0);
    assert_eq!(peer.machine.counters.updates_sent, 6);
}

#[test]
fn a_change_that_the_peer_would_not_see_sends_nothing_and_one_prefix_changes_alone() {
    let prefixes = ["192.0.2.1/32", "192.0.2.2/32"].map(|p| p.parse().unwrap());
    let wish = |first: Attributes, second: Attributes| {
        let routes = [(prefixes[0], first), (prefixes[1], second)];
        Some(Arc::new(Announcement::per_prefix(routes).unwrap()))
    };
    let (plain, med) = (Attributes::default(), Attributes::default().with_med(1));
    let mut peer = FakePeer::wanting(wish(plain.clone(), plain.clone()));
    assert_eq!(peer.updates().len(), 1, "one message for what is alike");
    let unseen = plain.clone().with_local_pref(50);
    peer.machine
        .set_wanted(peer.now, wish(unseen, plain.clone()));
    assert_eq!(peer.updates(), [], "an external peer sees no LOCAL_PREF");
    peer.machine.set_wanted(peer.now, wish(plain, med));
    let updates = peer.updates();
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0].nlri[..], [32, 192, 0, 2, 2]);
}

#[test]
fn a_route_refresh_is_answered_with_its_family_alone_between_marks() {
    let mut peer = FakePeer::wanting(announcement(&[]));
    peer.updates();
    peer.say(&Message::RouteRefresh(RouteRefreshMessage::new(
        Afi::Ipv6,
        Safi::Unicast,
    )));
    let answer: Vec<_> = std::iter::from_fn(|| peer.next()).collect();
    let [
        Message::RouteRefresh(begin),
        Message::Update(update),
        Message::RouteRefresh(end),
    ] = &answer[..]
    else {
        panic!("{answer:?}");
    };
    assert_eq!((begin.subtype_raw, end.subtype_raw), (1, 2));
    assert!(update.nlri.is_empty() && !update.path_attributes.is_empty());
    peer.say(&Message::RouteRefresh(RouteRefreshMessage::new(
        Afi::L2Vpn,
        Safi::Evpn,
    )));
    assert_eq!(
        peer.next(),
        None,
        "a family that was not negotiated is ignored"
    );
    assert_eq!(peer.machine.counters.refreshes_received, 2);
}

#[test]
fn a_peer_that_does_not_read_is_left_and_never_makes_us_keep_more_than_a_bound() {
    let mut peer = FakePeer::wanting(announcement(&[]));
    peer.updates();
    let began = peer.now;
    let mut most = 0;
    for round in 0.. {
        // It lives and asks for everything again and again, but takes nothing.
        peer.say(&Message::Keepalive);
        let community = Community::new(1, (round % 2) as u16);
        peer.machine
            .set_wanted(peer.now, announcement(&[community]));
        for _ in 0..200 {
            peer.say(&Message::RouteRefresh(RouteRefreshMessage::new(
                Afi::Ipv4,
                Safi::Unicast,
            )));
        }
        most = most.max(peer.machine.outbox().len());
        if peer.machine.end().is_some() {
            break;
        }
        peer.pass_until_deadline();
    }
    assert_eq!(peer.now - began, seconds(16), "twice the hold time");
    assert!(most <= OUTBOX_LIMIT + 4096, "{most}");
    assert_eq!(
        peer.reason(),
        "the peer took nothing off the connection for 16s"
    );
}

#[test]
fn what_changes_while_a_peer_does_not_read_is_told_as_it_is_when_it_reads_on() {
    let mut peer = FakePeer::wanting(announcement(&[]));
    peer.updates();
    let refresh = RouteRefreshMessage::new(Afi::Ipv4, Safi::Unicast);
    while peer.machine.outbox().len() <= OUTBOX_LIMIT {
        peer.say(&Message::RouteRefresh(refresh.clone()));
    }
    let waiting = peer.machine.outbox().len();
    for community in 0..10 {
        let wish = announcement(&[Community::new(1, community)]);
        peer.machine.set_wanted(peer.now, wish);
    }
    peer.machine.set_wanted(peer.now, None);
    assert_eq!(peer.machine.outbox().len(), waiting, "nothing is added");
    let messages: Vec<_> = std::iter::from_fn(|| peer.next()).collect();
    let [.., Message::Update(v4), Message::Update(_v6)] = &messages[..] else {
        panic!("no withdrawals at the end");
    };
    assert_eq!(v4.withdrawn_routes[..], [32, 192, 0, 2, 1]);
    assert_eq!(peer.machine.announced().count(), 0);
}

#[test]
fn a_flood_of_routes_is_counted_and_costs_no_memory() {
    let mut peer = FakePeer::established();
    let attributes = [
        [0x40, 1, 1, 0].as_slice(),
        &[0x40, 2, 6, 2, 1, 0xFA, 0xEF, 0x80, 0x81],
        &[0x40, 3, 4, 10, 0, 0, 2],
    ];
    let nlri: Vec<u8> = (0..500u32)
        .flat_map(|i| [24, 10, (i >> 8) as u8, i as u8])
        .collect();
    let update = Message::Update(UpdateMessage {
        withdrawn_routes: Bytes::new(),
        path_attributes: attributes.concat().into(),
        nlri: nlri.into(),
    });
    let bytes = encode_message(&update).unwrap();
    for _ in 0..2000 {
        peer.send(&bytes);
    }
    assert_eq!(peer.machine.end(), None);
    let counters = peer.machine.counters;
    assert_eq!(counters.prefixes_received, 1_000_000);
    assert_eq!(counters.updates_malformed, 0);
    assert!(peer.machine.inbox.capacity() < 128 * 1024);
}

#[test]
fn an_update_with_a_fault_that_the_session_survives_is_counted() {
    let mut peer = FakePeer::established();
    // A prefix without any attribute: RFC 7606 treats it as withdrawn.
    let update = UpdateMessage {
        withdrawn_routes: Bytes::new(),
        path_attributes: Bytes::new(),
        nlri: Bytes::from_static(&[24, 10, 0, 0]),
    };
    peer.say(&Message::Update(update));
    assert_eq!(peer.machine.end(), None);
    assert_eq!(peer.machine.counters.updates_malformed, 1);
    assert_eq!(peer.machine.counters.prefixes_received, 0);
}

#[test]
fn stopping_says_why_and_is_no_flap() {
    let mut peer = FakePeer::wanting(announcement(&[]));
    peer.updates();
    peer.machine.stop(peer.now, "maintenance");
    let Some(Message::Notification(cease)) = peer.next() else {
        panic!("no NOTIFICATION");
    };
    let said = crate::wire::describe(&cease);
    assert_eq!(
        said,
        r#"Cease 6/2 (Administrative Shutdown), "maintenance""#
    );
    assert_eq!(peer.machine.end(), Some(&End::Stopped));
    assert_eq!(peer.machine.counters.flaps, 0);
    assert_eq!(peer.machine.announced().count(), 0);
}

#[test]
fn a_peer_without_ipv6_is_told_ipv4_alone_and_the_status_says_so() {
    let mut open = FakePeer::open(8);
    open.capabilities
        .retain(|c| !matches!(c, Capability::MultiProtocol { afi: Afi::Ipv6, .. }));
    let mut peer = FakePeer::wanting_with(announcement(&[]), open);
    assert_eq!(peer.updates().len(), 1);
    assert_eq!(
        peer.machine.not_announced().unwrap(),
        "IPv6 prefixes are not announced: the peer did not offer IPv6 unicast"
    );
}

#[test]
fn a_next_hop_that_appears_later_is_used_then() {
    let mut peer = FakePeer::established();
    let mut candidates = peer.machine.candidates.clone();
    candidates.v6.clear();
    peer.machine.set_candidates(peer.now, candidates.clone());
    peer.machine.set_wanted(peer.now, announcement(&[]));
    assert_eq!(peer.updates().len(), 1);
    assert!(peer.machine.lacks_next_hop());
    candidates.v6.push("2001:db8:f::1".parse().unwrap());
    peer.machine.set_candidates(peer.now, candidates);
    assert_eq!(peer.updates().len(), 1);
    assert!(!peer.machine.lacks_next_hop());
    assert_eq!(peer.machine.not_announced(), None);
}
