//! What the peer is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ipnet::IpNet;
use rustbgpd_fsm::NegotiatedSession;
use rustbgpd_wire::{Afi, Message, RouteRefreshMessage, RouteRefreshSubtype, Safi};

use super::{Machine, Missing, OUTBOX_LIMIT, SessionState};
use crate::session::{Change, Route, Table, changes};
use crate::wire::{AsPathOf, encode};
use crate::{Attributes, LogEvent};

// === impl Machine ===

impl Machine {
    /// Tells the peer what it should know and does not, and nothing else.
    pub(super) fn sync(&mut self, now: Instant) {
        if self.fsm.state() != SessionState::Established || self.outbox.len() > OUTBOX_LIMIT {
            return;
        }
        let Some(negotiated) = self.negotiated.as_deref() else {
            return;
        };
        let path = self.as_path();
        let enhanced = negotiated.peer_enhanced_route_refresh;
        let (wanted, missing) = self.table(negotiated);
        let due = changes(&self.told, &wanted);
        if !due.is_empty() || missing != self.missing {
            self.version += 1;
        }
        for change in &due {
            self.counters.updates_sent += encode(change, path, &mut self.outbox);
            self.note(change.event());
        }
        self.told = wanted;
        self.missing = missing;
        self.watch_outbox(now);
        for (family, afi) in [Afi::Ipv4, Afi::Ipv6].into_iter().enumerate() {
            if std::mem::take(&mut self.refresh[family]) {
                let v6 = afi == Afi::Ipv6;
                self.note(LogEvent::Refreshed { v6 });
                self.readvertise(now, afi, path, enhanced);
            }
        }
    }

    /// Tells the peer everything of one family once more (RFC 2918), between the marks of
    /// RFC 7313 if it knows them.
    fn readvertise(&mut self, now: Instant, afi: Afi, path: AsPathOf, marks: bool) {
        let mark = |subtype| {
            let message = RouteRefreshMessage::new_with_subtype(afi, Safi::Unicast, subtype);
            Message::RouteRefresh(message)
        };
        if marks {
            self.push(now, &mark(RouteRefreshSubtype::BoRR));
        }
        let family = self.told.iter();
        let family =
            family.filter(|(prefix, _)| matches!(prefix, IpNet::V4(_)) == (afi == Afi::Ipv4));
        let family: Table = family.map(|(p, r)| (*p, Arc::clone(r))).collect();
        let everything: Vec<Change> = changes(&Table::new(), &family);
        for change in &everything {
            self.counters.updates_sent += encode(change, path, &mut self.outbox);
        }
        if marks {
            self.push(now, &mark(RouteRefreshSubtype::EoRR));
        }
        self.watch_outbox(now);
    }

    /// What the peer should know, and what it cannot be told.
    fn table(&self, negotiated: &NegotiatedSession) -> (Table, [Missing; 2]) {
        let mut table = Table::new();
        let mut missing = [Missing::Nothing; 2];
        let Some(wanted) = self.wanted.as_deref() else {
            return (table, missing);
        };
        let peer = &self.terms.peer;
        let extended = &negotiated.extended_nexthop_families;
        let extended = extended.get(&(Afi::Ipv4, Safi::Unicast)) == Some(&Afi::Ipv6);
        let prefixes = wanted.prefixes();
        let next_hops = [
            self.candidates.v4(peer, prefixes, extended),
            self.candidates.v6(peer, prefixes),
        ];
        let spoken = [Afi::Ipv4, Afi::Ipv6].map(|afi| {
            negotiated
                .negotiated_families
                .contains(&(afi, Safi::Unicast))
        });
        // Prefixes that share their attributes share their route too: one message has them all.
        let mut routes: BTreeMap<(usize, &Arc<Attributes>), Arc<Route>> = BTreeMap::new();
        for (prefix, attributes) in wanted.shared_routes() {
            let family = usize::from(matches!(prefix, IpNet::V6(_)));
            match next_hops[family] {
                _ if !spoken[family] => missing[family] = Missing::Family,
                None => missing[family] = Missing::NextHop,
                Some(next_hop) => {
                    let route = routes.entry((family, attributes)).or_insert_with(|| {
                        let attributes = Arc::new(attributes.seen_by(self.terms.internal()));
                        Arc::new(Route {
                            next_hop,
                            attributes,
                        })
                    });
                    table.insert(prefix, Arc::clone(route));
                }
            }
        }
        (table, missing)
    }
}
