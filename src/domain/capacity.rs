//! How many machines of a size are free in a partition.

use std::collections::BTreeMap;

use super::{Allocations, Machine, Partition, SizeReservation, Stage};

/// The machines of one size in one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// All of them.
    pub total: u32,
    /// By what they do.
    pub phoned_home: u32,
    /// By what they do.
    pub waiting: u32,
    /// Ids of those that do anything else.
    pub other: Vec<String>,
    /// Those that a project has.
    pub allocated: u32,
    /// Those that may be allocated, whoever asks.
    pub allocatable: u32,
    /// Those that are neither.
    pub unavailable: u32,
    /// Ids of those that something is wrong with.
    pub faulty: Vec<String>,
    /// Those that may be allocated by who asks: without what is kept free for others.
    pub free: u32,
    /// Machines that are reserved.
    pub reservations: u32,
    /// How many of them their projects have.
    pub used_reservations: u32,
}

// === impl Capacity ===

impl Capacity {
    /// The sizes that `partition` has machines or reservations of, by id. What is reserved for
    /// `project` is free for it. Linear in machines and reservations; those of other partitions
    /// are not counted.
    pub fn of(
        partition: &Partition,
        machines: &[Machine],
        reservations: &[SizeReservation],
        project: Option<&str>,
    ) -> BTreeMap<String, Self> {
        let mut sizes = BTreeMap::<String, Self>::new();
        for machine in machines.iter().filter(|m| m.partition == partition.id) {
            let size = machine.size.as_str().to_owned();
            sizes.entry(size).or_default().add(machine);
        }
        for capacity in sizes.values_mut() {
            capacity.free = capacity.allocatable;
        }
        let allocations = Allocations::count(machines);
        let reservations = reservations.iter();
        for reservation in reservations.filter(|r| r.is_in(partition.id.as_str())) {
            let size = reservation.size.as_str().to_owned();
            let allocated = allocations.of(&reservation.project, &partition.id, &reservation.size);
            let used = reservation.used(allocated);
            let capacity = sizes.entry(size).or_default();
            capacity.reservations = capacity.reservations.saturating_add(reservation.amount);
            capacity.used_reservations = capacity.used_reservations.saturating_add(used);
            if project != Some(reservation.project.as_str()) {
                capacity.free = capacity.free.saturating_sub(reservation.amount - used);
            }
        }
        sizes
    }

    /// Reserved machines that their projects do not have yet.
    pub fn remaining_reservations(&self) -> u32 {
        self.reservations - self.used_reservations
    }

    fn add(&mut self, machine: &Machine) {
        self.total += 1;
        match machine.stage {
            Stage::PhonedHome => self.phoned_home += 1,
            Stage::Waiting => self.waiting += 1,
            Stage::Other => self.other.push(machine.id.clone()),
        }
        if machine.project.is_some() {
            self.allocated += 1;
        } else if machine.allocatable {
            self.allocatable += 1;
        } else {
            self.unavailable += 1;
        }
        if machine.faulty {
            self.faulty.push(machine.id.clone());
        }
    }
}
