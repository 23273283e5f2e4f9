//! metal-edge: the metal-stack control plane as one binary per partition,
//! behind one anycast address.

#![forbid(unsafe_code)]

pub mod config;
pub mod guard;
pub mod status;
