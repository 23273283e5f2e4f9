//! How GoBGP's v4 API writes a path: everything typed.

use ipnet::IpNet;

use super::messages::{Communities, Family, IpAddressPrefix, NextHop, Number};
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
    #[prost(message, optional, tag = "4")]
    next_hop: Option<NextHop>,
    #[prost(message, optional, tag = "5")]
    multi_exit_disc: Option<Number>,
    #[prost(message, optional, tag = "9")]
    communities: Option<Communities>,
    #[prost(message, optional, tag = "12")]
    mp_reach: Option<MpReach>,
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
        if let Some(value) = spec.med {
            attributes.push(Attribute {
                multi_exit_disc: Some(Number { value }),
                ..Attribute::default()
            });
        }
        if !spec.communities.is_empty() {
            attributes.push(Attribute {
                communities: Some(Communities {
                    communities: spec.communities.clone(),
                }),
                ..Attribute::default()
            });
        }
        Self {
            nlri: Some(nlri),
            attributes,
            family: Some(family),
        }
    }
}
