//! What a commit and a read cost on the wire.

use std::time::Duration;

use metal_storage::conformance::SCHEMAS;
use metal_storage::{Name, Query, Read, Scope, Sql, Store};

use crate::backend::{options, proxy, server};
use crate::kit::{key, put};
use crate::proxy::{Engine, Faults};

#[tokio::test]
async fn a_group_costs_six_statements_and_a_read_one_each_prepared_once() {
    for (engine, database) in [
        (Engine::Postgres, "costs_postgres"),
        (Engine::Cockroach, "costs_cockroach"),
    ] {
        server().create_database(database);
        let proxy = proxy(engine, Faults::none()).await;
        let mut options = options(&proxy, engine, database);
        options.connections = 1;
        options.poll = Duration::from_secs(3600);
        let store = Sql::connect(options, SCHEMAS).await.unwrap();
        let query = Query::new(Scope::Global, Name::from_static("other"));
        let once = async |id: &str| {
            let before = proxy.report().statements;
            let group = (0..5).map(|i| store.commit(put(&format!("{id}-{i}"))));
            for answer in futures::future::join_all(group).await {
                answer.unwrap();
            }
            let group = proxy.report().statements;
            store.get(&key(id), Read::Latest).await.unwrap();
            store.list(&query, Read::Latest).await.unwrap();
            (group - before, proxy.report().statements - group)
        };
        once("first").await;
        let prepared = proxy.report().prepared;
        let mut least = (u64::MAX, u64::MAX);
        let mut all = 0;
        for i in 0..10 {
            let (group, reads) = once(&i.to_string()).await;
            least = (least.0.min(group), least.1.min(reads));
            all += group + reads;
        }
        // Head, touched, upsert, advance, commit, and a BEGIN, which is not counted.
        assert_eq!(least, (5, 2), "{engine:?}");
        // A notification that overtakes the answer to its commit costs a look at the head.
        assert!(all <= 10 * (5 + 2 + 1), "{engine:?}: {all}");
        // That look may be prepared later than the rest, and is not prepared again.
        let more = proxy.report().prepared - prepared;
        assert!(more <= 2, "{engine:?}: {more}");
    }
}
