use proptest::prelude::*;

use super::*;

const KINDS: [Kind; 3] = [Kind::UdpV4, Kind::UdpV6, Kind::ErrorV4];
const OWN: Mac = [2, 0, 0, 0, 0, 1];
const LEAF: Mac = [2, 0, 0, 0, 0, 2];

fn sent(kind: Kind) -> Frame {
    let (source, target) = match kind.is_v6() {
        false => ("10.0.0.1", "192.0.2.1"),
        true => ("fe80::1", "2001:db8::1"),
    };
    Frame {
        kind,
        to: LEAF,
        from: OWN,
        source: source.parse().unwrap(),
        target: target.parse().unwrap(),
        flow: 50_000,
        token: 0x0123_4567_89AB_CDEF,
    }
}

/// As a router hands it on.
fn forwarded(frame: &Frame) -> Vec<u8> {
    let mut bytes = frame.encode();
    bytes[..6].copy_from_slice(&OWN);
    bytes[6..12].copy_from_slice(&LEAF);
    bytes[if frame.kind.is_v6() { 21 } else { 22 }] -= 1;
    bytes
}

#[test]
fn a_packet_that_comes_back_says_where_it_was_meant_for() {
    for kind in KINDS {
        let frame = sent(kind);
        let found = returned(&forwarded(&frame), kind, OWN, frame.token);
        assert_eq!(found, Some(frame.target), "{kind:?}");
        assert!(frame.encode().len() <= FRAME);
    }
}

#[test]
fn what_was_not_forwarded_or_is_for_another_node_or_of_another_round_did_not_come_back() {
    for kind in KINDS {
        let frame = sent(kind);
        let back = forwarded(&frame);
        let mut own = frame.encode();
        own[..6].copy_from_slice(&OWN);
        let reflected = returned(&own, kind, OWN, frame.token);
        assert_eq!(reflected, None, "our own, reflected");
        assert_eq!(returned(&back, kind, LEAF, frame.token), None);
        assert_eq!(returned(&back, kind, OWN, frame.token + 1), None);
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            assert_eq!(returned(&back, other, OWN, frame.token), None);
        }
        for length in 0..back.len() {
            assert_eq!(returned(&back[..length], kind, OWN, frame.token), None);
        }
    }
}

#[test]
fn the_checksums_are_those_that_receivers_compute() {
    // The sum over what is covered, with its checksum, is zero.
    for kind in [Kind::UdpV4, Kind::ErrorV4] {
        let bytes = sent(kind).encode();
        assert_eq!(checksum(&bytes[14..34]), 0, "{kind:?}");
    }
    let error = sent(Kind::ErrorV4).encode();
    assert_eq!(checksum(&error[34..]), 0);
    assert_eq!(checksum(&error[42..62]), 0, "of what it is about");
    for kind in [Kind::UdpV4, Kind::UdpV6] {
        let frame = sent(kind);
        let bytes = frame.encode();
        let datagram = &bytes[kind.marks().purpose.0 - 2..];
        let mut covered = [octets(frame.source), octets(frame.target)].concat();
        covered.extend([0, UDP, 0, 16]);
        covered.extend(datagram);
        assert_eq!(checksum(&covered), 0, "{kind:?}");
    }
}

#[test]
fn every_flow_is_another_one_by_ports_and_by_addresses() {
    let about = |flow: u16| {
        let frame = Frame {
            flow,
            ..sent(Kind::ErrorV4)
        };
        frame.encode()[54..62].to_vec()
    };
    let flows: std::collections::HashSet<_> = (0..16).map(about).collect();
    assert_eq!(flows.len(), 16);
}

proptest! {
    #[test]
    fn any_bytes_are_a_packet_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..96)) {
        let own = bytes.get(..6).and_then(|it| it.try_into().ok()).unwrap_or(OWN);
        for kind in KINDS {
            prop_assert_eq!(returned(&bytes, kind, own, 1), None);
        }
    }
}
