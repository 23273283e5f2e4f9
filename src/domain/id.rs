//! Ids of records.

use serde::{Deserialize, Serialize};

use super::{Invalid, bounds};

/// `id` is not empty, at most [`bounds::ID`] bytes and has no control characters.
pub(super) fn check(id: &str) -> Result<(), Invalid> {
    if id.is_empty() {
        return Err(Invalid::new("id", "should not be empty"));
    }
    bounds::line("id", id, bounds::ID)
}

/// As [`check`], and not a word that stands in the place of the id in a path of the API: a record
/// of that id could not be read.
fn check_unreserved(id: &str, reserved: &[&str]) -> Result<(), Invalid> {
    check(id)?;
    if reserved.contains(&id) {
        return Err(Invalid::new("id", format!("{id:?} is reserved")));
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, reserved: $reserved:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(id: String) -> Result<Self, Invalid> {
                check_unreserved(&id, &$reserved)?;
                Ok(Self(id))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Id of a tenant.
    TenantId,
    reserved: ["find"]
);
id!(
    /// Id of a project.
    ProjectId,
    reserved: ["find"]
);
id!(
    /// Id of a partition.
    PartitionId,
    reserved: ["capacity"]
);
id!(
    /// Id of a size.
    SizeId,
    reserved: ["reservations", "suggest"]
);
id!(
    /// Id of a size image constraint: that of its size.
    SizeImageConstraintId,
    reserved: ["try"]
);
id!(
    /// Id of a size reservation.
    SizeReservationId,
    reserved: ["find", "usage"]
);
id!(
    /// Id of a filesystem layout.
    LayoutId,
    reserved: ["matches", "try"]
);

id!(
    /// Id of a network.
    NetworkId,
    reserved: ["allocate", "find", "free"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_paths_are_no_ids() {
        assert!(TenantId::try_from("find".to_owned()).is_err());
        assert!(SizeId::try_from("reservations".to_owned()).is_err());
        assert!(SizeId::try_from("find".to_owned()).is_ok());
    }

    #[test]
    fn ids_are_filled_bounded_and_printable() {
        assert!(SizeId::try_from("v1-small-x86".to_owned()).is_ok());
        for bad in ["", "a\u{0}", "a\nb", &"x".repeat(bounds::ID + 1)] {
            assert!(SizeId::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
