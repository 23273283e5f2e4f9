//! What a monitoring station hears of us: BMP (RFC 7854), the routes that we announce (RFC 8671).
//!
//! `message` writes the messages, `view` is what a station has been told and what it has to be
//! told next, `station` holds the connection. We connect, and send; a station says nothing.

mod message;
mod station;
mod view;

pub(crate) use station::Stations;
pub(crate) use view::Monitored;
