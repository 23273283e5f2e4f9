//! Pools of numbers, from which nothing is handed out twice: addresses, child prefixes, VRF ids
//! and ASNs alike.
//!
//! A pool is stored as the disjoint intervals of what is free ([`Free`]), and a head ([`Pool`])
//! that every change rewrites under a guard of its version. Acquiring splits an interval,
//! releasing merges it with its neighbours: both cost O(log n) at any fill, and two overlapping
//! things cannot be acquired because no free interval has both. Nothing here knows of networks or
//! projects.
//!
//! | to read about | see |
//! |---|---|
//! | what can be done with a pool | [`Move`], [`Want`] |
//! | doing it, together with other writes | [`Allocator::apply`] |
//! | what is in a pool | [`Pools`] |
//! | bounds | [`limits`] |
//! | addresses and prefixes as numbers | [`prefix`] |

mod allocator;
mod block;
mod check;
mod counters;
mod decimal;
mod engine;
mod error;
mod flaw;
mod free;
mod free_set;
mod interval;
pub mod limits;
mod metrics;
mod moves;
mod owner;
mod pool;
mod pool_id;
mod pools;
pub mod prefix;
mod request;
mod sheet;
mod spans;
mod usage;
mod view;
mod want;
mod windows;

pub use allocator::Allocator;
pub use block::Block;
pub use counters::Counters;
pub use error::IpamError;
pub use flaw::{Flaw, FlawKind};
pub use free::Free;
pub use interval::Interval;
pub use metrics::Metrics;
pub use moves::Move;
pub use owner::Ipam;
pub use pool::Pool;
pub use pool_id::PoolId;
pub use pools::Pools;
pub use request::{Applied, Extra};
pub use usage::Usage;
pub use want::Want;

#[cfg(test)]
mod tests;
