//! `[[bgp.peer]]` from the layers.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use metal_bgp::{BfdConfig, Interface, Md5Key, Ttl};

use super::Peer;
use crate::config::{Problem, files, keys::PEER, layer::Table, reader::Reader};

impl Peer {
    pub(super) fn read(
        reader: &mut Reader<'_>,
        index: usize,
        defaults: &Table,
        table: &Table,
    ) -> Option<Self> {
        let name = format!("{PEER}[{index}].");
        reader.nested(name, &defaults.values, &table.values, |reader| {
            let missing = |key: &str, what: &str| {
                let key = format!("{PEER}[{index}].{key}");
                Problem::new(Some(table.origin.clone()), &key, what)
            };
            if reader.node("asn").is_none() {
                reader.problems.push(missing("asn", "is missing"));
            }
            if reader.node("address").is_none() && reader.node("interface").is_none() {
                let what = "is missing; without it the interface to the leaf must be given";
                reader.problems.push(missing("address", what));
                return None;
            }
            let interface: Option<Interface> = reader.optional("interface");
            let address = read_address(reader, interface.is_some());
            let asn = reader.optional("asn");
            let port: u16 = reader.get("port");
            if port == 0 {
                reader.problem("port", "must be from 1 to 65535");
            }
            let bounds = Duration::from_secs(3)..=Duration::from_secs(65535);
            let hold_time = reader.within("hold-time", bounds);
            if hold_time.subsec_nanos() != 0 {
                reader.problem("hold-time", "must be whole seconds (RFC 4271 section 4.2)");
            }
            let bounds = Duration::from_millis(100)..=Duration::from_secs(600);
            let connect_retry = reader.within("connect-retry", bounds);
            let passive = reader.get("passive");
            let next_hop_v4 = reader.optional("next-hop-v4");
            let next_hop_v6 = reader.optional("next-hop-v6");
            let on_link = address.is_none_or(is_link_local);
            let ttl = read_ttl(reader, on_link);
            if passive && on_link {
                let what = "is not for a peer that is known by its interface: that one is found \
                            and connected to";
                reader.problem("passive", what);
            }
            let source = read_source(reader, address, on_link);
            let far = matches!(ttl, Ttl::Multihop(2..) | Ttl::Security { hops: 2.. });
            let bfd = read_bfd(reader, far);
            let md5_key_file = reader.optional("md5-key-file");
            Some(Self {
                address,
                interface,
                port,
                asn: asn?,
                hold_time,
                connect_retry,
                passive,
                next_hop_v4,
                next_hop_v6,
                md5_key_file,
                ttl,
                source,
                bfd,
            })
        })
    }

    /// The key that signs the connection, if there is to be one.
    ///
    /// # Errors
    ///
    /// The file and what is wrong with it; nothing of the key.
    pub fn md5_key(&self) -> Result<Option<Md5Key>, String> {
        self.md5_key_file.as_deref().map(files::md5_key).transpose()
    }

    /// What it is called where people read: its address, or its interface.
    pub fn name(&self) -> String {
        match (self.address, &self.interface) {
            (Some(address), Some(interface)) if is_link_local(address) => {
                format!("{address}%{interface}")
            }
            (Some(address), _) => address.to_string(),
            (None, interface) => interface
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
        }
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(ip) if Ipv6Addr::is_unicast_link_local(&ip))
}

fn read_address(reader: &mut Reader<'_>, has_interface: bool) -> Option<IpAddr> {
    let address: IpAddr = reader.optional("address")?;
    if address.is_unspecified() || address.is_multicast() {
        reader.problem("address", "is no address of a leaf switch");
    }
    if is_link_local(address) && !has_interface {
        let what = "is a link-local address, which needs an interface beside it";
        reader.problem("address", what);
    }
    Some(address)
}

/// `multihop` says how far away the leaf is, `ttl-security` that nobody further away is heard.
fn read_ttl(reader: &mut Reader<'_>, on_link: bool) -> Ttl {
    let secure = reader.optional("ttl-security").unwrap_or(false);
    let multihop: Option<u32> = reader.optional("multihop");
    if multihop.is_some() && on_link {
        let what = "is not for a peer that is known by its interface: that one is on the link";
        reader.problem("multihop", what);
    }
    let most = if secure { 254 } else { 255 };
    let count = multihop.unwrap_or(1);
    let hops = u8::try_from(count).ok();
    let Some(hops) = hops.filter(|hops| (1..=most).contains(hops)) else {
        let what = format!("must be from 1 to {most}, is {count}");
        reader.problem("multihop", what);
        return Ttl::Direct;
    };
    match (secure, multihop) {
        (true, _) => Ttl::Security { hops },
        (false, Some(_)) => Ttl::Multihop(hops),
        (false, None) => Ttl::Direct,
    }
}

fn read_source(reader: &mut Reader<'_>, address: Option<IpAddr>, on_link: bool) -> Option<IpAddr> {
    let source: IpAddr = reader.optional("source")?;
    let what = match address {
        _ if on_link => "cannot be chosen: it is the link-local address of the interface",
        _ if source.is_unspecified() || source.is_multicast() => "is no address of this node",
        Some(address) if address == source => "is the leaf's own address",
        Some(address) if address.is_ipv4() != source.is_ipv4() => {
            "must be of the same family as address"
        }
        _ => return Some(source),
    };
    reader.problem("source", what);
    Some(source)
}

fn read_bfd(reader: &mut Reader<'_>, multihop: bool) -> Option<BfdConfig> {
    reader.node("bfd-interval")?;
    let bounds = Duration::from_millis(50)..=Duration::from_secs(60);
    let interval: Duration = reader.within("bfd-interval", bounds);
    if !interval.subsec_nanos().is_multiple_of(1_000_000) {
        reader.problem("bfd-interval", "must be whole milliseconds");
    }
    let multiplier: u32 = reader.within("bfd-multiplier", 1..=255);
    Some(BfdConfig {
        interval,
        multiplier: u8::try_from(multiplier).unwrap_or(u8::MAX),
        multihop,
    })
}
