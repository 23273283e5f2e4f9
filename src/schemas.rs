//! Every table that the node keeps.

use metal_storage::{Entity, Schema};

use crate::domain::{FilesystemLayout, Image, Partition, Project, Size, Tenant};
use crate::{api, health};

/// The schemas of all entities: what a store is opened with, and what a backup holds. A new entity
/// belongs here.
pub const ALL: &[Schema] = &[
    Tenant::SCHEMA,
    Project::SCHEMA,
    Partition::SCHEMA,
    Size::SCHEMA,
    Image::SCHEMA,
    FilesystemLayout::SCHEMA,
    api::SENTINEL,
    health::HEARTBEAT,
];

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
                    folders.push(path);
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
