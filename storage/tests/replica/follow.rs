//! What a replica shows, and what it does when its authority is not what it was.

use std::sync::Arc;
use std::time::Duration;

use metal_storage::{
    Error, Memory, Query, Read, Redb, RedbOptions, Replica, Revision, Scope, Store,
};
use tempfile::TempDir;

use crate::authorities::{Busy, Switch};
use crate::kit::{Following, HANG, assert_same, delete, key, open, options, put, write};

async fn error_of(replica: &Replica, read: Read) -> Error {
    replica.get(&key("1"), read).await.unwrap_err()
}

#[tokio::test]
async fn a_replica_has_the_records_of_its_authority_with_their_versions() {
    let (folder, authority) = (TempDir::new().unwrap(), Arc::new(Memory::new()));
    write(&*authority, 0..50).await;
    let following = Following::start(authority.clone(), options(folder.path())).await;
    following.reaches(Revision::new(50)).await;
    authority.commit(delete("7")).await.unwrap();
    authority.commit(put("8", "freed by 9")).await.unwrap();
    let last = authority.commit(put("9", "8")).await.unwrap();
    following.reaches(last).await;
    assert_same(&*authority, &following.replica).await;
    let status = following.replica.status();
    assert_eq!((status.revision, status.copies), (Some(last), 1));
    assert!(status.age.unwrap() < HANG);
}

#[tokio::test]
async fn a_replica_goes_on_from_where_it_was_when_it_is_opened_again() {
    let (folder, authority) = (TempDir::new().unwrap(), Arc::new(Memory::new()));
    let following = Following::start(authority.clone(), options(folder.path())).await;
    following.reaches(write(&*authority, 0..20).await).await;
    following.stop().await;
    let last = write(&*authority, 20..40).await;
    let switch = Switch::to(authority.clone());
    switch.set(None);
    let following = Following::start(switch.clone(), options(folder.path())).await;
    // What it has is there before anybody is reached.
    let old = following
        .replica
        .get(&key("19"), Read::Stale)
        .await
        .unwrap();
    assert!(old.is_some());
    let status = following.replica.status();
    assert_eq!(status.revision, Some(Revision::new(20)));
    assert!(status.age.is_some() && !status.following, "{status:?}");
    switch.set(Some(authority.clone()));
    following.reaches(last).await;
    assert_eq!(
        following.replica.status().copies,
        0,
        "nothing was copied again"
    );
    assert_same(&*authority, &following.replica).await;
}

#[tokio::test]
async fn a_replica_whose_next_change_is_forgotten_copies_the_scope_again() {
    let (folder, authority) = (TempDir::new().unwrap(), Arc::new(Memory::with_history(5)));
    let following = Following::start(authority.clone(), options(folder.path())).await;
    following.reaches(write(&*authority, 0..3).await).await;
    following.stop().await;
    authority.commit(delete("1")).await.unwrap();
    let last = write(&*authority, 3..50).await;
    let following = Following::start(authority.clone(), options(folder.path())).await;
    following.reaches(last).await;
    assert_eq!(following.replica.status().copies, 1);
    assert_same(&*authority, &following.replica).await;
}

#[tokio::test]
async fn an_authority_that_was_restored_is_recognized_at_whatever_revision_it_is() {
    for revisions in [1, 19, 20, 21, 60] {
        let (folder, first) = (TempDir::new().unwrap(), Arc::new(Memory::new()));
        let switch = Switch::to(first.clone());
        let following = Following::start(switch.clone(), options(folder.path())).await;
        following.reaches(write(&*first, 0..20).await).await;
        let second = Arc::new(Memory::new());
        let last = write(&*second, 1000..1000 + revisions).await;
        // As a server does that is restored: it is away, and then another.
        switch.set(None);
        following.stop().await;
        switch.set(Some(second.clone()));
        let following = Following::start(switch, options(folder.path())).await;
        let same = following.replica.wait_for(|status| {
            status.following && status.revision == Some(last) && status.copies == 1
        });
        tokio::time::timeout(HANG, same).await.unwrap();
        assert_same(&*second, &following.replica).await;
    }
}

