//! Databases that cannot be used, each of which says why.

use metal_storage::conformance::SCHEMAS;
use metal_storage::{Error, Sql, SqlOptions};

use crate::kit::{database, open, options, refused, server};
use crate::postgres::{PASSWORD, USER, free_port};

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let error = refused(options("nowhere")).await;
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("/nowhere"), "{said}");
    assert!(said.contains("does not exist"), "{said}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let port = free_port();
    let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/db");
    let error = refused(SqlOptions::new(&url).unwrap()).await;
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}/db")),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_repeated() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "wr0ng-of-metal\n").unwrap();
    let options = options(&database()).password_file(&file).unwrap();
    let said = refused(options).await.to_string();
    assert!(said.contains("password authentication failed"), "{said}");
    assert!(!said.contains("wr0ng"), "{said}");
}

#[tokio::test]
async fn a_password_comes_from_a_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("password");
    let url = server().url(&database()).replace(PASSWORD, "unused");
    let options = SqlOptions::new(&url).unwrap();
    let missing = options
        .clone()
        .password_file(&file)
        .unwrap_err()
        .to_string();
    assert!(missing.contains(&file.display().to_string()), "{missing}");
    std::fs::write(&file, "\n").unwrap();
    let empty = options
        .clone()
        .password_file(&file)
        .unwrap_err()
        .to_string();
    assert!(empty.ends_with("holds no password"), "{empty}");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    open(&options.password_file(&file).unwrap()).await;
}

#[tokio::test]
async fn an_engine_that_is_another_is_refused() {
    let url = server()
        .url(&database())
        .replace("postgres://", "cockroach://");
    let error = refused(SqlOptions::new(&url).unwrap()).await;
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("is not that engine but PostgreSQL 15"),
        "{error}"
    );
}

#[tokio::test]
async fn a_read_only_database_is_refused_and_one_that_becomes_it_answers_reads() {
    use crate::kit::{is_unavailable, key, put};
    use metal_storage::{Read, Store};
    let name = database();
    let store = open(&options(&name)).await;
    store.commit(put("a")).await.unwrap();
    server().sql(
        "postgres",
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
    );
    server().sql(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    );
    let said = refused(options(&name)).await.to_string();
    assert!(said.contains("is read-only; is it a standby?"), "{said}");
    let answer = store.commit(put("b")).await;
    assert!(is_unavailable(&answer), "{answer:?}");
    assert!(answer.unwrap_err().to_string().contains("read-only"));
    assert!(store.get(&key("a"), Read::Latest).await.unwrap().is_some());
    server().sql(
        "postgres",
        &format!("ALTER DATABASE {name} RESET default_transaction_read_only"),
    );
    server().sql(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    );
    store.commit(put("b")).await.unwrap();
}

#[tokio::test]
async fn a_database_that_does_not_wait_for_its_disk_is_refused() {
    let name = database();
    server().sql(
        "postgres",
        &format!("ALTER DATABASE {name} SET synchronous_commit = off"),
    );
    let said = refused(options(&name)).await.to_string();
    assert!(
        said.contains("would lose what it has acknowledged"),
        "{said}"
    );
}

#[tokio::test]
async fn a_table_that_is_not_as_declared_is_named() {
    let name = database();
    open(&options(&name)).await;
    server().sql(&name, "ALTER TABLE other DROP COLUMN \"group\"");
    let said = refused(options(&name)).await.to_string();
    assert!(
        said.ends_with("its table other lacks column group"),
        "{said}"
    );
    server().sql(&name, "DROP TABLE other");
    let said = refused(options(&name)).await.to_string();
    assert!(said.ends_with("it lacks table other"), "{said}");
}

#[tokio::test]
async fn a_table_declared_twice_is_refused() {
    let twice = [SCHEMAS, SCHEMAS].concat();
    let error = Sql::connect(options("nowhere"), &twice).await.unwrap_err();
    assert!(error.to_string().ends_with("is declared twice"), "{error}");
}
