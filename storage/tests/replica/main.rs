//! A scope followed into a file: what it shows, and what becomes of it when the authority, or
//! this process, goes away.
#![allow(clippy::unwrap_used, reason = "tests")]

mod authorities;
mod child;
mod crash;
mod follow;
mod kit;
mod outage;
#[path = "../support/postgres.rs"]
mod postgres;
mod suite;
