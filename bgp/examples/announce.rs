//! Announces prefixes to one or more leaf switches, by hand.
//!
//! ```text
//! announce ASN ROUTER-ID PEER[:PORT][,PEER...] PEER-ASN PREFIX...
//! ```
//!
//! Commands on standard input, one a line: `announce SECONDS`, `gshut SECONDS` (the same with
//! the GRACEFUL_SHUTDOWN community), `withdraw`, `close`, `open`, `status`. Each is answered with
//! one line on standard output. Ends with the input.

use std::io::{self, BufRead};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use metal_bgp::{Announcement, Asn, Attributes, Community, PeerConfig, Speaker, SpeakerConfig};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [asn, router_id, peers, peer_asn, prefixes @ ..] = &arguments[..] else {
        return Err("announce ASN ROUTER-ID PEER[,PEER...] PEER-ASN PREFIX...".into());
    };
    let peer_asn: Asn = peer_asn.parse()?;
    let mut config = SpeakerConfig::new(asn.parse()?, router_id.parse()?);
    config.peers = peers
        .split(',')
        .map(|peer| configure(peer, peer_asn))
        .collect::<Result<_, _>>()?;
    let prefixes: Vec<IpNet> = prefixes
        .iter()
        .map(|p| p.parse())
        .collect::<Result<_, _>>()?;
    let plain = Announcement::new(prefixes, Attributes::default())?;
    let graceful = plain.map(|attributes| {
        let attributes = attributes.clone();
        attributes.with_communities([Community::GRACEFUL_SHUTDOWN])
    })?;

    let speaker = Speaker::start(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["announce", seconds] => speaker.announce(plain.clone(), until(seconds)?),
            ["gshut", seconds] => speaker.announce(graceful.clone(), until(seconds)?),
            ["withdraw"] => speaker.withdraw(),
            ["close"] => runtime.block_on(speaker.close("closed by hand")),
            ["open"] => speaker.open(),
            ["status"] => {
                println!("{}", serde_json::to_string(&speaker.status())?);
                continue;
            }
            _ => {
                println!("unknown command");
                continue;
            }
        }
        println!("ok");
    }
    Ok(())
}

fn configure(peer: &str, asn: Asn) -> Result<PeerConfig, Failure> {
    match peer.parse::<IpAddr>() {
        Ok(address) => Ok(PeerConfig::new(address, asn)),
        Err(_) => {
            let socket: SocketAddr = peer.parse()?;
            let mut config = PeerConfig::new(socket.ip(), asn);
            config.port = socket.port();
            Ok(config)
        }
    }
}

fn until(seconds: &str) -> Result<Instant, Failure> {
    Ok(Instant::now() + Duration::try_from_secs_f64(seconds.parse()?)?)
}
