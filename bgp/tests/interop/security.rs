//! What protects a session from strangers, against BIRD.

use std::time::Duration;

use metal_bgp::{Md5Key, PeerConfig, Ttl};

use super::bird::{Bird, Terms};
use super::inside::{self, Inside};
use super::{ANYCAST_V4, Lab, known};

/// A leaf with one more line in its configuration, and a speaker with `change` in its.
fn peers(extra: &'static str, change: impl FnOnce(&mut PeerConfig)) -> (Lab, Bird, Inside) {
    let lab = Lab::new(&[]);
    let terms = Terms {
        extra,
        ..Terms::default()
    };
    let leaf = Bird::start_on(&terms, lab.attach(0), Lab::node_v4(0).into());
    let mut peer = inside::peer(Lab::leaf_v4(0));
    peer.connect_timeout = Duration::from_millis(1500);
    peer.hold_time = Duration::from_secs(3);
    change(&mut peer);
    let speaker = Inside::start(&lab.node, peer);
    speaker.announce();
    (lab, leaf, speaker)
}

fn key(text: &str) -> Option<Md5Key> {
    Some(Md5Key::new(text.as_bytes()).expect("a key"))
}

#[test]
fn the_md5_key_of_bird_brings_the_session_up_and_a_wrong_one_is_named_as_a_cause() {
    let password = "password \"s3cret\";";
    let (_lab, leaf, speaker) = peers(password, |peer| peer.md5_key = key("s3cret"));
    speaker.established();
    known(&leaf, ANYCAST_V4, true);
    drop((leaf, speaker));
    for wrong in [key("other"), None] {
        let (_lab, _leaf, speaker) = peers(password, |peer| peer.md5_key = wrong);
        speaker.error("MD5 key");
        assert_eq!(speaker.peer().counters.established, 0);
    }
}

#[test]
fn ttl_security_on_both_sides_brings_the_session_with_bird_up() {
    let security = |peer: &mut PeerConfig| peer.ttl = Ttl::Security { hops: 1 };
    let (_lab, leaf, speaker) = peers("ttl security on;", security);
    speaker.established();
    known(&leaf, ANYCAST_V4, true);
}

#[test]
fn ttl_security_on_one_side_of_a_session_with_bird_is_named_as_a_cause() {
    let (_lab, _leaf, speaker) = peers("ttl security on;", |_| ());
    println!("{}", speaker.error("TTL security"));
    let security = |peer: &mut PeerConfig| peer.ttl = Ttl::Security { hops: 1 };
    let (_lab, _leaf, speaker) = peers("", security);
    println!("{}", speaker.error("TTL security"));
    assert_eq!(speaker.peer().counters.established, 0);
}
