//! What a client sends of a filesystem layout.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::super::wire::{Texts, object, objects, texts, word};
use crate::domain::{
    Disk, DiskPartition, Filesystem, FilesystemLayout, Format, GptType, Invalid, LayoutConstraints,
    LayoutId, LogicalVolume, LvmType, Raid, RaidLevel, Timestamps, VolumeGroup,
};

/// Body of create and update: the whole layout.
#[derive(Debug, Default, Deserialize)]
pub(super) struct LayoutRequest {
    pub id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "objects")]
    filesystems: Option<Vec<FilesystemRequest>>,
    #[serde(default, deserialize_with = "objects")]
    disks: Option<Vec<DiskRequest>>,
    #[serde(default, deserialize_with = "objects")]
    raid: Option<Vec<RaidRequest>>,
    #[serde(default, deserialize_with = "objects")]
    volumegroups: Option<Vec<VolumeGroupRequest>>,
    #[serde(default, deserialize_with = "objects")]
    logicalvolumes: Option<Vec<LogicalVolumeRequest>>,
    #[serde(default, deserialize_with = "object")]
    constraints: Option<ConstraintsRequest>,
    pub changed: Option<DateTime<Utc>>,
}

/// Body of try.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TryRequest {
    pub size: Option<String>,
    pub image: Option<String>,
}

/// Body of matches.
#[derive(Debug, Default, Deserialize)]
pub(super) struct MatchRequest {
    pub machine: Option<String>,
    pub filesystemlayout: Option<String>,
}

#[derive(Debug, Deserialize)]
struct FilesystemRequest {
    path: Option<String>,
    device: Option<String>,
    format: Option<String>,
    label: Option<String>,
    createoptions: Option<Vec<String>>,
    mountoptions: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct DiskRequest {
    device: Option<String>,
    #[serde(default, deserialize_with = "objects")]
    partitions: Option<Vec<DiskPartitionRequest>>,
    wipeonreinstall: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct DiskPartitionRequest {
    number: Option<u8>,
    label: Option<String>,
    size: Option<u64>,
    gpttype: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RaidRequest {
    arrayname: Option<String>,
    devices: Option<Vec<String>>,
    createoptions: Option<Vec<String>>,
    level: Option<String>,
    spares: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct VolumeGroupRequest {
    name: Option<String>,
    devices: Option<Vec<String>>,
    tags: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct LogicalVolumeRequest {
    name: Option<String>,
    volumegroup: Option<String>,
    size: Option<u64>,
    lvmtype: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct ConstraintsRequest {
    sizes: Option<Vec<String>>,
    images: Option<Texts>,
}

// === impl LayoutRequest ===

impl LayoutRequest {
    /// The layout, checked.
    pub fn into_layout(self, id: LayoutId, times: Timestamps) -> Result<FilesystemLayout, Invalid> {
        let constraints = self.constraints.unwrap_or_default();
        let layout = FilesystemLayout {
            id,
            times,
            name: self.name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            filesystems: each(self.filesystems, "filesystems", FilesystemRequest::parse)?,
            disks: each(self.disks, "disks", DiskRequest::parse)?,
            raids: each(self.raid, "raid", RaidRequest::parse)?,
            volume_groups: each(self.volumegroups, "volumegroups", |group, _| {
                Ok(group.into_domain())
            })?,
            logical_volumes: each(
                self.logicalvolumes,
                "logicalvolumes",
                LogicalVolumeRequest::parse,
            )?,
            constraints: LayoutConstraints {
                sizes: constraints.sizes.unwrap_or_default(),
                images: texts(constraints.images),
            },
        };
        layout.check()?;
        Ok(layout)
    }
}

/// Parses every entry of a list; `parse` gets the path of the entry.
fn each<B, D>(
    bodies: Option<Vec<B>>,
    field: &str,
    parse: impl Fn(B, &str) -> Result<D, Invalid>,
) -> Result<Vec<D>, Invalid> {
    bodies
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(i, body)| parse(body, &format!("{field}[{i}]")))
        .collect()
}

// === impl FilesystemRequest ===

impl FilesystemRequest {
    fn parse(self, field: &str) -> Result<Filesystem, Invalid> {
        Ok(Filesystem {
            path: self.path.unwrap_or_default(),
            device: self.device.unwrap_or_default(),
            format: word(
                &format!("{field}.format"),
                &self.format.unwrap_or_default(),
                Format::from_word,
                Format::WORDS,
            )?,
            label: self.label.unwrap_or_default(),
            create_options: self.createoptions.unwrap_or_default(),
            mount_options: self.mountoptions.unwrap_or_default(),
        })
    }
}

// === impl DiskRequest ===

impl DiskRequest {
    fn parse(self, field: &str) -> Result<Disk, Invalid> {
        Ok(Disk {
            device: self.device.unwrap_or_default(),
            partitions: each(
                self.partitions,
                &format!("{field}.partitions"),
                DiskPartitionRequest::parse,
            )?,
            wipe_on_reinstall: self.wipeonreinstall.unwrap_or_default(),
        })
    }
}

// === impl DiskPartitionRequest ===

impl DiskPartitionRequest {
    fn parse(self, field: &str) -> Result<DiskPartition, Invalid> {
        Ok(DiskPartition {
            number: self.number.unwrap_or_default(),
            label: self.label.unwrap_or_default(),
            size: self.size.unwrap_or_default(),
            gpt_type: word(
                &format!("{field}.gpttype"),
                &self.gpttype.unwrap_or_default(),
                GptType::from_word,
                GptType::WORDS,
            )?,
        })
    }
}

// === impl RaidRequest ===

impl RaidRequest {
    fn parse(self, field: &str) -> Result<Raid, Invalid> {
        Ok(Raid {
            array: self.arrayname.unwrap_or_default(),
            devices: self.devices.unwrap_or_default(),
            create_options: self.createoptions.unwrap_or_default(),
            level: word(
                &format!("{field}.level"),
                &self.level.unwrap_or_default(),
                RaidLevel::from_word,
                RaidLevel::WORDS,
            )?,
            spares: self.spares.unwrap_or_default(),
        })
    }
}

// === impl VolumeGroupRequest ===

impl VolumeGroupRequest {
    fn into_domain(self) -> VolumeGroup {
        VolumeGroup {
            name: self.name.unwrap_or_default(),
            devices: self.devices.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
        }
    }
}

// === impl LogicalVolumeRequest ===

impl LogicalVolumeRequest {
    fn parse(self, field: &str) -> Result<LogicalVolume, Invalid> {
        Ok(LogicalVolume {
            name: self.name.unwrap_or_default(),
            volume_group: self.volumegroup.unwrap_or_default(),
            size: self.size.unwrap_or_default(),
            lvm_type: word(
                &format!("{field}.lvmtype"),
                &self.lvmtype.unwrap_or_default(),
                LvmType::from_word,
                LvmType::WORDS,
            )?,
        })
    }
}
