use chrono::DateTime;

use super::*;
use crate::domain::GptType;
use crate::domain::{DiskPartition, LayoutConstraints, LayoutId, Timestamps};

fn partition(number: u8, size: u64, gpt_type: GptType) -> DiskPartition {
    DiskPartition {
        number,
        label: String::new(),
        size,
        gpt_type,
    }
}

fn filesystem(path: &str, device: &str, format: Format) -> Filesystem {
    Filesystem {
        path: path.into(),
        device: device.into(),
        format,
        label: String::new(),
        create_options: vec![],
        mount_options: vec![],
    }
}

/// A disk of four partitions; a RAID of two, a volume group on it with one volume.
fn layout() -> FilesystemLayout {
    FilesystemLayout {
        id: LayoutId::try_from("l".to_owned()).unwrap(),
        times: Timestamps::new(DateTime::UNIX_EPOCH),
        name: String::new(),
        description: String::new(),
        filesystems: vec![
            filesystem("/boot/efi", "/dev/nvme0n1p1", Format::Vfat),
            filesystem("/", "/dev/vg00/root", Format::Ext4),
            filesystem("/tmp", "tmpfs", Format::Tmpfs),
        ],
        disks: vec![Disk {
            device: "/dev/nvme0n1".into(),
            wipe_on_reinstall: true,
            partitions: vec![
                partition(1, 500, GptType::Boot),
                partition(2, 200, GptType::Raid),
                partition(3, 200, GptType::Raid),
                partition(4, 0, GptType::Linux),
            ],
        }],
        raids: vec![Raid {
            array: "/dev/md1".into(),
            devices: vec!["/dev/nvme0n1p2".into(), "/dev/nvme0n1p3".into()],
            create_options: vec!["--metadata".into(), "1.0".into()],
            level: RaidLevel::Mirror,
            spares: 0,
        }],
        volume_groups: vec![VolumeGroup {
            name: "vg00".into(),
            devices: vec!["/dev/md1".into()],
            tags: vec![],
        }],
        logical_volumes: vec![LogicalVolume {
            name: "root".into(),
            volume_group: "vg00".into(),
            size: 100,
            lvm_type: LvmType::Linear,
        }],
        constraints: LayoutConstraints::default(),
    }
}

fn refused(break_it: impl FnOnce(&mut FilesystemLayout)) -> String {
    let mut layout = layout();
    break_it(&mut layout);
    layout.check().unwrap_err().to_string()
}

#[test]
fn a_layout_whose_devices_are_all_provided_is_accepted() {
    layout().check().unwrap();
}

#[test]
fn a_device_that_nothing_provides_is_refused() {
    let message = refused(|l| l.filesystems[0].device = "/dev/nvme0n1p9".into());
    assert!(message.starts_with("filesystems[0].device: device \"/dev/nvme0n1p9\""));
    refused(|l| l.raids[0].devices[1] = "/dev/sdb1".into());
    refused(|l| l.volume_groups[0].devices[0] = "/dev/md2".into());
    refused(|l| l.logical_volumes[0].volume_group = "vg01".into());
}

#[test]
fn a_device_that_is_used_or_made_twice_is_refused() {
    assert!(refused(|l| l.filesystems[1].device = "/dev/nvme0n1p1".into()).contains("used twice"));
    assert!(refused(|l| l.disks[0].partitions[1].number = 1).contains("made twice"));
    assert!(refused(|l| l.raids[0].array = "/dev/nvme0n1p1".into()).contains("made twice"));
    assert!(refused(|l| l.filesystems[1].path = "/tmp".into()).contains("given twice"));
}

#[test]
fn only_the_last_partition_takes_all_that_is_left() {
    assert!(refused(|l| l.disks[0].partitions[0].size = 0).contains("disks[0].partitions[0].size"));
}

#[test]
fn arrays_and_volumes_need_enough_devices() {
    assert!(refused(|l| l.raids[0].spares = 1).contains("too few"));
    assert!(refused(|l| l.logical_volumes[0].lvm_type = LvmType::Striped).contains("needs 2"));
}

#[test]
fn a_partition_number_is_from_1_to_128() {
    assert!(refused(|l| l.disks[0].partitions[3].number = 0).contains("number"));
    assert!(refused(|l| l.disks[0].partitions[3].number = 129).contains("number"));
}
