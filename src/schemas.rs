//! Every table that the node keeps.

use std::sync::Arc;

use metal_storage::{Entity, Name, Schema, Scope, Store, Table};

use crate::domain::{
    FilesystemLayout, Image, Ip, Network, Partition, Project, Size, SizeImageConstraint,
    SizeReservation, Tenant,
};
use crate::ipam::{Free, Pool};
use crate::{api, audit, health};

/// Records that cannot be indexed and are named in the log, of one table.
const REFUSED: usize = 20;

/// The schemas of all entities: what a store is opened with, and what a backup holds. A new entity
/// belongs here.
pub const ALL: &[Schema] = &[
    Tenant::SCHEMA,
    Project::SCHEMA,
    Partition::SCHEMA,
    Size::SCHEMA,
    Image::SCHEMA,
    FilesystemLayout::SCHEMA,
    Network::SCHEMA,
    Ip::SCHEMA,
    api::CLAIM,
    api::BLOCK,
    api::VRF,
    api::FENCE,
    Pool::SCHEMA,
    Free::SCHEMA,
    SizeImageConstraint::SCHEMA,
    SizeReservation::SCHEMA,
    api::SENTINEL,
    health::HEARTBEAT,
    audit::ENTRY,
    audit::BUCKET,
];

/// Indexes again the records of the global scope that a version wrote which declared other
/// columns, before somebody asks by these. What is wrong with a record is logged and does not
/// keep the others from it, nor the node from serving.
pub(crate) async fn reindex(store: &Arc<dyn Store>) {
    one::<Tenant>(store).await;
    one::<Project>(store).await;
    one::<Partition>(store).await;
    one::<Size>(store).await;
    one::<Image>(store).await;
    one::<FilesystemLayout>(store).await;
    one::<Network>(store).await;
    one::<SizeImageConstraint>(store).await;
    one::<SizeReservation>(store).await;
}

async fn one<E: Entity>(store: &Arc<dyn Store>) {
    let table = E::SCHEMA.table();
    let notes = Name::from_static(api::SENTINEL.table());
    let records = Table::<E>::new(Arc::clone(store), Scope::Global);
    match records.reindex_once(&notes).await {
        Ok(done) => {
            for error in done.refused.iter().take(REFUSED) {
                tracing::error!(table, %error, "a record cannot be indexed");
            }
            if done.written > 0 || !done.refused.is_empty() {
                let (written, refused) = (done.written, done.refused.len());
                tracing::info!(
                    table,
                    written,
                    refused,
                    "records of an older version are indexed"
                );
            }
        }
        Err(error) => {
            tracing::error!(table, %error, "records of an older version may not be indexed")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn no_two_entities_share_a_table() {
        let tables: HashSet<_> = ALL.iter().map(Schema::table).collect();
        assert_eq!(tables.len(), ALL.len());
    }

    /// Counts in the sources, as a list cannot know what it lacks.
    #[test]
    fn every_entity_is_listed() {
        let mut declared = 0;
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    if !path.ends_with("tests") {
                        folders.push(path);
                    }
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    // The macro of records.rs declares one for each of its lines.
                    let entity = |line: &&str| {
                        let line = line.trim();
                        line.starts_with("impl Entity for ") && !line.contains('$')
                            || line.ends_with("\";") && line.matches(", \"").count() == 2
                    };
                    let in_records = path.ends_with("api/records.rs");
                    let found = text
                        .lines()
                        .filter(entity)
                        .filter(|line| in_records || line.contains("impl Entity for "));
                    declared += found.count();
                }
            }
        }
        assert_eq!(declared, ALL.len());
    }
}
