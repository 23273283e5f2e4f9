//! Why a session ended, in one sentence that an operator can act on.

use std::net::IpAddr;

use rustbgpd_wire::{NotificationCode, NotificationMessage, OpenMessage};

use super::{Machine, Missing, SessionState};
use crate::PeerAs;
use crate::wire::describe;

/// The sentence for an end that nothing else explains.
pub(super) fn unknown() -> String {
    "the session ended without a reason".to_owned()
}

/// We refused something and said why.
pub(super) fn answered(answer: &NotificationMessage) -> String {
    format!("this node closed the session with {}", describe(answer))
}

/// The peer refused something and said why.
pub(super) fn told(notification: &NotificationMessage, asn: u32) -> String {
    let hint = match (notification.code, notification.subcode) {
        (NotificationCode::OpenMessage, 2) => {
            format!(": it expects another AS number from this node than {asn}")
        }
        (NotificationCode::OpenMessage, 3) => {
            ": it may have the same router-id as this node".to_owned()
        }
        (NotificationCode::OpenMessage, 6) => ": propose another hold-time".to_owned(),
        (NotificationCode::Cease, 5) => {
            ": it does not take connections from this node's address".to_owned()
        }
        _ => String::new(),
    };
    format!(
        "the peer closed the session with {}{hint}",
        describe(notification)
    )
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
            (_, Some(of)) if of.hold_time > 0 => format!(
                "nothing was heard from the peer for the hold time of {} s",
                of.hold_time
            ),
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
