//! The bounds of pools. What exceeds one is refused, and nothing is changed.

/// Moves of one request.
pub const MOVES: usize = 32;

/// Spans and reserved intervals of one pool, together: its head names them, and what creates or
/// deletes it writes what is free between them, in one batch.
pub const SPANS: usize = 100;

/// Requests that wait for one allocator.
pub const WAITING: usize = 1024;

/// Requests that share one batch.
pub(super) const GROUP: usize = 64;

/// Pools that an allocator remembers.
pub(super) const POOLS: usize = 1024;

/// Free intervals of one pool that an allocator remembers.
pub(super) const INTERVALS: usize = 4096;

/// Free intervals that are read at once.
pub(super) const PAGE: usize = 64;
