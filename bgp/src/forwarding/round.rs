//! One round: sends, and listens for what comes back.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::time;

use super::frame::{FRAME, Frame, Kind, returned};
use super::link::Link;
use crate::session::Route;
use crate::socket::{Match, PacketSocket};

/// Packets of each kind to each prefix, each another flow: where several nodes announce it, the
/// peer spreads flows over them, and one that comes here is enough.
const FLOWS: u16 = 16;

/// How long it is listened at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// Hears one kind of packets.
struct Ear {
    kind: Kind,
    socket: Option<PacketSocket>,
    frame: [u8; FRAME],
}

/// Sends to every one of `due` over `link`; those of them that came back. Takes a second if one
/// does not.
///
/// # Errors
///
/// No socket to be had: `PermissionDenied` without CAP_NET_RAW.
pub(super) async fn round(link: &Link, due: &[(IpNet, Arc<Route>)]) -> io::Result<Vec<IpNet>> {
    let token = RandomState::new().build_hasher().finish();
    let wanted = |kind: Kind| due.iter().any(|(prefix, _)| is_v6(prefix) == kind.is_v6());
    let open = |kind: Kind| Ear::open(kind, link, token, wanted(kind));
    let mut ears = [open(Kind::UdpV4)?, open(Kind::UdpV6)?, open(Kind::ErrorV4)?];
    for (prefix, route) in due {
        for ear in ears.iter().filter(|ear| ear.kind.is_v6() == is_v6(prefix)) {
            ear.send(link, target(prefix), route, token);
        }
    }
    let mut back = Vec::new();
    let [first, second, third] = &mut ears;
    let listen = async {
        while back.len() < due.len() {
            let (kind, frame) = tokio::select! {
                heard = first.hear() => heard?,
                heard = second.hear() => heard?,
                heard = third.hear() => heard?,
            };
            let Some(address) = returned(frame, kind, link.own_mac(), token) else {
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

// === impl Ear ===

impl Ear {
    /// Deaf unless it is `wanted`.
    fn open(kind: Kind, link: &Link, token: u64, wanted: bool) -> io::Result<Self> {
        let marks = kind.marks();
        let matches = [
            Match::Byte {
                at: marks.protocol.0,
                value: marks.protocol.1,
            },
            Match::Half {
                at: marks.purpose.0,
                value: marks.purpose.1,
            },
            Match::Word {
                at: marks.token,
                value: (token >> 32) as u32,
            },
        ];
        let open = || PacketSocket::open(&link.own, kind.is_v6(), &matches);
        Ok(Self {
            kind,
            socket: wanted.then(open).transpose()?,
            frame: [0; FRAME],
        })
    }

    fn send(&self, link: &Link, target: IpAddr, route: &Route, token: u64) {
        let Some(socket) = &self.socket else { return };
        let sources = link.sources(route.next_hop, target);
        for (flow, source) in (0..FLOWS).zip(sources.into_iter().cycle()) {
            let frame = Frame {
                kind: self.kind,
                to: link.peer,
                from: link.own_mac(),
                source,
                target,
                // Other ones in every round.
                flow: (token as u16).wrapping_add(flow.wrapping_mul(0x9E5)),
                token,
            };
            if let Err(error) = socket.send(&frame.encode()) {
                tracing::trace!(%error, "packet not sent");
            }
        }
    }

    /// The next frame. Dropping the future loses none.
    async fn hear(&mut self) -> io::Result<(Kind, &[u8])> {
        match &self.socket {
            Some(socket) => {
                let length = socket.receive(&mut self.frame).await?;
                Ok((self.kind, &self.frame[..length]))
            }
            None => std::future::pending().await,
        }
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
