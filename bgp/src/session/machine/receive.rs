//! What the peer sends.

use std::time::Instant;

use bytes::Bytes;
use rustbgpd_fsm::Event;
use rustbgpd_wire::validate::validate_update_attributes;
use rustbgpd_wire::{
    Afi, EXTENDED_MAX_MESSAGE_LEN, ErrorDisposition, MAX_MESSAGE_LEN, Message, NotificationCode,
    NotificationMessage, OpenMessage, PathAttribute, RouteRefreshMessage, RouteRefreshSubtype,
    Safi, UpdateMessage, decode_message,
};

use super::{Machine, SessionState, reason};
use crate::wire::{Fault, next_frame};

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
        match decode_message(&mut frame, self.inbound_limit()) {
            Ok(Message::Open(open)) => self.open(now, open),
            Ok(Message::Keepalive) => self.feed(now, Event::KeepaliveReceived),
            Ok(Message::Update(update)) => self.update(now, &update),
            Ok(Message::RouteRefresh(refresh)) => self.route_refresh(now, &refresh),
            Ok(Message::Notification(notification)) => {
                self.counters.notifications_received += 1;
                self.cause = Some(reason::told(&notification, self.terms.asn.get()));
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
            Err(error) => return self.feed(now, Event::DecodeError(error)),
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
