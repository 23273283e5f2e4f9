//! The BGP speaker that the configuration asks for.

use metal_bgp::{Asn, PeerConfig, Speaker, SpeakerConfig};

use crate::announce::Policy;
use crate::config::Bgp;

/// Starts a speaker and the policy that it follows.
pub fn start(bgp: &Bgp) -> anyhow::Result<(Speaker, Policy)> {
    let peers = bgp
        .peers
        .iter()
        .map(|peer| {
            let mut config = PeerConfig::new(peer.address, Asn::try_from(peer.asn.get())?);
            config.port = peer.port;
            config.hold_time = peer.hold_time;
            config.retry_max = peer.connect_retry;
            config.retry_min = config.retry_min.min(peer.connect_retry);
            config.next_hop_v4 = peer.next_hop_v4;
            config.next_hop_v6 = peer.next_hop_v6;
            Ok(config)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let policy = Policy::new(&bgp.announce, bgp.med, bgp.degraded)?;
    let mut config = SpeakerConfig::new(Asn::try_from(bgp.asn.get())?, bgp.router_id);
    config.peers = peers;
    let speaker = Speaker::start(config)?;
    Ok((speaker, policy))
}
