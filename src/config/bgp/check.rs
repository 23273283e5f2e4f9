//! What is wrong with a `[bgp]` section as a whole.

use std::net::{IpAddr, SocketAddr};

use metal_bgp::{MAX_LISTENERS, MAX_STATIONS};

use super::Bgp;
use crate::config::reader::Reader;

/// Most prefixes that are announced: an anycast service has a few.
const MAX_PREFIXES: usize = 256;
/// Most peers: a server has a few uplinks.
const MAX_PEERS: usize = 64;

impl Bgp {
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.announce.len() > MAX_PREFIXES {
            let what = format!("more than {MAX_PREFIXES} prefixes");
            reader.problem("bgp.announce", what);
        }
        if self.peers.len() > MAX_PEERS {
            reader.problem("bgp.peer", format!("more than {MAX_PEERS} peers"));
        }
        if self.stations.len() > MAX_STATIONS {
            reader.problem("bgp.bmp", format!("more than {MAX_STATIONS} stations"));
        }
        if self.daemon.is_some() && !self.stations.is_empty() {
            let what = "hears of our own sessions, and bgp.daemon has them: name the station in \
                        the daemon's configuration";
            reader.problem("bgp.bmp", what);
        }
        self.check_listeners(reader);
        for (index, prefix) in self.announce.iter().enumerate() {
            if self.announce[..index].contains(prefix) {
                reader.problem("bgp.announce", format!("{prefix} stands there twice"));
            }
            if prefix.prefix_len() == 0 {
                reader.problem(
                    "bgp.announce",
                    format!("{prefix} would attract all traffic"),
                );
            }
        }
        if self.daemon.is_some() && !self.peers.is_empty() {
            let what = "has the sessions, so there is no [[bgp.peer]]: write its neighbours into \
                        its own configuration";
            reader.problem("bgp.daemon", what);
        }
        for (key, given) in [
            ("bgp.next-hop-v4", self.next_hop_v4.is_some()),
            ("bgp.next-hop-v6", self.next_hop_v6.is_some()),
        ] {
            if given && self.daemon.is_none() {
                let what = "is for prefixes that go through bgp.daemon; a [[bgp.peer]] has its own";
                reader.problem(key, what);
            }
        }
        if !self.announce.is_empty() && self.peers.is_empty() && self.daemon.is_none() {
            let what = "nobody learns of it: there is no [[bgp.peer]]";
            reader.warning("bgp.announce", what);
        }
    }

    fn check_listeners(&self, reader: &mut Reader<'_>) {
        if self.listen.len() > MAX_LISTENERS {
            let what = format!("more than {MAX_LISTENERS} addresses");
            reader.problem("bgp.listen", what);
        }
        for (index, address) in self.listen.iter().enumerate() {
            if address.port() == 0 {
                reader.problem("bgp.listen", format!("{address}: a port is missing, 179"));
            }
            if self.listen[..index].contains(address) {
                reader.problem("bgp.listen", format!("{address} stands there twice"));
            }
        }
        if self.daemon.is_none() && self.peers.is_empty() && !self.listen.is_empty() {
            let what = "nobody may connect: there is no [[bgp.peer]]";
            reader.warning("bgp.listen", what);
        }
        if self.daemon.is_some() && !self.listen.is_empty() {
            let what = "is for our own sessions, and bgp.daemon has them";
            reader.problem("bgp.listen", what);
        }
    }

    /// Whether an address is in an announced prefix.
    fn announces(&self, address: IpAddr) -> bool {
        self.announce.iter().any(|prefix| prefix.contains(&address))
    }

    /// Whether the node puts this address of its listeners on `lo`.
    pub fn manages(&self, address: IpAddr) -> bool {
        self.manage_addresses && self.announces(address)
    }

    /// Doubts about how the listeners and the announced prefixes fit together.
    pub(in crate::config) fn check_coverage(&self, api: &[SocketAddr], reader: &mut Reader<'_>) {
        if self.announce.is_empty() {
            return;
        }
        let everywhere = api.iter().any(|address| address.ip().is_unspecified());
        for prefix in &self.announce {
            if !everywhere && !api.iter().any(|address| prefix.contains(&address.ip())) {
                let what = format!("{prefix} is announced, but no address of listen.api is in it");
                reader.warning("bgp.announce", what);
            }
        }
        for address in api.iter().map(SocketAddr::ip) {
            let private = address.is_loopback() || address.is_unspecified();
            if !private && !self.announces(address) {
                let what =
                    format!("{address} is in no prefix of bgp.announce: no leaf learns of it");
                reader.warning("listen.api", what);
            }
        }
    }
}
