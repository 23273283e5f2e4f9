//! Every mistake that can be known before a connection is tried.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::*;

fn asn(number: u32) -> Asn {
    number.try_into().unwrap()
}

fn with(change: impl FnOnce(&mut SpeakerConfig)) -> SpeakerConfig {
    let peer = |text: &str| PeerConfig::new(text.parse().unwrap(), asn(65_001));
    let mut config = SpeakerConfig::new(asn(4_200_000_001), Ipv4Addr::new(10, 0, 0, 1));
    config.peers = vec![peer("10.0.0.254"), peer("2001:db8::254")];
    change(&mut config);
    config
}

#[test]
fn the_defaults_are_accepted() {
    assert_eq!(with(|_| ()).validate(), Ok(()));
    assert_eq!(with(|c| c.peers.clear()).validate(), Ok(()));
}

fn unnumbered(interface: &str) -> PeerConfig {
    PeerConfig::unnumbered(interface.parse().unwrap(), asn(65_001))
}

#[test]
fn an_interface_takes_the_place_of_an_address_or_completes_a_link_local_one() {
    let mut both = unnumbered("eth1");
    both.address = "fe80::1".parse().ok();
    assert_eq!(both.name(), "fe80::1%eth1");
    let peers = vec![unnumbered("eth1"), unnumbered("eth2"), both];
    assert_eq!(with(|c| c.peers = peers).validate(), Ok(()));
}

#[test]
fn every_mistake_names_its_field() {
    let second = Duration::from_secs(1);
    let cases: [(&str, SpeakerConfig); 26] = [
        (
            "peer[0].send-hold-time",
            with(|c| c.peers[0].send_hold_time = Some(8 * second)),
        ),
        (
            "peer[1].send-hold-time",
            with(|c| c.peers[1].send_hold_time = Some(3601 * second)),
        ),
        ("router-id", with(|c| c.router_id = Ipv4Addr::UNSPECIFIED)),
        ("router-id", with(|c| c.router_id = Ipv4Addr::LOCALHOST)),
        ("peer[1].address", with(|c| c.peers[1] = c.peers[0].clone())),
        (
            "peer[0].address",
            with(|c| c.peers[0].address = "0.0.0.0".parse().ok()),
        ),
        (
            "peer[1].address",
            with(|c| c.peers[1].address = "fe80::1".parse().ok()),
        ),
        (
            "peer[1].address",
            with(|c| c.peers[1].address = "::ffff:10.0.0.1".parse().ok()),
        ),
        ("peer[0].port", with(|c| c.peers[0].port = 0)),
        (
            "peer[1].hold-time",
            with(|c| c.peers[1].hold_time = 2 * second),
        ),
        (
            "peer[0].hold-time",
            with(|c| c.peers[0].hold_time = Duration::from_millis(3500)),
        ),
        (
            "peer[0].hold-time",
            with(|c| c.peers[0].hold_time = 65_536 * second),
        ),
        (
            "peer[0].retry-max",
            with(|c| c.peers[0].retry_max = Duration::from_millis(100)),
        ),
        (
            "peer[0].connect-timeout",
            with(|c| c.peers[0].connect_timeout = Duration::ZERO),
        ),
        ("peer[0].ttl", with(|c| c.peers[0].ttl = Ttl::Multihop(0))),
        (
            "peer[0].bfd",
            with(|c| {
                c.peers[0].bfd = Some(BfdConfig {
                    interval: Duration::from_millis(49),
                    ..BfdConfig::default()
                });
            }),
        ),
        (
            "peer[0].bfd",
            with(|c| {
                c.peers[0].bfd = Some(BfdConfig {
                    multiplier: 0,
                    ..BfdConfig::default()
                });
            }),
        ),
        (
            "peer[0].bfd",
            with(|c| {
                c.peers[0] = unnumbered("eth1");
                c.peers[0].bfd = Some(BfdConfig {
                    multihop: true,
                    ..BfdConfig::default()
                });
            }),
        ),
        ("peer[0].address", with(|c| c.peers[0].address = None)),
        (
            "peer[0].ttl",
            with(|c| {
                c.peers[0] = unnumbered("eth1");
                c.peers[0].ttl = Ttl::Multihop(2);
            }),
        ),
        (
            "peer[1].address",
            with(|c| c.peers = vec![unnumbered("eth1"), unnumbered("eth1")]),
        ),
        (
            "peer[0].ttl",
            with(|c| c.peers[0].ttl = Ttl::Security { hops: 255 }),
        ),
        (
            "peer[0].source",
            with(|c| c.peers[0].source = Some("10.0.0.254".parse().unwrap())),
        ),
        (
            "peer[0].source",
            with(|c| c.peers[0].source = Some("2001:db8::1".parse().unwrap())),
        ),
        (
            "peer[0].source",
            with(|c| c.peers[0].source = Some("0.0.0.0".parse().unwrap())),
        ),
        (
            "peer[1].next-hop-v6",
            with(|c| c.peers[1].next_hop_v6 = Some("fe80::1".parse().unwrap())),
        ),
    ];
    for (field, config) in cases {
        let error = config.validate().unwrap_err();
        assert_eq!(error.field(), field);
        assert!(error.to_string().starts_with(field), "{error}");
    }
}

#[test]
fn a_hold_time_of_zero_or_three_seconds_is_accepted() {
    for seconds in [0, 3, 65_535] {
        let config = with(|c| c.peers[0].hold_time = Duration::from_secs(seconds));
        assert_eq!(config.validate(), Ok(()));
    }
}
