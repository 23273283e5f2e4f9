//! What is kept in the file: before each value the CRC-32 of its key and itself, so that damage,
//! and what stands in a wrong place, is found when it is read.

use crate::batch::Write;
use crate::change::Change;
use crate::codec;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::op::OpId;
use crate::record::{Record, Stored};
use crate::revision::{Revision, Version};
use crate::scope::Scope;

/// Bytes of a checksum.
const SUM: usize = 4;

/// The checksum of a key and its value, and the value.
pub(super) fn sealed(at: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(SUM + value.len());
    out.extend(checksum(at, value).to_le_bytes());
    out.extend_from_slice(value);
    out
}

/// A record to be kept there.
pub(super) fn record(at: &[u8], record: &Record, version: Version) -> Vec<u8> {
    sealed(at, &codec::encode_record(record, version))
}

/// A change to be kept there.
pub(super) fn change(at: &[u8], op: OpId, writes: &[Write]) -> Vec<u8> {
    sealed(at, &codec::encode_change(op, writes))
}

/// The record of this key, found there.
pub(super) fn open_record(key: Key, at: &[u8], bytes: &[u8]) -> Result<Stored<Record>> {
    match opened(at, bytes) {
        Some(value) => codec::decode_record(key, value),
        None => Err(changed(key.to_string())),
    }
}

/// The version of the record of this key, found there.
pub(super) fn open_version(key: &Key, at: &[u8], bytes: &[u8]) -> Result<Version> {
    let version = opened(at, bytes).and_then(codec::decode_version);
    version.ok_or_else(|| changed(key.to_string()))
}

/// The change of this scope and revision, found there.
pub(super) fn open_change(
    scope: &Scope,
    revision: Revision,
    at: &[u8],
    bytes: &[u8],
) -> Result<Change> {
    match opened(at, bytes) {
        Some(value) => codec::decode_change(scope, revision, value),
        None => Err(changed(format!("revision {revision} of {scope}"))),
    }
}

/// The operation of the change found there.
pub(super) fn open_op(at: &[u8], bytes: &[u8]) -> Option<OpId> {
    opened(at, bytes).and_then(codec::decode_op)
}

fn opened<'a>(at: &[u8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (sum, value) = bytes.split_at_checked(SUM)?;
    (sum == checksum(at, value).to_le_bytes()).then_some(value)
}

fn checksum(at: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(at);
    hasher.update(value);
    hasher.finalize()
}

fn changed(what: String) -> Error {
    Error::Corrupt {
        what,
        cause: "its bytes are not what was written".into(),
    }
}
