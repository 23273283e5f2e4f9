//! The clock of the writing process steps, by an hour and by a day.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use metal_storage::{Name, Query, Read, Revision, Scope, Store};
use tempfile::TempDir;

use crate::{open, put, writer};

/// What has to be acknowledged after each step before the next.
const ENOUGH: usize = 50;

#[tokio::test]
async fn commits_go_on_across_steps_of_the_clock_and_none_is_lost() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    let clock = folder.path().join("clock");
    step(&clock, 0);
    let mut child = writer::start_with(&path, 0, 8, &faketime(&clock));
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = output.lines().map_while(Result::ok);
    let mut acknowledged = Vec::new();
    for seconds in [0, 3_600, -3_600, 86_400, -86_400] {
        step(&clock, seconds);
        let before = acknowledged.len();
        while acknowledged.len() < before + ENOUGH {
            let line = lines.next().expect("it writes on");
            if let Some(Ok(number)) = line.strip_suffix('.').map(str::parse::<u64>) {
                acknowledged.push(number);
            }
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let store = open(&path).unwrap();
    let mut found = 0;
    let mut query = Query::new(Scope::Global, Name::from_static("left"));
    loop {
        let page = store.list(&query, Read::Latest).await.unwrap();
        let known = page.records.iter().map(|it| it.value.key.id().to_owned());
        let known: std::collections::HashSet<String> = known.collect();
        acknowledged.retain(|number| !known.contains(&format!("{number:08}")));
        found += known.len();
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert!(acknowledged.is_empty(), "lost: {acknowledged:?}");
    let next = store.commit(put("next")).await.unwrap();
    assert_eq!(next, Revision::new(found as u64 + 1), "gapless");
}

/// Sets the clock so many seconds off.
fn step(clock: &Path, seconds: i64) {
    // It may be read at any moment: never half.
    let new = clock.with_extension("new");
    std::fs::write(&new, format!("{seconds:+}")).unwrap();
    std::fs::rename(new, clock).unwrap();
}

/// The environment of a process whose time of day is off by what is in this file.
fn faketime(clock: &Path) -> Vec<(&'static str, PathBuf)> {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    let mut libraries =
        folders.map(|folder| folder.unwrap().path().join("faketime/libfaketime.so.1"));
    let library = libraries.find(|library| library.exists());
    let library = library.expect("no libfaketime: install Debian's package faketime");
    vec![
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_owned()),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ]
}
