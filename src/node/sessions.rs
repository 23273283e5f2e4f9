//! What the node knows of its BGP sessions, for `metal-edge bgp`.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use metal_bgp::{AnnouncedRoute, Attributes, ForwardingStatus, LogEvent, PeerStatus};

use crate::announce::Driver;
use crate::clock;
use crate::status::{BgpEvent, BgpPeer, BgpReport, BgpRoute};

/// Everything as of now.
pub fn report(driver: &Driver) -> BgpReport {
    let now = clock::wall();
    let peers = driver
        .status()
        .peers
        .iter()
        .map(|it| peer(it, now))
        .collect();
    let routes = driver.routes().into_iter().flat_map(|told| {
        let name = told.name;
        told.routes.into_iter().map(move |it| route(&name, &it))
    });
    let events = driver.logs().into_iter().flat_map(|log| {
        let name = log.name;
        log.entries.into_iter().map(move |entry| BgpEvent {
            at: ago(now, entry.age_ms),
            peer: name.clone(),
            event: words(&entry.event),
        })
    });
    let mut log: Vec<BgpEvent> = events.collect();
    log.sort_by_key(|event| event.at);
    BgpReport {
        peers,
        routes: routes.collect(),
        log,
    }
}

fn peer(peer: &PeerStatus, now: DateTime<Utc>) -> BgpPeer {
    let seconds = |seconds: u64| ago(now, seconds.saturating_mul(1000));
    BgpPeer {
        name: peer.name.clone(),
        asn: peer
            .remote_asn
            .map_or_else(|| peer.asn.to_string(), |asn| asn.to_string()),
        state: peer.state.to_string(),
        since: seconds(peer.since_seconds),
        local_address: peer.local_address.map(|it| it.to_string()),
        router_id: peer.router_id.map(|it| it.to_string()),
        hold_time: peer.hold_time_seconds,
        prefixes: peer.announced.len() as u64,
        bfd: peer
            .bfd
            .as_ref()
            .map(|bfd| format!("{} ({} ms)", bfd.state, bfd.detection_time_ms)),
        established: peer.counters.established,
        flaps: peer.counters.flaps,
        updates_sent: peer.counters.updates_sent,
        updates_received: peer.counters.updates_received,
        last_error: peer.last_error.clone().or(peer.not_announced.clone()),
        last_error_at: peer.last_error_seconds.map(seconds),
        notice: peer.forwarding.as_ref().and_then(ForwardingStatus::notice),
    }
}

fn route(peer: &str, route: &AnnouncedRoute) -> BgpRoute {
    let path: Vec<String> = route.as_path.iter().map(ToString::to_string).collect();
    let communities = route.communities.iter().map(ToString::to_string);
    let large = route.large_communities.iter().map(ToString::to_string);
    BgpRoute {
        peer: peer.to_owned(),
        prefix: route.prefix.to_string(),
        next_hop: route.next_hop.to_string(),
        as_path: path.join(" "),
        med: route.med,
        local_pref: route.local_pref,
        communities: communities.chain(large).collect(),
    }
}

fn words(event: &LogEvent) -> String {
    match event {
        LogEvent::State { before, state } => format!("{state}, was {before}"),
        LogEvent::Lost { reason } => format!("lost: {reason}"),
        LogEvent::NotificationSent { notification } => format!("sent {notification}"),
        LogEvent::NotificationReceived { notification } => format!("received {notification}"),
        LogEvent::Announced {
            prefixes,
            first,
            next_hop,
            attributes,
        } => {
            let which = which(*prefixes, first);
            format!("announced {which}{}", with(*next_hop, attributes))
        }
        LogEvent::Withdrawn { prefixes, first } => format!("withdrew {}", which(*prefixes, first)),
        LogEvent::Missed { prefixes, first } => {
            format!("does not send {} here", which(*prefixes, first))
        }
        LogEvent::NoneMissed => "sends every announced prefix here again".to_owned(),
        LogEvent::Refreshed { v6: true } => "asked for the IPv6 routes again".to_owned(),
        LogEvent::Refreshed { v6: false } => "asked for the IPv4 routes again".to_owned(),
        // The library may learn of more.
        other => format!("{other:?}"),
    }
}

fn which(prefixes: usize, first: &ipnet::IpNet) -> String {
    match prefixes {
        1 => first.to_string(),
        _ => format!("{first} and {} more", prefixes - 1),
    }
}

fn with(next_hop: IpAddr, attributes: &Attributes) -> String {
    let mut text = format!(" via {next_hop}");
    let mut say = |name: &str, value: String| {
        text += &format!(", {name} {value}");
    };
    if let Some(med) = attributes.med() {
        say("MED", med.to_string());
    }
    if attributes.prepend() > 0 {
        say("prepended", attributes.prepend().to_string());
    }
    if let Some(preference) = attributes.local_pref() {
        say("LOCAL_PREF", preference.to_string());
    }
    for community in attributes.communities() {
        say("community", community.to_string());
    }
    for community in attributes.large_communities() {
        say("community", community.to_string());
    }
    text
}

fn ago(now: DateTime<Utc>, milliseconds: u64) -> DateTime<Utc> {
    let milliseconds = i64::try_from(milliseconds).unwrap_or(i64::MAX);
    let age = TimeDelta::try_milliseconds(milliseconds).unwrap_or_default();
    now.checked_sub_signed(age).unwrap_or(now)
}
