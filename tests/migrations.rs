//! `migrations/` on a PostgreSQL, held against what the entities declare.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../storage/tests/support/postgres.rs"]
mod postgres;

use std::sync::Arc;

use metal_edge::{migrations, schemas};
use metal_storage::sql::Engine;
use metal_storage::{Name, Query, Read, Scope, Sql, SqlOptions, Store};
use postgres::Postgres;

/// Tables, columns, constraints and indexes, a line each.
const CATALOGUE: &str = "
SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT conrelid::regclass::TEXT, conname, pg_get_constraintdef(oid), '', '', ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT tablename, indexname, indexdef, '', '', '' FROM pg_indexes WHERE schemaname = 'public'
ORDER BY 1, 2, 3";

async fn open(url: &str, from_files: bool) -> Sql {
    let mut options = SqlOptions::new(url).unwrap();
    options.migrations = from_files.then_some(migrations::ALL);
    Sql::connect(options, schemas::ALL).await.unwrap()
}

#[tokio::test]
async fn the_migrations_make_what_the_entities_declare_and_may_be_applied_twice() {
    let server = Postgres::start();
    let derived = server.create_database("derived");
    let files = server.create_database("files");
    open(&derived, false).await.close().await;
    open(&files, true).await.close().await;
    let declared = server.sql("derived", CATALOGUE);
    assert!(declared.contains("tenant"), "{declared}");
    assert_eq!(server.sql("files", CATALOGUE), declared);

    for step in migrations::ALL {
        if step.engine() != Some(Engine::Cockroach) {
            server.sql("files", step.sql());
        }
    }
    assert_eq!(server.sql("files", CATALOGUE), declared);

    let store: Arc<dyn Store> = Arc::new(open(&files, true).await);
    for schema in schemas::ALL {
        let query = Query::new(Scope::Global, Name::from_static(schema.table()));
        let page = store.list(&query, Read::Latest).await.unwrap();
        assert!(page.records.is_empty());
    }
}

#[test]
fn every_table_has_a_locality() {
    let local = |table: &str| {
        migrations::ALL.iter().any(|step| {
            step.engine() == Some(Engine::Cockroach)
                && step
                    .sql()
                    .replace('"', "")
                    .starts_with(&format!("ALTER TABLE {table} SET LOCALITY "))
        })
    };
    let own = ["metal_scope", "metal_change"];
    for table in own
        .into_iter()
        .chain(schemas::ALL.iter().map(|schema| schema.table()))
    {
        assert!(local(table), "{table}");
    }
}
