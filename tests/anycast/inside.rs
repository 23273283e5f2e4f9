//! Work of the test itself inside a namespace.

use std::fs::File;
use std::path::Path;
use std::thread::{self, JoinHandle};

use nix::sched::{CloneFlags, setns};

/// Runs `work` on a thread of its own that lives in the network namespace
/// `name`; so does every socket that it opens.
pub fn inside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let file = File::open(Path::new("/run/netns").join(name)).expect("the namespace is there");
    thread::spawn(move || {
        setns(&file, CloneFlags::CLONE_NEWNET).expect("root may enter it");
        work()
    })
}
