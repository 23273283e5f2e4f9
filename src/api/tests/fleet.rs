use futures::future::BoxFuture;

use super::super::{ApiError, Machines};
use crate::domain::{Hardware, Machine, MachineQuery, Stage};

/// Machines that are there without having registered.
#[derive(Default)]
pub(super) struct Fleet(pub Vec<Machine>);

/// A machine that waits to be allocated.
pub(super) fn machine(id: &str, partition: &str, size: &str) -> Machine {
    Machine {
        id: id.to_owned(),
        partition: partition.to_owned().try_into().unwrap(),
        size: size.to_owned().try_into().unwrap(),
        project: None,
        stage: Stage::Waiting,
        allocatable: true,
        faulty: false,
        hardware: Hardware::default(),
    }
}

/// A machine that a project has.
pub(super) fn allocated(id: &str, partition: &str, size: &str, project: &str) -> Machine {
    Machine {
        project: Some(project.to_owned().try_into().unwrap()),
        stage: Stage::PhonedHome,
        allocatable: false,
        ..machine(id, partition, size)
    }
}

impl Machines for Fleet {
    fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Machine>, ApiError>> {
        let found = self.0.iter().find(|machine| machine.id == id).cloned();
        Box::pin(async { Ok(found) })
    }

    fn list<'a>(
        &'a self,
        query: &'a MachineQuery,
    ) -> BoxFuture<'a, Result<Vec<Machine>, ApiError>> {
        let is = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|id| id == is);
        let meant = |machine: &&Machine| {
            is(&query.partition, machine.partition.as_str())
                && is(&query.size, machine.size.as_str())
        };
        let found = self.0.iter().filter(meant).cloned().collect();
        Box::pin(async { Ok(found) })
    }
}
