//! What the rules of sizes, layouts and reservations know of machines.

use super::{Hardware, PartitionId, ProjectId, SizeId};

/// A machine, as far as these rules look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Id.
    pub id: String,
    /// Where it stands.
    pub partition: PartitionId,
    /// What it is.
    pub size: SizeId,
    /// The project that it is allocated to.
    pub project: Option<ProjectId>,
    /// How far it is.
    pub stage: Stage,
    /// Whether it may be allocated: nobody has it, it waits, is alive and not locked or reserved.
    pub allocatable: bool,
    /// Whether something is wrong with it.
    pub faulty: bool,
    /// What it is made of.
    pub hardware: Hardware,
}

/// How far a machine is, by its last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its operating system has reported.
    PhonedHome,
    /// It waits to be allocated.
    Waiting,
    /// Anything else.
    Other,
}

/// Which machines are meant: those that match everything given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineQuery {
    /// In this partition.
    pub partition: Option<String>,
    /// Of this size.
    pub size: Option<String>,
}
