//! The SQL backend on a PostgreSQL that the tests start themselves.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bad_input;
mod bounds;
mod kit;
mod migrate;
mod nodes;
mod plans;
#[path = "../support/postgres.rs"]
mod postgres;
mod reindex;
mod suite;
mod tls;
