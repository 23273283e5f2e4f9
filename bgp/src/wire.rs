//! From our types to BGP messages and back.

mod frame;
mod notice;
mod update;

pub(crate) use frame::{Fault, next_frame};
pub(crate) use notice::describe;
pub(crate) use update::{AsPathOf, encode};
