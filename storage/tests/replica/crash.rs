//! The process that follows is killed.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use metal_storage::{Revision, Store};
use tempfile::TempDir;

use crate::child;
use crate::kit::{Following, assert_same, open, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_survives_kill_9_and_follows_from_what_it_has() {
    const KILLS: u64 = 12;
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let mut copies = 0;
    for kill in 0..KILLS {
        let mut process = child::start(folder);
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            let revisions = lines.map_while(Result::ok);
            let mut revisions = revisions.filter_map(|line| line.strip_suffix('.')?.parse().ok());
            // The first die while they copy the scope, or soon after.
            let enough = if kill < 4 { 1 } else { 20 };
            let mut last: Option<u64> = None;
            for revision in revisions.by_ref().take(enough) {
                last = Some(revision);
            }
            last.unwrap()
        });
        let shown = tokio::task::spawn_blocking(move || reader.join().unwrap());
        let shown = shown.await.unwrap();
        tokio::time::sleep(Duration::from_micros(kill * 3_337)).await;
        process.kill().unwrap();
        process.wait().unwrap();

        let authority = child::authority(folder);
        let left = open(authority.clone(), child::options(folder))
            .await
            .unwrap();
        let held = left.status().revision;
        left.close().await;
        let following = Following::start(authority.clone(), child::options(folder)).await;
        let last = authority.commit(put("after", "after")).await.unwrap();
        assert!(
            held <= Some(last) && Revision::new(shown) <= last,
            "{held:?} {shown} {last}"
        );
        following.reaches(last).await;
        copies += following.replica.status().copies;
        assert_same(&*authority, &following.replica).await;
        following.stop().await;
        authority.close().await;
    }
    assert!(
        copies < KILLS,
        "it hardly ever went on from what it had: {copies}"
    );
}
