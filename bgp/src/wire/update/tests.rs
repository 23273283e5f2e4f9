//! A peer that reads our UPDATE messages ends up knowing what it should.

use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use rustbgpd_wire::decode_message;
use rustbgpd_wire::validate::validate_update_attributes;

use super::*;
use crate::session::{Table, changes};
use crate::{Attributes, Community};

fn external() -> AsPathOf {
    AsPathOf {
        asn: 4_200_000_001.try_into().unwrap(),
        internal: false,
        four_octet: true,
    }
}

/// Applies messages as a peer would.
fn read(mut bytes: Bytes, path: AsPathOf, known: &mut Table) -> usize {
    let mut messages = 0;
    while !bytes.is_empty() {
        let length = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
        assert!(length <= 4096, "a message of {length} bytes");
        let message = decode_message(&mut bytes.split_to(length), 4096).unwrap();
        let Message::Update(update) = message else {
            panic!("no UPDATE: {message:?}");
        };
        messages += 1;
        let parsed = update.parse_revised(path.four_octet, path.internal, false, &[]);
        let parsed = parsed.unwrap();
        assert_eq!(parsed.malformed, []);
        apply(&parsed.update, path, known);
    }
    messages
}

fn apply(update: &rustbgpd_wire::ParsedUpdate, path: AsPathOf, known: &mut Table) {
    let mut announced: Vec<IpNet> = Vec::new();
    announced.extend(
        update
            .announced
            .iter()
            .map(|entry| net(&Prefix::V4(entry.prefix))),
    );
    for entry in &update.withdrawn {
        known.remove(&net(&Prefix::V4(entry.prefix)));
    }
    let mut next_hop = None;
    let mut seen = Attributes::default();
    for attribute in &update.attributes {
        match attribute {
            PathAttribute::NextHop(hop) => next_hop = Some(IpAddr::V4(*hop)),
            PathAttribute::Med(value) => seen = seen.with_med(*value),
            PathAttribute::LocalPref(value) => seen = seen.with_local_pref(*value),
            PathAttribute::AsPath(as_path) => {
                let length: usize = as_path.segments.iter().map(length).sum();
                seen = seen.with_prepend(length.saturating_sub(1) as u8).unwrap();
            }
            PathAttribute::LargeCommunities(large) => {
                let parts = |c: &rustbgpd_wire::LargeCommunity| {
                    crate::LargeCommunity::new(c.global_admin, c.local_data1, c.local_data2)
                };
                seen = seen
                    .with_large_communities(large.iter().map(parts))
                    .unwrap();
            }
            PathAttribute::Communities(bits) => {
                let halves = |b: &u32| Community::new((b >> 16) as u16, *b as u16);
                seen = seen.with_communities(bits.iter().map(halves)).unwrap();
            }
            PathAttribute::MpReachNlri(mp) => {
                next_hop = Some(mp.next_hop);
                announced.extend(mp.announced.iter().map(|entry| net(&entry.prefix)));
            }
            PathAttribute::MpUnreachNlri(mp) => {
                for entry in &mp.withdrawn {
                    known.remove(&net(&entry.prefix));
                }
            }
            _ => {}
        }
    }
    if announced.is_empty() {
        return;
    }
    let in_body = !update.announced.is_empty();
    validate_update_attributes(&update.attributes, true, in_body, !path.internal).unwrap();
    let route = Arc::new(Route {
        next_hop: next_hop.expect("a next hop"),
        attributes: Arc::new(seen),
    });
    known.extend(
        announced
            .into_iter()
            .map(|prefix| (prefix, Arc::clone(&route))),
    );
}

fn length(segment: &AsPathSegment) -> usize {
    match segment {
        AsPathSegment::AsSequence(path) | AsPathSegment::AsSet(path) => path.len(),
    }
}

fn net(prefix: &Prefix) -> IpNet {
    match prefix {
        Prefix::V4(p) => IpNet::new(p.addr.into(), p.len).unwrap(),
        Prefix::V6(p) => IpNet::new(p.addr.into(), p.len).unwrap(),
    }
}

