//! What a monitoring station, pmacct's, hears of the sessions.

use std::fs;

use serde_json::Value;

use super::edge_node::NODE_ASN;
use super::lab::{ANYCAST_V4, Lab, LeafConfig, Process, eventually};
use super::{LEAF_ASN, PATIENCE, alone, announced_in};

const STATION: &str = "127.0.0.1:1790";

/// pmbmpd beside the node; it writes what it hears into a file, a JSON object a line.
fn station(lab: &Lab, directory: &std::path::Path) -> Process {
    let (address, port) = STATION.split_once(':').expect("both");
    let config = format!(
        "daemonize: false\nbmp_daemon_ip: {address}\nbmp_daemon_port: {port}\n\
         bmp_daemon_msglog_file: {}/heard\nbmp_daemon_msglog_output: json\n",
        directory.display()
    );
    let file = directory.join("pmbmpd.conf");
    fs::write(&file, config).expect("written");
    let mut command = lab.node.command("pmbmpd");
    Process::spawn(command.arg("-f").arg(file))
}

#[test]
fn a_station_hears_of_sessions_announcements_and_withdrawals_also_when_it_comes_later() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a directory");
    let heard = |kind: &str, wanted: &dyn Fn(&Value) -> bool| {
        eventually(kind, PATIENCE, || {
            let text = fs::read_to_string(directory.path().join("heard")).ok()?;
            let lines = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            let mut lines = lines.filter(|line: &Value| line["bmp_msg_type"] == kind);
            lines.find(wanted)
        })
    };
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let bmp = format!("bmp = [\"{STATION}\"]");
    let settings = [("bgp", bmp.as_str()), ("bgp", "med = 42")];
    // The station comes when everything is announced already.
    let (mut lab, node, _monitor) = announced_in(lab, &settings);
    let _station = station(&lab, directory.path());
    let leaf = Lab::leaf_v4(0).to_string();

    heard("init", &|_| true);
    let up = heard("peer_up", &|line| line["peer_ip"] == leaf.as_str());
    assert_eq!(up["peer_asn"], LEAF_ASN, "{up}");
    assert_eq!(up["local_ip"], Lab::node_v4(0).to_string(), "{up}");
    let prefix = ANYCAST_V4.trim_end_matches("/32");
    let of = |line: &Value, log_type: &str| {
        let shown = line["ip_prefix"].as_str().unwrap_or_default();
        shown.starts_with(prefix) && line["log_type"] == log_type
    };
    let told = heard("route_monitor", &|line| of(line, "update"));
    assert_eq!(told["peer_ip"], leaf.as_str(), "{told}");
    assert_eq!(told["as_path"], NODE_ASN.to_string(), "{told}");
    assert_eq!(told["med"], 42, "{told}");
    assert_eq!(
        told["is_out"], 1,
        "what we announce, not what we hear: {told}"
    );

    lab.node.ip(&["addr", "del", ANYCAST_V4, "dev", "lo"]);
    heard("route_monitor", &|line| of(line, "withdraw"));
    drop(lab.leaves.remove(0));
    heard("peer_down", &|line| line["peer_ip"] == leaf.as_str());
    assert!(node.log().contains("connected to the BMP station"));
}
