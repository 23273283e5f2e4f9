//! Can the node keep its state?

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{
    sys::statvfs::statvfs,
    unistd::{AccessFlags, access},
};

use super::{Subject, finding::Group};
use crate::{
    config::{ByteSize, StoreSettings},
    stores,
};

/// How long a server is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn check(subject: &Subject) -> Group {
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

    let stores = &subject.config.stores;
    look(&mut group, subject, &stores.local, Role::Local).await;
    if stores.global != stores.local {
        look(&mut group, subject, &stores.global, Role::Global).await;
    }
    group
}

/// What depends on a store.
#[derive(Clone, Copy)]
enum Role {
    /// The node.
    Local,
    /// A part of its answers.
    Global,
}

async fn look(group: &mut Group, subject: &Subject, settings: &StoreSettings, role: Role) {
    match settings.url.scheme() {
        "redb" => file(group, subject),
        "memory" => group.warning(
            format!("{}: in memory", role.key()),
            "everything in it is gone when the process ends",
            format!("set {} to \"redb\" or a server", role.key()),
        ),
        _ => server(group, subject, settings, role).await,
    }
}

fn file(group: &mut Group, subject: &Subject) {
    let store = subject.config.data_dir.store();
    let shown = store.display().to_string();
    let readable = AccessFlags::R_OK | AccessFlags::W_OK;
    if let Some(node) = &subject.node {
        let pid = node.pid;
        group.ok(format!("{shown} is in use by the running node, pid {pid}"));
    } else if !store.exists() {
        group.ok(format!("{shown} is made at the first start"));
    } else if access(&store, readable).is_err() {
        let fix = "run this as the node's user, or chown it to that";
        group.failed(shown, "cannot be read and written", fix);
    } else {
        match stores::look_at_file(&store) {
            Ok(()) => group.ok(format!("{shown} can be read and written")),
            Err(problem) => group.failed(shown, problem.cause, problem.fix),
        }
    }
}

async fn server(group: &mut Group, subject: &Subject, settings: &StoreSettings, role: Role) {
    let what = format!("{} is {}", role.key(), settings.url);
    let looked = stores::look(settings, &subject.config.data_dir);
    let problem = match tokio::time::timeout(PATIENCE, looked).await {
        Ok(Ok(())) => return group.ok(format!("{what}: reached, and of this version")),
        Ok(Err(problem)) => problem,
        Err(_) => stores::Problem {
            cause: format!("no answer within {} s", PATIENCE.as_secs()),
            fix: "see whether it runs, and whether a firewall is between",
        },
    };
    match role {
        Role::Local => group.failed(what, problem.cause, problem.fix),
        // The node serves without it, degraded.
        Role::Global => group.warning(what, problem.cause, problem.fix),
    }
}

// === impl Role ===

impl Role {
    fn key(self) -> &'static str {
        match self {
            Self::Local => "store.local",
            Self::Global => "store.global",
        }
    }
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
