//! Which machines get a filesystem layout.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::size_image_constraint::check_images;
use crate::domain::{Invalid, VersionConstraint, bounds};

/// Most sizes of a layout.
const SIZES: usize = 1024;
/// Most operating systems of a layout.
const IMAGES: usize = 256;

/// The sizes and images that a layout is meant for. A layout without sizes or without images is
/// taken only by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutConstraints {
    /// Ids of sizes.
    pub sizes: Vec<String>,
    /// Versions of images, by operating system.
    pub images: BTreeMap<String, String>,
}

// === impl LayoutConstraints ===

impl LayoutConstraints {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let sizes = "constraints.sizes";
        bounds::lines(sizes, &self.sizes, SIZES, bounds::ID)?;
        bounds::distinct(sizes, self.sizes.iter().map(String::as_str))?;
        if let Some(size) = self.sizes.iter().find(|size| size.contains('*')) {
            return Err(Invalid::new(
                sizes,
                format!("{size:?}: no wildcard is allowed"),
            ));
        }
        check_images("constraints.images", &self.images, IMAGES)
    }

    /// Whether some size and image is meant by both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.sizes.iter().any(|size| other.sizes.contains(size))
            && self.images.iter().any(|(os, versions)| {
                other
                    .images
                    .get(os)
                    .is_some_and(|others| versions_overlap(versions, others))
            })
    }
}

/// Constraints that cannot be read count as all versions.
fn versions_overlap(a: &str, b: &str) -> bool {
    match (
        a.parse::<VersionConstraint>(),
        b.parse::<VersionConstraint>(),
    ) {
        (Ok(a), Ok(b)) => a.overlaps(&b),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraints(sizes: &[&str], images: &[(&str, &str)]) -> LayoutConstraints {
        LayoutConstraints {
            sizes: sizes.iter().map(ToString::to_string).collect(),
            images: images
                .iter()
                .map(|(os, versions)| (os.to_string(), versions.to_string()))
                .collect(),
        }
    }

    #[test]
    fn layouts_overlap_when_they_share_a_size_and_a_version_of_an_image() {
        let a = constraints(&["s", "m"], &[("ubuntu", ">= 24"), ("debian", "*")]);
        assert!(a.overlaps(&constraints(&["m"], &[("ubuntu", "24.04")])));
        assert!(!a.overlaps(&constraints(&["m"], &[("ubuntu", "< 24")])));
        assert!(!a.overlaps(&constraints(&["l"], &[("debian", "*")])));
        assert!(!a.overlaps(&constraints(&["m"], &[])));
    }

    #[test]
    fn wildcards_and_unreadable_versions_are_refused() {
        assert!(constraints(&["s*"], &[]).check().is_err());
        assert!(constraints(&["s", "s"], &[]).check().is_err());
        assert!(constraints(&[""], &[]).check().is_err());
        assert!(constraints(&["s"], &[("ubuntu*", "*")]).check().is_err());
        let error = constraints(&["s"], &[("ubuntu", "abc")])
            .check()
            .unwrap_err();
        assert_eq!(error.field, "constraints.images.ubuntu");
    }
}
