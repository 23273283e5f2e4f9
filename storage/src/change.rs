use crate::batch::Write;
use crate::op::OpId;
use crate::revision::Revision;

/// What one commit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place in the scope's commit order; also the version of every record that it put.
    pub revision: Revision,
    /// The operation that it was made by.
    pub op: OpId,
    /// Its writes, in the order of the batch.
    pub writes: Vec<Write>,
}
