use crate::change::Change;
use crate::record::{Record, Stored};
use crate::scope::Scope;

/// A part of a scope as its authority has it, to be kept here with its revisions and versions.
#[derive(Debug)]
pub(crate) struct Copied {
    /// The scope of everything in it.
    pub(crate) scope: Scope,
    /// Records as they were read at some revision. One that is here in a newer version stays.
    pub(crate) records: Vec<Stored<Record>>,
    /// The changes that follow what is here, without a gap; the first ever may have any revision.
    pub(crate) changes: Vec<Change>,
}
