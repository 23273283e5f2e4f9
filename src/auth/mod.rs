//! Who is calling, and which role they have.
//!
//! - [`user`]: the roles and the caller as handlers see them.
//! - [`hmac`]: the signature scheme of metal-stack's clients.
//! - [`replay`]: signatures seen, so that a writing request passes once.
//! - [`layer`]: the middleware that puts the three before the API.

pub mod hmac;
pub mod layer;
pub mod replay;
pub mod user;

pub use hmac::{Authenticator, HmacKey, Refusal, RoleKey};
pub use user::{Role, User};
