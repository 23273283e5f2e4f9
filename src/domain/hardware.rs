//! What a machine is made of, as it reports itself.

use serde::{Deserialize, Serialize};

use super::{Constraint, ConstraintType};

/// What a machine is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// CPU cores, of all sockets together.
    pub cores: u64,
    /// Memory, bytes.
    pub memory: u64,
    /// Block devices.
    pub disks: Vec<BlockDevice>,
    /// GPUs, one by one.
    pub gpus: Vec<Gpu>,
}

/// A block device of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockDevice {
    /// Name, with or without `/dev/` before it.
    pub name: String,
    /// Bytes.
    pub size: u64,
}

/// A GPU of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Who made it.
    pub vendor: String,
    /// What it is: what a size's constraint identifies it by.
    pub model: String,
}

// === impl Hardware ===

impl Hardware {
    /// The constraints of a size that means exactly this hardware: cores, memory, storage, and
    /// each model of GPU, by its name.
    pub fn suggest(&self) -> Vec<Constraint> {
        let exactly = |kind, count, identifier: &str| Constraint {
            kind,
            min: count,
            max: count,
            identifier: identifier.to_owned(),
        };
        let storage = self
            .disks
            .iter()
            .fold(0, |sum: u64, disk| sum.saturating_add(disk.size));
        let mut constraints = vec![
            exactly(ConstraintType::Cores, self.cores, ""),
            exactly(ConstraintType::Memory, self.memory, ""),
            exactly(ConstraintType::Storage, storage, ""),
        ];
        let mut models: Vec<&str> = self.gpus.iter().map(|gpu| gpu.model.as_str()).collect();
        models.sort_unstable();
        for same in models.chunk_by(|a, b| a == b) {
            constraints.push(exactly(ConstraintType::Gpu, same.len() as u64, same[0]));
        }
        constraints
    }
}

// === impl BlockDevice ===

impl BlockDevice {
    /// Its device, as layouts name it: `/dev/nvme0n1`.
    pub fn device(&self) -> String {
        match self.name.starts_with("/dev/") {
            true => self.name.clone(),
            false => format!("/dev/{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_size_means_exactly_the_hardware() {
        let gpu = |model: &str| Gpu {
            vendor: "v".into(),
            model: model.into(),
        };
        let disk = |name: &str, size| BlockDevice {
            name: name.into(),
            size,
        };
        let hardware = Hardware {
            cores: 24,
            memory: 256 << 30,
            disks: vec![disk("/dev/sda", 1 << 40), disk("nvme0n1", 2 << 40)],
            gpus: vec![gpu("b"), gpu("a"), gpu("b")],
        };
        let constraints = hardware.suggest();
        let shown: Vec<_> = constraints
            .iter()
            .map(|c| (c.kind.word(), c.min, c.identifier.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("cores", 24, ""),
                ("memory", 256 << 30, ""),
                ("storage", 3 << 40, ""),
                ("gpu", 1, "a"),
                ("gpu", 2, "b"),
            ]
        );
        assert!(constraints.iter().all(|c| c.min == c.max));
        assert_eq!(hardware.disks[1].device(), "/dev/nvme0n1");
    }
}
