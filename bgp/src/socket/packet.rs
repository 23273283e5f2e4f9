//! Whole frames of one link.

use std::io;
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{LinkAddr, MsgFlags, bind, recv};
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Bytes that a frame must have, in network byte order, to be heard.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Match {
    Byte { at: usize, value: u8 },
    Half { at: usize, value: u16 },
    Word { at: usize, value: u32 },
}

/// Sends and hears frames of IPv4 or IPv6 on one link, past the tables and filters of this node.
#[derive(Debug)]
// For tokio every socket of datagrams is one.
pub(crate) struct PacketSocket(UdpSocket);

// === impl PacketSocket ===

impl PacketSocket {
    /// Hears the frames of one family that arrive on `link` and are as `matches` want them; never
    /// those that this node sends.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` without CAP_NET_RAW.
    pub(crate) fn open(link: &LinkAddr, v6: bool, matches: &[Match]) -> io::Result<Self> {
        let family = match v6 {
            false => libc::ETH_P_IP,
            true => libc::ETH_P_IPV6,
        };
        let family = u16::try_from(family).expect("an EtherType has 16 bits");
        let socket = Socket::new(
            Domain::PACKET,
            Type::RAW.nonblocking().cloexec(),
            Some(Protocol::from(i32::from(family.to_be()))),
        )?;
        socket.attach_filter(&program(matches))?;
        bind(socket.as_raw_fd(), link)?;
        // What came before it was bound, from other links too.
        while recv(socket.as_raw_fd(), &mut [0], MsgFlags::empty()).is_ok() {}
        UdpSocket::from_std(socket.into()).map(Self)
    }

    /// Sends a frame, with its Ethernet header. Never waits.
    pub(crate) fn send(&self, frame: &[u8]) -> io::Result<()> {
        SockRef::from(&self.0).send(frame).map(drop)
    }

    /// The next frame, cut to `buffer`. Dropping the future loses none.
    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0
            .async_io(Interest::READABLE, || {
                recv(self.0.as_raw_fd(), buffer, MsgFlags::empty()).map_err(io::Error::from)
            })
            .await
    }
}

/// The filter in the kernel (BPF): one frame after the other is loaded from and compared.
fn program(matches: &[Match]) -> Vec<SockFilter> {
    let code = |bits: u32| u16::try_from(bits).expect("an instruction has 16 bits");
    let load = |width| code(libc::BPF_LD | libc::BPF_ABS | width);
    let compare = code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K);
    let done = code(libc::BPF_RET | libc::BPF_K);
    let mut program = Vec::new();
    for (index, it) in matches.iter().enumerate() {
        let (width, at, value) = match *it {
            Match::Byte { at, value } => (libc::BPF_B, at, value.into()),
            Match::Half { at, value } => (libc::BPF_H, at, value.into()),
            Match::Word { at, value } => (libc::BPF_W, at, value),
        };
        let at = u32::try_from(at).expect("a frame is short");
        program.push(SockFilter::new(load(width), 0, 0, at));
        // What differs goes to the last instruction, over two for each match that follows and
        // the one that accepts.
        let rest = (matches.len() - index - 1) * 2 + 1;
        let rest = u8::try_from(rest).expect("a filter has a few matches");
        program.push(SockFilter::new(compare, 0, rest, value));
    }
    program.push(SockFilter::new(done, 0, 0, u32::MAX));
    program.push(SockFilter::new(done, 0, 0, 0));
    program
}
