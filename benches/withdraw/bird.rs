use std::path::Path;

use super::{LEAF_ASN, edge_node::NODE_ASN, peer::Recipe};

/// BIRD 2. anycast-healthchecker is no Debian package; the loop that enables
/// and disables the static protocol stands in for it.
pub fn recipe() -> Recipe {
    Recipe {
        name: "BIRD",
        executable: "bird",
        bfd: true,
        config,
        daemon: "bird -f -c bird.conf -s bird.ctl -P bird.pid",
        announce: Some("birdc -s bird.ctl enable anycast"),
        withdraw: "birdc -s bird.ctl disable anycast",
    }
}

fn config(_directory: &Path, bfd: bool) -> (&'static str, String) {
    let (protocol, on) = match bfd {
        true => (
            "protocol bfd { interface \"*\" { interval 100 ms; multiplier 3; }; }\n",
            "bfd on;",
        ),
        false => ("", ""),
    };
    let config = format!(
        "router id 10.99.0.1;
protocol device {{}}
protocol static anycast {{
  disabled yes;
  ipv4;
  route 192.0.2.1/32 blackhole;
}}
{protocol}protocol bgp leaf {{
  local 10.99.0.1 as {NODE_ASN};
  neighbor 10.99.0.2 as {LEAF_ASN};
  hold time 8;
  keepalive time 2;
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
  {on}
  ipv4 {{ import none; export where source = RTS_STATIC; }};
}}
"
    );
    ("bird.conf", config)
}
