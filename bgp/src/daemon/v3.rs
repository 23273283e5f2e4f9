//! How GoBGP's v3 API writes a path: everything in `google.protobuf.Any`.

use ipnet::IpNet;
use prost::Message;

use super::messages::{Family, IpAddressPrefix, NextHop, Number};
use super::path::{PathSpec, family};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Path {
    #[prost(message, optional, tag = "1")]
    nlri: Option<Any>,
    #[prost(message, repeated, tag = "2")]
    attributes: Vec<Any>,
    #[prost(message, optional, tag = "9")]
    family: Option<Family>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MpReach {
    #[prost(message, optional, tag = "1")]
    family: Option<Family>,
    #[prost(string, repeated, tag = "2")]
    next_hops: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    nlris: Vec<Any>,
}

// === impl Any ===

impl Any {
    fn of(name: &str, message: &impl Message) -> Self {
        Self {
            type_url: format!("type.googleapis.com/apipb.{name}"),
            value: message.encode_to_vec(),
        }
    }
}

impl From<&PathSpec> for Path {
    fn from(spec: &PathSpec) -> Self {
        let prefix = IpAddressPrefix {
            prefix_len: spec.prefix.prefix_len().into(),
            prefix: spec.prefix.network().to_string(),
        };
        let nlri = Any::of("IPAddressPrefix", &prefix);
        let family = family(&spec.prefix);
        let next_hop = spec.next_hop.to_string();
        // 0: IGP.
        let mut attributes = vec![Any::of("OriginAttribute", &Number { value: 0 })];
        attributes.push(match spec.prefix {
            IpNet::V4(_) => Any::of("NextHopAttribute", &NextHop { next_hop }),
            IpNet::V6(_) => {
                let reach = MpReach {
                    family: Some(family),
                    next_hops: vec![next_hop],
                    nlris: vec![nlri.clone()],
                };
                Any::of("MpReachNLRIAttribute", &reach)
            }
        });
        let path = spec.as_path();
        attributes.extend(path.map(|path| Any::of("AsPathAttribute", &path)));
        let number =
            |name: &str, value: Option<u32>| value.map(|value| Any::of(name, &Number { value }));
        attributes.extend(number("MultiExitDiscAttribute", spec.attributes.med()));
        attributes.extend(number("LocalPrefAttribute", spec.attributes.local_pref()));
        let communities = spec.communities();
        attributes.extend(communities.map(|some| Any::of("CommunitiesAttribute", &some)));
        let large = spec.large_communities();
        attributes.extend(large.map(|some| Any::of("LargeCommunitiesAttribute", &some)));
        Self {
            nlri: Some(nlri),
            attributes,
            family: Some(family),
        }
    }
}
