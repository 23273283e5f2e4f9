//! Files that are not whole, not backups, or not for us.

use bytes::Bytes;
use metal_storage::backup::{self, Compression, Error, Part, Place, RestoreOptions, S3Options};
use metal_storage::{Column, Memory, Schema, Scope, Store};
use tempfile::TempDir;

use super::kit::*;

async fn filled() -> Memory {
    let store = Memory::new();
    for i in 0..300 {
        let id = format!("{i:04}");
        store
            .commit(put(thing(&Scope::Global, &id, 1)))
            .await
            .unwrap();
    }
    store
}

/// The restore fails, and nothing is there.
async fn refused(file: impl Into<Bytes>) -> Error {
    let to = Memory::new();
    let options = RestoreOptions::default();
    let error = restore_into(&to, file.into(), &options).await.unwrap_err();
    assert!(contents(&to).await.is_empty(), "{error}");
    error
}

async fn both_kinds() -> [Bytes; 2] {
    let store = filled().await;
    let mut options = options();
    let (compressed, _) = back_up(&store, &options).await.unwrap();
    options.compression = Compression::None;
    let (plain, _) = back_up(&store, &options).await.unwrap();
    [compressed, plain]
}

#[tokio::test]
async fn a_truncated_backup_is_refused_wherever_it_ends() {
    for file in both_kinds().await {
        for tenth in 1..10 {
            let cut = file.len() * tenth / 10;
            let error = refused(file.slice(..cut)).await;
            assert!(matches!(error, Error::Truncated { .. }), "{cut}: {error}");
        }
        let error = refused(file.slice(..file.len() - 1)).await;
        assert!(matches!(error, Error::Truncated { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_damaged_backup_is_refused_whichever_bit_is_flipped() {
    for file in both_kinds().await {
        let step = (file.len() / 150).max(1);
        for at in (0..file.len()).step_by(step) {
            let mut damaged = file.to_vec();
            damaged[at] ^= 1 << (at % 8);
            refused(damaged).await;
        }
    }
}

#[tokio::test]
async fn what_follows_the_end_is_refused() {
    for file in both_kinds().await {
        let twice = [&file[..], &file[..]].concat();
        assert!(matches!(refused(twice).await, Error::Damaged { .. }));
        let more = [&file[..], b"{}\n"].concat();
        assert!(matches!(refused(more).await, Error::Damaged { .. }));
    }
}

#[tokio::test]
async fn lines_left_out_or_moved_are_found_out() {
    let [_, plain] = both_kinds().await;
    let text = std::str::from_utf8(&plain).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let join = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let mut fewer = lines.clone();
    fewer.remove(5);
    assert!(matches!(refused(join(&fewer)).await, Error::Damaged { .. }));
    let mut moved = lines;
    moved.swap(5, 6);
    assert!(matches!(refused(join(&moved)).await, Error::Damaged { .. }));
}

#[tokio::test]
async fn what_is_no_backup_is_called_so() {
    for foreign in [
        &b""[..],
        b"hello\n",
        b"{\"header\":{\"format\":\"other\",\"version\":1}}\n",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\n\n",
        &zstd::bulk::compress(b"something else\n", 3).unwrap(),
        &[0; 70_000],
    ] {
        let error = refused(foreign.to_vec()).await;
        assert!(matches!(error, Error::Foreign), "{foreign:?}: {error}");
    }
}

#[tokio::test]
async fn a_newer_backup_is_refused_and_names_who_made_it() {
    let [_, plain] = both_kinds().await;
    let text = String::from_utf8(plain.to_vec()).unwrap();
    let newer = text
        .replacen("\"version\":1", "\"version\":2,\"colour\":\"red\"", 1)
        .replacen("test 1", "test 2", 1);
    let error = refused(newer).await;
    assert!(matches!(error, Error::Newer { found: 2, .. }), "{error}");
    assert!(error.to_string().contains("test 2"), "{error}");
}

#[tokio::test]
async fn tables_that_differ_are_refused_before_anything_is_written() {
    let (file, _) = back_up(&filled().await, &options()).await.unwrap();
    const OTHER_COLUMNS: [Schema; 2] = [
        Schema::new("thing", &[Column::text("name")]),
        Schema::new("other", &[]),
    ];
    const FEWER: [Schema; 1] = [Schema::new("other", &[])];
    for (schemas, text) in [
        (&OTHER_COLUMNS[..], "other columns"),
        (&FEWER[..], "no table thing"),
    ] {
        let to = Memory::new();
        let options = RestoreOptions::default();
        let error = backup::restore(&file, &parts(&to), schemas, &options, &|_| {}).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(text) && error.contains("test 1"), "{error}");
        assert!(contents(&to).await.is_empty());
    }
}

#[tokio::test]
async fn a_scope_that_is_not_kept_here_is_refused() {
    let (file, _) = back_up(&filled().await, &options()).await.unwrap();
    let to = Memory::new();
    let only_global = [Part {
        scope: Scope::Global,
        store: &to,
    }];
    let options = RestoreOptions::default();
    let error = backup::restore(&file, &only_global, &SCHEMAS, &options, &|_| {}).await;
    assert!(matches!(error, Err(Error::Scope(_))), "{error:?}");
    assert!(contents(&to).await.is_empty());
}

#[tokio::test]
async fn a_file_has_its_name_only_when_it_is_whole_and_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.backup");
    let place = Place::parse(path.to_str().unwrap(), &S3Options::default()).unwrap();
    let store = filled().await;

    let mut sink = place.create().await.unwrap();
    backup::backup(&parts(&store), &SCHEMAS, &options(), sink.writer(), &|_| {})
        .await
        .unwrap();
    assert!(!place.exists().await.unwrap());
    sink.abort().await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let mut sink = place.create().await.unwrap();
    backup::backup(&parts(&store), &SCHEMAS, &options(), sink.writer(), &|_| {})
        .await
        .unwrap();
    sink.finish().await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let to = Memory::new();
    restore_into(&to, place, &RestoreOptions::default())
        .await
        .unwrap();
    assert_eq!(contents(&to).await, contents(&store).await);
}

#[tokio::test]
async fn a_place_where_nothing_can_be_is_named() {
    let folder = TempDir::new().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("missing/file")] {
        let place = Place::parse(path.to_str().unwrap(), &S3Options::default()).unwrap();
        let error = place.create().await.err().unwrap().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
    for url in ["gs://bucket/key", "https://user:secret@host/x?y=secret"] {
        let error = Place::parse(url, &S3Options::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("s3://") && !error.contains("secret"),
            "{error}"
        );
    }
}
