//! The same announcements through an external daemon over gRPC: GoBGP of version 3
//! (`apipb.GobgpApi`), or of version 4, whose API others speak too (`api.GoBgpService`). Which of
//! them it speaks is found out at each connection.
//!
//! Inside, `messages` are those of both APIs, `v3` and `v4` how each of them writes a path,
//! `client` asks, and `driver` brings the daemon to what is wanted, again and again.

mod client;
mod config;
mod driver;
mod fault;
mod handle;
mod messages;
mod path;
mod peers;
mod v3;
mod v4;

pub use config::{DaemonAddress, DaemonConfig};
pub use handle::{Daemon, DaemonFacts, ask, withdraw_all};
