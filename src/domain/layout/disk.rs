//! What a filesystem layout makes: partitions, arrays, volumes, filesystems.

use serde::{Deserialize, Serialize};

/// A disk and its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Device, e.g. `/dev/sda`.
    pub device: String,
    /// Partitions, in the order of the disk.
    pub partitions: Vec<DiskPartition>,
    /// Whether a reinstallation wipes it.
    pub wipe_on_reinstall: bool,
}

/// A partition of a [`Disk`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskPartition {
    /// Number, from 1.
    pub number: u8,
    /// Label, may be empty.
    pub label: String,
    /// MiB; 0 is all that is left.
    pub size: u64,
    /// Kind of partition.
    pub gpt_type: GptType,
}

/// A RAID array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raid {
    /// Device of the array, e.g. `/dev/md1`.
    pub array: String,
    /// Devices that it is made of.
    pub devices: Vec<String>,
    /// Options of its creation.
    pub create_options: Vec<String>,
    /// Level.
    pub level: RaidLevel,
    /// Number of the devices that are spares.
    pub spares: u32,
}

/// A volume group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeGroup {
    /// Name.
    pub name: String,
    /// Devices that it is made of.
    pub devices: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
}

/// A logical volume; its device is `/dev/<volume group>/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogicalVolume {
    /// Name.
    pub name: String,
    /// Volume group that it is in.
    pub volume_group: String,
    /// MiB; 0 is all that is left.
    pub size: u64,
    /// How it is laid out.
    pub lvm_type: LvmType,
}

/// A filesystem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filesystem {
    /// Where it is mounted; empty if it is not.
    pub path: String,
    /// Device that it is made on; `tmpfs` has none.
    pub device: String,
    /// Kind of filesystem.
    pub format: Format,
    /// Label, may be empty.
    pub label: String,
    /// Options of mkfs.
    pub create_options: Vec<String>,
    /// Options of mount.
    pub mount_options: Vec<String>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Its names in the API.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The one by its name in the API.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Its name in the API.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words!(
    /// Kind of a partition, by its GPT type code.
    GptType {
        /// EFI system partition.
        Boot = "ef00",
        /// Linux filesystem.
        Linux = "8300",
        /// Member of a RAID array.
        Raid = "fd00",
        /// Physical volume of a volume group.
        Lvm = "8e00",
    }
);

words!(
    /// Level of a [`Raid`].
    RaidLevel {
        /// Striping.
        Stripe = "0",
        /// Mirroring.
        Mirror = "1",
    }
);

words!(
    /// Layout of a [`LogicalVolume`].
    LvmType {
        /// One device after the other.
        Linear = "linear",
        /// Striped over the devices.
        Striped = "striped",
        /// Mirrored on the devices.
        Mirror = "raid1",
    }
);

words!(
    /// Kind of a [`Filesystem`].
    Format {
        /// FAT.
        Vfat = "vfat",
        /// ext3.
        Ext3 = "ext3",
        /// ext4.
        Ext4 = "ext4",
        /// Swap space.
        Swap = "swap",
        /// In memory, on no device.
        Tmpfs = "tmpfs",
        /// The device is left as it is.
        None = "none",
    }
);

// === impl Disk ===

impl Disk {
    /// The device of a partition as the kernel names it: a disk whose name ends in a digit gets a
    /// `p` before the number.
    pub fn partition_device(&self, partition: &DiskPartition) -> String {
        let separator = if self.device.ends_with(|c: char| c.is_ascii_digit()) {
            "p"
        } else {
            ""
        };
        format!("{}{separator}{}", self.device, partition.number)
    }
}

// === impl LogicalVolume ===

impl LogicalVolume {
    /// The device of this volume.
    pub fn device(&self) -> String {
        format!("/dev/{}/{}", self.volume_group, self.name)
    }
}
