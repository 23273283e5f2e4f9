//! One round: sends, and listens for what comes back.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::time;

use super::frame::{FRAME, Frame, PORT, Place, returned};
use super::link::Link;
use crate::session::Route;
use crate::socket::{Match, PacketSocket};

/// Packets to each prefix, each another flow: where several nodes announce it, the peer spreads
/// flows over them, and one that comes here is enough.
const FLOWS: u16 = 16;

/// How long it is listened at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends to every one of `due` over `link`; those of them that came back. Takes a second if one
/// does not.
///
/// # Errors
///
/// No socket to be had: `PermissionDenied` without CAP_NET_RAW.
pub(super) async fn round(link: &Link, due: &[(IpNet, Arc<Route>)]) -> io::Result<Vec<IpNet>> {
    let token = RandomState::new().build_hasher().finish();
    let open = |v6: bool| {
        let wanted = due.iter().any(|(prefix, _)| is_v6(prefix) == v6);
        let socket = wanted.then(|| PacketSocket::open(&link.own, v6, &matches(v6, token)));
        socket.transpose()
    };
    let (v4, v6) = (open(false)?, open(true)?);
    for (prefix, route) in due {
        let socket = if is_v6(prefix) { &v6 } else { &v4 };
        if let Some(socket) = socket {
            send(link, socket, target(prefix), route, token);
        }
    }
    let mut back = Vec::new();
    let listen = async {
        let (mut of_v4, mut of_v6) = ([0; FRAME], [0; FRAME]);
        while back.len() < due.len() {
            let frame = tokio::select! {
                length = receive(v4.as_ref(), &mut of_v4) => &of_v4[..length?],
                length = receive(v6.as_ref(), &mut of_v6) => &of_v6[..length?],
            };
            let Some(address) = returned(frame, link.own_mac(), token) else {
                continue;
            };
            let of = |(prefix, _): &&(IpNet, _)| target(prefix) == address;
            if let Some((prefix, _)) = due.iter().find(of)
                && !back.contains(prefix)
            {
                back.push(*prefix);
            }
        }
        io::Result::Ok(())
    };
    // A link that goes down meanwhile sends nothing back either.
    if let Ok(Err(error)) = time::timeout(PATIENCE, listen).await {
        tracing::debug!(%error, "not listening for packets that come back");
    }
    Ok(back)
}

fn send(link: &Link, socket: &PacketSocket, target: IpAddr, route: &Route, token: u64) {
    let sources = link.sources(route.next_hop, target);
    for (flow, source) in (0..FLOWS).zip(sources.into_iter().cycle()) {
        let frame = Frame {
            to: link.peer,
            from: link.own_mac(),
            source,
            target,
            // Other ones in every round, above those that services have.
            port: 0x8000 | (token as u16).wrapping_add(flow.wrapping_mul(0x9E5)),
            token,
        };
        if let Err(error) = socket.send(&frame.encode()) {
            tracing::trace!(%error, "packet not sent");
        }
    }
}

/// What the kernel lets through to us.
fn matches(v6: bool, token: u64) -> [Match; 3] {
    let place = Place::of(v6);
    [
        Match::Byte {
            at: place.protocol,
            value: Place::UDP,
        },
        Match::Half {
            at: place.port,
            value: PORT,
        },
        Match::Word {
            at: place.token,
            value: (token >> 32) as u32,
        },
    ]
}

async fn receive(socket: Option<&PacketSocket>, buffer: &mut [u8]) -> io::Result<usize> {
    match socket {
        Some(socket) => socket.receive(buffer).await,
        None => std::future::pending().await,
    }
}

/// The address that stands for a prefix: its only one, or its second, as the first is no host's.
fn target(prefix: &IpNet) -> IpAddr {
    match prefix {
        IpNet::V4(prefix) if prefix.prefix_len() < 31 => {
            Ipv4Addr::from_bits(prefix.network().to_bits() + 1).into()
        }
        IpNet::V6(prefix) if prefix.prefix_len() < 127 => {
            Ipv6Addr::from_bits(prefix.network().to_bits() + 1).into()
        }
        prefix => prefix.network(),
    }
}

fn is_v6(prefix: &IpNet) -> bool {
    matches!(prefix, IpNet::V6(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_stands_for_a_prefix() {
        for (prefix, address) in [
            ("192.0.2.1/32", "192.0.2.1"),
            ("192.0.2.0/24", "192.0.2.1"),
            ("2001:db8::1/128", "2001:db8::1"),
            ("2001:db8::/64", "2001:db8::1"),
        ] {
            assert_eq!(target(&prefix.parse().unwrap()).to_string(), address);
        }
    }
}
