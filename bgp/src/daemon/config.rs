use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use super::path::PathMaker;
use crate::Asn;

/// Where the daemon's API is. Plain text, so it never leaves this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DaemonAddress {
    /// A port on the loopback; GoBGP has 50051.
    Loopback(SocketAddr),
    /// A Unix socket (`gobgpd --api-hosts unix://PATH`).
    Unix(PathBuf),
}

/// An external daemon, and what is announced through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonConfig {
    /// Where its API is.
    pub address: DaemonAddress,
    /// Every prefix that may be announced, until [`Daemon::set_prefixes`](crate::Daemon::set_prefixes) says
    /// others. Whatever path to one of them was put into the daemon over its API is taken for our
    /// own: also one that a killed predecessor left.
    pub prefixes: Vec<IpNet>,
    /// Next hop of IPv4 prefixes. Default: the daemon's own address on each session.
    pub next_hop_v4: Option<Ipv4Addr>,
    /// Next hop of IPv6 prefixes. Default: the daemon's own address on each session.
    pub next_hop_v6: Option<Ipv6Addr>,
}

// === impl DaemonConfig ===

impl DaemonConfig {
    pub(super) fn maker(&self, asn: Asn) -> PathMaker {
        PathMaker {
            asn,
            next_hop_v4: self.next_hop_v4,
            next_hop_v6: self.next_hop_v6,
        }
    }
}

// === impl DaemonAddress ===

impl DaemonAddress {
    /// `HOST:PORT` on the loopback, or `unix:PATH` with an absolute path.
    ///
    /// # Errors
    ///
    /// One sentence on what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            if !path.is_absolute() {
                return Err(format!(
                    "{text:?}: the path of a Unix socket must be absolute"
                ));
            }
            return Ok(Self::Unix(path));
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if !address.ip().is_loopback() => Err(format!(
                "{address} is not on this machine, and the daemon's API has no encryption: use a \
                 loopback address or unix:PATH"
            )),
            Ok(address) if address.port() == 0 => Err("port 0 is nobody's".to_owned()),
            Ok(address) => Ok(Self::Loopback(address)),
            Err(_) => Err(format!(
                "{text:?} is no address: expected 127.0.0.1:50051 or unix:/run/gobgpd.sock"
            )),
        }
    }
}

impl fmt::Display for DaemonAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_accepted() {
        let loopback = DaemonAddress::parse("127.0.0.1:50051").unwrap();
        assert_eq!(loopback.to_string(), "127.0.0.1:50051");
        for text in ["unix:/run/gobgpd.sock", "unix:///run/gobgpd.sock"] {
            let unix = DaemonAddress::parse(text).unwrap();
            assert_eq!(unix.to_string(), "unix:/run/gobgpd.sock");
        }
        for (text, says) in [
            ("10.0.0.1:50051", "not on this machine"),
            ("localhost", "is no address"),
            ("127.0.0.1:0", "port 0"),
            ("unix:gobgpd.sock", "must be absolute"),
        ] {
            let error = DaemonAddress::parse(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
