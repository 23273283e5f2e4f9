//! What makes the tables in a database: the files of `migrations/`.

use metal_storage::sql::Migration;

/// A file for each step.
macro_rules! files {
    ($($folder:ident $name:literal;)+) => {
        &[$(Migration::$folder(
            concat!(stringify!($folder), "/", $name),
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/migrations/", stringify!($folder), "/", $name, ".sql"
            )),
        ),)+]
    };
}

/// Every step, in order. A step that a release had is never changed: what follows is a new one.
pub static ALL: &[Migration] = files! {
    common "0001_metal_scope";
    common "0002_metal_change";
    cockroach "0003_metal_scope_locality";
    cockroach "0004_metal_change_locality";
    common "0010_tenant";
    postgres "0011_tenant_id";
    cockroach "0012_tenant_locality";
    common "0013_tenant_name";
    common "0020_project";
    postgres "0021_project_id";
    cockroach "0022_project_locality";
    common "0023_project_tenant";
    common "0024_project_name";
    common "0030_partition";
    postgres "0031_partition_id";
    cockroach "0032_partition_locality";
    common "0033_partition_name";
    common "0040_size";
    postgres "0041_size_id";
    cockroach "0042_size_locality";
    common "0043_size_name";
    common "0050_image";
    postgres "0051_image_id";
    cockroach "0052_image_locality";
    common "0053_image_os";
    common "0054_image_name";
    common "0060_filesystemlayout";
    postgres "0061_filesystemlayout_id";
    cockroach "0062_filesystemlayout_locality";
    common "0063_filesystemlayout_name";
    common "0070_sentinel";
    postgres "0071_sentinel_id";
    cockroach "0072_sentinel_locality";
    common "0080_heartbeat";
    postgres "0081_heartbeat_id";
    cockroach "0082_heartbeat_locality";
    common "0090_pool";
    postgres "0091_pool_id";
    cockroach "0092_pool_locality";
    common "0100_free";
    postgres "0101_free_id";
    cockroach "0102_free_locality";
    common "0103_free_fits";
    common "0110_network";
    postgres "0111_network_id";
    cockroach "0112_network_locality";
    common "0113_network_kind";
    common "0114_network_parent";
    common "0115_network_project";
    common "0116_network_name";
    common "0120_ip";
    postgres "0121_ip_id";
    cockroach "0122_ip_locality";
    common "0123_ip_network";
    common "0124_ip_project";
    common "0130_claim";
    postgres "0131_claim_id";
    cockroach "0132_claim_locality";
    common "0133_claim_state";
    common "0140_block";
    postgres "0141_block_id";
    cockroach "0142_block_locality";
    common "0143_block_network";
    common "0144_block_partition";
    common "0150_vrf";
    postgres "0151_vrf_id";
    cockroach "0152_vrf_locality";
    common "0160_fence";
    postgres "0161_fence_id";
    cockroach "0162_fence_locality";
    common "0200_sizeimageconstraint";
    postgres "0201_sizeimageconstraint_id";
    cockroach "0202_sizeimageconstraint_locality";
    common "0203_sizeimageconstraint_name";
    common "0210_sizereservation";
    postgres "0211_sizereservation_id";
    cockroach "0212_sizereservation_locality";
    common "0213_sizereservation_size";
    common "0214_sizereservation_project";
    common "0220_audit";
    postgres "0221_audit_id";
    cockroach "0222_audit_locality";
    common "0223_audit_rqid";
    common "0224_audit_user";
    common "0225_audit_project";
    common "0230_auditbucket";
    postgres "0231_auditbucket_id";
    cockroach "0232_auditbucket_locality";
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_is_a_step_and_the_steps_are_in_order() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut files = BTreeSet::new();
        for engine in ["common", "postgres", "cockroach"] {
            for file in fs::read_dir(folder.join(engine)).unwrap() {
                let name = file.unwrap().file_name().into_string().unwrap();
                files.insert(format!("{engine}/{}", name.strip_suffix(".sql").unwrap()));
            }
        }
        let listed: BTreeSet<_> = ALL.iter().map(|step| step.name().to_owned()).collect();
        assert_eq!(listed, files);
        let number = |step: &Migration| step.name().split(['/', '_']).nth(1).unwrap().to_owned();
        let numbers: Vec<_> = ALL.iter().map(number).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    #[test]
    fn a_file_holds_one_statement() {
        for step in ALL {
            assert_eq!(step.sql().matches(';').count(), 1, "{}", step.name());
            assert!(step.sql().ends_with(";\n"), "{}", step.name());
        }
    }
}
