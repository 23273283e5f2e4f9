//! `[bgp]` and `[[bgp.peer]]` from the layers.

use std::net::{Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use metal_bgp::DaemonAddress;

use super::attributes::{Rules, exceptions_of};
use super::{Bgp, Peer};
use crate::config::{
    Asn, Problem,
    keys::{ANNOUNCED, KEYS, PEER},
    layer::{Layer, Table},
    reader::Reader,
};

impl Bgp {
    /// `None` without the section, and where it is too broken to be read.
    pub(in crate::config) fn read(reader: &mut Reader<'_>, layers: &[Layer]) -> Option<Self> {
        let said = &layers[1..];
        let tables = said.iter().rev().find_map(|layer| layer.arrays.get(PEER));
        let tables = tables.map(Vec::as_slice).unwrap_or_default();
        let asked = KEYS
            .iter()
            .copied()
            .filter(|key| key.starts_with("bgp."))
            .find(|key| said.iter().any(|layer| layer.values.contains_key(*key)));
        if asked.is_none() && tables.is_empty() {
            return None;
        }

        let asn: Option<Asn> = reader.optional("bgp.asn");
        let router_id: Option<Ipv4Addr> = reader.optional("bgp.router-id");
        let announce: Vec<IpNet> = reader.get("bgp.announce");
        let manage_addresses = reader.get("bgp.manage-addresses");
        let verify_forwarding = reader.get("bgp.verify-forwarding");
        let listen: Vec<SocketAddr> = reader.get("bgp.listen");
        let daemon: Option<DaemonAddress> = reader.optional("bgp.daemon");
        let next_hop_v4 = reader.optional("bgp.next-hop-v4");
        let next_hop_v6 = reader.optional("bgp.next-hop-v6");
        let stations = reader.get("bgp.bmp");
        let levels = Rules::read(reader);
        let exceptions = said
            .iter()
            .rev()
            .find_map(|layer| layer.arrays.get(ANNOUNCED));
        let exceptions = exceptions.map(Vec::as_slice).unwrap_or_default();
        let exceptions = exceptions_of(reader, &levels, &announce, exceptions);
        let defaults = layers[0].arrays.get(PEER).and_then(|tables| tables.first());
        let defaults = defaults.expect("the defaults have a peer; a test reads them");
        let peers: Vec<_> = tables
            .iter()
            .enumerate()
            .map(|(index, table)| Peer::read(reader, index, defaults, table))
            .collect();

        let first_peer = tables.first().map(|table| table.origin.clone());
        let from = asked.map_or(first_peer, |key| reader.origin(key));
        for (key, example) in [
            ("bgp.asn", "asn = 4200000001"),
            ("bgp.router-id", "router-id = \"10.0.0.1\""),
        ] {
            if reader.node(key).is_none() {
                let what = format!("is missing: write {example} in [bgp]");
                reader.problems.push(Problem::new(from.clone(), key, what));
            }
        }
        if let Some(id) = router_id
            && (id.is_unspecified() || id.is_multicast() || id.is_broadcast())
        {
            let what = format!("{id} is no BGP identifier: expected an address of this node");
            reader.problem("bgp.router-id", what);
        }
        check_peers(reader, tables, &peers, !listen.is_empty());

        let bgp = Self {
            asn: asn?,
            router_id: router_id?,
            announce,
            manage_addresses,
            verify_forwarding,
            listen,
            daemon,
            next_hop_v4,
            next_hop_v6,
            stations,
            levels: levels.levels(),
            exceptions,
            peers: peers.into_iter().collect::<Option<_>>()?,
        };
        bgp.check(reader);
        Some(bgp)
    }
}

fn check_peers(reader: &mut Reader<'_>, tables: &[Table], peers: &[Option<Peer>], listens: bool) {
    let known = |index: usize| peers[index].as_ref();
    for (index, table) in tables.iter().enumerate() {
        let Some(peer) = known(index) else { continue };
        let at = |key: &str| table.values.get(key).map(|node| node.origin.clone());
        let name = |key: &str| format!("{PEER}[{index}].{key}");
        if peer.passive && !listens {
            let what = "needs bgp.listen, with the address that the leaf connects to, like \
                        \"10.0.0.1:179\"";
            let problem = Problem::new(at("passive"), &name("passive"), what);
            reader.problems.push(problem);
        }
        let twin = |other: &usize| known(*other).is_some_and(|it| it.name() == peer.name());
        if let Some(other) = (0..index).find(twin) {
            let key = match peer.address {
                Some(_) => "address",
                None => "interface",
            };
            let what = format!("{} is the {key} of {PEER}[{other}] already", peer.name());
            let problem = Problem::new(at(key), &name(key), what);
            reader.problems.push(problem);
        }
    }
}
