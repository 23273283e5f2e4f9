//! What a node does not know it does not guess.

use std::time::Duration;

use metal_storage::conformance::SCHEMAS;
use metal_storage::{Error, Name, Query, Read, Result, Revision, Scope, Sql, Store};

use crate::backend::{options, proxy, server};
use crate::kit::put;
use crate::proxy::{Engine, Fault, Faults, Point};

async fn head(store: &Sql) -> Revision {
    let query = Query::new(Scope::Global, Name::from_static("other"));
    store.list(&query, Read::Latest).await.unwrap().revision
}

#[tokio::test]
async fn an_operation_that_was_made_and_forgotten_is_never_made_again() {
    server().create_database("doubts");
    let proxy = proxy(Engine::Cockroach, Faults::none()).await;
    let mut options = options(&proxy, Engine::Cockroach, "doubts");
    options.connect_wait = Duration::from_secs(20);
    options.history_revisions = 1;
    let store = Sql::connect(options, SCHEMAS).await.unwrap();
    // The group is made, its answer lost and the first of it forgotten; then one tries again, is
    // refused, and looks for the batch that is at fault.
    proxy.script(Point::Commit, Fault::CutAfter);
    proxy.script(Point::Statement, Fault::Refuse);
    let (first, second) = (put("a"), put("b"));
    let op = first.op;
    let answers: [Result<Revision>; 2] =
        tokio::join!(store.commit(first), store.commit(second)).into();
    assert!(proxy.script_is_done(), "{answers:?} {:?}", proxy.report());
    assert!(
        matches!(&answers[0], Err(Error::Unknown(of)) if *of == op),
        "{answers:?}"
    );
    assert_eq!(answers[1], Ok(Revision::new(2)));
    assert_eq!(head(&store).await, Revision::new(2));
}
