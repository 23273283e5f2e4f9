//! What this node is trusted by.
//!
//! - [`own_ca`]: the node's own certificate authority, made at the first start
//!   where the configuration names no certificate.
//! - [`secrets`]: keys and tokens made at the first start.

pub mod own_ca;
pub mod secrets;