#[tokio::test]
async fn an_authority_that_goes_back_beneath_its_follower_is_copied_again() {
    let (folder, first) = (TempDir::new().unwrap(), Arc::new(Memory::new()));
    let switch = Switch::to(first.clone());
    let following = Following::start(switch.clone(), options(folder.path())).await;
    following.reaches(write(&*first, 0..20).await).await;
    let second = Arc::new(Memory::new());
    write(&*second, 0..7).await;
    switch.set(Some(second.clone()));
    let again = |status: &metal_storage::ReplicaStatus| {
        status.following && status.revision == Some(Revision::new(7)) && status.copies == 2
    };
    let again = following.replica.wait_for(again);
    tokio::time::timeout(HANG, again).await.unwrap();
    assert_same(&*second, &following.replica).await;
}

#[tokio::test]
async fn a_scope_that_is_written_to_while_it_is_copied_is_copied_as_of_one_revision() {
    for page in [1, 7, 100] {
        let (folder, busy) = (TempDir::new().unwrap(), Arc::new(Busy::default()));
        write(&busy.store, 0..200).await;
        let mut options = options(folder.path());
        options.page = page;
        let following = Following::start(busy.clone(), options).await;
        let copied = following.replica.wait_for(|status| status.copies > 0);
        tokio::time::timeout(HANG, copied).await.unwrap();
        busy.rest();
        let last = busy.commit(put("last", "last")).await.unwrap();
        assert!(last > Revision::new(200 + 200 / page as u64), "{last}");
        following.reaches(last).await;
        assert_eq!(following.replica.status().copies, 1);
        assert_same(&busy.store, &following.replica).await;
    }
}

#[tokio::test]
async fn a_replica_without_a_copy_or_the_revision_says_so_in_bounded_time() {
    let folder = TempDir::new().unwrap();
    let switch = Switch::to(Arc::new(Memory::new()));
    switch.set(None);
    let mut options = options(folder.path());
    options.revision_wait = Duration::from_millis(20);
    let following = Following::start(switch, options).await;
    let replica = &following.replica;
    let error = error_of(replica, Read::Stale).await;
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let reached = Revision::ZERO;
    let scope = Scope::Global;
    let error = error_of(replica, Read::AtLeast(Revision::new(1))).await;
    assert_eq!(error, Error::Behind { scope, reached });
    let fra = Scope::Partition("fra".try_into().unwrap());
    let query = Query::new(fra, metal_storage::Name::from_static("other"));
    let error = replica.list(&query, Read::Stale).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn a_store_is_never_taken_for_a_replica() {
    let (folder, authority) = (TempDir::new().unwrap(), Arc::new(Memory::new()));
    let options = options(folder.path());
    let store = Redb::open(&options.path, RedbOptions::default()).unwrap();
    store.commit(put("precious", "precious")).await.unwrap();
    store.close().await;
    let error = open(authority, options.clone()).await.unwrap_err();
    assert!(
        error.to_string().contains("is a store and no replica"),
        "{error}"
    );
    let store = Redb::open(&options.path, RedbOptions::default()).unwrap();
    let kept = store.get(&key("precious"), Read::Latest).await.unwrap();
    assert!(kept.is_some());
}

#[tokio::test]
async fn a_damaged_replica_is_made_again() {
    let (folder, authority) = (TempDir::new().unwrap(), Arc::new(Memory::new()));
    let last = write(&*authority, 0..20).await;
    let options = options(folder.path());
    std::fs::write(&options.path, "no database").unwrap();
    let following = Following::start(authority.clone(), options).await;
    following.reaches(last).await;
    assert_same(&*authority, &following.replica).await;
}
