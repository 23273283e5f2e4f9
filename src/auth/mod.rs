//! Who is calling, and which role they have.
//!
//! - [`user`]: the roles and the caller as handlers see them.
//! - [`hmac`]: the signature scheme of metal-stack's clients.
//! - [`replay`]: signatures seen, so that a writing request passes once.
//! - [`admission`]: the three together, before the API.

pub mod admission;
pub mod hmac;
pub mod replay;
pub mod user;

pub use admission::Admission;
pub use hmac::{Authenticator, HmacKey, Refusal, RoleKey};
pub use user::{Role, User};
