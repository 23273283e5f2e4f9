//! What this node is trusted by.
//!
//! - [`own_ca`]: the node's own certificate authority, made at the first start
//!   where the configuration names no certificate.
//! - [`secrets`]: keys and tokens made at the first start.
//! - [`x509`]: reading certificates.

pub mod own_ca;
pub mod secrets;
pub mod x509;
