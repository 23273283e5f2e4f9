//! What must be, as far as the clients were told.

use std::collections::BTreeMap;

use metal_storage::{Error, Revision};

use crate::traffic::{Event, History};

/// What became of every batch by its number.
#[derive(Debug, Default)]
pub struct Model {
    /// Happened, at this revision.
    pub happened: BTreeMap<i64, Revision>,
    /// Did not happen.
    pub refused: BTreeMap<i64, Error>,
    /// Happened or did not; repeating it tells.
    pub unsure: Vec<Event>,
}

// === impl Model ===

impl Model {
    pub fn of(history: &History) -> Self {
        let mut model = Self::default();
        for event in &history.events {
            match &event.answer {
                Ok(revision) => drop(model.happened.insert(event.number, *revision)),
                Err(Error::Unknown(op)) => {
                    assert_eq!(*op, event.batch.op);
                    model.unsure.push(event.clone());
                }
                Err(error @ Error::Unavailable { .. }) => {
                    model.refused.insert(event.number, error.clone());
                }
                Err(other) => panic!("{}: {other:?}", event.number),
            }
        }
        model
    }
}
