//! Machines that are kept free for a project.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Invalid, PartitionId, ProjectId, SizeId, SizeReservationId, Timestamps, bounds};

/// Most partitions of a reservation; each is a guard of the batch that writes it.
const PARTITIONS: usize = 64;

/// How many machines of a size are kept free for a project, in each of some partitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeReservation {
    /// Id.
    pub id: SizeReservationId,
    /// When it was made and changed.
    #[serde(flatten)]
    pub times: Timestamps,
    /// Display name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Of this size.
    pub size: SizeId,
    /// For this project.
    pub project: ProjectId,
    /// In each of these partitions.
    pub partitions: Vec<PartitionId>,
    /// Machines in each of the partitions, at least 1.
    pub amount: u32,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
}

/// Which reservations are meant: those that match everything given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SizeReservationQuery {
    /// This id.
    pub id: Option<String>,
    /// Of this size.
    pub size: Option<String>,
    /// For this project.
    pub project: Option<String>,
    /// In this partition, perhaps among others.
    pub partition: Option<String>,
}

// === impl SizeReservation ===

impl SizeReservation {
    /// Refuses texts and lists beyond their bounds, no machine, and no or a repeated partition.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        bounds::labels("labels", &self.labels)?;
        if self.amount == 0 || i32::try_from(self.amount).is_err() {
            let most = i32::MAX;
            return Err(Invalid::new("amount", format!("must be from 1 to {most}")));
        }
        let partitions = "partitionids";
        if self.partitions.is_empty() {
            return Err(Invalid::new(partitions, "must name a partition"));
        }
        bounds::count(partitions, self.partitions.len(), PARTITIONS)?;
        bounds::distinct(partitions, self.partitions.iter().map(PartitionId::as_str))
    }

    /// Whether it keeps machines free in this partition.
    pub fn is_in(&self, partition: &str) -> bool {
        self.partitions.iter().any(|id| id.as_str() == partition)
    }

    /// How many of its machines in one partition are used, when the project has `allocated`
    /// machines of the size there.
    pub fn used(&self, allocated: u32) -> u32 {
        allocated.min(self.amount)
    }
}

// === impl SizeReservationQuery ===

impl SizeReservationQuery {
    /// Whether `reservation` is meant.
    pub fn matches(&self, reservation: &SizeReservation) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        is(&self.id, reservation.id.as_str())
            && is(&self.size, reservation.size.as_str())
            && is(&self.project, reservation.project.as_str())
            && self
                .partition
                .as_deref()
                .is_none_or(|partition| reservation.is_in(partition))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn reservation(amount: u32, partitions: &[&str]) -> SizeReservation {
        let id = |text: &str| text.to_owned();
        SizeReservation {
            id: id("r").try_into().unwrap(),
            times: Timestamps::new(DateTime::UNIX_EPOCH),
            name: String::new(),
            description: String::new(),
            size: id("s").try_into().unwrap(),
            project: id("p").try_into().unwrap(),
            partitions: partitions
                .iter()
                .map(|partition| id(partition).try_into().unwrap())
                .collect(),
            amount,
            labels: BTreeMap::new(),
        }
    }

    #[test]
    fn a_reservation_is_of_some_machines_in_some_partitions() {
        assert!(reservation(1, &["a", "b"]).check().is_ok());
        let field = |amount, partitions| reservation(amount, partitions).check().unwrap_err().field;
        assert_eq!(field(0, &["a"]), "amount");
        assert_eq!(field(1 << 31, &["a"]), "amount");
        assert_eq!(field(1, &[]), "partitionids");
        assert_eq!(field(1, &["a", "b", "a"]), "partitionids");
    }

    #[test]
    fn a_project_uses_no_more_than_what_is_reserved() {
        let reservation = reservation(3, &["a"]);
        assert_eq!(reservation.used(2), 2);
        assert_eq!(reservation.used(7), 3);
    }

    #[test]
    fn a_query_means_the_reservations_that_match_everything_given() {
        let reservation = reservation(3, &["a", "b"]);
        let query = SizeReservationQuery {
            partition: Some("b".into()),
            size: Some("s".into()),
            ..SizeReservationQuery::default()
        };
        assert!(query.matches(&reservation));
        let other = SizeReservationQuery {
            project: Some("q".into()),
            ..query
        };
        assert!(!other.matches(&reservation));
    }
}
