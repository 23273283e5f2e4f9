//! Who is at the other end of a link, for peers that are configured by interface alone.
//!
//! Both ends of the link send router advertisements (RFC 4861) and take the source of the other's
//! for its address: that is how routers that peer "unnumbered" find each other. Ours offer
//! nothing, so no host takes us for its router. `message` reads and writes them, `schedule` says
//! when one is due, `link` watches the interface, `discover` is the task that joins them.

mod discover;
mod link;
mod message;
mod schedule;
mod sight;

pub(crate) use discover::discover;
pub(crate) use sight::Sight;
