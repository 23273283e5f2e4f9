//! Random batches, on the backend and on [`Memory`], which must answer alike.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use super::Backend;
use super::kit::*;
use super::schemas::fields;
use crate::{
    Batch, Change, Error, Guard, Memory, Name, OpId, Page, Query, Read, Record, Revision, Scope,
    Store, Value, Version, Write,
};

const SCOPES: [&str; 2] = ["global", "fra"];
const TABLES: [&str; 2] = ["thing", "other"];
const IDS: [&str; 5] = ["a", "aa", "b", "b/c", "ü"];

/// One commit. Small numbers choose from few scopes, tables, ids and values, so that they meet.
#[derive(Clone, Debug)]
struct Step {
    /// Whether the store is closed and opened again before.
    reopen: bool,
    op: u8,
    scope: usize,
    guards: Vec<(usize, usize, Expect)>,
    writes: Vec<(usize, usize, Option<Content>)>,
}

/// The numbers of a record's name and group.
type Content = (u8, u8);

#[derive(Clone, Copy, Debug)]
enum Expect {
    Absent,
    /// The version that it has, or none that ever was.
    Current,
    Old(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let expect = prop_oneof![
        2 => Just(Expect::Absent),
        4 => Just(Expect::Current),
        1 => (1..8_u8).prop_map(Expect::Old),
    ];
    let guard = (0..TABLES.len(), 0..IDS.len(), expect);
    let content = prop::option::weighted(0.7, (0..5_u8, 0..4_u8));
    let write = (0..TABLES.len(), 0..IDS.len(), content);
    let step = (
        prop::bool::weighted(0.03),
        any::<u8>(),
        0..SCOPES.len(),
        vec(guard, 0..2),
        vec(write, 0..4),
    );
    let step = step.prop_map(|(reopen, op, scope, guards, writes)| Step {
        reopen,
        op,
        scope,
        guards,
        writes,
    });
    vec(step, 1..40)
}

fn name(number: u8) -> Value {
    match number {
        0 => Value::Null,
        1 => "one".into(),
        2 => "1".into(),
        3 => "One".into(),
        _ => "".into(),
    }
}

fn group(number: u8) -> Value {
    match number {
        0 => Value::Null,
        1 => 1.into(),
        2 => (-1).into(),
        3 => i64::MAX.into(),
        _ => 0.into(),
    }
}

async fn batch(step: &Step, model: &Memory) -> Batch {
    let scope = scope(SCOPES[step.scope]);
    let key = |table: usize, id: usize| key_in(scope.clone(), TABLES[table], IDS[id]);
    let op = OpId::from(Uuid::from_u128(u128::from(step.op) + 1));
    let mut batch = Batch::with_op(scope.clone(), op);
    for (table, id, expect) in &step.guards {
        let key = key(*table, *id);
        let current = model.get(&key, Read::Latest).await.unwrap();
        let current = current.map_or(Version::new(u64::MAX >> 1), |found| found.version);
        batch.guards.push(match expect {
            Expect::Absent => Guard::Absent(key),
            Expect::Current => Guard::Version(key, current),
            Expect::Old(version) => Guard::Version(key, Version::new((*version).into())),
        });
    }
    for (table, id, content) in &step.writes {
        let key = key(*table, *id);
        batch.writes.push(match content {
            None => Write::Delete(key),
            Some((n, g)) => Write::Put(Record {
                fields: fields(&key, [("name", name(*n)), ("group", group(*g))]),
                ..plain(key, &format!("{} {n} {g}", step.op))
            }),
        });
    }
    batch
}

fn canonical_page(mut page: Page) -> Page {
    for stored in &mut page.records {
        canonical(&mut stored.value);
    }
    page
}

fn canonical_change(mut change: Change) -> Change {
    for write in &mut change.writes {
        if let Write::Put(record) = write {
            canonical(record);
        }
    }
    change
}

async fn run(backend: &dyn Backend, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut store = backend.fresh(HISTORY).await;
    let model = Memory::new();
    let mut heads: HashMap<Scope, Revision> = HashMap::new();
    for step in &steps {
        if step.reopen
            && let Some(again) = backend.reopened().await
        {
            store = again;
        }
        let batch = batch(step, &model).await;
        let expected = model.commit(batch.clone()).await;
        let got = store.commit(batch.clone()).await;
        match (&got, &expected) {
            // Each may say in its own words what it does not take.
            (Err(Error::Invalid(_)), Err(Error::Invalid(_))) => {}
            _ => prop_assert_eq!(&got, &expected, "{:?}", batch),
        }
        if let Ok(revision) = got {
            let head = heads.entry(batch.scope).or_default();
            *head = revision.max(*head);
        }
    }
    for scope in SCOPES.map(scope) {
        for table in TABLES {
            let all = Query::new(scope.clone(), Name::from_static(table));
            let mut queries = vec![all.clone()];
            for (column, value) in [("name", name as fn(u8) -> Value), ("group", group)] {
                for number in 0..5 {
                    let mut query = all.clone();
                    query.equal.push((Name::from_static(column), value(number)));
                    query.limit = 2;
                    queries.push(query);
                }
            }
            for query in queries {
                let expected = model.list(&query, Read::Latest).await.map(canonical_page);
                let got = store.list(&query, Read::Latest).await.map(canonical_page);
                prop_assert_eq!(got, expected, "{:?}", query);
            }
        }
        let head = heads.get(&scope).copied().unwrap_or_default();
        let mut expected = model.watch(scope.clone(), Revision::ZERO);
        let mut got = store.watch(scope.clone(), Revision::ZERO);
        for _ in 0..head.get() {
            let expected = next(&mut expected).await.map(canonical_change);
            prop_assert_eq!(next(&mut got).await.map(canonical_change), expected);
        }
    }
    Ok(())
}

pub async fn it_does_what_the_model_does(backend: &dyn Backend) {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = backend.cases();
    }
    let handle = tokio::runtime::Handle::current();
    let result = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&steps(), |steps| handle.block_on(run(backend, steps)))
    });
    result.unwrap();
}
