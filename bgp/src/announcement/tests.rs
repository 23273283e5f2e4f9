//! What can be announced, and when two announcements are the same.

use super::*;
use crate::{Community, LargeCommunity, MAX_COMMUNITIES, MAX_PREPEND};

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn plain(prefixes: &[&str]) -> Result<Announcement, AnnouncementError> {
    Announcement::new(prefixes.iter().map(|p| net(p)), Attributes::default())
}

#[test]
fn a_prefix_with_host_bits_is_refused_and_the_network_named() {
    let error = plain(&["192.0.2.1/24"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "prefix 192.0.2.1/24 has host bits; the network is 192.0.2.0/24"
    );
}

#[test]
fn order_and_duplicates_make_no_difference() {
    let attributes = |communities: &[u16]| {
        let communities = communities.iter().map(|low| Community::new(1, *low));
        Attributes::default().with_communities(communities).unwrap()
    };
    let (v4, v6) = (net("192.0.2.1/32"), net("2001:db8::1/128"));
    let a = Announcement::new([v4, v6], attributes(&[2, 1]));
    let b = Announcement::new([v6, v4, v4], attributes(&[1, 2, 2]));
    let c = Announcement::per_prefix([(v6, attributes(&[1, 2])), (v4, attributes(&[1, 2]))]);
    assert_eq!(a, b);
    assert_eq!(a, c);
}

#[test]
fn multicast_and_loopback_are_refused() {
    for text in ["224.0.0.0/8", "ff00::/8", "127.0.0.1/32"] {
        assert_eq!(
            plain(&[text]).unwrap_err(),
            AnnouncementError::NotUnicast(net(text))
        );
    }
}

#[test]
fn one_prefix_with_two_sets_of_attributes_is_refused_by_name() {
    let med = |med| Attributes::default().with_med(med);
    let prefix = net("192.0.2.1/32");
    let error = Announcement::per_prefix([(prefix, med(1)), (prefix, med(2))]).unwrap_err();
    assert_eq!(error, AnnouncementError::Contradiction(prefix));
    assert!(error.to_string().contains("192.0.2.1/32"), "{error}");
}

#[test]
fn attributes_are_shown_beside_their_prefix() {
    let attributes = Attributes::default()
        .with_med(50)
        .with_prepend(2)
        .and_then(|a| a.with_large_communities([LargeCommunity::new(1, 2, 3)]))
        .unwrap();
    let announcement = Announcement::new([net("192.0.2.1/32")], attributes).unwrap();
    assert_eq!(
        serde_json::to_value(announcement).unwrap(),
        serde_json::json!([{
            "prefix": "192.0.2.1/32",
            "med": 50,
            "prepend": 2,
            "local_pref": null,
            "communities": [],
            "large_communities": ["1:2:3"],
        }])
    );
}

#[test]
fn more_than_the_bound_is_refused() {
    let many = (0..=MAX_PREFIXES as u32).map(|i| net(&format!("10.0.{}.{}/32", i >> 8, i & 255)));
    assert_eq!(
        Announcement::new(many, Attributes::default()).unwrap_err(),
        AnnouncementError::TooManyPrefixes
    );
    let many = 0..=MAX_COMMUNITIES as u16;
    let small = many.clone().map(|i| Community::new(1, i));
    let large = many.map(|i| LargeCommunity::new(1, 1, i.into()));
    let refused = Attributes::default().with_communities(small).unwrap_err();
    assert_eq!(refused, AnnouncementError::TooManyCommunities);
    let refused = Attributes::default().with_large_communities(large);
    assert_eq!(refused.unwrap_err(), AnnouncementError::TooManyCommunities);
    let refused = Attributes::default().with_prepend(MAX_PREPEND + 1);
    assert_eq!(refused.unwrap_err().to_string(), "prepend 17: at most 16");
}
