//! Can the node keep its state?

use std::path::{Path, PathBuf};

use nix::{
    sys::statvfs::statvfs,
    unistd::{AccessFlags, access},
};

use super::{Subject, finding::Group};
use crate::config::ByteSize;

pub(super) fn check(subject: &Subject) -> Group {
    let mut group = Group::new("store");
    let directory = &subject.config.data_dir;
    let path = directory.path();
    let existing = nearest_existing(path);
    let what = match existing == path {
        true => format!("{} can be written", path.display()),
        false => format!("{} can be made", path.display()),
    };
    let writable = AccessFlags::W_OK | AccessFlags::X_OK;
    match access(existing.as_path(), writable) {
        Ok(()) if existing.is_dir() => group.ok(what),
        Ok(()) => {
            let cause = format!("{} is not a directory", existing.display());
            group.failed(path.display().to_string(), cause, "choose another data-dir");
        }
        Err(error) => {
            let cause = format!("{} cannot be written: {}", existing.display(), error.desc());
            let fix = "run this as the node's user, chown it to that, or choose another data-dir";
            group.failed(path.display().to_string(), cause, fix);
        }
    }
    free_space(&mut group, subject, &existing);

    let store = directory.store();
    if let Some(node) = &subject.node {
        group.ok(format!(
            "{} is in use by the running node, pid {}",
            store.display(),
            node.pid
        ));
    } else if !store.exists() {
        group.ok(format!("{} is made at the first start", store.display()));
    } else if access(&store, AccessFlags::R_OK | AccessFlags::W_OK).is_ok() {
        group.ok(format!("{} can be read and written", store.display()));
    } else {
        let fix = "run this as the node's user, or chown it to that";
        group.failed(
            store.display().to_string(),
            "cannot be read and written",
            fix,
        );
    }
    group
}

fn free_space(group: &mut Group, subject: &Subject, existing: &Path) {
    let least = subject.config.health.min_free;
    match statvfs(existing) {
        Err(error) => {
            let what = format!("free space at {}", existing.display());
            group.failed(what, error.desc(), "choose another data-dir");
        }
        Ok(found) => {
            let free = found
                .blocks_available()
                .saturating_mul(found.fragment_size());
            // Whole units read well.
            let unit = if free >> 34 > 0 { 30 } else { 20 };
            let shown = ByteSize::new(free >> unit << unit);
            let what = format!("{shown} free at {}", existing.display());
            if free < least.bytes() {
                let cause = format!("less than health.min-free ({least}) takes the node down");
                group.failed(what, cause, "make room, or lower health.min-free");
            } else {
                group.ok(what);
            }
        }
    }
}

/// The path itself, or the nearest directory above it that is there.
fn nearest_existing(path: &Path) -> PathBuf {
    let found = path.ancestors().find(|path| path.exists());
    found.unwrap_or(Path::new("/")).to_owned()
}
