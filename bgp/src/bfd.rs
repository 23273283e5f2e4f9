//! Bidirectional Forwarding Detection (RFC 5880, 5881, 5883): whether the way to a peer carries
//! packets in both directions, known within a few intervals.
//!
//! `engine` is one session without sockets and clocks, `packet` its messages on the wire.
//! `session` is the task that drives an engine, `receiver` hands it what arrives by way of the
//! `registry`, and `health` is what the BGP session makes of it all. They run on the speaker's own
//! thread: when that hangs, the peer shall notice.

mod engine;
mod health;
mod packet;
mod receiver;
mod registry;
mod session;
mod state;

pub(crate) use health::Health;
pub(crate) use receiver::receive;
pub(crate) use registry::{Kind, Registry};
pub(crate) use session::{Session, hold};
pub use state::{BfdDiagnostic, BfdState};

/// UDP ports of RFC 5881 section 4 and RFC 5883 section 5.
const SINGLE_HOP: u16 = 3784;
const MULTIHOP: u16 = 4784;

/// The port that a session of either kind listens on.
pub(crate) const fn port(multihop: bool) -> u16 {
    match multihop {
        false => SINGLE_HOP,
        true => MULTIHOP,
    }
}
