//! Making and opening the file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

use redb::{Builder, Database, Durability, ReadableDatabase, TableError};

use super::fault::Fault;
use super::fence::{Backend, Fence};
use super::layout::{CHANGES, FORMAT, INDEX, META, OPS, RECORDS, SCOPES};
use super::medium::{FileMedium, Medium};
use super::overlay::Overlay;
use crate::error::{Error, Result};

/// The file, locked; made first if it is not there.
pub(super) fn open(path: &Path, cache: usize) -> Result<Arc<dyn Medium>> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => {
            if let Some(made) = make(path, cache)? {
                return Ok(made);
            }
        }
        Err(error) => return Err(unavailable(path, "find", &error)),
    }
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| unavailable(path, "open", &error))?;
    match FileMedium::lock(file) {
        Ok(Some(medium)) => Ok(Arc::new(medium)),
        Ok(None) => Err(in_use(path)),
        Err(error) => Err(unavailable(path, "lock", &error)),
    }
}

/// Makes an empty store, unless another process was quicker.
fn make(path: &Path, cache: usize) -> Result<Option<Arc<dyn Medium>>> {
    let mut quicker = false;
    let made = replace(path, |medium| {
        match path.try_exists() {
            Ok(false) => {}
            Ok(true) => {
                quicker = true;
                return Err(corrupt("there is one already"));
            }
            Err(error) => return Err(unavailable(path, "find", &error).into()),
        }
        initialize(Arc::clone(medium), cache)
    });
    match made {
        Ok(made) => Ok(Some(made)),
        Err(_) if quicker => Ok(None),
        Err(Fault::Medium(cause)) => Err(unavailable(path, "make", &cause)),
        Err(fault) => Err(fault.into_error()),
    }
}

/// Fills a file beside `path` and then gives it that name, so that there never is half a file of
/// the name. The new file is locked all the while.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&Arc<dyn Medium>) -> Result<(), Fault>,
) -> Result<Arc<dyn Medium>, Fault> {
    let failed = |error: io::Error| Fault::Refused(unavailable(path, "make", &error));
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .map_err(failed)?;
    let Some(file) = FileMedium::lock(file).map_err(failed)? else {
        return Err(in_use(path).into());
    };
    let file = Arc::new(file);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    // What an interrupted attempt may have left.
    file.set_len(0).map_err(failed)?;
    let medium: Arc<dyn Medium> = Arc::clone(&file) as Arc<dyn Medium>;
    let named = fill(&medium).and_then(|()| fs::rename(&name, path).map_err(failed));
    if let Err(fault) = named {
        // It takes room, perhaps the last there is; the next attempt would empty it.
        let _ = fs::remove_file(&name);
        return Err(fault);
    }
    file.renamed_in(folder);
    // If the name is not durable now, it will be before anything else is.
    let _ = file.sync();
    Ok(medium)
}

fn unavailable(path: &Path, what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Unavailable {
        reason: format!("cannot {what} {}: {error}", path.display()),
    }
}

fn in_use(path: &Path) -> Error {
    Error::Unavailable {
        reason: format!("{} is in use by another process", path.display()),
    }
}

/// Writes an empty store to an empty medium.
pub(super) fn initialize(medium: Arc<dyn Medium>, cache: usize) -> Result<(), Fault> {
    let fence = fence(&medium, None)?;
    let result = (|| {
        let database = build(cache).create_with_backend(Backend(Arc::clone(&fence)))?;
        let mut txn = database.begin_write()?;
        txn.set_durability(Durability::Immediate)?;
        txn.set_quick_repair(true);
        {
            let mut meta = txn.open_table(META)?;
            meta.insert("format", FORMAT.to_le_bytes().as_slice())?;
            txn.open_table(SCOPES)?;
            txn.open_table(RECORDS)?;
            txn.open_table(INDEX)?;
            txn.open_table(CHANGES)?;
            txn.open_table(OPS)?;
        }
        txn.commit()?;
        database.close()?;
        Ok(())
    })();
    result.map_err(|fault| explain(fault, &fence))
}

/// Opens the database on a medium; never makes one.
///
/// `durable` is the header known to be durable, if it may differ from what is there.
pub(super) fn database(
    medium: &Arc<dyn Medium>,
    durable: Option<Vec<u8>>,
    cache: usize,
) -> Result<(Database, Arc<Fence>), Fault> {
    refuse_empty(medium)?;
    let fence = fence(medium, durable)?;
    let open = build(cache).create_with_backend(Backend(Arc::clone(&fence)));
    let database = open.map_err(|error| explain(error.into(), &fence))?;
    check_format(&database)?;
    Ok((database, fence))
}

/// Opens a database of an older format, to copy it.
pub(super) fn old_database(medium: &Arc<dyn Medium>, cache: usize) -> Result<Database, Fault> {
    let fence = fence(medium, None)?;
    let open = build(cache).create_with_backend(Backend(Arc::clone(&fence)));
    open.map_err(|error| explain(error.into(), &fence))
}

/// Opens the database as of this header without writing to the medium.
pub(super) fn read_only(
    medium: &Arc<dyn Medium>,
    header: Vec<u8>,
    cache: usize,
) -> Result<Database, Fault> {
    refuse_empty(medium)?;
    let overlay = Overlay::new(Arc::clone(medium), header).map_err(io_fault)?;
    let database = build(cache).create_with_backend(overlay)?;
    check_format(&database)?;
    Ok(database)
}

/// The fault with what the medium said, which redb forgets.
pub(super) fn explain(fault: Fault, fence: &Fence) -> Fault {
    match (fault, fence.cause()) {
        (Fault::Medium(_), Some(cause)) => Fault::Medium(cause),
        (fault, _) => fault,
    }
}

fn build(cache: usize) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(cache);
    builder
}

fn fence(medium: &Arc<dyn Medium>, durable: Option<Vec<u8>>) -> Result<Arc<Fence>, Fault> {
    let fence = Fence::new(Arc::clone(medium), durable).map_err(io_fault)?;
    Ok(Arc::new(fence))
}

/// An empty file that has our name was not left so by us.
fn refuse_empty(medium: &Arc<dyn Medium>) -> Result<(), Fault> {
    if medium.is_empty().map_err(io_fault)? {
        return Err(corrupt(
            "it is empty; restore it, or remove it to begin with nothing",
        ));
    }
    Ok(())
}

pub(super) fn check_format(database: &impl ReadableDatabase) -> Result<(), Fault> {
    let txn = database.begin_read()?;
    let meta = match txn.open_table(META) {
        Err(TableError::TableDoesNotExist(_)) => {
            return Err(corrupt("it is a redb file of something else"));
        }
        meta => meta?,
    };
    let format = meta.get("format")?;
    let format = format.and_then(|bytes| bytes.value().try_into().ok());
    match format.map(u32::from_le_bytes) {
        Some(FORMAT) => Ok(()),
        Some(newer) if newer > FORMAT => Err(Error::Invalid(format!(
            "the store's file has format {newer}, and this version reads up to {FORMAT}: \
             use the version that wrote it, or a newer one"
        ))
        .into()),
        Some(older @ 1..) => Err(Fault::Old(older)),
        _ => Err(corrupt("it does not say its format")),
    }
}

fn corrupt(cause: &str) -> Fault {
    Fault::Refused(Error::Corrupt {
        what: "the store's file".into(),
        cause: cause.into(),
    })
}

fn io_fault(error: io::Error) -> Fault {
    Fault::Medium(error.to_string())
}
