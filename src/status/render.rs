use std::fmt::Write;

use chrono::{DateTime, Utc};

use super::{AnnouncementState, Daemon, Peer, Report, VerdictState};

/// The report as text for a terminal, one line per fact and per peer. `now` is
/// only displayed; `colour` marks the verdict and the sessions.
pub fn render(report: &Report, now: DateTime<Utc>, colour: bool) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_report(&mut text, report, now, Paint(colour));
    text
}

struct Paint(bool);

impl Paint {
    fn good(&self, word: &str) -> String {
        self.with("32", word)
    }

    fn bad(&self, word: &str) -> String {
        self.with("31", word)
    }

    fn warn(&self, word: &str) -> String {
        self.with("33", word)
    }

    fn with(&self, code: &str, word: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{word}\x1b[0m")
        } else {
            word.to_owned()
        }
    }
}

fn write_report(
    out: &mut String,
    report: &Report,
    now: DateTime<Utc>,
    paint: Paint,
) -> std::fmt::Result {
    let since = |at: DateTime<Utc>| age((now - at).num_seconds().max(0).unsigned_abs());
    writeln!(out, "node          {}", report.node)?;
    writeln!(out, "partition     {}", report.partition)?;
    writeln!(
        out,
        "version       {}, pid {}, up {}",
        report.version,
        report.pid,
        since(report.started)
    )?;

    let verdict = &report.verdict;
    let word = verdict.state.as_str();
    let word = match verdict.state {
        VerdictState::Healthy => paint.good(word),
        VerdictState::Degraded | VerdictState::Draining => paint.warn(word),
        VerdictState::Down | VerdictState::Drained => paint.bad(word),
    };
    write!(out, "verdict       {word} for {}", since(verdict.since))?;
    if verdict.valid_until_ms == 0 {
        write!(out, ", {}", paint.bad("expired: nobody renews it"))?;
    }
    if verdict.why.is_empty() {
        writeln!(out)?;
    } else {
        writeln!(out, ": {}", verdict.why)?;
    }

    let announcement = &report.announcement;
    match announcement.state {
        AnnouncementState::Off => writeln!(out, "announcement  off: no BGP peer is configured")?,
        state => {
            let prefixes: Vec<_> = announcement
                .prefixes
                .iter()
                .map(ToString::to_string)
                .collect();
            write!(out, "announcement  {}", state.as_str())?;
            write!(out, " {}", prefixes.join(" "))?;
            if !announcement.communities.is_empty() {
                write!(out, " communities {}", announcement.communities.join(" "))?;
            }
            writeln!(out)?;
        }
    }
    if let Some(daemon) = &announcement.daemon {
        let Daemon { address, api, .. } = daemon;
        match (&daemon.last_error, api) {
            (None, Some(api)) => {
                writeln!(out, "daemon        {address} {}, {api}", paint.good("ok"))?
            }
            (Some(error), _) => writeln!(
                out,
                "daemon        {address} {}: {error}",
                paint.bad("failed")
            )?,
            (None, None) => writeln!(out, "daemon        {address} {}", paint.warn("connecting"))?,
        }
    }

    let stores = [
        Some(("store        ", &report.store)),
        report
            .global_store
            .as_ref()
            .map(|store| ("global store ", store)),
    ];
    for (name, store) in stores.into_iter().flatten() {
        match (&store.error, store.ok) {
            (_, true) => writeln!(
                out,
                "{name} {} {}, {} commits",
                store.backend,
                paint.good("ok"),
                store.commits
            )?,
            (error, false) => writeln!(
                out,
                "{name} {} {}: {}",
                store.backend,
                paint.bad("failed"),
                error.as_deref().unwrap_or("no reason given")
            )?,
        }
    }
    match &report.certificate {
        None => writeln!(out, "certificate   {}", paint.bad("none"))?,
        Some(certificate) => {
            let days = format!("{} days left", certificate.days_left);
            let days = if certificate.days_left < 1 {
                paint.bad(&days)
            } else {
                days
            };
            writeln!(
                out,
                "certificate   {days} (until {}), {}, issued by {}",
                certificate.not_after.format("%Y-%m-%d %H:%M UTC"),
                certificate.names.join(" "),
                certificate.issuer
            )?;
        }
    }
    for probe in &report.probes {
        let word = if probe.ok {
            paint.good("ok")
        } else {
            paint.bad("failed")
        };
        write!(
            out,
            "probe         {} {word} {:.1} ms",
            probe.name, probe.latency_ms
        )?;
        match &probe.last_error {
            Some(error) if !probe.ok => writeln!(out, ": {error}")?,
            _ => writeln!(out)?,
        }
    }
    for peer in &report.peers {
        let forwarding = peer.forwarding.as_ref();
        if let Some(notice) = forwarding.and_then(|shown| shown.notice.as_ref()) {
            let peer = paint.warn(&peer.address);
            writeln!(out, "notice        {peer}: {notice}")?;
        }
    }
    if !report.peers.is_empty() {
        writeln!(out)?;
        write_peers(out, &report.peers, &paint)?;
    }
    Ok(())
}

