//! Socket options that neither `socket2` nor `nix` nor `rustix` has.
//!
//! The only place of this crate where `unsafe` is allowed: one call each of setsockopt(2) and
//! getsockopt(2), with buffers that outlive them. What the bytes mean is written in safe code.
#![expect(
    unsafe_code,
    reason = "setsockopt(2) and getsockopt(2) for options that no safe crate has"
)]

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;
use zeroize::Zeroizing;

use super::Md5Key;

/// From the kernel's `linux/icmpv6.h`; the crate `libc` does not have it.
const ICMP6_FILTER: libc::c_int = 1;
/// Size of the kernel's `struct tcp_md5sig`.
const MD5SIG: usize = KEY + Md5Key::MAX;
/// Where its fields begin: `tcpm_keylen` after a `sockaddr_storage`, flags and a prefix length,
/// and `tcpm_key` after that and an interface index.
const KEY_LENGTH: usize = 130;
const KEY: usize = 136;
/// Where in a `sockaddr_in` and a `sockaddr_in6` the address is.
const V4_ADDRESS: usize = 4;
const V6_ADDRESS: usize = 8;

/// Drops what arrives with a TTL or hop limit below `least` (RFC 5082 section 3).
pub(super) fn set_least_ttl(socket: &impl AsFd, v6: bool, least: u8) -> io::Result<()> {
    let value = libc::c_int::from(least).to_ne_bytes();
    match v6 {
        false => set(socket, libc::IPPROTO_IP, libc::IP_MINTTL, &value),
        true => set(socket, libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT, &value),
    }
}

/// Signs every segment to `peer`, and drops every segment from it that is not signed with `key`
/// (RFC 2385). On a listening socket for the connections from `peer`. Without a key it ends.
pub(super) fn set_md5_key(
    socket: &impl AsFd,
    peer: IpAddr,
    key: Option<&Md5Key>,
) -> io::Result<()> {
    let mut signature = Zeroizing::new([0; MD5SIG]);
    let family = match peer {
        IpAddr::V4(address) => {
            signature[V4_ADDRESS..][..4].copy_from_slice(&address.octets());
            libc::AF_INET
        }
        IpAddr::V6(address) => {
            signature[V6_ADDRESS..][..16].copy_from_slice(&address.octets());
            libc::AF_INET6
        }
    };
    let family = libc::sa_family_t::try_from(family).expect("the two families are small numbers");
    signature[..2].copy_from_slice(&family.to_ne_bytes());
    let bytes = key.map_or(&[][..], Md5Key::bytes);
    let length = u16::try_from(bytes.len()).expect("a key has at most 80 bytes");
    signature[KEY_LENGTH..][..2].copy_from_slice(&length.to_ne_bytes());
    signature[KEY..][..bytes.len()].copy_from_slice(bytes);
    set(socket, libc::IPPROTO_TCP, libc::TCP_MD5SIG, &*signature)
}

/// Lets a raw ICMPv6 socket hear messages of these types only (RFC 3542 section 3.2).
pub(super) fn pass_icmp_types(socket: &impl AsFd, types: &[u8]) -> io::Result<()> {
    // A bit that is set keeps a type out, in words of the machine's byte order.
    let mut words = [u32::MAX; 8];
    for kind in types {
        words[usize::from(kind / 32)] &= !(1 << (kind % 32));
    }
    let filter: Vec<u8> = words.into_iter().flat_map(u32::to_ne_bytes).collect();
    set(socket, libc::IPPROTO_ICMPV6, ICMP6_FILTER, &filter)
}

/// Whether what was sent on a connection is being sent again, since nobody acknowledges it.
pub(crate) fn is_unacknowledged(socket: &impl AsFd) -> io::Result<bool> {
    // Where the kernel's `struct tcp_info` counts the retransmissions that still wait.
    const RETRANSMITS: usize = 2;
    let mut info = [0; 8];
    let length = get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info)?;
    Ok(length > RETRANSMITS && info[RETRANSMITS] > 0)
}

/// The bytes that were read, at most as many as there is room for.
fn get(
    socket: &impl AsFd,
    level: libc::c_int,
    name: libc::c_int,
    value: &mut [u8],
) -> io::Result<usize> {
    let room = "an option has a few bytes";
    let mut length = libc::socklen_t::try_from(value.len()).expect(room);
    let socket = socket.as_fd().as_raw_fd();
    let bytes = value.as_mut_ptr().cast();
    // SAFETY: `socket` is an open descriptor for as long as it is borrowed, and the kernel writes
    // no more than `length` bytes to `value`, which has room for them, and keeps no pointer.
    let done = unsafe { libc::getsockopt(socket, level, name, bytes, &mut length) };
    match done {
        0 => Ok(usize::try_from(length).expect(room)),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set(socket: &impl AsFd, level: libc::c_int, name: libc::c_int, value: &[u8]) -> io::Result<()> {
    let length = libc::socklen_t::try_from(value.len()).expect("an option has a few bytes");
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: `socket` is an open descriptor for as long as it is borrowed, and the kernel reads
    // no more than `length` bytes from `value`, which are there, and keeps no pointer to them.
    let done = unsafe { libc::setsockopt(socket, level, name, value.as_ptr().cast(), length) };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn socket() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").unwrap()
    }

    #[test]
    fn the_kernel_takes_a_key_of_any_length_that_a_key_may_have() {
        for length in [1, Md5Key::MAX] {
            let key = Md5Key::new(&vec![b'k'; length]).unwrap();
            set_md5_key(&socket(), IpAddr::from([127, 0, 0, 1]), Some(&key)).unwrap();
        }
    }

    #[test]
    fn a_connection_needs_the_key_that_the_listener_has_for_its_address() {
        let listener = socket();
        let address = listener.local_addr().unwrap();
        let right = Md5Key::new(b"right").unwrap();
        set_md5_key(&listener, address.ip(), Some(&right)).unwrap();
        let connect = |key: Option<&Md5Key>| {
            let socket =
                socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            if let Some(key) = key {
                set_md5_key(&socket, address.ip(), Some(key)).unwrap();
            }
            let patience = std::time::Duration::from_millis(300);
            let connected = socket.connect_timeout(&address.into(), patience);
            connected.map(|()| TcpStream::from(socket))
        };
        connect(Some(&right)).expect("the right key");
        for key in [None, Some(&Md5Key::new(b"wrong").unwrap())] {
            let error = connect(key).expect_err("no answer without the key");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[test]
    fn a_peer_that_reads_nothing_has_a_kernel_that_acknowledges() {
        use std::io::Write;
        let listener = socket();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.write_all(b"for nobody").unwrap();
        assert!(!is_unacknowledged(&stream).unwrap());
        let unconnected = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(is_unacknowledged(&unconnected).is_err(), "it is not TCP");
    }

    #[test]
    fn the_least_ttl_is_what_was_asked_for() {
        let listener = socket();
        let address = listener.local_addr().unwrap();
        set_least_ttl(&listener, false, 255).unwrap();
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_ttl_v4(255).unwrap();
        socket.connect(&address.into()).expect("a TTL of 255");
    }
}
