//! An etcd cluster, over gRPC.
//!
//! ```text
//! commit -> writer (queue, group) -> plan (against the mirror) -> Cluster (one transaction)
//! get, list, watch -> Mirror -> View (records, index, changes in memory)
//!                       kept up by: own commits, reads of the latest, the follower's watch
//! ```
//!
//! gRPC and not the JSON gateway: the gateway is a second server inside etcd that wraps the
//! same calls in base64 and JSON (a third more bytes, for a backend that spends its time on
//! encoding them), ends a watch without saying why, and is left out of many clusters. The messages are
//! few and written by hand in `proto`, so nobody needs `protoc`.

mod cluster;
mod entry;
mod fault;
mod follower;
mod head;
mod layout;
mod load;
mod member;
mod mirror;
mod options;
mod plan;
mod proto;
mod status;
mod url;
mod view;
mod writer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_stream::stream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::cluster::Cluster;
use self::fault::Fault;
use self::mirror::Mirror;
pub use self::options::{EtcdCredential, EtcdOptions, EtcdTls};
use self::proto::{Compare, RangeRequest, RequestOp, TxnRequest};
use self::writer::Job;
use crate::batch::Batch;
use crate::change::Change;
use crate::error::{Error, Result, invalid};
use crate::heads::{Heads, closed};
use crate::key::Key;
use crate::query::{Page, Query};
use crate::queue::{self, Waits};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::schema::Schema;
use crate::scope::Scope;
use crate::stats::{Counters, Stats};
use crate::store::{BoxFuture, BoxStream, Read, Store};

/// Changes that a watcher takes at once.
const CHANGES: usize = 64;

/// Between two attempts to connect.
const REST: Duration = Duration::from_millis(200);

/// How much longer than the writer one waits for its answer.
const GRACE: Duration = Duration::from_secs(5);

/// A store in an etcd cluster, version 3.4 and newer: durable on a majority of its members.
///
/// Every node keeps a copy of each scope that it uses in memory, index included; etcd holds
/// records and changes. A commit is decided against the copy and sent as one transaction that
/// compares the scope's head with the copy's, so several nodes may write one scope; batches that
/// wait at the same time share the transaction. etcd's own revisions, compaction and watches are
/// used, and relied on for nothing: revisions are ours, gapless.
///
/// [`Read::Latest`] is linearizable: one question to the leader, shared by those that read at the
/// same time. [`Read::Stale`] reads the copy, and goes on when no member answers; a scope that
/// was not used before is then read from any one member.
///
/// A member that does not answer is left for the next. Without a majority commits are answered
/// [`Unavailable`](Error::Unavailable), or [`Unknown`](Error::Unknown) if they were on their way,
/// after [`commit_wait`](EtcdOptions::commit_wait), and go on by themselves afterwards.
///
/// Costs: memory for all records, and for the changes remembered, of each scope in use; reading
/// them when the scope is first used. `get` O(log n) in memory and, unless stale, a round trip; a
/// commit one or two transactions' time. A batch of more writes or bytes than a transaction holds
/// (124 writes, half of `request_bytes`) takes two or more, of which the first decides.
#[derive(Debug)]
pub struct Etcd {
    shared: Arc<Shared>,
    /// `None` once closed.
    scopes: Mutex<Option<HashMap<Scope, InUse>>>,
    schemas: &'static [Schema],
}

/// What streams keep.
#[derive(Debug)]
struct Shared {
    cluster: Cluster,
    /// Another for every store that is connected.
    node: String,
    heads: Heads,
    counters: Counters,
    options: EtcdOptions,
}

/// A scope that was used.
#[derive(Debug)]
struct InUse {
    mirror: Arc<Mirror>,
    queue: mpsc::Sender<Job>,
    writer: JoinSet<()>,
    /// Never read: it ends with this.
    _follower: JoinSet<()>,
}

// === impl Etcd ===

impl Etcd {
    /// Connects to a cluster and makes sure that the store in it is one that we understand; an
    /// empty one is begun. `schemas` are the tables that it keeps: a write to another is refused.
    /// None at all means any.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for options that make no sense, an etcd that is too old and a
    /// store that a newer version wrote; [`Unavailable`](Error::Unavailable), with the cause, if
    /// no majority can be asked, or it does not let us.
    pub async fn connect(options: EtcdOptions, schemas: &'static [Schema]) -> Result<Self> {
        options.check()?;
        let shared = Arc::new(Shared {
            cluster: Cluster::new(&options)?,
            node: uuid::Uuid::new_v4().to_string(),
            heads: Heads::new(options.revision_wait),
            counters: Counters::default(),
            options,
        });
        shared.claim().await.map_err(Fault::into_error)?;
        Ok(Self {
            shared,
            scopes: Mutex::new(Some(HashMap::new())),
            schemas,
        })
    }

    /// Commits what waits, bounded by [`commit_wait`](EtcdOptions::commit_wait), and ends every
    /// task and every watch; every later call is answered [`Unavailable`](Error::Unavailable).
    /// Dropping the store ends them at once.
    pub async fn close(&self) {
        let scopes = self.scopes().take().into_iter().flatten();
        // Their queues and followers end here.
        let writers: Vec<_> = scopes.map(|(_, scope)| scope.writer).collect();
        let ended = writers.into_iter().map(JoinSet::join_all);
        let wait = self.shared.options.commit_wait;
        let _ = tokio::time::timeout(wait, futures::future::join_all(ended)).await;
        self.shared.heads.close();
    }

    /// Figures since the store was connected. Costs nothing.
    pub fn stats(&self) -> Stats {
        let scopes = self.scopes();
        let queues = scopes.iter().flatten().map(|(_, scope)| &scope.queue);
        let waiting = queues.map(|queue| queue.max_capacity() - queue.capacity());
        self.shared.counters.stats(waiting.sum())
    }

