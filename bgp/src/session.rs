//! One session with one peer, without I/O and without a clock: bytes, times and wishes go in,
//! bytes and deadlines come out.

mod collision;
mod machine;
mod next_hop;
mod table;
mod terms;

pub(crate) use collision::{Origin, Which, loser};
pub(crate) use machine::{End, Machine};
pub(crate) use next_hop::Candidates;
pub(crate) use table::{Change, Route, Table, changes};
pub(crate) use terms::Terms;
