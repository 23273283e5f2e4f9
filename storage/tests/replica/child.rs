//! A process that writes and follows until it is killed: this test program itself, told so by its
//! environment.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use metal_storage::{Redb, RedbOptions, ReplicaOptions, Revision, Store};

use crate::kit::{Following, put};

const FOLDER: &str = "METAL_STORAGE_REPLICA_FOLDER";

/// Quick to lose something.
pub fn options(folder: &Path) -> ReplicaOptions {
    let mut options = crate::kit::options(folder);
    options.flush_within = Duration::from_millis(20);
    options
}

pub fn authority(folder: &Path) -> Arc<Redb> {
    Arc::new(Redb::open(folder.join("authority.redb"), RedbOptions::default()).unwrap())
}

/// Starts a process that prints the revisions that its replica has.
pub fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child::follows_until_it_is_killed",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Does nothing in the process that runs the tests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn follows_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let authority = authority(Path::new(&folder));
    let following = Following::start(authority.clone(), options(Path::new(&folder))).await;
    let seen = Arc::clone(&following.replica);
    tokio::spawn(async move {
        let mut last = Revision::ZERO;
        loop {
            seen.wait_for(|status| status.revision > Some(last)).await;
            last = seen.status().revision.unwrap_or(last);
            // One write(2) a line, so that only the last can be cut off.
            let line = format!("\n{last}.\n");
            // Whoever reads may have seen enough.
            let _ = std::io::stdout().lock().write_all(line.as_bytes());
        }
    });
    for i in 0_u64.. {
        let id = (i % 50).to_string();
        authority.commit(put(&id, id.as_str())).await.unwrap();
    }
}
