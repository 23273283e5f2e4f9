//! Why a session ended, in one sentence that an operator can act on.

use std::net::IpAddr;

use rustbgpd_wire::{NotificationCode, NotificationMessage, OpenMessage};

use super::{Machine, Missing, SessionState};
use crate::session::Terms;
use crate::wire::describe;
use crate::{PeerAs, Ttl};

/// The sentence for an end that nothing else explains.
pub(super) fn unknown() -> String {
    "the session ended without a reason".to_owned()
}

/// We refused something and said why.
pub(super) fn answered(answer: &NotificationMessage) -> String {
    format!("this node closed the session with {}", describe(answer))
}

/// The peer ended the session and said why.
pub(super) fn told(notification: &NotificationMessage, terms: &Terms) -> String {
    let hint = hint(notification, terms).map(|hint| format!(": {hint}"));
    format!(
        "the peer closed the session with {}{}",
        describe(notification),
        hint.unwrap_or_default()
    )
}

/// What the peer's reason says about the configuration of either side.
fn hint(notification: &NotificationMessage, terms: &Terms) -> Option<String> {
    use NotificationCode::{Cease, HoldTimerExpired, OpenMessage, UpdateMessage};
    let hint = match (notification.code, notification.subcode) {
        (OpenMessage, 2) => {
            return Some(format!(
                "it expects another AS number from this node than {}",
                terms.asn
            ));
        }
        (OpenMessage, 3) => {
            return Some(format!(
                "it does not take the router-id {}, which may be its own or another router's: \
                 choose another one",
                terms.router_id
            ));
        }
        (OpenMessage, 6) => {
            return Some(format!(
                "it does not take a hold time of {:?}: propose another hold-time",
                terms.peer.hold_time
            ));
        }
        (OpenMessage, 7) => "it demands a capability that this node does not have",
        (UpdateMessage, _) => "it does not understand the announcement: see its log",
        (HoldTimerExpired, _) => match terms.peer.ttl {
            Ttl::Security { .. } => {
                "it heard nothing from this node for the hold time: the link loses packets, or \
                 this node was too busy"
            }
            Ttl::Direct | Ttl::Multihop(_) => {
                "it heard nothing from this node for the hold time: the link loses packets, this \
                 node was too busy, or the peer has TTL security and this node has not"
            }
        },
        (Cease, 1) => "it allows fewer prefixes than are announced: raise its maximum-prefix",
        (Cease, 2) => "its operator has shut the session down",
        (Cease, 3) => "it has this node as a neighbour no longer",
        (Cease, 5) => "it does not take connections from this node's address",
        (Cease, 8) => "it has no resources left",
        (Cease, 10) => "its BFD session with this node is down",
        _ => return None,
    };
    Some(hint.to_owned())
}

// === impl Machine ===

impl Machine {
    /// The OPEN of the peer was refused with `answer`.
    pub(super) fn refusal(&self, open: &OpenMessage, answer: &NotificationMessage) -> String {
        let expected = self.terms.peer.asn;
        let said = open.four_byte_as();
        match (answer.code, answer.subcode) {
            (NotificationCode::OpenMessage, 2) => match expected {
                PeerAs::Exactly(expected) => format!(
                    "the peer is AS {said}, the configuration expects AS {expected}: correct the \
                     peer's asn"
                ),
                PeerAs::External => format!(
                    "the peer is AS {said}, which is this node's own, the configuration expects \
                     an external one: set the peer's asn to {said}, or give one side another AS"
                ),
            },
            (NotificationCode::OpenMessage, 3) => format!(
                "the peer's router-id {} is invalid or the same as this node's: give one of them \
                 another router-id",
                open.bgp_identifier
            ),
            (NotificationCode::OpenMessage, 6) => format!(
                "the peer proposes a hold time of {} s, which RFC 4271 forbids",
                open.hold_time
            ),
            _ => answered(answer),
        }
    }

