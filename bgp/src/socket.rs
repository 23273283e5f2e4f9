//! Sockets as a speaker needs them: every option that is set anywhere in this crate is set here.
//!
//! `option` is the one module that may use `unsafe`, for the options that no safe crate offers.

mod bfd;
mod connect;
mod icmp;
mod key;
mod links;
mod listen;
mod option;
mod packet;
mod resolve;

pub(crate) use bfd::{BfdListener, DATAGRAM, bfd_sender};
pub(crate) use connect::{Dial, dress};
pub(crate) use icmp::{Icmp, MESSAGE};
pub use key::{Md5Key, Md5KeyError};
pub(crate) use links::LinkEvents;
pub(crate) use listen::{bind, sign};
pub(crate) use option::is_unacknowledged;
pub(crate) use packet::{Match, PacketSocket};
pub(crate) use resolve::resolve;
