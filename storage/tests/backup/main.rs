//! Backup and restore: across backends, while others write, and of files that are not whole.
#![allow(clippy::unwrap_used, reason = "tests")]

mod files;
mod kit;
mod s3;

use std::sync::Arc;

use metal_storage::backup::{Compression, Error, RestoreOptions, Verifier};
use metal_storage::{Batch, Memory, Redb, RedbOptions, Revision, Scope, Store, Write};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use self::kit::*;

#[tokio::test]
async fn what_was_backed_up_is_restored_from_any_backend_into_any_other() {
    let folder = TempDir::new().unwrap();
    let redb = |name: &str| -> Arc<dyn Store> {
        Arc::new(Redb::open(folder.path().join(name), RedbOptions::default()).unwrap())
    };
    let memory = || -> Arc<dyn Store> { Arc::new(Memory::new()) };
    let ways = [
        (memory(), memory()),
        (memory(), redb("a")),
        (redb("b"), redb("c")),
        (redb("d"), memory()),
    ];
    for (from, to) in ways {
        for scope in [Scope::Global, partition()] {
            for i in 0..150_u8 {
                from.commit(put(thing(&scope, &format!("{i:04}"), i % 7)))
                    .await
                    .unwrap();
            }
            from.commit(delete(&scope, "0003")).await.unwrap();
        }
        let (file, summary) = back_up(&*from, &options()).await.unwrap();
        assert_eq!(summary.scopes.len(), 2);
        assert_eq!(summary.scopes[0].revision, Revision::new(151));
        let restored = restore_into(&*to, file, &RestoreOptions::default()).await;
        assert_eq!(restored.unwrap().records(), 2 * 149);
        assert_eq!(contents(&*to).await, contents(&*from).await);
        assert_eq!(contents(&*to).await.len(), 2 * 149);
    }
}

#[tokio::test]
async fn an_empty_store_is_backed_up_and_restored() {
    let (file, summary) = back_up(&Memory::new(), &options()).await.unwrap();
    assert_eq!(summary.records(), 0);
    let to = Memory::new();
    restore_into(&to, file, &RestoreOptions::default())
        .await
        .unwrap();
    assert!(contents(&to).await.is_empty());
}

#[tokio::test]
async fn a_document_over_several_lines_is_kept() {
    let from = Memory::new();
    let mut record = thing(&Scope::Global, "a", 1);
    record.doc = "{\n  \"text\": \"a\\nb\",\r\n \"number\": 1.50\n}".into();
    from.commit(put(record)).await.unwrap();
    let (file, _) = back_up(&from, &options()).await.unwrap();
    let to = Memory::new();
    restore_into(&to, file, &RestoreOptions::default())
        .await
        .unwrap();
    assert_eq!(contents(&to).await, contents(&from).await);
}

#[tokio::test]
async fn a_store_that_is_not_empty_is_refused_unless_told_and_then_replaced() {
    let from = Memory::new();
    from.commit(put(thing(&Scope::Global, "new", 1)))
        .await
        .unwrap();
    let (file, _) = back_up(&from, &options()).await.unwrap();
    let to = Memory::new();
    // Of the same name, which is unique, and in a table that the backup has no record of.
    to.commit(put(named(&Scope::Global, "old", "name new", 2)))
        .await
        .unwrap();
    to.commit(put(other(&partition(), "left"))).await.unwrap();
    let before = contents(&to).await;

    let refused = restore_into(&to, file.clone(), &RestoreOptions::default()).await;
    assert!(
        matches!(refused, Err(Error::NotEmpty { .. })),
        "{refused:?}"
    );
    assert_eq!(contents(&to).await, before);

    let replace = RestoreOptions {
        replace: true,
        ..RestoreOptions::default()
    };
    restore_into(&to, file, &replace).await.unwrap();
    assert_eq!(contents(&to).await, contents(&from).await);
}

#[tokio::test]
async fn one_scope_can_be_restored_and_the_others_are_left_alone() {
    let from = Memory::new();
    for scope in [Scope::Global, partition()] {
        from.commit(put(thing(&scope, "new", 1))).await.unwrap();
    }
    let (file, _) = back_up(&from, &options()).await.unwrap();
    let to = Memory::new();
    to.commit(put(thing(&partition(), "own", 1))).await.unwrap();
    let only = |scope| RestoreOptions {
        only: Some(vec![scope]),
        ..RestoreOptions::default()
    };
    restore_into(&to, file.clone(), &only(Scope::Global))
        .await
        .unwrap();
    let ids: Vec<_> = contents(&to)
        .await
        .into_keys()
        .map(|key| key.to_string())
        .collect();
    assert_eq!(ids, ["global thing/new", "partition/fra thing/own"]);

    let missing = only("partition/muc".parse().unwrap());
    let refused = restore_into(&to, file, &missing).await;
    assert!(matches!(refused, Err(Error::Scope(_))), "{refused:?}");
}

