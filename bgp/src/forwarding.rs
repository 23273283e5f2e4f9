//! Whether a peer sends here what we announce to it.
//!
//! Nothing on a session says that the peer's import policy refused a prefix. So once a prefix was
//! announced, the peer's forwarding is asked: packets to an address of the prefix go out on the
//! link of the session, to the peer's own link-layer address and past this node's tables. A peer
//! that took the route sends them back; where several nodes share its flows, each gets some.
//!
//! `frame` writes and reads the packets, `ledger` says which prefixes are due and what is known of
//! them, `link` finds the way, `round` sends and listens, and `verify` is the task that joins them.

mod frame;
mod ledger;
mod link;
mod round;
mod verify;

pub(crate) use verify::{Verifier, verify};
