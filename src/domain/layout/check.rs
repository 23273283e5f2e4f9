//! The rules that a filesystem layout keeps.

use std::collections::BTreeSet;

use super::{
    Disk, Filesystem, FilesystemLayout, Format, LogicalVolume, LvmType, Raid, RaidLevel,
    VolumeGroup,
};
use crate::domain::{Invalid, bounds};

/// Most entries of each list of a layout.
const ENTRIES: usize = 64;
/// Most partitions of a disk: what a GPT holds.
const PARTITIONS: usize = 128;
/// Most devices of an array or group, and most options.
const PARTS: usize = 64;

impl FilesystemLayout {
    /// Refuses texts and lists beyond their bounds, devices that nothing provides or that are
    /// used twice, and names that are given twice.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        self.constraints.check()?;
        bounds::count("disks", self.disks.len(), ENTRIES)?;
        bounds::count("raid", self.raids.len(), ENTRIES)?;
        bounds::count("volumegroups", self.volume_groups.len(), ENTRIES)?;
        bounds::count("logicalvolumes", self.logical_volumes.len(), ENTRIES)?;
        bounds::count("filesystems", self.filesystems.len(), ENTRIES)?;

        let mut devices = Devices::default();
        bounds::distinct("disks", self.disks.iter().map(|disk| disk.device.as_str()))?;
        for (i, disk) in self.disks.iter().enumerate() {
            check_disk(&format!("disks[{i}]"), disk, &mut devices)?;
        }
        for (i, raid) in self.raids.iter().enumerate() {
            check_raid(&format!("raid[{i}]"), raid, &mut devices)?;
        }
        let groups = self.volume_groups.iter().map(|group| group.name.as_str());
        bounds::distinct("volumegroups", groups)?;
        for (i, group) in self.volume_groups.iter().enumerate() {
            check_group(&format!("volumegroups[{i}]"), group, &mut devices)?;
        }
        for (i, volume) in self.logical_volumes.iter().enumerate() {
            let field = format!("logicalvolumes[{i}]");
            check_volume(&field, volume, &self.volume_groups, &mut devices)?;
        }
        let paths = self.filesystems.iter().map(|fs| fs.path.as_str());
        bounds::distinct("filesystems", paths.filter(|path| !path.is_empty()))?;
        for (i, filesystem) in self.filesystems.iter().enumerate() {
            check_filesystem(&format!("filesystems[{i}]"), filesystem, &mut devices)?;
        }
        Ok(())
    }
}

/// What is there to build upon, and what is already built upon.
#[derive(Default)]
struct Devices {
    provided: BTreeSet<String>,
    used: BTreeSet<String>,
}

impl Devices {
    fn provide(&mut self, field: &str, device: String) -> Result<(), Invalid> {
        if self.provided.contains(&device) {
            return Err(Invalid::new(field, format!("{device} is made twice")));
        }
        self.provided.insert(device);
        Ok(())
    }

    fn consume(&mut self, field: &str, device: &str) -> Result<(), Invalid> {
        if !self.provided.contains(device) {
            return Err(Invalid::new(
                field,
                format!("device {device:?} is provided by nothing before it in this layout"),
            ));
        }
        if !self.used.insert(device.to_owned()) {
            return Err(Invalid::new(
                field,
                format!("device {device} is used twice"),
            ));
        }
        Ok(())
    }
}

fn check_disk(field: &str, disk: &Disk, devices: &mut Devices) -> Result<(), Invalid> {
    bounds::filled_line(&format!("{field}.device"), &disk.device, bounds::NAME)?;
    bounds::count(
        &format!("{field}.partitions"),
        disk.partitions.len(),
        PARTITIONS,
    )?;
    // A disk may be used whole only when it is not partitioned.
    if disk.partitions.is_empty() {
        return devices.provide(field, disk.device.clone());
    }
    let last = disk.partitions.len() - 1;
    for (i, partition) in disk.partitions.iter().enumerate() {
        let field = format!("{field}.partitions[{i}]");
        bounds::line(&format!("{field}.label"), &partition.label, bounds::NAME)?;
        bounds::number(&format!("{field}.size"), partition.size)?;
        if !(1..=PARTITIONS).contains(&usize::from(partition.number)) {
            return Err(Invalid::new(
                format!("{field}.number"),
                format!("must be from 1 to {PARTITIONS}"),
            ));
        }
        if partition.size == 0 && i != last {
            return Err(Invalid::new(
                format!("{field}.size"),
                "only the last partition may take all that is left (0)",
            ));
        }
        devices.provide(&field, disk.partition_device(partition))?;
    }
    Ok(())
}

