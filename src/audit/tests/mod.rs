mod keeping;
mod noting;
mod redacting;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metal_storage::{Memory, Scope, Store};

use super::*;
use crate::config::ByteSize;

fn config() -> config::Audit {
    config::Audit {
        max_age: Duration::from_secs(24 * 3600),
        max_entries: 1600,
        max_body: ByteSize::new(1024),
        queue: 64,
    }
}

/// A trail on a store, its writer at work.
fn on(store: Arc<dyn Store>, config: &config::Audit) -> Audited {
    let audit = open(&store, &Scope::Global, "dev-1", config);
    tokio::spawn(audit.writer.run());
    Audited {
        trail: audit.trail,
        archive: audit.archive,
        retention: audit.retention,
    }
}

fn in_memory() -> Audited {
    on(Arc::new(Memory::new()), &config())
}

struct Audited {
    trail: Trail,
    archive: Archive,
    retention: Retention,
}

impl Audited {
    async fn find(&self, search: Search) -> Vec<Event> {
        assert!(self.trail.flush(Duration::from_secs(60)).await);
        self.archive.find(&search, 10_000).await.unwrap()
    }
}

/// So many seconds after some moment.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn event(seconds: i64) -> Event {
    Event {
        at: at(seconds),
        phase: Phase::Request,
        rqid: format!("rq-{seconds}"),
        node: "dev-1".into(),
        operation: "createSize".into(),
        method: "PUT".into(),
        path: "/v1/size".into(),
        remote_addr: "192.0.2.7:4711".into(),
        forwarded_for: String::new(),
        user: "metal-admin@metal-stack.io".into(),
        tenant: "metal-stack".into(),
        project: String::new(),
        body: r#"{"id":"s"}"#.into(),
        status: None,
        error: String::new(),
        micros: None,
    }
}

fn unknown(seconds: i64) -> Event {
    Event {
        user: String::new(),
        tenant: String::new(),
        ..event(seconds)
    }
}
