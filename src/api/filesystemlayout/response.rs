//! What a client gets of a filesystem layout.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{
    Disk, DiskPartition, Filesystem, FilesystemLayout, LogicalVolume, Raid, VolumeGroup,
};

/// A filesystem layout in an answer.
#[derive(Debug, Serialize)]
pub(super) struct LayoutResponse {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filesystems: Vec<FilesystemResponse>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disks: Vec<DiskResponse>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    raid: Vec<RaidResponse>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumegroups: Vec<VolumeGroupResponse>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logicalvolumes: Vec<LogicalVolumeResponse>,
    constraints: ConstraintsResponse,
}

#[derive(Debug, Serialize)]
struct ConstraintsResponse {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sizes: Vec<String>,
    images: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct FilesystemResponse {
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    device: String,
    format: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    createoptions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mountoptions: Vec<String>,
}

#[derive(Debug, Serialize)]
struct DiskResponse {
    device: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    partitions: Vec<DiskPartitionResponse>,
    wipeonreinstall: bool,
}

#[derive(Debug, Serialize)]
struct DiskPartitionResponse {
    number: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    size: u64,
    gpttype: &'static str,
}

#[derive(Debug, Serialize)]
struct RaidResponse {
    arrayname: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    createoptions: Vec<String>,
    level: &'static str,
    spares: u32,
}

#[derive(Debug, Serialize)]
struct VolumeGroupResponse {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

#[derive(Debug, Serialize)]
struct LogicalVolumeResponse {
    name: String,
    volumegroup: String,
    size: u64,
    lvmtype: &'static str,
}

impl From<FilesystemLayout> for LayoutResponse {
    fn from(layout: FilesystemLayout) -> Self {
        Self {
            id: layout.id.into(),
            name: layout.name,
            description: layout.description,
            filesystems: layout.filesystems.into_iter().map(Into::into).collect(),
            disks: layout.disks.into_iter().map(Into::into).collect(),
            raid: layout.raids.into_iter().map(Into::into).collect(),
            volumegroups: layout.volume_groups.into_iter().map(Into::into).collect(),
            logicalvolumes: layout.logical_volumes.into_iter().map(Into::into).collect(),
            constraints: ConstraintsResponse {
                sizes: layout.constraints.sizes,
                images: layout.constraints.images,
            },
        }
    }
}

impl From<Filesystem> for FilesystemResponse {
    fn from(filesystem: Filesystem) -> Self {
        Self {
            path: filesystem.path,
            device: filesystem.device,
            format: filesystem.format.word(),
            label: filesystem.label,
            createoptions: filesystem.create_options,
            mountoptions: filesystem.mount_options,
        }
    }
}

impl From<Disk> for DiskResponse {
    fn from(disk: Disk) -> Self {
        Self {
            device: disk.device,
            partitions: disk.partitions.into_iter().map(Into::into).collect(),
            wipeonreinstall: disk.wipe_on_reinstall,
        }
    }
}

impl From<DiskPartition> for DiskPartitionResponse {
    fn from(partition: DiskPartition) -> Self {
        Self {
            number: partition.number,
            label: partition.label,
            size: partition.size,
            gpttype: partition.gpt_type.word(),
        }
    }
}

impl From<Raid> for RaidResponse {
    fn from(raid: Raid) -> Self {
        Self {
            arrayname: raid.array,
            devices: raid.devices,
            createoptions: raid.create_options,
            level: raid.level.word(),
            spares: raid.spares,
        }
    }
}

impl From<VolumeGroup> for VolumeGroupResponse {
    fn from(group: VolumeGroup) -> Self {
        Self {
            name: group.name,
            devices: group.devices,
            tags: group.tags,
        }
    }
}

impl From<LogicalVolume> for LogicalVolumeResponse {
    fn from(volume: LogicalVolume) -> Self {
        Self {
            name: volume.name,
            volumegroup: volume.volume_group,
            size: volume.size,
            lvmtype: volume.lvm_type.word(),
        }
    }
}
