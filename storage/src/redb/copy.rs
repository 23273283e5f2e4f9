//! The whole store into a new file: smaller, or of a newer format.

use std::path::Path;
use std::sync::Arc;

use redb::{
    Database, Durability, Key, ReadableDatabase, ReadableTable, StorageError, Table,
    TableDefinition, Value,
};

use super::fault::Fault;
use super::file;
use super::layout::{CHANGES, FORMAT, INDEX, META, OPS, RECORDS, SCOPES};
use super::medium::Medium;
use super::seal::sealed;

/// Entries that are copied in one transaction.
const CHUNK: usize = 4096;

/// Copies a database of some format to a new file of the newest, which then takes the name of the
/// old one. If that fails at any point, the old file is what it was.
pub(super) fn to_new_file(
    path: &Path,
    from: &Database,
    format: u32,
    cache: usize,
) -> Result<Arc<dyn Medium>, Fault> {
    file::replace(path, |medium| {
        file::initialize(Arc::clone(medium), cache)?;
        let (to, fence) = file::database(medium, None, cache)?;
        let copied = contents(from, format, &to);
        let copied = copied.and_then(|()| Ok(to.close()?));
        copied.map_err(|fault| file::explain(fault, &fence))
    })
}

fn contents(from: &Database, format: u32, to: &Database) -> Result<(), Fault> {
    // Format 1 had no checksums.
    let seal = |key: &[u8], value: &[u8]| match format {
        FORMAT => value.to_vec(),
        _ => sealed(key, value),
    };
    for table in [RECORDS, CHANGES] {
        each(from, to, table, |to, key, value| {
            to.insert(key, seal(key, value).as_slice()).map(drop)
        })?;
    }
    each(from, to, INDEX, |to, key, value| {
        to.insert(key, value).map(drop)
    })?;
    each(from, to, OPS, |to, key, value| {
        to.insert(key, value).map(drop)
    })?;
    each(from, to, SCOPES, |to, key, value| {
        to.insert(key, value).map(drop)
    })?;
    let mut txn = to.begin_write()?;
    txn.set_durability(Durability::Immediate)?;
    txn.set_quick_repair(true);
    txn.open_table(META)?
        .insert("format", FORMAT.to_le_bytes().as_slice())?;
    Ok(txn.commit()?)
}

/// Gives each entry of a table to `insert`, some in one transaction.
fn each<K: Key + 'static, V: Value + 'static>(
    from: &Database,
    to: &Database,
    table: TableDefinition<'static, K, V>,
    insert: impl for<'a> Fn(
        &mut Table<'_, K, V>,
        K::SelfType<'a>,
        V::SelfType<'a>,
    ) -> Result<(), StorageError>,
) -> Result<(), Fault> {
    let from = from.begin_read()?.open_table(table)?;
    let mut entries = from.iter()?.peekable();
    while entries.peek().is_some() {
        let mut txn = to.begin_write()?;
        txn.set_durability(Durability::None)?;
        {
            let mut to = txn.open_table(table)?;
            for entry in entries.by_ref().take(CHUNK) {
                let (key, value) = entry?;
                insert(&mut to, key.value(), value.value())?;
            }
        }
        txn.commit()?;
    }
    Ok(())
}
