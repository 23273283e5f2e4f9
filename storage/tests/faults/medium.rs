use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use metal_storage::Medium;

const PAGE: usize = 4096;

/// A medium in memory that fails when told to, and can lose its power.
///
/// Like a page cache above a disk: a write is seen at once and is durable after a sync. A sync
/// that fails forgets what was to be synced, as Linux does: it stays readable, and the next sync
/// says that all is well.
#[derive(Clone, Debug, Default)]
pub struct Faulty(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cached: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeMap<usize, ()>,
    plan: Plan,
    operations: u64,
}

/// What is to fail.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// The number, counted from the plan's beginning, of the first write, resize or sync to fail.
    pub from: Option<u64>,
    /// How many fail from there on.
    pub count: u64,
    /// Whether reads fail too while writes do.
    pub reads: bool,
    /// How they fail.
    pub error: i32,
}

pub const ENOSPC: i32 = 28;
pub const EIO: i32 = 5;
pub const EROFS: i32 = 30;

// === impl Faulty ===

impl Faulty {
    pub fn plan(&self, plan: Plan) {
        let mut state = self.state();
        state.plan = plan;
        state.operations = 0;
    }

    /// Fails every write until [`heal`](Self::heal).
    pub fn fail(&self, error: i32) {
        self.plan(Plan {
            from: Some(0),
            count: u64::MAX,
            reads: false,
            error,
        });
    }

    pub fn heal(&self) {
        self.plan(Plan::default());
    }

    /// What is on the disk after the power went, where each page that was never synced may have
    /// been written or not, as the numbers say.
    pub fn after_power_loss(&self, mut coin: impl FnMut() -> bool) -> Self {
        let state = self.state();
        let mut disk = state.durable.clone();
        for page in state.dirty.keys() {
            if coin() {
                copy_page(&state.cached, &mut disk, *page);
            }
        }
        Self(Arc::new(Mutex::new(State {
            cached: disk.clone(),
            durable: disk,
            ..State::default()
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

// === impl State ===

impl State {
    fn fault(&self, at: u64) -> io::Result<()> {
        match self.plan.from {
            Some(from) if at >= from && at - from < self.plan.count => {
                Err(io::Error::from_raw_os_error(self.plan.error))
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self) -> io::Result<()> {
        self.operations += 1;
        self.fault(self.operations - 1)
    }
}

fn copy_page(from: &[u8], to: &mut Vec<u8>, page: usize) {
    let range = page * PAGE..((page + 1) * PAGE).min(from.len());
    if range.is_empty() {
        return;
    }
    if to.len() < range.end {
        to.resize(range.end, 0);
    }
    to[range.clone()].copy_from_slice(&from[range]);
}

impl Medium for Faulty {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().cached.len() as u64)
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        if state.plan.reads {
            state.fault(state.operations)?;
        }
        let at = offset as usize;
        let found = state.cached.get(at..at + buffer.len());
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.step();
        // A write that fails may have got half way.
        let done = if fault.is_ok() {
            data.len()
        } else {
            data.len() / 2
        };
        let at = offset as usize;
        if state.cached.len() < at + done {
            state.cached.resize(at + done, 0);
        }
        state.cached[at..at + done].copy_from_slice(&data[..done]);
        for page in at / PAGE..(at + done).div_ceil(PAGE) {
            state.dirty.insert(page, ());
        }
        fault
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.cached.resize(len as usize, 0);
        // Metadata is journalled.
        state.durable.resize(len as usize, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.step();
        let dirty = std::mem::take(&mut state.dirty);
        if fault.is_ok() {
            let State {
                cached, durable, ..
            } = &mut *state;
            for page in dirty.into_keys() {
                copy_page(cached, durable, page);
            }
        }
        fault
    }
}