fn route(v6: bool) -> impl Strategy<Value = Arc<Route>> {
    let attributes = (
        any::<Option<u32>>(),
        0..3u8,
        any::<Option<u32>>(),
        vec(0..4u16, 0..3),
        vec(0..4u32, 0..3),
    );
    let attributes = attributes.prop_map(|(med, prepend, local_pref, small, large)| {
        let small = small.into_iter().map(|c| Community::new(65_535, c));
        let large = large
            .into_iter()
            .map(|c| crate::LargeCommunity::new(1, 2, c));
        let attributes = Attributes::default()
            .with_med(med)
            .with_local_pref(local_pref);
        let attributes = attributes.with_prepend(prepend).unwrap();
        let attributes = attributes.with_communities(small).unwrap();
        attributes.with_large_communities(large).unwrap()
    });
    (0..3u8, attributes).prop_map(move |(hop, attributes)| {
        let next_hop = match v6 {
            false => IpAddr::from([10, 0, 0, hop + 1]),
            true => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(hop) + 1]),
        };
        let attributes = Arc::new(attributes);
        Arc::new(Route {
            next_hop,
            attributes,
        })
    })
}

/// The same table as such a peer sees it.
fn seen_by(internal: bool, table: Table) -> Table {
    let seen = |route: Arc<Route>| Route {
        next_hop: route.next_hop,
        attributes: Arc::new(route.attributes.seen_by(internal)),
    };
    let routes = table.into_iter();
    routes
        .map(|(p, route)| (p, Arc::new(seen(route))))
        .collect()
}

/// Few prefixes, so that tables overlap.
fn table() -> impl Strategy<Value = Table> {
    let v4 = (0..20u8, 24..=32u8)
        .prop_map(|(host, len)| IpNet::new([192, 0, 2, host].into(), len).unwrap().trunc());
    let v6 = (0..20u16, 64..=128u8).prop_map(|(host, len)| {
        let address = [0x2001, 0xdb8, 0, 0, 0, 0, 0, host];
        IpNet::new(address.into(), len).unwrap().trunc()
    });
    let v4 = btree_map(v4, route(false), 0..12);
    let v6 = btree_map(v6, route(true), 0..12);
    (v4, v6).prop_map(|(mut v4, mut v6)| {
        v4.append(&mut v6);
        v4
    })
}

proptest! {
    #[test]
    fn a_peer_that_was_told_the_changes_knows_what_is_wanted(
        tables in vec(table(), 1..6),
        internal: bool,
        four_octet: bool,
    ) {
        let path = AsPathOf { internal, four_octet, ..external() };
        let (mut told, mut known) = (Table::new(), Table::new());
        for wanted in tables {
            let wanted = seen_by(internal, wanted);
            let mut outbox = BytesMut::new();
            let mut messages = 0;
            for change in changes(&told, &wanted) {
                prop_assert!(!change.prefixes().is_empty());
                messages += encode(&change, path, &mut outbox);
            }
            prop_assert_eq!(read(outbox.freeze(), path, &mut known) as u64, messages);
            prop_assert_eq!(&known, &wanted);
            prop_assert_eq!(changes(&wanted, &wanted), vec![]);
            told = wanted;
        }
    }

    #[test]
    fn a_prefix_whose_route_stays_is_not_sent_again(told in table(), wanted in table()) {
        for change in changes(&told, &wanted) {
            for prefix in change.prefixes() {
                prop_assert_ne!(told.get(prefix), wanted.get(prefix));
            }
        }
    }
}

