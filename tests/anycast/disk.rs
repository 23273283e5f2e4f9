//! A disk that fills up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::edge_node::EdgeNode;
use super::lab::{self, Lab, LeafConfig, eventually, run};
use super::{LEAF_ASN, PATIENCE, alone, measured};

/// A small file system in memory, unmounted when dropped.
struct Tmpfs(PathBuf);

// === impl Tmpfs ===

impl Tmpfs {
    fn mount(at: &Path) -> Self {
        fs::create_dir_all(at).expect("a directory");
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"])
            .arg(at));
        Self(at.to_owned())
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: a process of a failed test may still hold it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_withdraws_and_says_so_and_room_announces_again() {
    let _alone = alone();
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let monitor = lab.leaves[0].monitor();
    let mut node = EdgeNode::prepare(&lab, &[]);
    let disk = Tmpfs::mount(&node.data_dir);
    let began = lab::now();
    node.start(&lab);
    measured::back(&monitor, "start", began);

    let ballast = node.data_dir.join("ballast");
    let at = lab::now();
    // Ends with an error when the disk is full, which is what is wanted.
    let filled = fs::write(&ballast, vec![0_u8; 80 << 20]);
    assert!(filled.is_err(), "the disk is larger than it should be");
    let gone = measured::gone(&monitor, "disk full", at);
    let status = node.status(&lab).expect("it still answers");
    let why = status["verdict"]["why"].as_str().unwrap_or_default();
    assert!(why.contains("disk full"), "{why}");
    assert!(node.log().contains("disk full"), "the log says why");

    fs::remove_file(&ballast).expect("removed");
    measured::back(&monitor, "room again", gone);
    eventually("it is healthy", PATIENCE, || {
        let status = node.status(&lab)?;
        (status["verdict"]["state"] == "healthy").then_some(())
    });
    drop(node);
    drop(disk);
}
