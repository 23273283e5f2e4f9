//! Reading certificates.

use std::net::IpAddr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

/// The names and addresses that a certificate speaks for; none if it names none.
pub fn alternative_names(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let extension = certificate.subject_alternative_name().ok().flatten()?;
    let names = extension.value.general_names.iter();
    Some(names.filter_map(alternative_name).collect())
}

/// A name or an address as people write it.
fn alternative_name(name: &GeneralName<'_>) -> Option<String> {
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
