//! From the verdict to what the leaf switches are told.
//!
//! - [`plan`]: the rules, without I/O: verdict and phase in, announcement out.
//! - [`announcer`]: the task that follows the verdict and tells the speaker.
//! - [`departure`]: how the node leaves, and comes back.
//! - [`driver`]: who speaks BGP.
//! - [`loopback`]: the anycast addresses on `lo`.
//! - [`maintenance`]: the mark of a node that stays out of service.

pub mod announcer;
pub mod departure;
pub mod driver;
pub mod loopback;
pub mod maintenance;
pub mod plan;

pub use announcer::Announcer;
pub use departure::{Departure, Phase};
pub use driver::Driver;
pub use loopback::Loopback;
pub use maintenance::Maintenance;
pub use plan::{Plan, Policy};
