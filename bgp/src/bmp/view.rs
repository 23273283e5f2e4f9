//! What a station has been told of the sessions.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};

use super::message::{self, PeerHeader};
use crate::session::{Table, changes};
use crate::wire::{AsPathOf, encode};

/// An established session, as a station is told of it.
#[derive(Debug, Clone)]
pub(crate) struct Monitored {
    /// The peer's number on the board, and which of its sessions this is.
    pub(crate) session: (u64, u64),
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) asn: u32,
    pub(crate) router_id: std::net::Ipv4Addr,
    pub(crate) sent_open: Bytes,
    pub(crate) received_open: Bytes,
    pub(crate) path: AsPathOf,
    pub(crate) told: Table,
}

/// What one station knows; a new connection begins with nothing.
#[derive(Debug, Default)]
pub(super) struct View {
    sessions: BTreeMap<(u64, u64), (PeerHeader, Table)>,
}

// === impl View ===

impl View {
    /// The messages that lead from what the station knows to `now`: sessions that are over, those
    /// that are new, and what was told since. Nothing if there is no difference.
    pub(super) fn advance(&mut self, now: &[Monitored], at: std::time::Duration) -> Vec<Bytes> {
        let mut messages = Vec::new();
        self.sessions.retain(|session, (header, _)| {
            let lives = now.iter().any(|one| one.session == *session);
            if !lives {
                messages.push(message::peer_down(&PeerHeader { at, ..*header }));
            }
            lives
        });
        for one in now {
            let header = PeerHeader {
                address: one.remote.ip(),
                asn: one.asn,
                router_id: one.router_id,
                four_octet: one.path.four_octet,
                at,
            };
            let (_, told) = self.sessions.entry(one.session).or_insert_with(|| {
                messages.push(message::peer_up(
                    &header,
                    one.local,
                    one.remote.port(),
                    &one.sent_open,
                    &one.received_open,
                ));
                (header, Table::new())
            });
            for change in changes(told, &one.told) {
                let mut updates = BytesMut::new();
                encode(&change, one.path, &mut updates);
                while updates.len() >= 19 {
                    let length = usize::from(u16::from_be_bytes([updates[16], updates[17]]));
                    let update = updates.split_to(length.clamp(19, updates.len()));
                    messages.push(message::route_monitoring(&header, &update));
                }
            }
            told.clone_from(&one.told);
        }
        messages
    }
}
