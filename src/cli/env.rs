use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{
    exit::Exit,
    location::{Fix, Location},
    terminal,
};
use crate::{auth::Role, config::DataDir, files, status::NodeFile, trust::secrets};

/// Where systems keep the roots that they trust.
const SYSTEM_ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// A longer bundle is not read.
const MAX_BUNDLE: u64 = 8 << 20;

const AFTER: &str = "\
Examples:
  eval \"$(metal-edge env)\" && metalctl size list
  eval \"$(metal-edge env --role view)\" && metalctl project list

SSL_CERT_FILE names a bundle of the system's roots and the node's own CA, so that
other programs of the shell go on trusting what they trusted. It is written to
ca-bundle.crt in the data directory where that can be written; else SSL_CERT_FILE
names the CA alone.

metal-python reads none of these variables, and trusts certifi's roots alone:
hand them over before a Driver is made (and unset HTTPS_PROXY, which it obeys):
  import os
  from metal_python.configuration import Configuration
  from metal_python.driver import Driver
  config = Configuration()
  config.ssl_ca_cert = os.environ[\"SSL_CERT_FILE\"]
  Configuration.set_default(config)
  driver = Driver(os.environ[\"METALCTL_API_URL\"], None, os.environ[\"METALCTL_HMAC\"],
                  os.environ[\"METALCTL_HMAC_AUTH_TYPE\"])

The key is a secret: the output belongs in eval, not in a log.
Exit codes: 0 printed, 1 no node runs there, or its key cannot be read.";

/// Print shell lines that point clients at the running node
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Env {
    #[command(flatten)]
    location: Location,
    /// Whose key to print
    #[arg(long, value_enum, default_value_t = RoleName::Admin)]
    role: RoleName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Everything
    Admin,
    /// Reads, and what projects use
    Edit,
    /// Reads
    View,
}

pub(super) fn run(arguments: &Env) -> anyhow::Result<Exit> {
    let (directory, node) = arguments.location.running()?;
    let (role, key_file) = match arguments.role {
        RoleName::Admin => (Role::Admin, &node.hmac.admin),
        RoleName::Edit => (Role::Edit, &node.hmac.edit),
        RoleName::View => (Role::View, &node.hmac.view),
    };
    let key = secrets::load(key_file)
        .with_context(|| format!("cannot read {}", key_file.display()))
        .context(Fix(
            "run this as the user that the node runs as, or as root",
        ))?;
    let mut lines = vec![
        ("METALCTL_API_URL", node.api_url.clone()),
        ("METALCTL_HMAC", key),
        ("METALCTL_HMAC_AUTH_TYPE", role.hmac_type().to_owned()),
    ];
    if let Some(bundle) = bundle(&directory, &node)? {
        lines.push(("SSL_CERT_FILE", bundle.to_string_lossy().into_owned()));
    }
    let export = |(name, value): (&str, String)| format!("export {name}={}\n", quote(&value));
    terminal::print(&lines.into_iter().map(export).collect::<String>())?;
    Ok(Exit::OK)
}

/// One word of a POSIX shell, whatever is in it.
fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// A file with the roots that the shell trusts already and the node's own CA;
/// none where the node has no CA of its own.
fn bundle(directory: &DataDir, node: &NodeFile) -> anyhow::Result<Option<PathBuf>> {
    let Some(ca) = &node.ca else { return Ok(None) };
    let own = fs::read_to_string(ca).with_context(|| format!("cannot read {}", ca.display()))?;
    let path = directory.path().join("ca-bundle.crt");
    let Some(roots) = roots(&path) else {
        return Ok(Some(ca.clone()));
    };
    let roots = roots.trim_end();
    let bundle = format!("{roots}\n{own}");
    let current = files::read(&path, MAX_BUNDLE).is_ok_and(|found| found == bundle.as_bytes());
    if current {
        return Ok(Some(path));
    }
    match files::write(&path, bundle.as_bytes(), files::PUBLIC) {
        Ok(()) => Ok(Some(path)),
        Err(error) => {
            let path = path.display();
            terminal::remark(&format!(
                "warning: cannot write {path} ({error}): this shell will trust the node's CA alone"
            ));
            Ok(Some(ca.clone()))
        }
    }
}

/// What the shell trusts now, but for our own bundle of an earlier call.
fn roots(bundle: &Path) -> Option<String> {
    let told = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let told = told.filter(|path| path != bundle);
    let mut places = told.into_iter().chain(SYSTEM_ROOTS.map(PathBuf::from));
    places.find_map(|path| String::from_utf8(files::read(&path, MAX_BUNDLE).ok()?).ok())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_back_exactly_what_was_quoted() {
        for value in [
            "plain",
            "a b",
            "it's",
            "$(id)`id`\\",
            "\"",
            "''",
            "x\ny",
            "",
        ] {
            let script = format!("export V={}; printf %s \"$V\"", quote(value));
            let out = Command::new("sh").arg("-c").arg(script).output().unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), value);
        }
    }
}
