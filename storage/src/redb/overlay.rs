use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::fence::HEADER;
use super::medium::Medium;

const BLOCK: usize = HEADER;

/// Blocks that are kept in memory at most: 64 MiB.
const BLOCKS: usize = 16 * 1024;

/// A view of a medium that cannot be written: what opening a database writes stays in memory.
///
/// It begins with the header that was last made durable, so that a commit of which nobody knows
/// whether it happened is not shown.
#[derive(Debug)]
pub(super) struct Overlay {
    medium: Arc<dyn Medium>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    len: u64,
    blocks: HashMap<u64, Vec<u8>>,
}

// === impl Overlay ===

impl Overlay {
    pub(super) fn new(medium: Arc<dyn Medium>, header: Vec<u8>) -> io::Result<Self> {
        let len = medium.len()?;
        Ok(Self {
            medium,
            state: Mutex::new(State {
                len,
                blocks: HashMap::from([(0, header)]),
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the medium has there, and zeros behind its end.
    fn below(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let len = self.medium.len()?;
        let there = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (inside, behind) = out.split_at_mut(there.min(out.len()));
        behind.fill(0);
        if inside.is_empty() {
            return Ok(());
        }
        self.medium.read(offset, inside)
    }
}

/// The blocks that a range touches: number, offset in the block, and range in the buffer.
fn blocks(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = offset + done as u64;
        let within = (at % BLOCK as u64) as usize;
        let here = (BLOCK - within).min(len - done);
        let range = done..done + here;
        done += here;
        Some((at / BLOCK as u64, within, range))
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset + out.len() as u64 > self.state().len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.below(offset, out)?;
        let state = self.state();
        for (number, within, range) in blocks(offset, out.len()) {
            if let Some(block) = state.blocks.get(&number) {
                let len = range.len();
                out[range].copy_from_slice(&block[within..within + len]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.state().len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        for (number, within, range) in blocks(offset, data.len()) {
            let mut state = self.state();
            if !state.blocks.contains_key(&number) {
                if state.blocks.len() >= BLOCKS {
                    return Err(io::Error::other("too much to repair without writing"));
                }
                let mut block = vec![0; BLOCK];
                self.below(number * BLOCK as u64, &mut block)?;
                state.blocks.insert(number, block);
            }
            if let Some(block) = state.blocks.get_mut(&number) {
                block[within..within + range.len()].copy_from_slice(&data[range]);
            }
        }
        Ok(())
    }
}
