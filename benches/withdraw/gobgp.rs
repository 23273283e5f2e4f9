use std::path::Path;

use super::{LEAF_ASN, edge_node::NODE_ASN, peer::Recipe};

/// GoBGP, with a loop that calls `gobgp`.
pub fn recipe() -> Recipe {
    Recipe {
        name: "gobgpd",
        executable: "gobgpd",
        bfd: false,
        config,
        daemon: "gobgpd -f gobgpd.toml --api-hosts 127.0.0.1:50051 --pprof-disable \
                 --log-level error",
        announce: Some("gobgp global rib add 192.0.2.1/32 -a ipv4"),
        withdraw: "gobgp global rib del 192.0.2.1/32 -a ipv4",
    }
}

fn config(_directory: &Path, _bfd: bool) -> (&'static str, String) {
    let config = format!(
        "[global.config]
as = {NODE_ASN}
router-id = \"10.99.0.1\"
[[neighbors]]
[neighbors.config]
neighbor-address = \"10.99.0.2\"
peer-as = {LEAF_ASN}
[neighbors.timers.config]
connect-retry = 1
hold-time = 8
keepalive-interval = 2
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = \"ipv4-unicast\"
"
    );
    ("gobgpd.toml", config)
}
