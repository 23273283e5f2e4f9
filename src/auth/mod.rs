//! Who is calling, and which role they have.

mod user;

pub use user::{Role, User};
