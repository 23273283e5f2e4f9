//! Disks that are full, for real: small file systems in memory, mounted for the test.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use metal_storage::{Error, Read, Store};
use tempfile::TempDir;

use super::cluster::{Cluster, Disk, Member, Place};
use super::traffic::{HANG, Traffic, key, put};
use super::{alone, while_commits_go_on};

/// Room for the log that a member sets apart at once, 128 MB, and for some data.
const SIZE: &str = "size=192m";

/// A shell stands between: when this process ends, however that happens, it takes the disk away.
struct SmallDisk {
    folder: TempDir,
    shell: Child,
}

// === impl SmallDisk ===

impl SmallDisk {
    /// `None`, and a line that says so, where this user may not mount one.
    fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let script =
            "mount -t tmpfs -o $2 none \"$1\" && echo mounted; read -r _; umount -l \"$1\"";
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(folder.path())
            .arg(SIZE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let output = shell.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut said).unwrap();
        let disk = Self { folder, shell };
        if said.trim() == "mounted" {
            return Some(disk);
        }
        let why = "skipped: a full disk needs root, who may mount one";
        writeln!(io::stderr(), "{why}").ok();
        None
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }

    fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        while filler.write_all(&[1; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().ok();
    }
}

/// etcd ends itself when it cannot write.
async fn ends(member: &Member) {
    let begun = Instant::now();
    while !member.has_ended() {
        assert!(begun.elapsed() < HANG, "it goes on without a disk");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_go_on_with_one_full_disk_and_after_two_once_there_is_room() {
    let _alone = alone().await;
    let disks: Option<Vec<_>> = (0..3).map(|_| SmallDisk::mount()).collect();
    let Some(disks) = disks else {
        return;
    };
    let place = |disk: &SmallDisk| Place {
        disk: Some(disk.folder.path().to_owned()),
        ..Place::local()
    };
    let mut cluster = Cluster::start_at(Disk::Durable, disks.iter().map(place).collect(), &[]);
    let traffic = Traffic::start(&cluster.options()).await;
    let leader = cluster.leader();
    disks[leader].fill();
    ends(&cluster.members[leader]).await;
    let pause = traffic.goes_on().await;
    println!("commits go on {pause:?} after the leader's disk was full");
    while_commits_go_on().await;

    let next = cluster.leader();
    disks[next].fill();
    ends(&cluster.members[next]).await;
    let bound = traffic.nodes[0].options().commit_wait + Duration::from_secs(10);
    let begun = Instant::now();
    let error = traffic.nodes[0].commit(put("late")).await.unwrap_err();
    let known = matches!(error, Error::Unavailable { .. } | Error::Unknown(_));
    assert!(known && begun.elapsed() < bound, "{error:?}");
    for node in &traffic.nodes {
        let found = node.get(&key("shared"), Read::Stale).await.unwrap();
        assert!(found.is_some());
    }

    for member in [leader, next] {
        disks[member].free();
        cluster.members[member].kill();
        cluster.members[member].start();
    }
    let pause = traffic.goes_on().await;
    println!("commits go on {pause:?} after there is room again on both");
    while_commits_go_on().await;
    traffic.check("disks full, one and then two").await;
}
