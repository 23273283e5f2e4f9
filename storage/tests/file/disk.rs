//! A disk that is full, for real: small file systems mounted for the test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use metal_storage::{
    Batch, Error, Name, Query, Read, Record, Redb, RedbOptions, Result, Revision, Scope, Store,
    Write,
};
use tempfile::TempDir;

use crate::{format, key};

/// A small file system, unmounted when dropped.
struct Disk {
    folder: TempDir,
    mounted: PathBuf,
}

// === impl Disk ===

impl Disk {
    /// In memory. Needs the right to mount.
    fn tmpfs(bytes: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let mounted = folder.path().join("disk");
        std::fs::create_dir(&mounted).unwrap();
        let disk = Self { folder, mounted };
        let size = format!("size={bytes}");
        let done = disk.mount(&["-t", "tmpfs", "-o", &size, "tmpfs"]);
        assert!(done, "mounting a small tmpfs takes root (CAP_SYS_ADMIN)");
        disk
    }

    /// A journalled one in a file; `None` where there are no loop devices, as in many containers.
    fn ext4(bytes: u64) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let image = folder.path().join("image");
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(bytes).unwrap();
        let made = Command::new("mkfs.ext4").arg("-q").arg(&image).status();
        assert!(
            made.is_ok_and(|made| made.success()),
            "mkfs.ext4 is in Debian's e2fsprogs"
        );
        let mounted = folder.path().join("disk");
        std::fs::create_dir(&mounted).unwrap();
        let disk = Self { folder, mounted };
        disk.mount(&["-o", "loop", image.to_str().unwrap()])
            .then_some(disk)
    }

    fn mount(&self, what: &[&str]) -> bool {
        let mut mount = Command::new("mount");
        mount.args(what).arg(&self.mounted);
        mount.output().unwrap().status.success()
    }

    fn store(&self) -> PathBuf {
        self.mounted.join("store.redb")
    }

    fn ballast(&self) -> PathBuf {
        self.mounted.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, so that a test that failed with an open file leaves nothing behind.
        let _ = Command::new("umount").arg("-l").arg(&self.mounted).output();
        assert!(self.folder.path().exists());
    }
}

fn put(number: usize) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(Record {
        key: key("thing", &format!("{number:05}")),
        fields: Vec::new(),
        doc: format!("\"{}\"", "x".repeat(200_000)).into(),
    }));
    batch
}

async fn commit_when_well(store: &Redb, batch: &Batch) -> Result<Revision> {
    let begun = Instant::now();
    loop {
        match store.commit(batch.clone()).await {
            Err(Error::Unavailable { .. } | Error::Unknown(_))
                if begun.elapsed() < Duration::from_secs(20) =>
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            answer => return answer,
        }
    }
}

async fn count(store: &Redb) -> usize {
    let mut query = Query::new(Scope::Global, Name::from_static("thing"));
    let mut count = 0;
    loop {
        let page = store.list(&query, Read::Latest).await.unwrap();
        count += page.records.len();
        match page.next {
            Some(next) => query.after = Some(next),
            None => return count,
        }
    }
}

async fn fills_up_and_comes_back(disk: &Disk) {
    std::fs::write(disk.ballast(), vec![1; 8 << 20]).unwrap();
    let open = || Redb::open(disk.store(), RedbOptions::default()).unwrap();
    let store = open();
    let mut done = 0;
    let full = loop {
        match store.commit(put(done)).await {
            Ok(revision) => assert_eq!(revision.get(), done as u64 + 1),
            Err(error) => break error,
        }
        done += 1;
        assert!(done < 10_000, "it must fill up");
    };
    let text = full.to_string();
    assert!(
        matches!(full, Error::Unknown(_)) || text.contains("No space left on device"),
        "{text}"
    );
    // Everything that was acknowledged can be read, and nothing else was done.
    assert_eq!(count(&store).await, done);
    let refused = store.commit(put(done)).await.unwrap_err().to_string();
    assert!(refused.contains("No space left on device"), "{refused}");
    assert_eq!(count(&store).await, done);

    std::fs::remove_file(disk.ballast()).unwrap();
    let revision = commit_when_well(&store, &put(done)).await.unwrap();
    assert_eq!(revision.get(), done as u64 + 1, "it came back by itself");
    store.close().await;
    assert_eq!(count(&open()).await, done + 1);
}

#[tokio::test]
async fn a_full_tmpfs_refuses_commits_keeps_what_it_has_and_comes_back() {
    fills_up_and_comes_back(&Disk::tmpfs(40 << 20)).await;
}

#[tokio::test]
async fn a_full_ext4_refuses_commits_keeps_what_it_has_and_comes_back() {
    match Disk::ext4(48 << 20) {
        Some(disk) => fills_up_and_comes_back(&disk).await,
        None => eprintln!("no loop device here: a full ext4 was not tried"),
    }
}

#[tokio::test]
async fn a_store_that_finds_no_room_to_begin_or_to_migrate_says_so() {
    let disk = Disk::tmpfs(16 << 10);
    let error = Redb::open(disk.store(), RedbOptions::default()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("No space left on device"), "{text}");
    assert!(text.contains("store.redb"), "{text}");
    assert!(!disk.store().exists(), "no half a file");

    let old = format::oldest();
    let disk = Disk::tmpfs((old.len() + (16 << 10)) as u64);
    std::fs::write(disk.store(), &old).unwrap();
    let error = Redb::open(disk.store(), RedbOptions::default()).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
    assert_eq!(names(disk.store().parent().unwrap()), ["store.redb"]);
    assert!(disk.mount(&["-o", "remount,size=64m"]));
    format::check_oldest(&disk.store()).await;
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
