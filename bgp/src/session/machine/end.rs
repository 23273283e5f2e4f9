//! How a session ends.

use std::time::Instant;

use bytes::Bytes;
use rustbgpd_fsm::{Event, SessionState};
use rustbgpd_wire::notification::{cease_subcode, encode_shutdown_communication};
use rustbgpd_wire::{Message, NotificationCode, NotificationMessage};

use super::{Machine, reason};
use crate::LogEvent;
use crate::wire::describe;

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// As ordered.
    Stopped,
    /// By a fault, told in one sentence.
    Lost(String),
}

// === impl Machine ===

impl Machine {
    /// Ends the session with Cease/Administrative Shutdown (RFC 9003).
    pub(crate) fn stop(&mut self, now: Instant, message: &str) {
        self.stopping = true;
        let reason = Some(encode_shutdown_communication(message));
        self.feed(now, Event::ManualStop { reason });
        self.end.get_or_insert(End::Stopped);
    }

    /// Ends the session, established or not, with this subcode of Cease (RFC 4486).
    pub(crate) fn cease(&mut self, now: Instant, subcode: u8) {
        self.stopping = true;
        self.reject(
            now,
            NotificationMessage::new(NotificationCode::Cease, subcode, Bytes::new()),
        );
        self.end.get_or_insert(End::Stopped);
    }

    /// The peer cannot be reached any more, says somebody who knows before the hold time is over.
    /// Sends Cease with `subcode` (RFC 4486, 9384), in case the peer can.
    pub(crate) fn cut(&mut self, now: Instant, subcode: u8, sentence: &str) {
        self.cause = Some(sentence.to_owned());
        let code = NotificationCode::Cease;
        self.reject(now, NotificationMessage::new(code, subcode, Bytes::new()));
    }

    /// Ends the session because another connection with the same peer is kept.
    pub(crate) fn collide(&mut self, now: Instant) {
        if self.end.is_none() {
            self.counters.collisions += 1;
            self.cease(now, cease_subcode::CONNECTION_COLLISION_RESOLUTION);
        }
    }

    /// The TCP connection is gone.
    pub(crate) fn disconnected(&mut self, now: Instant, error: Option<&std::io::Error>) {
        self.cause = Some(self.disconnect_reason(error));
        self.feed(now, Event::TcpConnectionFails);
    }

    /// Answers with `answer` and ends the session.
    pub(super) fn reject(&mut self, now: Instant, answer: NotificationMessage) {
        match self.fsm.state() {
            SessionState::Established => self.feed(now, Event::UpdateValidationError(answer)),
            // The state machine has no event for it before that, so it is told of the lost
            // connection that follows.
            before => {
                self.notify(now, before, answer);
                self.feed(now, Event::TcpConnectionFails);
            }
        }
    }

    /// Queues `answer`, and takes it for the reason of the end if there is no other.
    pub(super) fn notify(
        &mut self,
        now: Instant,
        before: SessionState,
        mut answer: NotificationMessage,
    ) {
        if answer.code == NotificationCode::FsmError && answer.subcode == 0 {
            // RFC 6608 names the state in which the message was not expected, and its type.
            answer.data = Bytes::copy_from_slice(&[self.kind]);
            answer.subcode = match before {
                SessionState::OpenSent => 1,
                SessionState::OpenConfirm => 2,
                SessionState::Established => 3,
                _ => 0,
            };
        }
        self.note(LogEvent::NotificationSent {
            notification: describe(&answer),
        });
        let reason = reason::answered(&answer);
        self.cause.get_or_insert(reason);
        self.counters.notifications_sent += 1;
        self.push(now, &Message::Notification(answer));
    }
}