    pub(super) fn disconnect_reason(&self, error: Option<&std::io::Error>) -> String {
        let how = match error {
            Some(error) => format!("the connection to the peer broke: {error}"),
            None => "the peer closed the connection".to_owned(),
        };
        match self.fsm.state() {
            // What it sends, its acknowledgements too, may all be ignored here.
            SessionState::OpenSent if error.is_some() && !self.terms.silence().is_empty() => {
                format!("{how}, before it sent OPEN{}", self.terms.silence())
            }
            SessionState::OpenSent => format!(
                "{how}, before it sent OPEN: it may not know this node's address as a neighbour"
            ),
            SessionState::OpenConfirm => format!("{how}, before the session was established"),
            _ => how,
        }
    }

    pub(super) fn hold_reason(&self) -> String {
        match (self.fsm.state(), self.fsm.negotiated()) {
            (SessionState::OpenSent, _) => {
                let silence = self.terms.silence();
                format!("the peer accepted the connection and sent no OPEN{silence}")
            }
            (_, Some(of)) if of.hold_time > 0 => {
                let silence = format!(
                    "nothing was heard from the peer for the hold time of {} s",
                    of.hold_time
                );
                match self.unacknowledged && !self.went_on {
                    false => silence,
                    // A process that hangs has a kernel that acknowledges.
                    true => {
                        let cause = self.terms.one_sided();
                        format!(
                            "{silence}, nor was anything acknowledged since the session began; \
                             {cause}"
                        )
                    }
                }
            }
            _ => "the peer did not confirm the session".to_owned(),
        }
    }

    pub(super) fn stall_reason(&self) -> String {
        format!(
            "the peer took nothing off the connection for {:?}",
            self.terms.send_hold()
        )
    }

    /// Why some prefixes are kept from the peer.
    pub(crate) fn not_announced(&self) -> Option<String> {
        let local = self.candidates.local;
        let extended = match local {
            IpAddr::V4(_) => "",
            IpAddr::V6(_) => ", or let the peer offer extended next hops (RFC 8950)",
        };
        let sentence = |missing, version, key, besides| match missing {
            Missing::Nothing => None,
            Missing::Family => Some(format!(
                "IPv{version} prefixes are not announced: the peer did not offer IPv{version} \
                 unicast"
            )),
            Missing::NextHop => Some(format!(
                "IPv{version} prefixes are not announced: the interface of {local} has no global \
                 IPv{version} address to be their next hop; give it one, or set {key}{besides}"
            )),
        };
        let sentences = [
            sentence(self.missing[0], 4, "next-hop-v4", extended),
            sentence(self.missing[1], 6, "next-hop-v6", ""),
        ];
        sentences
            .into_iter()
            .flatten()
            .reduce(|a, b| format!("{a}; {b}"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::{Asn, PeerConfig};

    #[test]
    fn what_a_peer_does_not_take_is_named_with_what_this_node_said() {
        let asn = |number: u32| Asn::try_from(number).unwrap();
        let mut terms = Terms {
            asn: asn(65_001),
            router_id: [10, 0, 0, 1].into(),
            peer: PeerConfig::new([10, 0, 0, 2].into(), asn(65_002)),
            verify: false,
        };
        terms.peer.hold_time = Duration::from_secs(8);
        for (code, subcode, cause) in [
            (
                2,
                2,
                "it expects another AS number from this node than 65001",
            ),
            (2, 3, "it does not take the router-id 10.0.0.1,"),
            (2, 6, "it does not take a hold time of 8s: propose another"),
            (4, 0, "it heard nothing from this node for the hold time"),
            (6, 1, "it allows fewer prefixes than are announced"),
            (6, 3, "it has this node as a neighbour no longer"),
        ] {
            let code = NotificationCode::from_u8(code);
            let said = NotificationMessage::new(code, subcode, Bytes::new());
            let sentence = told(&said, &terms);
            assert!(sentence.contains(cause), "{sentence}");
            let numbers = format!(" {}/{subcode} (", code.as_u8());
            assert!(sentence.contains(&numbers), "{sentence}");
        }
    }
}
