//! What happens before a store is open, and what it never sends.

use metal_storage::conformance::SCHEMAS;
use metal_storage::{Error, Sql};

use crate::backend::{options, proxy, server};
use crate::proxy::{Engine, Fault, Faults, Point};

#[tokio::test]
async fn nothing_that_cockroachdb_refuses_is_sent_to_it() {
    server().create_database("nothing_refused");
    let proxy = proxy(Engine::Cockroach, Faults::none()).await;
    let options = options(&proxy, Engine::Cockroach, "nothing_refused");
    let store = Sql::connect(options.clone(), SCHEMAS).await.unwrap();
    drop(store);
    Sql::connect(options, SCHEMAS).await.unwrap();
    let report = proxy.report();
    assert_eq!(report.refused, Vec::<String>::new());
    assert!(report.statements > 20, "{report:?}");
}

#[tokio::test]
async fn the_wrong_engine_is_told_apart_and_named() {
    server().create_database("wrong_engine");
    for (there, asked) in [
        (Engine::Cockroach, Engine::Postgres),
        (Engine::Postgres, Engine::Cockroach),
    ] {
        let proxy = proxy(there, Faults::none()).await;
        let options = options(&proxy, asked, "wrong_engine");
        let error = Sql::connect(options, SCHEMAS).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("PostgreSQL") && text.contains("CockroachDB"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn tables_are_made_through_retries_and_cuts() {
    for (i, engine) in [Engine::Cockroach, Engine::Postgres]
        .into_iter()
        .enumerate()
    {
        let lasting = [Fault::Refuse, Fault::Missing];
        let passing = Fault::ALL.into_iter().filter(|f| !lasting.contains(f));
        for (j, fault) in passing.enumerate() {
            let database = format!("migrating_{i}_{j}");
            server().create_database(&database);
            let faults = Faults::one(Faults::seed(), Point::Commit, fault, 0.06);
            let proxy = proxy(engine, faults).await;
            let opened = Sql::connect(options(&proxy, engine, &database), SCHEMAS).await;
            assert!(opened.is_ok(), "{fault:?}: {opened:?}");
            assert!(proxy.report().count(fault) > 0, "{:?}", proxy.report());
        }
    }
}
