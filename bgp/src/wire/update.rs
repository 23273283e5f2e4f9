//! Changes as UPDATE messages.

use std::net::IpAddr;

use bytes::BytesMut;
use ipnet::IpNet;
use rustbgpd_wire::{
    Afi, AsPath, AsPathSegment, Ipv4NlriEntry, Ipv4Prefix, Ipv4UnicastMode, Ipv6Prefix,
    LargeCommunity, Message, MpReachNlri, MpUnreachNlri, NlriEntry, Origin, PathAttribute, Prefix,
    Safi, UpdateMessage, encode_message,
};

use crate::Asn;
use crate::session::{Change, Route};

/// Prefixes per message. With everything that an announcement may have, a message of so many
/// prefixes stays below 4096 bytes for either family.
const CHUNK: usize = 150;

/// What our AS_PATH looks like to a peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsPathOf {
    /// Our AS number.
    pub(crate) asn: Asn,
    /// The peer is in our AS: the path is empty, and LOCAL_PREF is sent.
    pub(crate) internal: bool,
    /// The peer understands four-octet AS numbers; otherwise AS4_PATH goes along (RFC 6793).
    pub(crate) four_octet: bool,
}

/// Appends `change` to `outbox` as UPDATE messages and says how many.
pub(crate) fn encode(change: &Change, path: AsPathOf, outbox: &mut BytesMut) -> u64 {
    let mut messages = 0;
    for prefixes in change.prefixes().chunks(CHUNK) {
        let update = match change {
            Change::Withdraw { .. } => withdrawal(prefixes),
            Change::Announce { route, .. } => announcement(prefixes, route, path),
        };
        let message = encode_message(&Message::Update(update))
            .expect("a chunk of prefixes and bounded attributes fit into 4096 bytes");
        outbox.extend_from_slice(&message);
        messages += 1;
    }
    messages
}

fn withdrawal(prefixes: &[IpNet]) -> UpdateMessage {
    let (body, mp) = split(prefixes);
    let mut attributes = Vec::new();
    if !mp.is_empty() {
        attributes.push(PathAttribute::MpUnreachNlri(Box::new(MpUnreachNlri {
            afi: Afi::Ipv6,
            safi: Safi::Unicast,
            withdrawn: mp,
            flowspec_withdrawn: Vec::new(),
            evpn_withdrawn: Vec::new(),
            bgpls_withdrawn: Vec::new(),
            vpn_withdrawn: Vec::new(),
            labeled_withdrawn: Vec::new(),
            rtc_withdrawn: Vec::new(),
        })));
    }
    build(&[], &body, &attributes, true)
}

fn announcement(prefixes: &[IpNet], route: &Route, path: AsPathOf) -> UpdateMessage {
    let of = &*route.attributes;
    let (mut body, mut mp) = split(prefixes);
    let afi = match body.is_empty() {
        true => Afi::Ipv6,
        false => Afi::Ipv4,
    };
    if route.next_hop.is_ipv6() {
        // RFC 8950: NEXT_HOP cannot hold it.
        mp.extend(body.drain(..).map(|entry| NlriEntry {
            path_id: entry.path_id,
            prefix: Prefix::V4(entry.prefix),
        }));
    }
    let mut attributes = Vec::new();
    if !mp.is_empty() {
        // RFC 7606 section 5.1 wants it before every other attribute.
        attributes.push(PathAttribute::MpReachNlri(Box::new(MpReachNlri {
            afi,
            safi: Safi::Unicast,
            next_hop: route.next_hop,
            link_local_next_hop: None,
            announced: mp,
            flowspec_announced: Vec::new(),
            evpn_announced: Vec::new(),
            bgpls_announced: Vec::new(),
            vpn_announced: Vec::new(),
            labeled_announced: Vec::new(),
            rtc_announced: Vec::new(),
        })));
    }
    attributes.push(PathAttribute::Origin(Origin::Igp));
    let segments = match path.internal {
        true => Vec::new(),
        false => {
            let times = 1 + usize::from(of.prepend());
            vec![AsPathSegment::AsSequence(vec![path.asn.get(); times])]
        }
    };
    attributes.push(PathAttribute::AsPath(AsPath { segments }));
    if let (false, IpAddr::V4(next_hop)) = (body.is_empty(), route.next_hop) {
        attributes.push(PathAttribute::NextHop(next_hop));
    }
    attributes.extend(of.med().map(PathAttribute::Med));
    if path.internal {
        attributes.extend(of.local_pref().map(PathAttribute::LocalPref));
    }
    if !of.communities().is_empty() {
        let bits = of.communities().iter().map(|c| c.bits()).collect();
        attributes.push(PathAttribute::Communities(bits));
    }
    if !of.large_communities().is_empty() {
        let large = of.large_communities().iter().map(|community| {
            let [administrator, first, second] = community.parts();
            LargeCommunity::new(administrator, first, second)
        });
        attributes.push(PathAttribute::LargeCommunities(large.collect()));
    }
    build(&body, &[], &attributes, path.four_octet)
}

fn build(
    announced: &[Ipv4NlriEntry],
    withdrawn: &[Ipv4NlriEntry],
    attributes: &[PathAttribute],
    four_octet: bool,
) -> UpdateMessage {
    let mode = Ipv4UnicastMode::Body;
    UpdateMessage::try_build(announced, withdrawn, attributes, four_octet, false, mode)
        .expect("these attributes can always be written")
}

/// IPv4 prefixes for the body of the message, IPv6 prefixes for its MP attributes. A change is of
/// one family, so one of the two is empty.
fn split(prefixes: &[IpNet]) -> (Vec<Ipv4NlriEntry>, Vec<NlriEntry>) {
    let (mut body, mut mp) = (Vec::new(), Vec::new());
    for prefix in prefixes {
        match prefix {
            IpNet::V4(net) => body.push(Ipv4NlriEntry {
                path_id: 0,
                prefix: Ipv4Prefix::new(net.addr(), net.prefix_len()),
            }),
            IpNet::V6(net) => mp.push(NlriEntry {
                path_id: 0,
                prefix: Prefix::V6(Ipv6Prefix::new(net.addr(), net.prefix_len())),
            }),
        }
    }
    (body, mp)
}

#[cfg(test)]
mod tests;
