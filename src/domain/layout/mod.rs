//! Filesystem layouts: how the disks of a machine are partitioned and formatted.

mod check;
mod constraints;
mod disk;
mod fit;

use serde::{Deserialize, Serialize};

pub use constraints::LayoutConstraints;
pub use disk::{
    Disk, DiskPartition, Filesystem, Format, GptType, LogicalVolume, LvmType, Raid, RaidLevel,
    VolumeGroup,
};
pub use fit::Misfit;

use super::{LayoutId, Timestamps};

/// How the disks of a machine are partitioned and formatted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesystemLayout {
    /// Id.
    pub id: LayoutId,
    /// When it was made and changed.
    #[serde(flatten)]
    pub times: Timestamps,
    /// Display name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Filesystems to make.
    pub filesystems: Vec<Filesystem>,
    /// Disks to partition.
    pub disks: Vec<Disk>,
    /// RAID arrays to make.
    pub raids: Vec<Raid>,
    /// Volume groups to make.
    pub volume_groups: Vec<VolumeGroup>,
    /// Logical volumes to make.
    pub logical_volumes: Vec<LogicalVolume>,
    /// Which machines get this layout.
    pub constraints: LayoutConstraints,
}

// === impl FilesystemLayout ===

impl FilesystemLayout {
    /// Whether both layouts could be meant for the same machine.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.constraints.overlaps(&other.constraints)
    }
}