fn check_raid(field: &str, raid: &Raid, devices: &mut Devices) -> Result<(), Invalid> {
    bounds::filled_line(&format!("{field}.arrayname"), &raid.array, bounds::NAME)?;
    options(&format!("{field}.createoptions"), &raid.create_options)?;
    check_devices(field, &raid.devices, devices)?;
    let members = u32::try_from(raid.devices.len()).unwrap_or(u32::MAX);
    let least = match raid.level {
        RaidLevel::Stripe => 1,
        RaidLevel::Mirror => 2,
    };
    if members < raid.spares.saturating_add(least) {
        return Err(Invalid::new(
            format!("{field}.devices"),
            format!(
                "{members} are too few for level {} with {} spares",
                raid.level.word(),
                raid.spares
            ),
        ));
    }
    devices.provide(field, raid.array.clone())
}

fn check_group(field: &str, group: &VolumeGroup, devices: &mut Devices) -> Result<(), Invalid> {
    bounds::filled_line(&format!("{field}.name"), &group.name, bounds::NAME)?;
    options(&format!("{field}.tags"), &group.tags)?;
    if group.devices.is_empty() {
        return Err(Invalid::new(
            format!("{field}.devices"),
            "must not be empty",
        ));
    }
    check_devices(field, &group.devices, devices)
}

fn check_volume(
    field: &str,
    volume: &LogicalVolume,
    groups: &[VolumeGroup],
    devices: &mut Devices,
) -> Result<(), Invalid> {
    bounds::filled_line(&format!("{field}.name"), &volume.name, bounds::NAME)?;
    bounds::number(&format!("{field}.size"), volume.size)?;
    let Some(group) = groups
        .iter()
        .find(|group| group.name == volume.volume_group)
    else {
        return Err(Invalid::new(
            format!("{field}.volumegroup"),
            format!(
                "{:?} is no volume group of this layout",
                volume.volume_group
            ),
        ));
    };
    let needed = match volume.lvm_type {
        LvmType::Linear => 1,
        LvmType::Striped | LvmType::Mirror => 2,
    };
    if group.devices.len() < needed {
        return Err(Invalid::new(
            format!("{field}.lvmtype"),
            format!(
                "{} needs {needed} devices, volume group {:?} has {}",
                volume.lvm_type.word(),
                group.name,
                group.devices.len()
            ),
        ));
    }
    devices.provide(field, volume.device())
}

fn check_filesystem(field: &str, fs: &Filesystem, devices: &mut Devices) -> Result<(), Invalid> {
    bounds::line(&format!("{field}.path"), &fs.path, bounds::TEXT)?;
    bounds::line(&format!("{field}.label"), &fs.label, bounds::NAME)?;
    bounds::filled_line(&format!("{field}.device"), &fs.device, bounds::NAME)?;
    options(&format!("{field}.createoptions"), &fs.create_options)?;
    options(&format!("{field}.mountoptions"), &fs.mount_options)?;
    if !fs.path.is_empty() && !fs.path.starts_with('/') {
        return Err(Invalid::new(
            format!("{field}.path"),
            format!("{:?} is not absolute", fs.path),
        ));
    }
    if fs.format == Format::Tmpfs {
        return Ok(());
    }
    devices.consume(&format!("{field}.device"), &fs.device)
}

fn check_devices(field: &str, list: &[String], devices: &mut Devices) -> Result<(), Invalid> {
    let field = format!("{field}.devices");
    bounds::lines(&field, list, PARTS, bounds::NAME)?;
    for (i, device) in list.iter().enumerate() {
        devices.consume(&format!("{field}[{i}]"), device)?;
    }
    Ok(())
}

fn options(field: &str, list: &[String]) -> Result<(), Invalid> {
    bounds::lines(field, list, PARTS, bounds::NAME)
}

#[cfg(test)]
mod tests;
