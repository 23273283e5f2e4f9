use metal_storage::{Column, Entity, Error, Record, Result, Schema, Value};
use serde::{Deserialize, Serialize};

use super::{Interval, PoolId};

/// One free interval of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Free {
    id: String,
    /// Its values.
    pub interval: Interval,
}

// === impl Free ===

impl Free {
    /// The column by which intervals are found that a block of some size fits into.
    pub(super) const FITS: &str = "fits";

    /// What a record of the table says.
    ///
    /// # Errors
    /// [`Corrupt`](Error::Corrupt) if it is none.
    pub(super) fn of(record: &Record) -> Result<Self> {
        serde_json::from_slice(&record.doc).map_err(|error| Error::Corrupt {
            what: record.key.to_string(),
            cause: error.to_string(),
        })
    }

    /// The record of a free interval.
    pub(super) fn new(pool: &PoolId, interval: Interval) -> Self {
        Self {
            id: Self::key(pool, interval.hi),
            interval,
        }
    }

    /// The id of the interval that ends at `hi`. The ids of a pool are in the order of its
    /// intervals, so that the first at or after that of a value is the interval that holds it, or
    /// the next one.
    pub(super) fn key(pool: &PoolId, hi: u128) -> String {
        format!("{}{hi:032x}", Self::prefix(pool))
    }

    /// What the ids of a pool's intervals begin with, and no other's: a pool has no `#` in its
    /// name.
    pub(super) fn prefix(pool: &PoolId) -> String {
        format!("{pool}#")
    }

    /// What column `fits` holds for the intervals of a pool with this [`Interval::fits`].
    pub(super) fn level(pool: &PoolId, bits: u8) -> String {
        level(pool.as_str(), bits)
    }
}

impl Entity for Free {
    const SCHEMA: Schema = Schema::new("free", &[Column::text(Self::FITS)]);

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        let pool = self.id.rsplit_once('#').map(|(pool, _)| pool);
        let bits = self.interval.fits();
        vec![Value::from(pool.map(|pool| level(pool, bits)))]
    }
}

fn level(pool: &str, bits: u8) -> String {
    format!("{pool}|{bits}")
}
