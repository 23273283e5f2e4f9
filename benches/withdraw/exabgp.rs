use std::path::Path;

use super::{LEAF_ASN, edge_node::NODE_ASN, peer::Recipe};

/// ExaBGP with its own `healthcheck`, all intervals and counts as they are by
/// default (a check every 5 s, after a bad one every second, three in a row).
/// The operator's commands come through a pipe that a second process reads.
pub fn recipe() -> Recipe {
    Recipe {
        name: "ExaBGP",
        executable: "exabgp",
        bfd: false,
        config,
        daemon: "env exabgp.daemon.user=root exabgp.daemon.drop=false exabgp.api.cli=false \
                 exabgp.log.level=WARNING exabgp ./exabgp.conf",
        announce: None,
        withdraw: "echo 'withdraw route 192.0.2.1/32 next-hop self' > control",
    }
}

fn config(directory: &Path, _bfd: bool) -> (&'static str, String) {
    let directory = directory.display();
    let config = format!(
        "process healthcheck {{
  run /usr/bin/exabgp-healthcheck --no-syslog --no-ip-setup --withdraw-on-down --ip 192.0.2.1/32 --cmd {directory}/probe;
  encoder text;
}}
process control {{
  run /bin/sh -c \"mkfifo {directory}/control; exec cat 0<>{directory}/control\";
  encoder text;
}}
neighbor 10.99.0.2 {{
  router-id 10.99.0.1;
  local-address 10.99.0.1;
  local-as {NODE_ASN};
  peer-as {LEAF_ASN};
  hold-time 8;
  family {{ ipv4 unicast; }}
  api {{ processes [ healthcheck, control ]; }}
}}
"
    );
    ("exabgp.conf", config)
}
