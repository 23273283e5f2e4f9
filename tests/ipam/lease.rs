use metal_edge::ipam::{Free, Interval, Pool, PoolId};
use metal_storage::{Entity, Schema, Value};
use serde::{Deserialize, Serialize};

/// What the stores of this test hold.
pub const SCHEMAS: &[Schema] = &[Pool::SCHEMA, Free::SCHEMA, Lease::SCHEMA];

/// Says in the same batch that something is acquired, as the record of an address does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lease {
    pub id: String,
    pub pool: PoolId,
    pub interval: Interval,
}

impl Entity for Lease {
    const SCHEMA: Schema = Schema::new("lease", &[]);

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        vec![]
    }
}
