//! How many machines projects have.

use std::collections::HashMap;

use super::{Machine, PartitionId, ProjectId, SizeId};

/// Allocated machines, counted by project, partition and size.
#[derive(Clone, Debug, Default)]
pub struct Allocations<'a>(HashMap<(&'a str, &'a str, &'a str), u32>);

// === impl Allocations ===

impl<'a> Allocations<'a> {
    /// Counts those of `machines` that are allocated.
    pub fn count(machines: &'a [Machine]) -> Self {
        let mut counts = HashMap::new();
        for machine in machines {
            if let Some(project) = &machine.project {
                let key = (
                    project.as_str(),
                    machine.partition.as_str(),
                    machine.size.as_str(),
                );
                *counts.entry(key).or_default() += 1;
            }
        }
        Self(counts)
    }

    /// How many machines of `size` the project has in `partition`.
    pub fn of(&self, project: &ProjectId, partition: &PartitionId, size: &SizeId) -> u32 {
        let key = (project.as_str(), partition.as_str(), size.as_str());
        self.0.get(&key).copied().unwrap_or(0)
    }
}
