//! How GoBGP's v4 API writes a path: everything typed.

use ipnet::IpNet;

use super::messages::{
    AsPath, Communities, Family, IpAddressPrefix, LargeCommunities, NextHop, Number,
};
use super::path::{PathSpec, family};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Path {
    #[prost(message, optional, tag = "1")]
    nlri: Option<Nlri>,
    #[prost(message, repeated, tag = "2")]
    attributes: Vec<Attribute>,
    #[prost(message, optional, tag = "9")]
    family: Option<Family>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Nlri {
    #[prost(message, optional, tag = "1")]
    prefix: Option<IpAddressPrefix>,
}

/// Exactly one field is there; on the wire that is the API's `oneof`.
#[derive(Clone, PartialEq, prost::Message)]
struct Attribute {
    #[prost(message, optional, tag = "2")]
    origin: Option<Number>,
    #[prost(message, optional, tag = "3")]
    as_path: Option<AsPath>,
    #[prost(message, optional, tag = "4")]
    next_hop: Option<NextHop>,
    #[prost(message, optional, tag = "5")]
    multi_exit_disc: Option<Number>,
    #[prost(message, optional, tag = "6")]
    local_pref: Option<Number>,
    #[prost(message, optional, tag = "9")]
    communities: Option<Communities>,
    #[prost(message, optional, tag = "12")]
    mp_reach: Option<MpReach>,
    #[prost(message, optional, tag = "21")]
    large_communities: Option<LargeCommunities>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MpReach {
    #[prost(message, optional, tag = "1")]
    family: Option<Family>,
    #[prost(string, repeated, tag = "2")]
    next_hops: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    nlris: Vec<Nlri>,
}

impl From<&PathSpec> for Path {
    fn from(spec: &PathSpec) -> Self {
        let nlri = Nlri {
            prefix: Some(IpAddressPrefix {
                prefix_len: spec.prefix.prefix_len().into(),
                prefix: spec.prefix.network().to_string(),
            }),
        };
        let family = family(&spec.prefix);
        let next_hop = spec.next_hop.to_string();
        let mut attributes = vec![Attribute {
            // 0: IGP.
            origin: Some(Number { value: 0 }),
            ..Attribute::default()
        }];
        attributes.push(match spec.prefix {
            IpNet::V4(_) => Attribute {
                next_hop: Some(NextHop { next_hop }),
                ..Attribute::default()
            },
            IpNet::V6(_) => Attribute {
                mp_reach: Some(MpReach {
                    family: Some(family),
                    next_hops: vec![next_hop],
                    nlris: vec![nlri.clone()],
                }),
                ..Attribute::default()
            },
        });
        let number = |value| Number { value };
        let rest = [
            Attribute {
                as_path: spec.as_path(),
                ..Attribute::default()
            },
            Attribute {
                multi_exit_disc: spec.attributes.med().map(number),
                ..Attribute::default()
            },
            Attribute {
                local_pref: spec.attributes.local_pref().map(number),
                ..Attribute::default()
            },
            Attribute {
                communities: spec.communities(),
                ..Attribute::default()
            },
            Attribute {
                large_communities: spec.large_communities(),
                ..Attribute::default()
            },
        ];
        let none = Attribute::default();
        attributes.extend(rest.into_iter().filter(|attribute| *attribute != none));
        Self {
            nlri: Some(nlri),
            attributes,
            family: Some(family),
        }
    }
}
