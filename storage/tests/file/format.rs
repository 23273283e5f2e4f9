//! Files of each format that there ever was, as the version that had it wrote them.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use metal_storage::{
    Batch, Error, Field, Key, Name, OpId, Query, Read, Record, Redb, RedbOptions, Revision, Scope,
    Store, Value, Write,
};
use tempfile::TempDir;

const PAGE: usize = 4096;

/// To add the fixture of a new format, run this test with the name of the file to write.
const WRITE: &str = "METAL_STORAGE_WRITE_FIXTURE";

const FORMATS: [(u32, &[u8]); 1] = [(1, include_bytes!("fixtures/format-1.pages"))];

fn scopes() -> [Scope; 2] {
    [Scope::Global, "partition/fra".parse().unwrap()]
}

fn op(number: u128) -> OpId {
    uuid::Uuid::from_u128(number).into()
}

fn record(scope: &Scope, id: u128) -> Record {
    let table = Name::from_static("thing");
    let field = |name, value, unique| Field {
        name: Name::from_static(name),
        value,
        unique,
    };
    Record {
        key: Key::new(scope.clone(), table, &format!("{id:03}")).unwrap(),
        fields: vec![
            field("name", Value::Text(format!("name {id}")), true),
            field("group", Value::Int((id % 3) as i64), false),
            field("even", Value::Bool(id.is_multiple_of(2)), false),
            field("none", Value::Null, true),
        ],
        doc: format!("{{\"id\":{id},\"text\":\"ü\"}}").into(),
    }
}

/// Forty puts, the last of which are deleted again, of which thirty are remembered.
const PUTS: u128 = 40;
const DELETED: u128 = 10;
const REMEMBERED: u64 = 30;

fn options() -> RedbOptions {
    RedbOptions {
        history_revisions: REMEMBERED,
        ..RedbOptions::default()
    }
}

async fn write(path: &Path) {
    let store = Redb::open(path, options()).unwrap();
    for scope in scopes() {
        for id in 0..PUTS {
            let mut batch = Batch::with_op(scope.clone(), op(id));
            batch.writes.push(Write::Put(record(&scope, id)));
            store.commit(batch).await.unwrap();
        }
        for id in 0..DELETED {
            let mut batch = Batch::with_op(scope.clone(), op(PUTS + id));
            let key = record(&scope, PUTS - DELETED + id).key;
            batch.writes.push(Write::Delete(key));
            store.commit(batch).await.unwrap();
        }
    }
    store.close().await;
}

/// The pages of a file that are not all zeros, each behind its number.
fn pack(file: &[u8]) -> Vec<u8> {
    let mut packed = (file.len() as u64).to_le_bytes().to_vec();
    for (number, page) in file.chunks(PAGE).enumerate() {
        if page.iter().any(|byte| *byte != 0) {
            packed.extend((number as u32).to_le_bytes());
            packed.extend(page);
        }
    }
    packed
}

fn unpack(mut packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut len = [0; 8];
    packed.read_exact(&mut len)?;
    let mut file = vec![0; u64::from_le_bytes(len) as usize];
    let mut number = [0; 4];
    while packed.read_exact(&mut number).is_ok() {
        let at = u32::from_le_bytes(number) as usize * PAGE;
        let end = (at + PAGE).min(file.len());
        packed.read_exact(&mut file[at..end])?;
    }
    Ok(file)
}

async fn check(store: Arc<dyn Store>) {
    let last = Revision::new((PUTS + DELETED) as u64);
    for scope in scopes() {
        let mut query = Query::new(scope.clone(), Name::from_static("thing"));
        let page = store.list(&query, Read::Latest).await.unwrap();
        assert_eq!(page.revision, last);
        assert_eq!(page.unreadable, []);
        assert_eq!(page.records.len() as u128, PUTS - DELETED);
        for (id, found) in page.records.iter().enumerate() {
            assert_eq!(found.value, record(&scope, id as u128));
            assert_eq!(found.version.get(), id as u64 + 1);
        }
        query.equal = vec![(Name::from_static("group"), 1.into())];
        let page = store.list(&query, Read::Latest).await.unwrap();
        assert_eq!(page.records.len(), 10);

        let oldest = Revision::new(last.get() - REMEMBERED);
        let mut stream = store.watch(scope.clone(), Revision::ZERO);
        let forgotten = stream.next().await.unwrap().unwrap_err();
        assert_eq!(forgotten, Error::Compacted(oldest));
        let mut stream = store.watch(scope.clone(), oldest);
        for revision in oldest.get()..last.get() {
            let change = stream.next().await.unwrap().unwrap();
            assert_eq!(change.revision.get(), revision + 1);
            assert_eq!(change.op, op(u128::from(revision)));
        }

        let mut taker = record(&scope, 100);
        taker.fields[0].value = "name 7".into();
        let mut batch = Batch::new(scope.clone());
        batch.writes.push(Write::Put(taker));
        let error = store.commit(batch).await.unwrap_err();
        assert!(matches!(error, Error::Taken(_)), "{error:?}");
        let mut again = Batch::with_op(scope.clone(), op(PUTS + DELETED - 1));
        again.writes.push(Write::Put(record(&scope, 100)));
        assert_eq!(store.commit(again).await.unwrap(), last);
        let mut next = Batch::new(scope.clone());
        next.writes.push(Write::Put(record(&scope, PUTS)));
        assert_eq!(store.commit(next).await.unwrap(), last.next());
    }
}

#[tokio::test]
async fn a_file_of_every_format_opens_with_all_that_was_in_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    if let Some(to) = std::env::var_os(WRITE) {
        write(&path).await;
        std::fs::write(to, pack(&std::fs::read(&path).unwrap())).unwrap();
    }
    for (format, packed) in FORMATS {
        println!("format {format}");
        std::fs::write(&path, unpack(packed).unwrap()).unwrap();
        let store = Arc::new(Redb::open(&path, options()).unwrap());
        check(store.clone()).await;
        store.close().await;
    }
}
