//! The same announcements through GoBGP in place of own sessions.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};

use super::edge_node::NODE_ASN;
use super::lab::{self, ANYCAST_V4, Lab, LeafConfig, Process, eventually};
use super::{LEAF_ASN, PATIENCE, alone, announced_in, measured};

const API: &str = "127.0.0.1:50051";

/// Debian's gobgpd beside the node, with the leaf as its neighbour.
fn gobgpd(lab: &Lab, directory: &Path) -> Process {
    let leaf = Lab::leaf_v4(0);
    let family = |name: &str| {
        format!(
            "[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"{name}\"\n"
        )
    };
    let toml = format!(
        "[global.config]\nas = {NODE_ASN}\nrouter-id = \"10.99.0.1\"\nport = -1\n\n\
         [[neighbors]]\n[neighbors.config]\nneighbor-address = \"{leaf}\"\npeer-as = {LEAF_ASN}\n\
         [neighbors.timers.config]\nconnect-retry = 1\nhold-time = 8\nkeepalive-interval = 2\n{}{}",
        family("ipv4-unicast"),
        family("ipv6-unicast"),
    );
    let file = directory.join("gobgpd.toml");
    fs::write(&file, toml).expect("written");
    let mut command = lab.node.command("gobgpd");
    command
        .arg("-f")
        .arg(&file)
        .args(["--api-hosts", API, "--log-level", "error"]);
    Process::spawn(&mut command)
}

#[test]
fn a_node_announces_through_gobgp_and_its_guard_withdraws_when_it_is_killed() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a directory");
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let gobgp = gobgpd(&lab, directory.path());
    let next_hop = format!("next-hop-v6 = \"{}\"", Lab::node_v6(0));
    let api = format!("daemon = \"{API}\"");
    let settings = [
        ("bgp", api.as_str()),
        ("bgp", next_hop.as_str()),
        ("drain", "graceful-shutdown = \"300ms\""),
    ];
    let (lab, mut node, monitor) = announced_in(lab, &settings);
    let status = eventually("the daemon's neighbour is seen", PATIENCE, || {
        let status = node.status(&lab)?;
        (status["peers"][0]["state"] == "Established").then_some(status)
    });
    let daemon = &status["announcement"]["daemon"];
    assert_eq!(daemon["api"], "GoBGP v3", "{status}");
    let (code, text) = node.cli(&lab, &["status"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("daemon        127.0.0.1:50051 ok"), "{text}");

    let (_, text) = node.cli(&lab, &["check"]);
    assert!(text.contains("127.0.0.1:50051 speaks GoBGP v3"), "{text}");
    assert!(text.contains("that are established: 1"), "{text}");

    // A prefix that a reload brings is ours from then on, with what somebody left there.
    let rib = |words: &[&str]| {
        let mut command = lab.node.command("gobgp");
        lab::run(command.args(["global", "rib"]).args(words))
    };
    rib(&["add", "198.51.100.7/32"]);
    rib(&["add", "198.51.100.8/32"]);
    let left = |prefix: &str| rib(&[]).contains(prefix);
    assert!(left("198.51.100.7/32") && left("198.51.100.8/32"));
    let at = lab::now();
    let (code, text) = node.cli(&lab, &["drain"]);
    assert_eq!(code, Some(0), "{text}");
    measured::gone(&monitor, "drain through GoBGP", at);
    assert!(left("198.51.100.7/32"), "nobody's business yet");
    super::reload::change(
        &node,
        "\"2001:db8::1/128\"]",
        "\"2001:db8::1/128\", \"198.51.100.7/32\"]",
    );
    eventually("what was left there is deleted", PATIENCE, || {
        (!left("198.51.100.7/32")).then_some(())
    });
    assert!(left("198.51.100.8/32"), "that is still somebody else's");
    let at = lab::now();
    let (code, text) = node.cli(&lab, &["drain", "--undo"]);
    assert_eq!(code, Some(0), "{text}");
    measured::back(&monitor, "drain --undo through GoBGP", at);
    eventually("the new prefix is announced", PATIENCE, || {
        (!lab.leaves[0].path("198.51.100.7/32").is_null()).then_some(())
    });

    let at = lab::now();
    kill(node.serving_pid(), Signal::SIGKILL).expect("it runs");
    let gone = measured::gone(&monitor, "kill -9, announced through GoBGP", at);
    measured::back(&monitor, "restart by the guard, through GoBGP", gone);

    // Nobody is left to withdraw: an operator, or ExecStopPost, does.
    node.kill();
    eventually("the daemon keeps what it was told", PATIENCE, || {
        (!lab.leaves[0].namespace.routes(ANYCAST_V4).is_empty()).then_some(())
    });
    let at = lab::now();
    let (code, text) = node.cli(&lab, &["bgp", "withdraw"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("withdrawn 192.0.2.1/32"), "{text}");
    measured::gone(&monitor, "bgp withdraw", at);

    drop(gobgp);
    let (code, text) = node.cli(&lab, &["bgp", "withdraw"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("127.0.0.1:50051"), "{text}");
    let (code, text) = node.cli(&lab, &["check"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("gobgpd --api-hosts"), "{text}");
}
