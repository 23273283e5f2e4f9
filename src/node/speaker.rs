//! The BGP speaker that the configuration asks for.

use metal_bgp::{Asn, Daemon, DaemonConfig, PeerAs, PeerConfig, Speaker, SpeakerConfig};

use crate::announce::{Driver, Policy};
use crate::config::{Bgp, PeerAsn};

/// Starts a driver and the policy that it follows.
pub fn start(bgp: &Bgp) -> anyhow::Result<(Driver, Policy)> {
    let policy = Policy::new(&bgp.announce, &bgp.levels, &bgp.exceptions)?;
    let config = config(bgp)?;
    let driver = match daemon(bgp) {
        Some(daemon) => Driver::Daemon(Daemon::start(config, daemon)?),
        None => Driver::Own(Speaker::start(config)?),
    };
    Ok((driver, policy))
}

/// What the configuration says of our own sessions.
pub fn config(bgp: &Bgp) -> anyhow::Result<SpeakerConfig> {
    let peers = bgp
        .peers
        .iter()
        .map(|peer| {
            let asn = match peer.asn {
                PeerAsn::Exactly(asn) => PeerAs::Exactly(Asn::try_from(asn.get())?),
                PeerAsn::External => PeerAs::External,
            };
            let mut config = match (peer.address, &peer.interface) {
                (None, Some(interface)) => PeerConfig::unnumbered(interface.clone(), asn),
                (Some(address), _) => PeerConfig::new(address, asn),
                (None, None) => anyhow::bail!("a peer has neither address nor interface"),
            };
            config.interface = peer.interface.clone();
            config.md5_key = peer.md5_key().map_err(anyhow::Error::msg)?;
            config.ttl = peer.ttl;
            config.source = peer.source;
            config.bfd = peer.bfd;
            config.port = peer.port;
            config.passive = peer.passive;
            config.hold_time = peer.hold_time;
            config.retry_max = peer.connect_retry;
            config.retry_min = config.retry_min.min(peer.connect_retry);
            config.next_hop_v4 = peer.next_hop_v4;
            config.next_hop_v6 = peer.next_hop_v6;
            Ok(config)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut config = SpeakerConfig::new(Asn::try_from(bgp.asn.get())?, bgp.router_id);
    config.peers = peers;
    config.stations = bgp.stations.clone();
    config.listen = bgp.listen.clone();
    config.verify_forwarding = bgp.verify_forwarding;
    Ok(config)
}

/// The external daemon that the configuration names.
pub fn daemon(bgp: &Bgp) -> Option<DaemonConfig> {
    Some(DaemonConfig {
        address: bgp.daemon.clone()?,
        prefixes: bgp.announce.clone(),
        next_hop_v4: bgp.next_hop_v4,
        next_hop_v6: bgp.next_hop_v6,
    })
}
