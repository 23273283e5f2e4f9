//! The link-layer address of a neighbour, as the kernel knows it.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

/// Sizes of the kernel's `struct nlmsghdr` and `struct ndmsg`.
const HEADER: usize = 16;
const NEIGHBOR: usize = 12;

/// The Ethernet address of `address` on the interface with the number `index`; none if the kernel
/// does not know it now. Asks nobody but the kernel (rtnetlink), which answers at once.
///
/// # Errors
///
/// No netlink, or a kernel older than 5.0.
pub(crate) fn resolve(index: u32, address: IpAddr) -> io::Result<Option<[u8; 6]>> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    let question = question(index, address);
    send(socket.as_raw_fd(), &question, MsgFlags::empty())?;
    let mut answer = [0; 1024];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    read(&answer[..length])
}

fn question(index: u32, address: IpAddr) -> Vec<u8> {
    let (family, octets) = match address {
        IpAddr::V4(address) => (libc::AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, address.octets().to_vec()),
    };
    let attribute = 4 + octets.len();
    let length = u32::try_from(HEADER + NEIGHBOR + attribute).expect("a few bytes");
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(libc::RTM_GETNEIGH.to_ne_bytes());
    message.extend((libc::NLM_F_REQUEST as u16).to_ne_bytes());
    // Sequence number and port: nothing else is asked on this socket.
    message.extend([0; 8]);
    message.extend([family as u8, 0, 0, 0]);
    message.extend(index.to_ne_bytes());
    // State, flags and type.
    message.extend([0; 4]);
    message.extend((attribute as u16).to_ne_bytes());
    message.extend(libc::NDA_DST.to_ne_bytes());
    message.extend(octets);
    message
}

fn read(answer: &[u8]) -> io::Result<Option<[u8; 6]>> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let kind = u16::from_ne_bytes(array(answer, 4).ok_or_else(malformed)?);
    if i32::from(kind) == libc::NLMSG_ERROR {
        let code = i32::from_ne_bytes(array(answer, HEADER).ok_or_else(malformed)?);
        return match Errno::from_raw(-code) {
            Errno::ENOENT => Ok(None),
            error => Err(error.into()),
        };
    }
    let mut rest = answer.get(HEADER + NEIGHBOR..).ok_or_else(malformed)?;
    while let (Some(length), Some(kind)) = (array(rest, 0), array(rest, 2)) {
        let length = usize::from(u16::from_ne_bytes(length));
        if u16::from_ne_bytes(kind) == libc::NDA_LLADDR && length == 4 + 6 {
            return Ok(array(rest, 4));
        }
        // Attributes begin at multiples of four bytes.
        let next = length.max(4).next_multiple_of(4);
        rest = rest.get(next..).unwrap_or_default();
    }
    Ok(None)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nobody_is_known_behind_an_address_that_nobody_has() {
        let loopback = nix::net::if_::if_nametoindex("lo").unwrap();
        for address in ["192.0.2.77", "2001:db8::77"] {
            let known = resolve(loopback, address.parse().unwrap());
            assert_eq!(known.unwrap(), None, "{address}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..96)) {
            let _ = read(&bytes);
        }
    }
}
