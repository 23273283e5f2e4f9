//! What the peer sends.

use std::time::Instant;

use bytes::Bytes;
use rustbgpd_fsm::Event;
use rustbgpd_wire::constants::attr_type::{MP_REACH_NLRI, MP_UNREACH_NLRI};
use rustbgpd_wire::notification::update_subcode;
use rustbgpd_wire::validate::validate_update_attributes;
use rustbgpd_wire::{
    Afi, Capability, DecodeError, EXTENDED_MAX_MESSAGE_LEN, ErrorDisposition, MAX_MESSAGE_LEN,
    Message, NotificationCode, NotificationMessage, OpenMessage, PathAttribute,
    RouteRefreshMessage, RouteRefreshSubtype, Safi, UpdateMessage, decode_message,
};

use super::{Machine, SessionState, reason};
use crate::LogEvent;
use crate::wire::{Fault, describe, next_frame};

/// Multiprotocol extensions, route refresh, extended next hops, extended messages, four-octet AS
/// numbers: each with a length of its own.
const KNOWN_CAPABILITIES: [u8; 5] = [1, 2, 5, 6, 65];

// === impl Machine ===

impl Machine {
    /// Takes bytes from the peer and acts on every message that is complete. Keeps less than one
    /// message, at most 65,535 bytes, for the next time.
    pub(crate) fn receive(&mut self, now: Instant, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        while self.end.is_none() {
            let limit = self.inbound_limit();
            match next_frame(&mut self.inbox, limit) {
                Ok(None) => return,
                Ok(Some(frame)) => self.message(now, frame),
                Err(Fault::Decode(error)) => self.feed(now, Event::DecodeError(error)),
                Err(Fault::Answer(answer)) => self.reject(now, answer),
            }
        }
    }

    /// RFC 8654: longer than 4096 bytes only once both sides have said that they can.
    fn inbound_limit(&self) -> u16 {
        match self.fsm.negotiated() {
            Some(of) if of.peer_extended_message => EXTENDED_MAX_MESSAGE_LEN,
            _ => MAX_MESSAGE_LEN,
        }
    }

    fn message(&mut self, now: Instant, mut frame: Bytes) {
        self.kind = frame[18];
        self.went_on |= self.fsm.state() == SessionState::Established;
        if self.kind == 1 {
            self.opens[1] = frame.clone();
        }
        match decode_message(&mut frame, self.inbound_limit()) {
            Ok(Message::Open(open)) => self.open(now, open),
            Ok(Message::Keepalive) => self.feed(now, Event::KeepaliveReceived),
            Ok(Message::Update(update)) => self.update(now, &update),
            Ok(Message::RouteRefresh(refresh)) => self.route_refresh(now, &refresh),
            Ok(Message::Notification(notification)) => {
                self.counters.notifications_received += 1;
                self.note(LogEvent::NotificationReceived {
                    notification: describe(&notification),
                });
                self.cause = Some(reason::told(&notification, &self.terms));
                self.feed(now, Event::NotificationReceived(notification));
            }
            Ok(_) => self.reject(
                now,
                NotificationMessage::new(NotificationCode::MessageHeader, 3, Bytes::new()),
            ),
            Err(error) => self.feed(now, Event::DecodeError(error)),
        }
    }

    fn open(&mut self, now: Instant, open: OpenMessage) {
        if self.fsm.state() == SessionState::OpenSent && has_odd_capability(&open) {
            return self.reject(
                now,
                NotificationMessage::new(NotificationCode::OpenMessage, 0, Bytes::new()),
            );
        }
        if self.fsm.state() == SessionState::OpenSent {
            let checked =
                rustbgpd_fsm::negotiation::validate_open(&open, &self.terms.for_machine());
            if let Err(answer) = checked {
                self.cause = Some(self.refusal(&open, &answer));
            }
        }
        self.feed(now, Event::OpenReceived(open));
    }

    /// Counts the routes and drops them; what RFC 7606 lets pass is counted as malformed.
    fn update(&mut self, now: Instant, update: &UpdateMessage) {
        if self.fsm.state() != SessionState::Established {
            return self.feed(now, Event::UpdateReceived);
        }
        self.counters.updates_received += 1;
        let four_octet = self.fsm.negotiated().is_some_and(|of| of.four_octet_as);
        let internal = self.terms.internal();
        let parsed = match update.parse_revised(four_octet, internal, false, &[]) {
            Ok(parsed) => parsed,
            Err(error) => return self.feed(now, Event::DecodeError(as_optional(error))),
        };
        let in_body = parsed.update.announced.len();
        let attributes = &parsed.update.attributes;
        let in_mp = attributes.iter().map(|attribute| match attribute {
            PathAttribute::MpReachNlri(mp) => mp.announced.len(),
            _ => 0,
        });
        let routes = in_body + in_mp.sum::<usize>();
        let valid = validate_update_attributes(attributes, routes > 0, in_body > 0, !internal);
        match valid {
            Err(error) if error.disposition == ErrorDisposition::SessionReset => {
                let code = NotificationCode::UpdateMessage;
                let answer = NotificationMessage::new(code, error.subcode, error.data.into());
                return self.reject(now, answer);
            }
            Err(_) => self.counters.updates_malformed += 1,
            Ok(()) if !parsed.malformed.is_empty() => self.counters.updates_malformed += 1,
            Ok(()) => self.counters.prefixes_received += routes as u64,
        }
        self.feed(now, Event::UpdateReceived);
    }

    fn route_refresh(&mut self, now: Instant, refresh: &RouteRefreshMessage) {
        self.counters.refreshes_received += 1;
        let family = match (refresh.afi(), refresh.safi()) {
            (Some(Afi::Ipv4), Some(Safi::Unicast)) => Some(0),
            (Some(Afi::Ipv6), Some(Safi::Unicast)) => Some(1),
            _ => None,
        };
        // The family only matters to what is done here, so one that we do not speak is ignored
        // (RFC 2918 section 4) but still shows that the peer lives.
        let (afi, safi) = (Afi::Ipv4, Safi::Unicast);
        self.feed(now, Event::RouteRefreshReceived { afi, safi });
        if let (Some(family), RouteRefreshSubtype::Normal) = (family, refresh.subtype()) {
            self.refresh[family] = true;
            self.sync(now);
        }
    }
}

/// Whether a capability that we know has a length that it cannot have. The codec takes such a one
/// for an unknown one; RFC 4271 section 6.2 calls it malformed.
fn has_odd_capability(open: &OpenMessage) -> bool {
    let odd = |capability: &Capability| match capability {
        Capability::Unknown { code, .. } => KNOWN_CAPABILITIES.contains(code),
        _ => false,
    };
    open.capabilities.iter().any(odd)
}

/// RFC 4760 section 7 wants errors of its attributes reported as those of an optional attribute,
/// their length included.
fn as_optional(error: DecodeError) -> DecodeError {
    match error {
        DecodeError::UpdateAttributeError {
            subcode: update_subcode::ATTRIBUTE_LENGTH_ERROR,
            data,
            detail,
        } if matches!(data.get(1), Some(&(MP_REACH_NLRI | MP_UNREACH_NLRI))) => {
            DecodeError::UpdateAttributeError {
                subcode: update_subcode::OPTIONAL_ATTRIBUTE_ERROR,
                data,
                detail,
            }
        }
        other => other,
    }
}
