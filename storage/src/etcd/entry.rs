//! The changes of one transaction as bytes: the first revision, then each change with its length.

use std::sync::Arc;

use crate::batch::Write;
use crate::change::Change;
use crate::codec;
use crate::error::{Error, Result};
use crate::op::OpId;
use crate::revision::Revision;
use crate::scope::Scope;

/// A change and the bytes that it takes.
#[derive(Clone, Debug)]
pub(super) struct Logged {
    pub(super) change: Arc<Change>,
    pub(super) bytes: usize,
}

pub(super) fn begin(first: Revision) -> Vec<u8> {
    first.get().to_le_bytes().to_vec()
}

/// Gives the bytes that it took.
pub(super) fn push(entry: &mut Vec<u8>, op: OpId, writes: &[Write]) -> usize {
    let bytes = codec::encode_change(op, writes);
    let len = u32::try_from(bytes.len()).expect("a batch in bounds has less than 4 GiB");
    entry.extend(len.to_le_bytes());
    entry.extend_from_slice(&bytes);
    bytes.len()
}

pub(super) fn decode(scope: &Scope, mut bytes: &[u8], out: &mut Vec<Logged>) -> Result<()> {
    let corrupt = || Error::Corrupt {
        what: format!("the changes of {scope}"),
        cause: "an entry is cut off".into(),
    };
    let (first, rest) = bytes.split_first_chunk().ok_or_else(corrupt)?;
    let mut revision = Revision::new(u64::from_le_bytes(*first));
    bytes = rest;
    while let Some((len, rest)) = bytes.split_first_chunk() {
        let len = u32::from_le_bytes(*len) as usize;
        let (change, rest) = rest.split_at_checked(len).ok_or_else(corrupt)?;
        out.push(Logged {
            change: Arc::new(codec::decode_change(scope, revision, change)?),
            bytes: len,
        });
        revision = revision.next();
        bytes = rest;
    }
    if bytes.is_empty() {
        Ok(())
    } else {
        Err(corrupt())
    }
}
