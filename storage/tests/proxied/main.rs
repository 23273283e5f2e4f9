//! The SQL backend through the wire proxy in its fault modes, as CockroachDB and as PostgreSQL, and
//! without faults on a real CockroachDB where `METAL_TEST_COCKROACH_URL` names it
//! (`cockroach://user:password@host:26257/database`), which keeps the tables and records.
#![allow(clippy::unwrap_used, reason = "tests")]

mod backend;
mod connecting;
mod costs;
mod doubts;
mod kit;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/proxy/mod.rs"]
mod proxy;
mod reads;

use backend::Behind;
use proxy::{Engine, Fault, Faults, Point};

/// CockroachDB: the real one if there is one. Else the proxy, with conflicts with other
/// transactions at any statement and at COMMIT, connections that end around a COMMIT, and answers
/// that leave open whether it happened.
mod cockroachdb {
    use super::*;
    metal_storage::conformance!(Behind::cockroach(|seed| {
        Faults::one(seed, Point::Statement, Fault::Retry, 0.02)
            .and(Point::Statement, Fault::CutBefore, 0.002)
            .and(Point::Statement, Fault::CutAfter, 0.002)
            .and(Point::Commit, Fault::Retry, 0.1)
            .and(Point::Commit, Fault::AmbiguousDone, 0.03)
            .and(Point::Commit, Fault::AmbiguousLost, 0.03)
            .and(Point::Commit, Fault::CutBefore, 0.03)
            .and(Point::Commit, Fault::CutAtOnce, 0.03)
            .and(Point::Commit, Fault::CutAfter, 0.03)
    }));
}

/// PostgreSQL, which wakes by LISTEN, and connections that end around a COMMIT: what many do at
/// the same time, and what survives.
mod postgresql {
    use super::*;

    fn cut() -> Behind {
        Behind::new(Engine::Postgres, |seed| {
            Faults::one(seed, Point::Statement, Fault::CutAfter, 0.002)
                .and(Point::Commit, Fault::Retry, 0.05)
                .and(Point::Commit, Fault::CutBefore, 0.03)
                .and(Point::Commit, Fault::CutAtOnce, 0.03)
                .and(Point::Commit, Fault::CutAfter, 0.03)
        })
    }

    metal_storage::conformance! { @ cut();
        commits::a_repeated_operation_is_answered_with_its_first_revision,
        commits::a_repeated_operation_with_other_content_applies_nothing,
        commits::revisions_of_a_scope_are_gapless,
        commits::scopes_count_independently,
        watches::a_watcher_waits_for_what_is_to_come,
        watches::a_watcher_resumes_without_gap_or_repetition,
        concurrency::of_writers_with_one_version_exactly_one_wins,
        concurrency::of_takers_of_one_unique_value_exactly_one_wins,
        concurrency::of_inserters_of_one_id_exactly_one_wins,
        concurrency::a_watcher_during_writes_misses_nothing,
        concurrency::one_operation_sent_many_times_at_once_happens_once,
        histories::a_register_is_linearizable,
        histories::a_bank_is_linearizable_and_keeps_its_money,
        histories::a_set_is_linearizable,
        histories::a_unique_index_is_linearizable,
        histories::scopes_are_linearizable_side_by_side,
        histories::a_client_never_sees_a_scope_go_back,
        streams::watchers_that_come_and_go_during_writes_miss_nothing,
        durability::what_is_acknowledged_is_there_after_reopening,
        durability::operations_and_history_are_there_after_reopening,
        model::it_does_what_the_model_does,
    }
}
