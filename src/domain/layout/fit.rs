//! Which layout a machine gets, and whether its disks are enough for it.

use std::collections::HashMap;

use super::FilesystemLayout;
use crate::domain::{BlockDevice, Hardware, ImageId, SizeId, VersionConstraint};

/// Bytes of a MiB.
const MIB: u64 = 1 << 20;

/// Why the hardware of a machine is not enough for a layout. Sizes are MiB.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A disk of the layout is none of the machine's.
    #[error("device:{device} does not exist on given hardware")]
    Missing {
        /// As the layout names it.
        device: String,
    },
    /// The partitions of a disk need more than it has.
    #[error("device:{device} is not big enough required:{required}MiB, existing:{existing}MiB")]
    TooSmall {
        /// As the layout names it.
        device: String,
        /// What the partitions need.
        required: u64,
        /// What the disk has.
        existing: u64,
    },
}

impl FilesystemLayout {
    /// The first of `layouts` that is meant for machines of `size` with `image`. As layouts do not
    /// overlap, there is at most one.
    pub fn choose<'a>(
        layouts: impl IntoIterator<Item = &'a Self>,
        size: &SizeId,
        image: &ImageId,
    ) -> Option<&'a Self> {
        layouts
            .into_iter()
            .find(|layout| layout.is_for(size, image))
    }

    /// Whether it is meant for machines of `size` with `image`. A version constraint that cannot
    /// be read means none.
    pub fn is_for(&self, size: &SizeId, image: &ImageId) -> bool {
        let constraints = &self.constraints;
        let versions = constraints.images.get(image.os());
        let versions = versions.and_then(|text| text.parse::<VersionConstraint>().ok());
        constraints.sizes.iter().any(|id| id == size.as_str())
            && versions.is_some_and(|versions| versions.matches(image.version()))
    }

    /// Whether the machine has every disk that is partitioned, and each is big enough for its
    /// partitions; one that takes all that is left needs nothing.
    ///
    /// # Errors
    /// The first disk that is missing or too small.
    pub fn fits(&self, hardware: &Hardware) -> Result<(), Misfit> {
        let existing: HashMap<String, u64> = hardware
            .disks
            .iter()
            .map(|disk: &BlockDevice| (disk.device(), disk.size / MIB))
            .collect();
        for disk in &self.disks {
            let device = disk.device.clone();
            let Some(&existing) = existing.get(&device) else {
                return Err(Misfit::Missing { device });
            };
            let sizes = disk.partitions.iter().map(|partition| partition.size);
            let required = sizes.fold(0, u64::saturating_add);
            if required > existing {
                return Err(Misfit::TooSmall {
                    device,
                    required,
                    existing,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Disk, DiskPartition, GptType, LayoutConstraints, LayoutId, Timestamps};
    use chrono::DateTime;

    fn layout(id: &str, sizes: &[&str], images: &[(&str, &str)]) -> FilesystemLayout {
        FilesystemLayout {
            id: LayoutId::try_from(id.to_owned()).unwrap(),
            times: Timestamps::new(DateTime::UNIX_EPOCH),
            name: String::new(),
            description: String::new(),
            filesystems: vec![],
            disks: vec![],
            raids: vec![],
            volume_groups: vec![],
            logical_volumes: vec![],
            constraints: LayoutConstraints {
                sizes: sizes.iter().map(ToString::to_string).collect(),
                images: images
                    .iter()
                    .map(|(os, versions)| (os.to_string(), versions.to_string()))
                    .collect(),
            },
        }
    }

    fn disk(device: &str, sizes: &[u64]) -> Disk {
        let partition = |(i, &size): (usize, &u64)| DiskPartition {
            number: u8::try_from(i + 1).unwrap(),
            label: String::new(),
            size,
            gpt_type: GptType::Linux,
        };
        Disk {
            device: device.into(),
            partitions: sizes.iter().enumerate().map(partition).collect(),
            wipe_on_reinstall: false,
        }
    }

    fn hardware(disks: &[(&str, u64)]) -> Hardware {
        let device = |&(name, mib): &(&str, u64)| BlockDevice {
            name: name.into(),
            size: mib * MIB,
        };
        Hardware {
            disks: disks.iter().map(device).collect(),
            ..Hardware::default()
        }
    }

    #[test]
    fn the_layout_of_the_size_and_the_version_of_the_image_is_chosen() {
        let layouts = [
            layout("old", &["s", "m"], &[("ubuntu", "< 24.4")]),
            layout(
                "new",
                &["s", "m"],
                &[("ubuntu", ">= 24.4"), ("debian", "*")],
            ),
            layout("by-name", &[], &[]),
        ];
        let chosen = |size: &str, image: &str| {
            let size = SizeId::try_from(size.to_owned()).unwrap();
            let image = ImageId::try_from(image.to_owned()).unwrap();
            FilesystemLayout::choose(&layouts, &size, &image).map(|layout| layout.id.as_str())
        };
        assert_eq!(chosen("s", "ubuntu-22.4"), Some("old"));
        assert_eq!(chosen("m", "ubuntu-24.4.1"), Some("new"));
        assert_eq!(chosen("m", "debian-12.0"), Some("new"));
        assert_eq!(chosen("l", "debian-12.0"), None);
        assert_eq!(chosen("s", "alma-9.4"), None);
    }

    #[test]
    fn a_layout_fits_hardware_with_all_its_disks_in_the_sizes_that_it_needs() {
        let layout = FilesystemLayout {
            disks: vec![disk("/dev/sda", &[500, 500, 0]), disk("/dev/sdb", &[])],
            ..layout("l", &[], &[])
        };
        assert_eq!(
            layout.fits(&hardware(&[("sda", 1000), ("/dev/sdb", 1)])),
            Ok(())
        );
        assert_eq!(
            layout
                .fits(&hardware(&[("sda", 999), ("sdb", 1)]))
                .unwrap_err()
                .to_string(),
            "device:/dev/sda is not big enough required:1000MiB, existing:999MiB"
        );
        assert_eq!(
            layout
                .fits(&hardware(&[("sda", 1000)]))
                .unwrap_err()
                .to_string(),
            "device:/dev/sdb does not exist on given hardware"
        );
    }
}
