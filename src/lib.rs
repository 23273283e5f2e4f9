//! metal-edge: the metal-stack control plane of a partition as one binary.
//!
//! The folders follow a request on its way in and an announcement on its way
//! out; `docs/architecture.md` has the picture.
#![forbid(unsafe_code)]

pub mod announce;
pub mod api;
pub mod audit;
pub mod auth;
pub mod cli;
pub mod clock;
mod commit;
pub mod config;
pub mod domain;
pub mod edge;
pub mod files;
pub mod guard;
pub mod health;
pub mod ipam;
pub mod log;
pub mod metrics;
pub mod migrations;
pub mod node;
mod retry;
pub mod schemas;
pub mod status;
pub mod stores;
pub mod trust;
