//! What makes a backend right: a test for each sentence of [`Store`]'s documentation.
//!
//! ```ignore
//! struct Mine;
//! impl metal_storage::conformance::Backend for Mine { /* open an empty store */ }
//! metal_storage::conformance!(Mine);
//! ```
//!
//! The macro makes one `#[tokio::test]` of each; the crate that uses it needs `tokio`.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "these are tests: to panic is to fail, and a name is the sentence that it proves"
)]

pub mod bounds;
pub mod commits;
pub mod concurrency;
mod dice;
pub mod durability;
pub mod histories;
mod isolated;
mod kit;
pub mod linear;
pub mod lists;
pub mod model;
pub mod reads;
mod schemas;
pub mod streams;
pub mod unique;
pub mod watches;

use std::sync::Arc;

pub use self::isolated::Isolated;
pub use self::schemas::SCHEMAS;
use crate::limits::{BATCH_BYTES, BATCH_GUARDS, BATCH_WRITES};
use crate::store::{BoxFuture, Store};

/// Opens stores of one kind for one test.
pub trait Backend: Send + Sync {
    /// An empty store of [`SCHEMAS`] that remembers this many revisions of each scope. Where one
    /// engine serves many tests, an [`Isolated`] one.
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>>;

    /// The last fresh store, closed and opened again; `None` if nothing survives that.
    fn reopened(&self) -> BoxFuture<'_, Option<Arc<dyn Store>>> {
        Box::pin(async { None })
    }

    /// The largest batches that it takes; larger ones it refuses.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// How many random histories are compared with the model, unless `PROPTEST_CASES` says
    /// otherwise. Fewer where each commit crosses a network.
    fn cases(&self) -> u32 {
        64
    }
}

/// The bounds of a batch on one kind of engine, where they are narrower than
/// [ours](crate::limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Writes of records without unique columns.
    pub writes: usize,
    /// Guards of a batch with one such write.
    pub guards: usize,
    /// Bytes, as [`Batch::size`](crate::Batch::size) counts them.
    pub bytes: usize,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            writes: BATCH_WRITES,
            guards: BATCH_GUARDS,
            bytes: BATCH_BYTES,
        }
    }
}

/// The suite, as tests of the module that it is called in, on an expression that makes a
/// [`Backend`](crate::conformance::Backend).
#[macro_export]
macro_rules! conformance {
    ($backend:expr) => {
        $crate::conformance! { @ $backend;
            reads::what_was_never_written_is_not_there,
            reads::a_record_reads_back_as_it_was_written,
            reads::the_same_id_in_another_table_or_scope_is_another_record,
            reads::a_reached_revision_is_answered_at_once,
            reads::a_revision_that_was_never_reached_is_an_error_after_a_bounded_time,
            reads::a_read_waits_for_a_revision_that_is_on_its_way,
            commits::revisions_of_a_scope_are_gapless,
            commits::scopes_count_independently,
            commits::a_version_is_the_revision_that_wrote_it,
            commits::a_repeated_operation_is_answered_with_its_first_revision,
            commits::a_repeated_operation_with_other_content_applies_nothing,
            commits::an_operation_of_another_scope_is_another_operation,
            commits::a_refused_operation_can_be_tried_again,
            commits::a_guard_that_does_not_hold_is_named_and_nothing_is_applied,
            commits::the_first_guard_that_does_not_hold_is_named,
            commits::a_version_is_never_used_again,
            commits::a_put_replaces_whatever_is_there,
            commits::deleting_what_is_not_there_is_no_error,
            unique::a_taken_value_is_named_and_nothing_is_applied,
            unique::a_record_may_keep_its_own_value,
            unique::a_value_is_free_after_deletion_and_after_change,
            unique::a_value_freed_by_an_earlier_write_can_be_taken,
            unique::a_value_freed_by_a_later_write_cannot_be_taken,
            unique::two_records_of_one_batch_cannot_take_one_value,
            unique::nothing_is_held_by_many,
            unique::a_value_is_unique_in_its_table_scope_and_column_only,
            unique::values_that_look_alike_are_not_equal,
            bounds::a_batch_without_a_write_is_refused,
            bounds::too_many_writes_or_guards_are_refused,
            bounds::too_many_bytes_are_refused_and_just_enough_are_not,
            bounds::a_key_of_another_scope_is_refused,
            bounds::a_key_written_twice_is_refused,
            bounds::what_an_engine_could_not_hold_is_refused,
            bounds::a_page_without_bounds_is_refused,
            lists::a_list_is_ordered_by_the_bytes_of_ids,
            lists::pages_follow_one_another_without_gap_or_overlap,
            lists::a_page_of_large_records_ends_early,
            lists::conditions_select_by_equality,
            lists::a_changed_or_deleted_record_leaves_its_index,
            lists::a_prefix_selects_ids,
            lists::a_cursor_may_point_anywhere,
            lists::a_page_names_its_revision,
            watches::every_change_after_a_revision_is_seen_in_order,
            watches::a_deletion_is_a_change,
            watches::a_watcher_waits_for_what_is_to_come,
            watches::only_changes_of_the_scope_are_seen,
            watches::a_watcher_resumes_without_gap_or_repetition,
            watches::forgotten_changes_are_an_error_that_names_the_oldest,
            watches::a_watcher_that_is_too_slow_is_told,
            watches::a_revision_never_reached_is_an_error,
            watches::a_forgotten_operation_is_new_again_or_still_known,
            concurrency::of_writers_with_one_version_exactly_one_wins,
            concurrency::of_takers_of_one_unique_value_exactly_one_wins,
            concurrency::of_inserters_of_one_id_exactly_one_wins,
            concurrency::money_moved_between_accounts_is_neither_made_nor_lost,
            concurrency::a_watcher_during_writes_misses_nothing,
            concurrency::readers_never_see_half_a_batch_nor_go_back,
            concurrency::one_operation_sent_many_times_at_once_happens_once,
            histories::a_register_is_linearizable,
            histories::a_bank_is_linearizable_and_keeps_its_money,
            histories::a_set_is_linearizable,
            histories::a_unique_index_is_linearizable,
            histories::scopes_are_linearizable_side_by_side,
            histories::a_client_never_sees_a_scope_go_back,
            streams::watchers_that_come_and_go_during_writes_miss_nothing,
            streams::a_follower_that_is_left_behind_lists_and_goes_on,
            durability::what_is_acknowledged_is_there_after_reopening,
            durability::operations_and_history_are_there_after_reopening,
            model::it_does_what_the_model_does,
        }
    };
    (@ $backend:expr; $($module:ident :: $name:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $crate::conformance::$module::$name(&$backend).await;
        }
    )*};
}
