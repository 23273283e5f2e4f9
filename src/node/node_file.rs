//! Where commands find the node.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context;
use tokio::net::TcpListener;

use super::credentials;
use crate::config::Config;
use crate::status::NodeFile;

/// Where commands find the node that serves `listeners`.
pub(super) fn of(
    config: &Config,
    listeners: &[(TcpListener, SocketAddr)],
) -> anyhow::Result<NodeFile> {
    let api: Vec<SocketAddr> = listeners.iter().map(|(_, address)| *address).collect();
    let mut first = *api.first().context("listen.api names no address")?;
    if first.ip().is_unspecified() {
        let loopback = if first.is_ipv4() { "127.0.0.1" } else { "::1" };
        first.set_ip(loopback.parse::<IpAddr>()?);
    }
    Ok(NodeFile {
        pid: std::process::id(),
        api_url: format!("https://{first}"),
        api,
        admin: config.listen.admin,
        ca: credentials::own_ca(config).map(|(ca, _)| ca.ca_certificate().to_owned()),
        hmac: credentials::hmac_files(config),
    })
}