/// Random contents, and random commits between every page and the next; among them swaps of
/// unique names, which no order of the records alone would survive.
#[test]
fn a_backup_made_while_others_write_is_the_state_at_its_revision() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 200;
    }
    let step = (0..30_u8, 0..30_u8, 0..4_u8);
    let steps = |most| proptest::collection::vec(step.clone(), 0..most);
    let strategy = (
        steps(60),
        proptest::collection::vec(steps(6), 0..40),
        1..8_usize,
    );
    let result = TestRunner::new(config).run(&strategy, |(first, meanwhile, page)| {
        runtime.block_on(async {
            let store = Arc::new(Memory::new());
            for step in first {
                act(&*store, step).await;
            }
            let meddler = Meddler::new(Arc::clone(&store), meanwhile);
            let mut options = options();
            options.page = page;
            let (file, summary) = back_up(&meddler, &options).await.unwrap();
            let to = Memory::new();
            let restored = restore_into(&to, file, &RestoreOptions::default()).await;
            prop_assert_eq!(
                restored.map_err(|e| TestCaseError::fail(e.to_string()))?,
                summary.clone()
            );
            let expected = at(&*store, &summary).await;
            prop_assert_eq!(contents(&to).await, expected);
            Ok(())
        })
    });
    result.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_a_file_need_not_stop_for_a_backup() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    let store = Arc::new(Redb::open(path, RedbOptions::default()).unwrap());
    for i in 0..40 {
        let mut batch = Batch::new(Scope::Global);
        let records = (0..100).map(|j| thing(&Scope::Global, &format!("{i:02}{j:02}"), 0));
        batch.writes.extend(records.map(Write::Put));
        store.commit(batch).await.unwrap();
    }
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writers: Vec<_> = (0..4_u8)
        .map(|writer| {
            let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut i = writer;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    i = i.wrapping_mul(5).wrapping_add(7);
                    act(&*store, (i, i.wrapping_add(writer), i % 4)).await;
                }
            })
        })
        .collect();
    let mut changes = 0;
    for round in 0..5 {
        let mut options = options();
        options.page = 50;
        let (file, summary) = back_up(&*store, &options).await.unwrap();
        changes += summary
            .scopes
            .iter()
            .map(|scope| scope.changes)
            .sum::<u64>();
        let to = Memory::new();
        restore_into(&to, file, &RestoreOptions::default())
            .await
            .unwrap();
        assert_eq!(
            contents(&to).await,
            at(&*store, &summary).await,
            "round {round}"
        );
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(changes > 0, "nobody wrote meanwhile");
    store.close().await;
}

#[tokio::test]
async fn a_table_that_nobody_asked_for_is_not_left_out_in_silence() {
    let store = Arc::new(Memory::new());
    for i in 0..10 {
        store
            .commit(put(thing(&Scope::Global, &i.to_string(), 0)))
            .await
            .unwrap();
    }
    let mut unknown = thing(&Scope::Global, "x", 0);
    unknown.key = key(&Scope::Global, "surprise", "x");
    let meddler = Meddler::with(store, vec![put(unknown)]);
    let mut options = options();
    options.page = 2;
    let error = back_up(&meddler, &options).await.unwrap_err().to_string();
    assert!(error.contains("surprise"), "{error}");
}

#[tokio::test]
async fn a_plain_backup_is_lines_of_json() {
    let from = Memory::new();
    from.commit(put(thing(&Scope::Global, "a", 1)))
        .await
        .unwrap();
    let mut options = options();
    options.compression = Compression::None;
    let (file, _) = back_up(&from, &options).await.unwrap();
    let text = std::str::from_utf8(&file).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["header"]["by"], "test 1");
    assert_eq!(
        lines[0]["header"]["tables"][0]["columns"][0]["unique"],
        true
    );
    assert_eq!(lines[2]["record"]["id"], "a");
    assert_eq!(lines.last().unwrap()["end"]["lines"], lines.len() - 1);
    let mut verifier = Verifier::new();
    verifier.push(&file).unwrap();
    assert_eq!(verifier.finish().unwrap().records(), 1);
}