    /// What it was connected with.
    pub fn options(&self) -> &EtcdOptions {
        &self.shared.options
    }

    fn scope<T>(&self, scope: &Scope, with: impl FnOnce(&InUse) -> T) -> Result<T> {
        let mut scopes = self.scopes();
        let scopes = scopes.as_mut().ok_or_else(closed)?;
        if let Some(found) = scopes.get(scope) {
            return Ok(with(found));
        }
        let most = self.shared.options.scopes;
        if scopes.len() >= most {
            return Err(Error::Unavailable {
                reason: format!("{most} scopes are in use already"),
            });
        }
        let mirror = Arc::new(Mirror::new(scope.clone(), Arc::clone(&self.shared)));
        let (queue, jobs) = mpsc::channel(self.shared.options.queue.max(1));
        let (mut writer, mut follower) = (JoinSet::new(), JoinSet::new());
        writer.spawn(writer::write(Arc::clone(&mirror), jobs));
        follower.spawn(follower::follow(Arc::clone(&mirror)));
        let entry = scopes.entry(scope.clone()).or_insert(InUse {
            mirror,
            queue,
            writer,
            _follower: follower,
        });
        Ok(with(entry))
    }

    fn mirror(&self, scope: &Scope) -> Result<Arc<Mirror>> {
        self.scope(scope, |found| Arc::clone(&found.mirror))
    }

    /// The mirror, as new as was asked.
    async fn at(&self, scope: &Scope, read: Read) -> Result<Arc<Mirror>> {
        let mirror = self.mirror(scope)?;
        match read {
            Read::Latest => mirror.latest().await?,
            Read::Stale => {}
            Read::AtLeast(revision) => mirror.reach(revision).await?,
        }
        Ok(mirror)
    }

    async fn send(&self, batch: Batch) -> Result<Revision> {
        batch.check()?;
        self.check_tables(&batch)?;
        let options = &self.shared.options;
        let queue = self.scope(&batch.scope, |found| found.queue.clone())?;
        let op = batch.op;
        let waits = Waits {
            queue: options.queue_wait,
            commit: options.commit_wait + GRACE,
        };
        let job = |answer| Job {
            batch,
            answer,
            until: tokio::time::Instant::now() + options.commit_wait,
            sent: false,
        };
        queue::commit(&queue, waits, op, job).await
    }

    fn check_tables(&self, batch: &Batch) -> Result<()> {
        let known = |name: &str| self.schemas.iter().any(|schema| schema.table() == name);
        for write in &batch.writes {
            let table = write.key().table();
            if !self.schemas.is_empty() && !known(table.as_str()) {
                return Err(invalid!("the store keeps no table {table}"));
            }
        }
        Ok(())
    }

    fn scopes(&self) -> MutexGuard<'_, Option<HashMap<Scope, InUse>>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.shared.heads.close();
    }
}

impl Store for Etcd {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            let mirror = self.at(key.scope(), read).await?;
            let view = mirror.view().await?;
            let found = view.get(key).map(|found| plan::read(key, found));
            Ok(found.transpose()?.map(|stored| Stored::clone(&stored)))
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            query.check()?;
            let mirror = self.at(&query.scope, read).await?;
            let view = mirror.view().await?;
            Ok(view.list(query))
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            let begun = Instant::now();
            let result = self.send(batch).await;
            self.shared.counters.commit(&result, begun.elapsed());
            result
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        let shared = Arc::clone(&self.shared);
        let mirror = self.mirror(&scope);
        Box::pin(stream! {
            let begun = async {
                let mirror = mirror?;
                mirror.reach(since).await?;
                let head = shared.heads.reach(&scope, since).await?;
                Ok((mirror, head))
            };
            let (mirror, mut head) = match begun.await {
                Ok(begun) => begun,
                Err(error) => {
                    yield Err(error);
                    return;
                }
            };
            let mut seen = since;
            loop {
                match mirror.changes(seen, CHANGES).await {
                    Ok(changes) if changes.is_empty() => {
                        if head.wait_for(|now| *now > seen).await.is_err() {
                            yield Err(closed());
                            return;
                        }
                    }
                    Ok(changes) => {
                        for change in changes {
                            seen = change.revision;
                            yield Ok(Change::clone(&change));
                        }
                    }
                    Err(error) => {
                        yield Err(error);
                        return;
                    }
                }
            }
        })
    }
}

// === impl Shared ===

impl Shared {
    /// Makes sure that what is in the cluster has our layout, or nothing is.
    async fn claim(&self) -> Result<(), Fault> {
        let key = layout::format(&self.options.prefix);
        let txn = TxnRequest {
            compare: vec![Compare::unchanged(key.clone(), 0)],
            success: vec![RequestOp::put(key.clone(), layout::FORMAT)],
            failure: vec![RequestOp::range(RangeRequest {
                key,
                ..RangeRequest::default()
            })],
        };
        let until = Instant::now() + self.options.commit_wait;
        // To begin a store twice does no harm, and there may be an election.
        let answer = loop {
            match self.cluster.txn(txn.clone()).await {
                Err(Fault::NotDone(_) | Fault::Unknown(_)) if Instant::now() < until => {
                    tokio::time::sleep(REST).await;
                }
                answer => break answer?,
            }
        };
        let found = answer.ranges().flat_map(|range| range.kvs).next();
        match found {
            Some(kv) if *kv.value != *layout::FORMAT.as_bytes() => Err(invalid!(
                "the store in etcd has format {}, this version knows {}",
                String::from_utf8_lossy(&kv.value),
                layout::FORMAT
            )
            .into()),
            _ => Ok(()),
        }
    }
}
