use std::{env, path::PathBuf};

use anyhow::Context;
use clap::Args;
use metal_storage::backup::{Place, S3Options};

/// Where a backup is kept.
#[derive(Debug, Args)]
pub(super) struct PlaceArguments {
    /// A path, or s3://BUCKET/KEY
    #[arg(value_name = "FILE|s3://BUCKET/KEY")]
    place: String,
    /// URL of the S3 service, if it is not Amazon's [env: AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    s3_endpoint: Option<String>,
    /// Region of the bucket [env: AWS_REGION]
    #[arg(long, value_name = "NAME")]
    s3_region: Option<String>,
    /// File with the keys, as ~/.aws/credentials; else they are AWS_ACCESS_KEY_ID
    /// and AWS_SECRET_ACCESS_KEY in the environment [env: AWS_SHARED_CREDENTIALS_FILE]
    #[arg(long, value_name = "FILE")]
    s3_credentials_file: Option<PathBuf>,
    /// Section of that file [env: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    s3_profile: Option<String>,
    /// Authorities that the service is trusted by, PEM [env: AWS_CA_BUNDLE]
    #[arg(long, value_name = "FILE")]
    s3_ca_file: Option<PathBuf>,
}

// === impl PlaceArguments ===

impl PlaceArguments {
    pub(super) fn place(&self) -> anyhow::Result<Place> {
        let mut options = S3Options::from_environment(|name| env::var(name).ok());
        fn set<T: Clone>(option: &mut Option<T>, flag: &Option<T>) {
            if flag.is_some() {
                option.clone_from(flag);
            }
        }
        set(&mut options.endpoint, &self.s3_endpoint);
        set(&mut options.region, &self.s3_region);
        set(&mut options.credentials_file, &self.s3_credentials_file);
        set(&mut options.profile, &self.s3_profile);
        set(&mut options.ca_file, &self.s3_ca_file);
        Place::parse(&self.place, &options).context("no backup can be kept there")
    }
}
