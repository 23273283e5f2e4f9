//! What is counted about a peer.

use serde::Serialize;

/// What happened with one peer since the speaker was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PeerCounters {
    /// Connection attempts.
    pub connects: u64,
    /// Connections accepted from the peer.
    pub accepts: u64,
    /// Sessions that reached Established.
    pub established: u64,
    /// Established sessions that were lost, other than by closing the speaker.
    pub flaps: u64,
    /// UPDATE messages sent.
    pub updates_sent: u64,
    /// UPDATE messages received; their routes are counted and dropped.
    pub updates_received: u64,
    /// Prefixes in them; a prefix sent twice counts twice.
    pub prefixes_received: u64,
    /// Received UPDATE messages with errors that RFC 7606 lets the session survive.
    pub updates_malformed: u64,
    /// ROUTE-REFRESH messages received (RFC 2918).
    pub refreshes_received: u64,
    /// NOTIFICATION messages sent.
    pub notifications_sent: u64,
    /// NOTIFICATION messages received.
    pub notifications_received: u64,
    /// Connections given up because there were two with the same peer (RFC 4271 section 6.8).
    pub collisions: u64,
}

// === impl PeerCounters ===

impl PeerCounters {
    pub(crate) fn add(&mut self, more: &Self) {
        // Taken apart, so that a counter that is forgotten here does not compile.
        let Self {
            connects,
            accepts,
            established,
            flaps,
            updates_sent,
            updates_received,
            prefixes_received,
            updates_malformed,
            refreshes_received,
            notifications_sent,
            notifications_received,
            collisions,
        } = more;
        self.connects += connects;
        self.accepts += accepts;
        self.established += established;
        self.flaps += flaps;
        self.updates_sent += updates_sent;
        self.updates_received += updates_received;
        self.prefixes_received += prefixes_received;
        self.updates_malformed += updates_malformed;
        self.refreshes_received += refreshes_received;
        self.notifications_sent += notifications_sent;
        self.notifications_received += notifications_received;
        self.collisions += collisions;
    }
}
