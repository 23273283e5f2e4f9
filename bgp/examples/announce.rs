//! Announces prefixes to one or more leaf switches, by hand.
//!
//! ```text
//! announce ASN ROUTER-ID PEER[:PORT][,PEER...] PEER-ASN PREFIX...
//! ```
//!
//! Commands on standard input, one a line: `announce SECONDS [WHAT=VALUE...]` where WHAT is
//! `med`, `prepend`, `community` or `large`; `gshut SECONDS` (with the GRACEFUL_SHUTDOWN
//! community), `withdraw`, `close`, `open`, `listen ADDRESS:PORT`, `verify` (whether the peers
//! send the packets here), `status`. Each is answered with one line on standard output. Ends with
//! the input.

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
    let announcement = |words: &[&str]| -> Result<Announcement, Failure> {
        let attributes = words.iter().try_fold(Attributes::default(), attribute)?;
        Ok(Announcement::new(prefixes.iter().copied(), attributes)?)
    };

    let speaker = Speaker::start(config.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["announce", seconds, ref attributes @ ..] => {
                speaker.announce(announcement(attributes)?, until(seconds)?);
            }
            ["gshut", seconds] => {
                let shutdown = format!("community={}", Community::GRACEFUL_SHUTDOWN);
                speaker.announce(announcement(&[&shutdown])?, until(seconds)?);
            }
            ["listen", address] => {
                config.listen = vec![address.parse()?];
                speaker.reconfigure(config.clone())?;
            }
            ["verify"] => {
                config.verify_forwarding = true;
                speaker.reconfigure(config.clone())?;
            }
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

/// `attributes` with one more, given as `WHAT=VALUE`.
fn attribute(attributes: Attributes, word: &&str) -> Result<Attributes, Failure> {
    Ok(match word.split_once('=') {
        Some(("med", value)) => attributes.with_med(value.parse::<u32>()?),
        Some(("prepend", value)) => attributes.with_prepend(value.parse()?)?,
        Some(("community", value)) => attributes.with_communities([value.parse()?])?,
        Some(("large", value)) => attributes.with_large_communities([value.parse()?])?,
        _ => return Err(format!("unknown attribute {word}").into()),
    })
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
