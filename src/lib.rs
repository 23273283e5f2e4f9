//! metal-edge: the metal-stack control plane as one binary per partition.
#![forbid(unsafe_code)]

pub mod api;
pub mod auth;
pub mod domain;