/// One line per peer, in columns like `birdc show protocols`.
fn write_peers(out: &mut String, peers: &[Peer], paint: &Paint) -> std::fmt::Result {
    let width = peers
        .iter()
        .map(|peer| peer.address.len())
        .max()
        .unwrap_or(0)
        .max(4);
    writeln!(
        out,
        "{:<width$}  {:<10}  {:<11}  {:<8}  {:>8}  last error",
        "peer", "as", "state", "since", "prefixes"
    )?;
    for peer in peers {
        // Padded before it is coloured, as the codes have no width.
        let state = format!("{:<11}", peer.state);
        let state = if peer.state == "Established" {
            paint.good(&state)
        } else {
            paint.warn(&state)
        };
        let line = format!(
            "{:<width$}  {:<10}  {state}  {:<8}  {:>8}  {}",
            peer.address,
            peer.asn
                .map_or_else(|| "external".to_owned(), |asn| asn.to_string()),
            age(peer.since),
            peer.prefixes,
            peer.last_error.as_deref().unwrap_or("-")
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The two largest units of a number of seconds: `42s`, `3m5s`, `4h12m`, `9d3h`.
fn age(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{}s", seconds % 60),
        3600..86400 => format!("{hours}h{}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Announcement, Certificate, Forwarding, Probe, Store, Verdict};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn report() -> Report {
        let peer = |address: &str, state: &str, error: Option<&str>| Peer {
            address: address.parse().unwrap(),
            asn: Some(4210000001),
            state: state.to_owned(),
            since: 3725,
            prefixes: 1,
            last_error: error.map(str::to_owned),
            forwarding: None,
        };
        Report {
            node: "fra-1".to_owned(),
            partition: "fra".to_owned(),
            version: "0.1.0".to_owned(),
            pid: 42,
            started: at(-90),
            verdict: Verdict {
                state: VerdictState::Down,
                why: "store: no space left on device".to_owned(),
                since: at(-5),
                valid_until_ms: 900,
            },
            announcement: Announcement {
                state: AnnouncementState::Withdrawn,
                prefixes: vec!["192.0.2.1/32".parse().unwrap()],
                communities: vec![],
                daemon: None,
            },
            peers: vec![
                peer("10.0.0.254", "Established", None),
                peer("2001:db8::254", "Connect", Some("connection refused")),
            ],
            listening: vec![],
            global_store: None,
            store: Store {
                backend: "redb".to_owned(),
                ok: false,
                error: Some("no space left on device".to_owned()),
                commits: 7,
            },
            certificate: Some(Certificate {
                path: "/x/tls.crt".to_owned(),
                names: vec!["192.0.2.1".to_owned()],
                not_after: at(86400 * 3),
                days_left: 3,
                issuer: "metal-edge fra-1".to_owned(),
            }),
            probes: vec![Probe {
                name: "store".to_owned(),
                ok: false,
                last_error: Some("no space left on device".to_owned()),
                latency_ms: 0.25,
            }],
        }
    }

    #[test]
    fn a_report_shows_the_verdict_with_its_reason_and_one_line_per_peer() {
        let text = render(&report(), at(0), false);
        assert_eq!(
            text,
            "\
node          fra-1
partition     fra
version       0.1.0, pid 42, up 1m30s
verdict       down for 5s: store: no space left on device
announcement  withdrawn 192.0.2.1/32
store         redb failed: no space left on device
certificate   3 days left (until 2027-01-18 08:00 UTC), 192.0.2.1, issued by metal-edge fra-1
probe         store failed 0.2 ms: no space left on device

peer           as          state        since     prefixes  last error
10.0.0.254     4210000001  Established  1h2m             1  -
2001:db8::254  4210000001  Connect      1h2m             1  connection refused
"
        );
    }

    #[test]
    fn what_a_leaf_does_not_send_here_is_a_notice_before_the_peers() {
        let mut report = report();
        report.peers[0].forwarding = Some(Forwarding {
            notice: Some("the leaf does not send 192.0.2.1/32 here: it is refused".to_owned()),
            ..Forwarding::default()
        });
        let text = render(&report, at(0), false);
        let line = "notice        10.0.0.254: the leaf does not send 192.0.2.1/32 here: it is \
                    refused\n\npeer ";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn without_colour_no_escape_code_is_written() {
        assert!(!render(&report(), at(0), false).contains('\x1b'));
        assert!(render(&report(), at(0), true).contains("\x1b[31mdown\x1b[0m"));
    }

    #[test]
    fn a_report_of_a_newer_node_is_understood() {
        let mut json = serde_json::to_value(report()).unwrap();
        json["news"] = true.into();
        json["verdict"]["news"] = true.into();
        assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report());
    }
}
