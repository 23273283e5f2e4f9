//! Can the listeners be bound?

use std::{io, net::SocketAddr};

use super::{Subject, finding::Group};
use crate::edge::listener;

pub(super) fn check(subject: &Subject) -> Group {
    let mut group = Group::new("ports");
    let listen = &subject.config.listen;
    let bgp = subject.config.bgp.iter().flat_map(|bgp| &bgp.listen);
    for address in listen.api.iter().chain([&listen.admin]).chain(bgp) {
        if subject.holds(*address) {
            group.ok(format!("{address} is held by the running node"));
            continue;
        }
        match listener::bind(*address) {
            Ok(_) => group.ok(format!("{address} is free")),
            Err(error) => {
                let fix = fix(&error, address.port());
                group.failed(
                    address.to_string(),
                    format!("cannot be bound: {error}"),
                    fix,
                );
            }
        }
    }
    group
}

fn fix(error: &io::Error, port: u16) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!("find who holds it: ss -ltnp 'sport = :{port}'"),
        io::ErrorKind::PermissionDenied => format!(
            "ports below 1024 need CAP_NET_BIND_SERVICE: use the systemd unit, or choose one above \
             (now {port})"
        ),
        _ => "choose an address of this machine".to_owned(),
    }
}

impl Subject {
    /// Whether the running node listens there.
    fn holds(&self, address: SocketAddr) -> bool {
        let held =
            |node: &crate::status::NodeFile| node.admin == address || node.api.contains(&address);
        let speaks = |report: &crate::status::Report| report.listening.contains(&address);
        self.report.is_some() && self.node.as_ref().is_some_and(held)
            || self.report.as_ref().is_some_and(speaks)
    }
}
