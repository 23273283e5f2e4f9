//! Whether what many clients saw at once could have happened one after another.

mod checker;
mod recorder;
mod spec;

pub use self::checker::{Call, Model, Verdict, check};
pub use self::recorder::Recorder;
