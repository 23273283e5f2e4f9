//! Migrations: many nodes at once, half of them done, locks left behind.

use std::time::Duration;

use metal_storage::conformance::SCHEMAS;
use metal_storage::sql::migrations;
use metal_storage::{Error, Sql, Store};

use crate::kit::{bounded, database, open, options, put, refused, server};

const LOCK: &str =
    "INSERT INTO metal_migration_lock VALUES (1, gen_random_uuid(), now() + interval";

fn count(database: &str) -> usize {
    let rows = server().sql(database, "SELECT count(*) FROM metal_migration");
    rows.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_nodes_may_migrate_an_empty_database_at_once() {
    let name = database();
    let nodes = (0..8).map(|_| Sql::connect(options(&name), SCHEMAS));
    for (i, node) in bounded(futures::future::join_all(nodes))
        .await
        .into_iter()
        .enumerate()
    {
        node.unwrap().commit(put(&i.to_string())).await.unwrap();
    }
    assert_eq!(count(&name), migrations(SCHEMAS).unwrap().len());
    assert_eq!(
        server().sql(&name, "SELECT count(*) FROM metal_migration_lock"),
        "0"
    );
}

#[tokio::test]
async fn a_half_applied_migration_is_completed() {
    let name = database();
    open(&options(&name)).await;
    let all = count(&name);
    // Done but not noted, as after a crash between the two; and not done at all.
    server().sql(
        &name,
        "DELETE FROM metal_migration WHERE name LIKE 'thing%'",
    );
    server().sql(
        &name,
        "DELETE FROM metal_migration WHERE name = 'thing2'; DROP TABLE thing2",
    );
    open(&options(&name)).await;
    assert_eq!(count(&name), all);
    assert_eq!(server().sql(&name, "SELECT count(*) FROM thing2"), "0");
}

#[tokio::test]
async fn an_unmigrated_database_is_refused_if_it_is_not_to_be_migrated() {
    let name = database();
    let mut options = options(&name);
    options.migrate = false;
    let error = refused(options.clone()).await;
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("is not migrated: it lacks \"metal_scope\""),
        "{error}"
    );
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(server().sql(&name, tables), "0", "nothing was changed");
    options.migrate = true;
    open(&options).await;
    options.migrate = false;
    open(&options).await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let name = database();
    open(&options(&name)).await;
    server().sql(
        &name,
        "INSERT INTO metal_migration VALUES ('thing3', now())",
    );
    for migrate in [true, false] {
        let mut options = options(&name);
        options.migrate = migrate;
        let error = refused(options).await;
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        assert!(
            error
                .to_string()
                .contains("migrated by a newer version: it has \"thing3\""),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_lock_that_was_left_behind_expires() {
    let name = database();
    open(&options(&name)).await;
    server().sql(&name, "DELETE FROM metal_migration WHERE name = 'thing2'");
    server().sql(&name, &format!("{LOCK} '700 milliseconds')"));
    bounded(open(&options(&name))).await;
    assert_eq!(
        server().sql(&name, "SELECT count(*) FROM metal_migration_lock"),
        "0"
    );
}

#[tokio::test]
async fn a_lock_from_before_the_clock_was_set_back_is_free() {
    let name = database();
    open(&options(&name)).await;
    server().sql(&name, "DELETE FROM metal_migration WHERE name = 'thing2'");
    server().sql(&name, &format!("{LOCK} '1 hour')"));
    bounded(open(&options(&name))).await;
    assert_eq!(
        server().sql(&name, "SELECT count(*) FROM metal_migration_lock"),
        "0"
    );
}

#[tokio::test]
async fn one_waits_a_bounded_time_for_another_that_migrates() {
    let name = database();
    open(&options(&name)).await;
    server().sql(&name, "DELETE FROM metal_migration WHERE name = 'thing2'");
    server().sql(&name, &format!("{LOCK} '1 hour')"));
    let mut options = options(&name);
    options.migrate_lease = Duration::from_secs(3600);
    options.migrate_wait = Duration::from_millis(300);
    let error = refused(options.clone()).await;
    assert!(
        error
            .to_string()
            .contains("another node has been migrating it"),
        "{error}"
    );
    assert_eq!(
        server().sql(&name, "SELECT count(*) FROM metal_migration_lock"),
        "1"
    );
    // Nobody waits for a lock who finds nothing to do.
    server().sql(
        &name,
        "INSERT INTO metal_migration VALUES ('thing2', now())",
    );
    open(&options).await;
}
