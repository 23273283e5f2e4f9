//! `etcd://HOST:PORT,HOST:PORT/PREFIX?NAME=VALUE&…`

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::options::{EtcdOptions, EtcdTls};
use crate::error::{Result, invalid};

const PORT: u16 = 2379;

pub(super) fn parse(url: &str) -> Result<EtcdOptions> {
    let rest = url
        .strip_prefix("etcd://")
        .ok_or_else(|| invalid!("a URL of etcd begins with etcd://"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if hosts.contains('@') {
        // Not shown: there may be a password in it.
        return Err(invalid!(
            "a URL of etcd holds no user or password: name a credential file"
        ));
    }
    let endpoints: Vec<String> = hosts.split(',').map(endpoint).collect::<Result<_>>()?;
    let mut options = EtcdOptions::new(endpoints);
    if !prefix.is_empty() {
        options.prefix = prefix.to_owned();
    }
    let (mut tls, mut ca, mut cert, mut key) = (None, None, None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let file = || Some(PathBuf::from(value));
        match (name, value) {
            ("tls", "on") => tls = Some(true),
            ("tls", "off") => tls = Some(false),
            ("tls", other) => return Err(invalid!("tls is on or off, not {other:?}")),
            ("ca" | "cert" | "key", "") => return Err(invalid!("{name} names no file")),
            ("ca", _) => ca = file(),
            ("cert", _) => cert = file(),
            ("key", _) => key = file(),
            (other, _) => {
                return Err(invalid!(
                    "a URL of etcd can say tls, ca, cert and key, not {other:?}"
                ));
            }
        }
    }
    let identity = match (cert, key) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        _ => return Err(invalid!("cert and key are named together or not at all")),
    };
    let files = ca.is_some() || identity.is_some();
    match tls {
        Some(false) if files => {
            return Err(invalid!("ca, cert and key say nothing with tls=off"));
        }
        Some(false) => options.tls = EtcdTls::Off,
        None if !files => {}
        Some(true) | None => options.tls = EtcdTls::On { ca, identity },
    }
    Ok(options)
}

/// `host:port`, with the port that etcd has unless it is said.
fn endpoint(text: &str) -> Result<String> {
    let bad = || invalid!("{text:?} is no HOST:PORT of etcd");
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => {
            (host, port.parse().map_err(|_| bad())?)
        }
        _ => (text, PORT),
    };
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let good = match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
        None => !host.is_empty() && host.bytes().all(name),
    };
    if good && port != 0 {
        Ok(format!("{host}:{port}"))
    } else {
        Err(bad())
    }
}

/// Whether `host:port` is on this machine for certain.
pub(super) fn is_loopback(endpoint: &str) -> bool {
    let host = endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse()
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
            .is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_members_prefix_and_files() {
        let options = parse("etcd://a,b:1,[::1]:2/plant?ca=/etc/ca.pem").unwrap();
        assert_eq!(options.endpoints, ["a:2379", "b:1", "[::1]:2"]);
        assert_eq!(options.prefix, "plant");
        let ca = Some(PathBuf::from("/etc/ca.pem"));
        assert_eq!(options.tls, EtcdTls::On { ca, identity: None });
    }

    #[test]
    fn plain_text_leaves_this_machine_only_if_the_url_says_so() {
        let tls = |url| parse(url).unwrap().tls;
        let on = EtcdTls::On {
            ca: None,
            identity: None,
        };
        assert_eq!(tls("etcd://127.0.0.1,localhost:9,[::1]"), EtcdTls::Off);
        assert_eq!(tls("etcd://127.0.0.1,10.0.0.1"), on);
        assert_eq!(tls("etcd://127.0.0.1?tls=on"), on);
        assert_eq!(tls("etcd://10.0.0.1?tls=off"), EtcdTls::Off);
    }

    #[test]
    fn a_malformed_url_is_refused_and_a_password_in_it_is_not_shown() {
        for url in [
            "",
            "http://a",
            "etcd://",
            "etcd://a,,b",
            "etcd://a:0",
            "etcd://a:x",
            "etcd://a:99999",
            "etcd://a b",
            "etcd://[::1",
            "etcd://a?tls=maybe",
            "etcd://a?password=x",
            "etcd://a?cert=/x",
            "etcd://a?ca=",
            "etcd://a?tls=off&ca=/x",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
        let error = parse("etcd://root:geheim@a").unwrap_err().to_string();
        assert!(!error.contains("geheim"), "{error}");
    }
}
