//! The rules of metal-api, pure: no I/O, no HTTP, no JSON, no SQL.
//!
//! What comes from outside is parsed into these types once and then valid: constructors and
//! `check` methods refuse with [`Invalid`], which names the field. Every text and list is bounded
//! by [`bounds`].

pub mod bounds;
mod family;
mod glob;
mod id;
mod image;
mod image_id;
mod invalid;
mod ip;
mod layout;
mod meta;
mod network;
mod partition;
mod project;
mod quota;
mod size;
mod tenant;
mod version;

pub use family::Family;
pub use id::{LayoutId, NetworkId, PartitionId, ProjectId, SizeId, TenantId};
pub use image::{Classification, Feature, Image, ImageQuery};
pub use image_id::ImageId;
pub use invalid::Invalid;
pub use ip::{Ip, IpQuery, IpType, MACHINE_TAG};
pub use layout::{
    Disk, DiskPartition, Filesystem, FilesystemLayout, Format, GptType, LayoutConstraints,
    LogicalVolume, LvmType, Raid, RaidLevel, VolumeGroup,
};
pub use meta::{Meta, MetaInput, Timestamps};
pub use network::{ChildLengths, Network, NetworkQuery, Prefixes, prefix};
pub use partition::{BootConfig, Partition};
pub use project::{Project, ProjectQuery};
pub use quota::{Quota, QuotaSet};
pub use size::{Constraint, ConstraintType, Size};
pub use tenant::{IamConfig, IssuerConfig, Tenant, TenantQuery};
pub use version::{Version, VersionConstraint};
