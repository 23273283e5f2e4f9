/// What came of [`Redb::compact`](super::Redb::compact).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// Bytes of the file before.
    pub before: u64,
    /// Bytes of the file now: as before if copying it would not have been worth it.
    pub after: u64,
}
