//! Reading certificates.

use std::net::IpAddr;

use x509_parser::extensions::GeneralName;

/// A name or an address as people write it.
pub fn alternative_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(|v4| IpAddr::from(v4).to_string());
            v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(|v6| IpAddr::from(v6).to_string()))
                .ok()
        }
        _ => None,
    }
}
