use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;

use super::{Asn, ByteSize, LogFormat, NodeName, Origin, PartitionId, PeerAsn};

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// A value before it has a meaning.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// From the environment or a flag: what it is depends on who asks.
    Text(String),
    String(String),
    Integer(i64),
    Boolean(bool),
    Array(Vec<Node>),
    /// Any other TOML type, by its name.
    Other(&'static str),
}

/// What is wrong with a value, or an element of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) origin: Origin,
    pub(super) what: String,
}

/// A type that a value can have.
pub(super) trait FromValue: Sized {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>>;
}

/// A type that is written as a string. The error says what is expected.
pub(super) trait FromText: Sized {
    const EXPECTED: &'static str;
    fn from_text(text: &str) -> Result<Self, String>;
}

// === impl Node ===

impl Node {
    pub(super) fn fault<T>(&self, what: impl Into<String>) -> Result<T, Vec<Fault>> {
        Err(vec![Fault {
            origin: self.origin.clone(),
            what: what.into(),
        }])
    }

    fn wrong_type<T>(&self, expected: &str) -> Result<T, Vec<Fault>> {
        let found = match &self.value {
            Value::Text(text) => format!("{text:?}"),
            Value::String(text) => format!("the string {text:?}"),
            Value::Integer(number) => format!("the number {number}"),
            Value::Boolean(truth) => format!("the boolean {truth}"),
            Value::Array(_) => "an array".to_owned(),
            Value::Other(kind) => format!("a {kind}"),
        };
        self.fault(format!("expected {expected}, found {found}"))
    }
}

impl<T: FromText> FromValue for T {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>> {
        match &node.value {
            Value::Text(text) | Value::String(text) => {
                T::from_text(text).or_else(|what| node.fault(format!("{what}, found {text:?}")))
            }
            _ => node.wrong_type(T::EXPECTED),
        }
    }
}

/// Reports every bad element, not only the first.
impl<T: FromValue> FromValue for Vec<T> {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>> {
        let split;
        let elements = match &node.value {
            Value::Array(elements) => elements,
            Value::Text(text) => {
                let element = |text: &str| Node {
                    value: Value::Text(text.trim().to_owned()),
                    origin: node.origin.clone(),
                };
                split = text
                    .split(',')
                    .filter(|part| !part.trim().is_empty())
                    .map(element)
                    .collect();
                &split
            }
            _ => return node.wrong_type("an array, like [\"a\", \"b\"]"),
        };
        let mut values = Vec::new();
        let mut faults = Vec::new();
        for element in elements {
            match T::from_node(element) {
                Ok(value) => values.push(value),
                Err(more) => faults.extend(more),
            }
        }
        if faults.is_empty() {
            Ok(values)
        } else {
            Err(faults)
        }
    }
}

impl FromText for metal_bgp::DaemonAddress {
    const EXPECTED: &'static str = "an address, like \"127.0.0.1:50051\" or \"unix:/run/api.sock\"";

    fn from_text(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl FromValue for u32 {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>> {
        let number = match &node.value {
            Value::Integer(number) => u32::try_from(*number).ok(),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        number.map_or_else(|| node.wrong_type("a number from 0 to 4294967295"), Ok)
    }
}

impl FromValue for u16 {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>> {
        let number = u32::from_node(node).ok().and_then(|n| n.try_into().ok());
        number.map_or_else(|| node.wrong_type("a number from 0 to 65535"), Ok)
    }
}

impl FromValue for bool {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>> {
        match &node.value {
            Value::Boolean(truth) => Ok(*truth),
            Value::Text(text) if text == "true" => Ok(true),
            Value::Text(text) if text == "false" => Ok(false),
            _ => node.wrong_type("true or false"),
        }
    }
}

/// A plain number, or a string for asdot.
impl FromValue for Asn {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>> {
        let text = match &node.value {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) | Value::String(text) => text.clone(),
            _ => return node.wrong_type("an AS number, like 4200000001 or \"64086.59905\""),
        };
        text.parse().or_else(|error: super::AsnError| match error {
            super::AsnError::Syntax => {
                node.wrong_type("an AS number, like 4200000001 or \"64086.59905\"")
            }
            error => node.fault(error.to_string()),
        })
    }
}

/// As an AS number, or `external`.
impl FromValue for PeerAsn {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>> {
        match &node.value {
            Value::Text(text) | Value::String(text) if text == "external" => Ok(Self::External),
            _ => Asn::from_node(node).map(Self::Exactly),
        }
    }
}

impl FromValue for PathBuf {
    fn from_node(node: &Node) -> Result<Self, Vec<Fault>> {
        match &node.value {
            Value::Text(text) | Value::String(text) if !text.is_empty() => {
                Ok(node.origin.resolve(text))
            }
            _ => node.wrong_type("a path"),
        }
    }
}

macro_rules! from_text {
    ($($type:ty: $expected:literal,)*) => {$(
        impl FromText for $type {
            const EXPECTED: &'static str = $expected;
            fn from_text(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| concat!("expected ", $expected).to_owned())
            }
        }
    )*};
}

from_text! {
    SocketAddr: "an address and port, like \"192.0.2.1:443\" or \"[2001:db8::1]:443\"",
    IpAddr: "an IP address, like \"10.0.0.254\" or \"2001:db8::254\"",
    Ipv4Addr: "an IPv4 address, like \"10.0.0.1\"",
    Ipv6Addr: "an IPv6 address, like \"2001:db8::1\"",
    ByteSize: "a size, like \"512\", \"16KiB\" or \"1MiB\"",
    PartitionId: "1 to 63 characters of a-z, A-Z, 0-9, '.', '_' and '-', the first a letter or digit",
    NodeName: "1 to 63 characters of a-z, A-Z, 0-9, '.', '_' and '-', the first a letter or digit",
}

impl FromText for String {
    const EXPECTED: &'static str = "a string";
    fn from_text(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("must not be empty".to_owned());
        }
        Ok(text.to_owned())
    }
}

impl FromText for metal_bgp::Interface {
    const EXPECTED: &'static str = "the name of a network interface, like \"eth1\"";
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| format!("expected {}", Self::EXPECTED))
    }
}

impl FromText for Duration {
    const EXPECTED: &'static str = "a duration with its unit, like \"500ms\", \"30s\" or \"5m\"";
    fn from_text(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text).map_err(|_| format!("expected {}", Self::EXPECTED))
    }
}

impl FromText for LogFormat {
    const EXPECTED: &'static str = "\"text\" or \"json\"";
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("expected {}", Self::EXPECTED)),
        }
    }
}

impl FromText for IpNet {
    const EXPECTED: &'static str = "a prefix, like \"192.0.2.1/32\" or \"2001:db8::/64\"";
    fn from_text(text: &str) -> Result<Self, String> {
        let net: IpNet = text
            .parse()
            .map_err(|_| format!("expected {}", Self::EXPECTED))?;
        if net.trunc() != net {
            let (network, length) = (net.trunc(), net.max_prefix_len());
            return Err(format!(
                "has host bits: did you mean \"{network}\" or \"{}/{length}\"?",
                net.addr()
            ));
        }
        Ok(net)
    }
}
