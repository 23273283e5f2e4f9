//! Storage for control planes: scopes, guards, revisions and change streams.
//!
//! A [`Store`] has four verbs (get, list, commit, watch) and a handful of promises. Everything
//! above it is library code: an [`Entity`] declares its [`Schema`] once, a [`Table`] reads and
//! writes it, a [`Batch`] changes many records at once or none. Everything below it is a backend,
//! which is right when it passes the `conformance` suite (feature `conformance`).
//!
//! | to read about | see |
//! |---|---|
//! | what a store promises | [`Store`] |
//! | which store owns a record | [`Scope`] |
//! | order of changes | [`Revision`], [`Change`] |
//! | what may go wrong, and what to do then | [`Error`] |
//! | bounds | [`limits`] |
//! | backends | [`Memory`], [`Redb`], [`Sql`], [`Etcd`] |
//! | reads that go on while the authority is away | [`Replica`], [`Replicated`] |
//! | backup and restore, also from one backend to another | [`backup`] |
#![forbid(unsafe_code)]

pub mod backup;
mod batch;
mod change;
mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
mod entity;
mod error;
mod etcd;
mod heads;
mod key;
pub mod limits;
mod memory;
mod name;
mod op;
mod query;
mod queue;
mod record;
mod redb;
mod reindex;
mod replica;
mod revision;
mod schema;
mod scope;
mod snapshot;
pub mod sql;
mod stats;
mod store;
mod table;
mod table_change;
mod value;

pub use batch::{Batch, Guard, Write};
pub use change::Change;
pub use entity::Entity;
pub use error::{Error, Index, Result};
pub use etcd::{Etcd, EtcdCredential, EtcdOptions, EtcdTls};
pub use key::Key;
pub use memory::Memory;
pub use name::Name;
pub use op::OpId;
pub use query::{Filter, Page, Query};
pub use record::{Field, Record, Stored};
pub use redb::{Compaction, Durability, Medium, Redb, RedbOptions};
pub use reindex::Reindexed;
pub use replica::{Replica, ReplicaOptions, ReplicaStatus, Replicated};
pub use revision::{Revision, Version};
pub use schema::{Column, Schema};
pub use scope::{Scope, ScopeName};
pub use sql::{Sql, SqlOptions};
pub use stats::{LATENCY_BOUNDS, Stats};
pub use store::{BoxFuture, BoxStream, Read, Store};
pub use table::{Listed, Table};
pub use table_change::{EntityChange, TableChange};
pub use value::{Kind, Value};
