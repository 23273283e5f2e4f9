//! The whole node: everything else put together, started and stopped in order.
//!
//! - [`data_dir`]: one node per data directory.
//! - [`credentials`]: keys, token and certificate, made where there are none.
//! - `node_file`: where commands find the node.
//! - [`sessions`]: what it knows of its BGP sessions.
//! - [`speaker`]: who speaks BGP, as the configuration asks for.
//! - [`tasks`]: the background tasks, their owner.
//! - [`upkeep`]: renewing and reloading the certificate.
//! - [`reload`]: another configuration without a restart.
//! - [`report`] and [`collector`]: what the node says about itself.

pub mod collector;
pub mod credentials;
pub mod data_dir;
mod node_file;
pub mod reload;
pub mod report;
pub mod run;
pub mod sessions;
pub mod speaker;
mod start;
pub mod tasks;
pub mod upkeep;

pub use run::run;
pub use speaker::daemon;
