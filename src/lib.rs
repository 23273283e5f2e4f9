//! metal-edge: the metal-stack control plane of a partition.
#![forbid(unsafe_code)]

pub mod auth;
pub mod clock;
pub mod files;
pub mod trust;
