//! All of a scope, read at one moment of the cluster.

use std::time::Duration;

use super::cluster::Cluster;
use super::entry::{self, Logged};
use super::fault::Fault;
use super::head::Head;
use super::layout::Layout;
use super::proto::{KeyValue, RangeRequest, RequestOp, ResponseHeader, TxnRequest, TxnResponse};
use super::view::View;
use crate::codec;
use crate::error::Error;
use crate::revision::Revision;
use crate::scope::Scope;

/// Keys of one page. The largest value is one batch of the greatest size.
pub(super) const PAGE: i64 = 32;

/// Keys of one page at most, as long as they are small.
const MOST: i64 = 4096;

/// Bytes that a page should have.
const BYTES: usize = 8 * 1024 * 1024;

/// How often it is begun again because etcd compacted what it was reading.
const TRIES: usize = 5;

/// Of the latest, or, if no majority has said within `wait` what that is, of whatever one member
/// has: that is a view too, only an older one.
pub(super) async fn load(
    cluster: &Cluster,
    layout: &Layout,
    scope: &Scope,
    wait: Duration,
) -> Result<View, Fault> {
    for _ in 0..TRIES {
        match once(cluster, layout, scope, wait).await {
            Err(Fault::Compacted) => {}
            done => return done,
        }
    }
    Err(Fault::Compacted)
}

async fn once(
    cluster: &Cluster,
    layout: &Layout,
    scope: &Scope,
    wait: Duration,
) -> Result<View, Fault> {
    let mut pages = Pages {
        cluster,
        revision: 0,
        serializable: false,
    };
    let head = match tokio::time::timeout(wait, pages.one(layout.head())).await {
        Ok(head @ (Ok(_) | Err(Fault::Refused(_)))) => head?,
        Ok(Err(_)) | Err(_) => {
            pages.serializable = true;
            pages.one(layout.head()).await?
        }
    };
    // What is read next is read at that moment, which every member that has it shows alike.
    pages.serializable = true;
    let head = match head {
        Some(kv) => Head::decode(scope, &kv.value, kv.mod_revision)?,
        None => Head::default(),
    };
    let (first, end) = layout.records();
    let mut records = Vec::new();
    let read = |kv: KeyValue| {
        let key = layout.key(scope, &kv.key).ok_or_else(|| Error::Corrupt {
            what: String::from_utf8_lossy(&kv.key).into_owned(),
            cause: "it is the key of no record".into(),
        })?;
        records.push((key.clone(), codec::decode_record(key, &kv.value)));
        Ok(())
    };
    pages.each(first, end, read).await?;
    let mut log = Vec::new();
    let first = layout.change(head.oldest.next());
    let read = |kv: KeyValue| entry::decode(scope, &kv.value, &mut log);
    pages.each(first, layout.changes_end(), read).await?;
    Ok(View::load(scope.clone(), head, records, log)?)
}

/// What [`View::advance`] needs, from a transaction with the operations of [`missing`]. `None` if
/// it was too much for one answer.
pub(super) fn missed(
    scope: &Scope,
    answer: TxnResponse,
) -> Result<Option<(Head, Vec<Logged>)>, Fault> {
    let mut ranges = answer.ranges();
    let head = ranges.next().and_then(|range| range.kvs.into_iter().next());
    let head = match head {
        Some(kv) => Head::decode(scope, &kv.value, kv.mod_revision)?,
        None => Head::default(),
    };
    let Some(changes) = ranges.next().filter(|changes| !changes.more) else {
        return Ok(None);
    };
    let mut log = Vec::new();
    for kv in changes.kvs {
        entry::decode(scope, &kv.value, &mut log)?;
    }
    Ok(Some((head, log)))
}

/// Reads the head and the changes after a revision.
pub(super) fn missing(layout: &Layout, known: Revision) -> Vec<RequestOp> {
    vec![
        RequestOp::range(RangeRequest {
            key: layout.head(),
            ..RangeRequest::default()
        }),
        RequestOp::range(RangeRequest {
            key: layout.change(known.next()),
            range_end: layout.changes_end(),
            limit: PAGE,
            ..RangeRequest::default()
        }),
    ]
}

/// The head, and every change after a revision that is still there, however many.
pub(super) async fn follow(
    cluster: &Cluster,
    layout: &Layout,
    scope: &Scope,
    known: Revision,
) -> Result<(Head, Vec<Logged>), Fault> {
    let request = TxnRequest {
        success: missing(layout, known),
        ..TxnRequest::default()
    };
    let answer = cluster.snapshot(request).await?;
    let header = answer.header.clone().unwrap_or_default();
    if let Some(found) = missed(scope, answer)? {
        return Ok(found);
    }
    let mut pages = Pages::at(cluster, header);
    let head = match pages.one(layout.head()).await? {
        Some(kv) => Head::decode(scope, &kv.value, kv.mod_revision)?,
        None => Head::default(),
    };
    let mut log = Vec::new();
    let read = |kv: KeyValue| entry::decode(scope, &kv.value, &mut log);
    let first = layout.change(known.next());
    pages.each(first, layout.changes_end(), read).await?;
    Ok((head, log))
}

/// Reads page after page of one moment of the cluster: that of the first.
struct Pages<'a> {
    cluster: &'a Cluster,
    revision: i64,
    serializable: bool,
}

// === impl Pages ===

impl<'a> Pages<'a> {
    fn at(cluster: &'a Cluster, header: ResponseHeader) -> Self {
        Self {
            cluster,
            revision: header.revision,
            serializable: true,
        }
    }

    async fn one(&mut self, key: bytes::Bytes) -> Result<Option<KeyValue>, Fault> {
        let answer = self.ask(key, bytes::Bytes::new(), 1).await?;
        Ok(answer.kvs.into_iter().next())
    }

    async fn each(
        &mut self,
        mut from: bytes::Bytes,
        end: bytes::Bytes,
        mut take: impl FnMut(KeyValue) -> Result<(), Error>,
    ) -> Result<(), Fault> {
        let mut limit = PAGE;
        loop {
            let answer = self.ask(from, end.clone(), limit).await?;
            let bytes: usize = answer.kvs.iter().map(|kv| kv.value.len()).sum();
            let Some(last) = answer.kvs.last() else {
                return Ok(());
            };
            from = [&last.key[..], &[0]].concat().into();
            let more = answer.more;
            for kv in answer.kvs {
                take(kv)?;
            }
            if !more {
                return Ok(());
            }
            limit = match bytes {
                small if small < BYTES / 4 => (limit * 2).min(MOST),
                large if large > BYTES => (limit / 4).max(PAGE),
                _ => limit,
            };
        }
    }

    async fn ask(
        &mut self,
        key: bytes::Bytes,
        range_end: bytes::Bytes,
        limit: i64,
    ) -> Result<super::proto::RangeResponse, Fault> {
        let request = RangeRequest {
            key,
            range_end,
            limit,
            revision: self.revision,
            serializable: self.serializable,
        };
        let answer = self.cluster.range(request).await?;
        if self.revision == 0 {
            self.revision = answer.header.clone().unwrap_or_default().revision;
        }
        Ok(answer)
    }
}
