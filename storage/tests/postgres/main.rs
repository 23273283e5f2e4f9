//! The SQL backend on a PostgreSQL that the tests start themselves.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/postgres.rs"]
mod postgres;
mod suite;
