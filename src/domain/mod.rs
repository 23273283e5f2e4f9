//! The rules of metal-api, pure: no I/O, no HTTP, no JSON, no SQL.
//!
//! What comes from outside is parsed into these types once and then valid: constructors and
//! `check` methods refuse with [`Invalid`], which names the field. Every text and list is bounded
//! by [`bounds`].

mod allocations;
pub mod bounds;
mod capacity;
mod family;
mod glob;
mod hardware;
mod id;
mod image;
mod image_id;
mod invalid;
mod ip;
mod layout;
mod machine;
mod meta;
mod network;
mod partition;
mod project;
mod quota;
mod size;
mod size_image_constraint;
mod size_reservation;
mod tenant;
mod version;

pub use allocations::Allocations;
pub use capacity::Capacity;
pub use family::Family;
pub use hardware::{BlockDevice, Gpu, Hardware};
pub use id::{
    LayoutId, NetworkId, PartitionId, ProjectId, SizeId, SizeImageConstraintId, SizeReservationId,
    TenantId,
};
pub use image::{Classification, Feature, Image, ImageQuery};
pub use image_id::ImageId;
pub use invalid::Invalid;
pub use ip::{Ip, IpQuery, IpType, MACHINE_TAG};
pub use layout::{
    Disk, DiskPartition, Filesystem, FilesystemLayout, Format, GptType, LayoutConstraints,
    LogicalVolume, LvmType, Misfit, Raid, RaidLevel, VolumeGroup,
};
pub use machine::{Machine, MachineQuery, Stage};
pub use meta::{Meta, MetaInput, Timestamps};
pub use network::{ChildLengths, Network, NetworkQuery, Prefixes, prefix};
pub use partition::{BootConfig, Partition};
pub use project::{Project, ProjectQuery};
pub use quota::{Quota, QuotaSet};
pub use size::{Constraint, ConstraintType, Size};
pub use size_image_constraint::SizeImageConstraint;
pub use size_reservation::{SizeReservation, SizeReservationQuery};
pub use tenant::{IamConfig, IssuerConfig, Tenant, TenantQuery};
pub use version::{Version, VersionConstraint};