#[test]
fn the_largest_announcement_fits_into_whole_messages() {
    let communities = (0..crate::MAX_COMMUNITIES as u16).map(|c| Community::new(1, c));
    let large = (0..crate::MAX_COMMUNITIES as u32).map(|c| crate::LargeCommunity::new(1, 1, c));
    let attributes = Attributes::default().with_med(u32::MAX);
    let attributes = attributes.with_communities(communities).unwrap();
    let attributes = attributes.with_large_communities(large).unwrap();
    let attributes = Arc::new(attributes.with_prepend(crate::MAX_PREPEND).unwrap());
    for (v6, hop) in [
        (false, IpAddr::from([10, 0, 0, 1])),
        (true, IpAddr::from([1; 16])),
    ] {
        let route = Arc::new(Route {
            next_hop: hop,
            attributes: Arc::clone(&attributes),
        });
        let prefix = |i: usize| match v6 {
            false => IpNet::new([10, 1, (i >> 8) as u8, i as u8].into(), 32).unwrap(),
            true => IpNet::new([0x2001, 0xdb8, 0, 0, 0, 0, 0, i as u16].into(), 128).unwrap(),
        };
        let wanted: Table = (0..crate::MAX_PREFIXES)
            .map(|i| (prefix(i), Arc::clone(&route)))
            .collect();
        let (mut outbox, mut known) = (BytesMut::new(), Table::new());
        let path = AsPathOf {
            four_octet: false,
            ..external()
        };
        for change in changes(&known, &wanted) {
            encode(&change, path, &mut outbox);
        }
        read(outbox.freeze(), path, &mut known);
        assert_eq!(known, wanted);
    }
}

#[test]
fn the_path_names_us_to_an_external_peer_and_nobody_to_an_internal_one() {
    let prefix: IpNet = "192.0.2.1/32".parse().unwrap();
    let route = Route {
        next_hop: [10, 0, 0, 1].into(),
        attributes: Arc::new(
            Attributes::default()
                .with_prepend(2)
                .and_then(|a| a.with_communities([Community::GRACEFUL_SHUTDOWN]))
                .unwrap(),
        ),
    };
    let attributes = |path: AsPathOf| {
        let route = Route {
            attributes: Arc::new(route.attributes.seen_by(path.internal)),
            ..route.clone()
        };
        let update = announcement(&[prefix], &route, path);
        update
            .parse(path.four_octet, false, &[])
            .unwrap()
            .attributes
    };
    let as_path = |asns: Vec<u32>| {
        let segments = match asns.is_empty() {
            true => vec![],
            false => vec![AsPathSegment::AsSequence(asns)],
        };
        PathAttribute::AsPath(AsPath { segments })
    };
    let seen = attributes(external());
    assert!(seen.contains(&as_path(vec![4_200_000_001; 3])), "{seen:?}");
    assert!(seen.contains(&PathAttribute::Communities(vec![0xFFFF_0000])));
    assert!(
        !seen
            .iter()
            .any(|a| matches!(a, PathAttribute::LocalPref(_)))
    );
    let internal = attributes(AsPathOf {
        internal: true,
        ..external()
    });
    assert!(internal.contains(&as_path(vec![])), "{internal:?}");
    assert!(internal.contains(&PathAttribute::LocalPref(100)));
}

#[test]
fn a_peer_with_two_octet_as_numbers_gets_the_real_one_beside() {
    let prefix: IpNet = "192.0.2.1/32".parse().unwrap();
    let route = Route {
        next_hop: [10, 0, 0, 1].into(),
        attributes: Arc::default(),
    };
    let path = AsPathOf {
        four_octet: false,
        ..external()
    };
    let raw = announcement(&[prefix], &route, path).path_attributes;
    // AS_PATH: one sequence of AS_TRANS; AS4_PATH (type 17): one sequence of our number.
    let as_path = [0x40, 2, 4, 2, 1, 0x5B, 0xA0];
    let as4_path = [0xC0, 17, 6, 2, 1, 0xFA, 0x56, 0xEA, 0x01];
    assert!(raw.windows(7).any(|w| w == as_path), "{raw:02x?}");
    assert!(raw.windows(9).any(|w| w == as4_path), "{raw:02x?}");
}
