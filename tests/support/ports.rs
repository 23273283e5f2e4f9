use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// Apart from the ports of the databases that tests start (15,000 and above), and
/// below the kernel's ephemeral range, so that no outgoing connection takes a
/// port between its choice and its use.
const FIRST: u16 = 12_000;
const COUNT: u16 = 3_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A loopback address that nothing listens on.
pub fn free_address() -> SocketAddr {
    let start = u16::try_from(process::id() % u32::from(COUNT)).expect("below COUNT");
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(step < COUNT, "no loopback port is free");
        let port = FIRST + (start + step) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
