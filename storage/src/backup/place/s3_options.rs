use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use object_store::RetryConfig;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{Certificate, ClientOptions};

/// Until the service takes the connection.
const CONNECT: Duration = Duration::from_secs(5);
/// From one byte of an answer to the next.
const SILENCE: Duration = Duration::from_secs(60);
/// Times that a request is tried again, and until when.
const RETRIES: usize = 4;
const RETRY: Duration = Duration::from_secs(60);
/// A credentials or certificate file is shorter.
const MAX_FILE: u64 = 1 << 20;

/// Which S3-compatible service, and who we are to it.
#[derive(Clone, Default)]
pub struct S3Options {
    /// Its URL, such as `https://s3.example.net:9000`; absent: Amazon's, by region. Plain HTTP is
    /// refused but to a loopback address.
    pub endpoint: Option<String>,
    /// Absent: `us-east-1`, which most services take for their own.
    pub region: Option<String>,
    /// PEM certificates of the authorities that it is trusted by, and no others; absent: the
    /// system's.
    pub ca_file: Option<PathBuf>,
    /// A file as `~/.aws/credentials`: `aws_access_key_id`, `aws_secret_access_key` and perhaps
    /// `aws_session_token`, in the section of the profile.
    pub credentials_file: Option<PathBuf>,
    /// The section of the credentials file; absent: `default`.
    pub profile: Option<String>,
    /// Access key, secret key and perhaps a session token, where there is no file.
    pub keys: Option<(String, String, Option<String>)>,
}

// === impl S3Options ===

impl S3Options {
    /// What the environment says, in the variables that Amazon's own tools read.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let keys = match (
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
        ) {
            (Some(access), Some(secret)) => Some((access, secret, variable("AWS_SESSION_TOKEN"))),
            _ => None,
        };
        let home = || {
            let path = PathBuf::from(variable("HOME")?).join(".aws/credentials");
            path.exists().then_some(path)
        };
        let file = variable("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
        Self {
            endpoint: variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL")),
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            ca_file: variable("AWS_CA_BUNDLE").map(PathBuf::from),
            // As there: keys in the environment win over a file.
            credentials_file: match keys {
                Some(_) => None,
                None => file.or_else(home),
            },
            profile: variable("AWS_PROFILE"),
            keys,
        }
    }

    fn credentials(&self) -> Result<(String, String, Option<String>), String> {
        if let Some(path) = &self.credentials_file {
            let text = read(path)?;
            let profile = self.profile.as_deref().unwrap_or("default");
            return credentials(&text, profile).ok_or_else(|| {
                format!(
                    "{} has no aws_access_key_id and aws_secret_access_key in [{profile}]",
                    path.display()
                )
            });
        }
        self.keys.clone().ok_or_else(|| {
            "no credentials: name a credentials file, or set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY in the environment"
                .to_owned()
        })
    }

    pub(super) fn connect(&self, bucket: &str) -> Result<AmazonS3, String> {
        let (access, secret, token) = self.credentials()?;
        let mut client = ClientOptions::new()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(SILENCE)
            .with_timeout_disabled();
        if let Some(path) = &self.ca_file {
            let pem = read(path)?;
            let certificates = Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|error| format!("{}: {error}", path.display()))?;
            if certificates.is_empty() {
                return Err(format!("{} holds no certificate", path.display()));
            }
            client = client.with_no_system_certificates(true);
            for certificate in certificates {
                client = client.with_root_certificate(certificate);
            }
        }
        let retry = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRY,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(self.region.as_deref().unwrap_or("us-east-1"))
            .with_access_key_id(access)
            .with_secret_access_key(secret)
            .with_retry(retry);
        if let Some(token) = token {
            builder = builder.with_token(token);
        }
        if let Some(endpoint) = &self.endpoint {
            check_endpoint(endpoint)?;
            let plain = endpoint.starts_with("http://");
            client = client.with_allow_http(plain);
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        builder
            .with_client_options(client)
            .build()
            .map_err(|error| error.to_string())
    }
}

/// Without the secrets.
impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("ca_file", &self.ca_file)
            .field("credentials_file", &self.credentials_file)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let (scheme, rest) = endpoint
        .split_once("://")
        .ok_or("the endpoint is no URL: write https://HOST[:PORT]")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("the endpoint carries credentials: put them into a file".to_owned());
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(authority) => Ok(()),
        "http" => Err("the endpoint must be https://: a backup holds everything".to_owned()),
        _ => Err(format!("the endpoint has scheme {scheme}, not https")),
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn read(path: &FilePath) -> Result<String, String> {
    use std::io::Read;
    let read = || {
        let mut text = String::new();
        let file = std::fs::File::open(path)?;
        file.take(MAX_FILE).read_to_string(&mut text)?;
        Ok(text)
    };
    read().map_err(|error: io::Error| format!("cannot read {}: {error}", path.display()))
}

/// The keys of a profile.
fn credentials(text: &str, profile: &str) -> Option<(String, String, Option<String>)> {
    let mut within = false;
    let (mut access, mut secret, mut token) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            within = section.trim() == profile;
        } else if within && let Some((key, value)) = line.split_once('=') {
            let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            match key.trim() {
                "aws_access_key_id" => access = value,
                "aws_secret_access_key" => secret = value,
                "aws_session_token" => token = value,
                _ => {}
            }
        }
    }
    Some((access?, secret?, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_not_sent_in_the_clear() {
        for (endpoint, fine) in [
            ("https://s3.example.net", true),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]:9000", true),
            ("http://localhost", true),
            ("http://s3.example.net", false),
            ("http://127.0.0.1.example.net", false),
            ("https://user:pass@s3.example.net", false),
            ("ftp://s3.example.net", false),
            ("s3.example.net", false),
        ] {
            assert_eq!(check_endpoint(endpoint).is_ok(), fine, "{endpoint}");
        }
    }

    #[test]
    fn keys_are_those_of_the_profile() {
        let text = "[other]\naws_access_key_id = o\naws_secret_access_key = p\n\n\
                    [default]\n# a remark\naws_access_key_id=a\naws_secret_access_key = b=c \n";
        let found = credentials(text, "default").unwrap();
        assert_eq!(found, ("a".into(), "b=c".into(), None));
        assert!(credentials(text, "missing").is_none());
    }

    #[test]
    fn secrets_are_not_shown() {
        let options = S3Options {
            keys: Some(("access".into(), "very-secret".into(), None)),
            ..S3Options::default()
        };
        assert!(!format!("{options:?}").contains("very-secret"));
    }
}
