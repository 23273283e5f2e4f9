//! From probes to a verdict.
//!
//! - [`probe`]: what a probe is; [`front_door`], [`store`] and [`certificate`]
//!   are the ones there are.
//! - [`judge`]: the rules, without a clock and without I/O: fall fast, rise
//!   slowly.
//! - [`verdict`]: the outcome, valid for a bounded time.
//! - [`checker`]: the task that probes and judges.

pub mod certificate;
pub mod checker;
pub mod front_door;
pub mod judge;
pub mod probe;
pub mod store;
pub mod verdict;

pub use checker::{Checker, Pulse};
pub use probe::{Finding, Probe};
pub(crate) use store::HEARTBEAT;
pub use verdict::{Level, Verdict};
