//! Which versions of images a size may be installed with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ImageId, Invalid, SizeImageConstraintId, Timestamps, VersionConstraint, bounds};

/// Most operating systems of a constraint.
const IMAGES: usize = 256;

/// Which versions of images machines of one size may be installed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeImageConstraint {
    /// The id of the size, which may be made later.
    pub id: SizeImageConstraintId,
    /// When it was made and changed.
    #[serde(flatten)]
    pub times: Timestamps,
    /// Display name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Versions that are allowed, by operating system. What is not named is not constrained.
    pub images: BTreeMap<String, String>,
}

// === impl SizeImageConstraint ===

impl SizeImageConstraint {
    /// Refuses texts beyond their bounds, wildcards and versions that are no constraint.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        check_images("constraints.images", &self.images, IMAGES)
    }

    /// What of this constraint `image` violates: the operating system and its allowed versions.
    /// Versions that cannot be read allow nothing.
    pub fn violated_by(&self, image: &ImageId) -> Option<(&str, &str)> {
        let (os, versions) = self.images.get_key_value(image.os())?;
        let allowed = versions
            .parse::<VersionConstraint>()
            .is_ok_and(|versions| versions.matches(image.version()));
        (!allowed).then_some((os, versions))
    }
}

/// Versions by operating system: names without wildcards, and readable constraints.
pub(super) fn check_images(
    field: &str,
    images: &BTreeMap<String, String>,
    most: usize,
) -> Result<(), Invalid> {
    bounds::count(field, images.len(), most)?;
    for (os, versions) in images {
        let of_os = format!("{field}.{os}");
        bounds::filled_line(field, os, bounds::ID)?;
        if os.contains('*') {
            return Err(Invalid::new(of_os, "no wildcard is allowed in its name"));
        }
        bounds::filled_line(&of_os, versions, bounds::NAME)?;
        versions
            .parse::<VersionConstraint>()
            .map_err(|invalid| Invalid::new(of_os, invalid.reason))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn constraint(images: &[(&str, &str)]) -> SizeImageConstraint {
        SizeImageConstraint {
            id: SizeImageConstraintId::try_from("s".to_owned()).unwrap(),
            times: Timestamps::new(DateTime::UNIX_EPOCH),
            name: String::new(),
            description: String::new(),
            images: images
                .iter()
                .map(|(os, versions)| (os.to_string(), versions.to_string()))
                .collect(),
        }
    }

    fn image(id: &str) -> ImageId {
        ImageId::try_from(id.to_owned()).unwrap()
    }

    #[test]
    fn an_image_outside_of_the_allowed_versions_violates_the_constraint() {
        let constraint = constraint(&[("firewall-ubuntu", ">= 2.0.20211001"), ("debian", "~12")]);
        for allowed in [
            "firewall-ubuntu-2.0.20211001",
            "firewall-ubuntu-3.0",
            "debian-12.9",
            "ubuntu-1.0",
            "firewall-1.0",
        ] {
            assert_eq!(constraint.violated_by(&image(allowed)), None, "{allowed}");
        }
        assert_eq!(
            constraint.violated_by(&image("firewall-ubuntu-2.0.20210930")),
            Some(("firewall-ubuntu", ">= 2.0.20211001"))
        );
        assert_eq!(
            constraint.violated_by(&image("debian-13.0")),
            Some(("debian", "~12"))
        );
    }

    #[test]
    fn wildcards_and_unreadable_versions_are_refused() {
        assert!(constraint(&[("ubuntu", "~24.4")]).check().is_ok());
        assert!(constraint(&[]).check().is_ok());
        assert!(constraint(&[("ubuntu*", "*")]).check().is_err());
        assert!(constraint(&[("", "*")]).check().is_err());
        let error = constraint(&[("ubuntu", "abc")]).check().unwrap_err();
        assert_eq!(error.field, "constraints.images.ubuntu");
    }
}
