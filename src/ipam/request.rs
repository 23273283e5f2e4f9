use metal_storage::{Guard, Result, Revision, Write};
use tokio::sync::oneshot;

use super::{Interval, IpamError, Move};

/// What a caller wants to happen together with its moves.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// What must hold before.
    pub guards: Vec<Guard>,
    /// What is to be written: of no pool.
    pub writes: Vec<Write>,
    /// Moves that follow from what was acquired, such as a pool made of it. They acquire nothing.
    pub moves: Vec<Move>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What was acquired, in the order of the moves.
    pub intervals: Vec<Interval>,
    /// The commit that did it.
    pub revision: Revision,
}

/// Makes what goes with the moves of what they acquired.
pub(super) type With = Box<dyn FnMut(&[Interval]) -> Result<Extra> + Send>;

/// Moves that wait.
pub(super) struct Request {
    pub moves: Vec<Move>,
    pub with: With,
    pub answer: oneshot::Sender<Result<Applied, IpamError>>,
    /// Its place in the order in which they came.
    pub place: u64,
    /// It shares its batch with no other.
    pub alone: bool,
}

// === impl Request ===

impl Request {
    pub fn answer(self, answer: Result<Applied, IpamError>) {
        // Whoever asked may have left.
        let _ = self.answer.send(answer);
    }
}
