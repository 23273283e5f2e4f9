//! Draining: less attractive first, then gone, and no request lost.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ALL_VERSIONS;
use serde_json::json;

use super::edge_node::EdgeNode;
use super::inside::inside;
use super::lab::{self, ANYCAST_V4, Lab, Moment, eventually};
use super::support::{Client, Role, client_config};
use super::{PATIENCE, alone, announced, measured};

/// How long the image server takes to answer: longer than the announcement
/// carries GRACEFUL_SHUTDOWN, so that its request is in flight when the route
/// goes.
const SLOW: Duration = Duration::from_millis(3500);
const SLOW_SERVER: &str = "127.0.0.1:9099";
/// A request sent so shortly before the route went may not have arrived.
const EDGE_OF_TIME: Duration = Duration::from_millis(50);

#[test]
fn draining_lowers_the_preference_then_withdraws_and_loses_no_request() {
    let _alone = alone();
    let (lab, node, monitor) = announced(&[("drain", "graceful-shutdown = \"2s\"")]);
    let leaf = &lab.leaves[0];
    let preference = || leaf.path(ANYCAST_V4)["locPrf"].as_u64();
    assert_ne!(preference(), Some(0));
    slow_server(node.namespace());
    let load = Load::start(&lab, &node);
    load.wait_for_answers(20);
    let slow = put_slow_image(&lab, &node);

    let at = lab::now();
    let drain = {
        let mut command = node.command(&lab.node, env!("CARGO_BIN_EXE_metal-edge"));
        command.args(["drain", "--config"]).arg(node.config());
        thread::spawn(move || command.output().expect("metal-edge runs"))
    };
    eventually("local-pref 0", PATIENCE, || {
        (preference() == Some(0)).then_some(())
    });
    let lowered = lab::now();
    measured::report("drain, until local-pref 0 is seen", at, lowered);
    assert!(
        monitor
            .events(ANYCAST_V4, at)
            .iter()
            .all(|event| !event.deleted)
    );
    let gone = measured::gone(&monitor, "drain", at);
    assert!(gone > lowered, "first less attractive, then gone");

    let answers = load.stop();
    let before = |answer: &&Sent| gone.since(answer.at) > EDGE_OF_TIME;
    let lost: Vec<_> = answers
        .iter()
        .filter(before)
        .filter(|sent| !sent.answered)
        .collect();
    let during = answers
        .iter()
        .filter(before)
        .filter(|sent| sent.at > lowered)
        .count();
    println!("measured | requests answered while draining, none lost | {during}");
    assert!(lost.is_empty(), "{} requests lost: {lost:?}", lost.len());
    assert!(during > 10, "the address answered until the withdrawal");

    let status = slow.join().expect("no panic");
    assert_eq!(
        status,
        Ok(201),
        "the request in flight was answered after the withdrawal"
    );
    let output = drain.join().expect("no panic");
    assert!(output.status.success(), "{output:?}");
    let status = node.status(&lab).expect("it answers");
    assert_eq!(status["verdict"]["state"], "drained");
    let last_error = leaf.neighbor()["lastNotificationReason"].to_string();
    assert!(
        last_error.contains("Cease/Administrative Shutdown"),
        "{last_error}"
    );

    let at = lab::now();
    let (code, text) = node.cli(&lab, &["drain", "--undo"]);
    assert_eq!(code, Some(0), "{text}");
    measured::back(&monitor, "drain --undo", at);
}

#[test]
fn sigterm_drains_and_ends_with_code_0() {
    let _alone = alone();
    let (lab, mut node, monitor) = announced(&[("drain", "graceful-shutdown = \"300ms\"")]);
    let at = lab::now();
    node.terminate();
    measured::gone(&monitor, "SIGTERM with 300 ms of GRACEFUL_SHUTDOWN", at);
    assert_eq!(node.wait(), Some(0));
    assert!(
        !node.data_dir.join("node.json").exists(),
        "nobody runs here"
    );
    drop(lab);
}

#[test]
fn a_node_in_maintenance_is_not_announced_by_its_next_start_until_undo() {
    let _alone = alone();
    let (lab, mut node, monitor) = announced(&[("drain", "graceful-shutdown = \"100ms\"")]);
    let at = lab::now();
    let (code, text) = node.cli(&lab, &["drain"]);
    assert_eq!(code, Some(0), "{text}");
    measured::gone(&monitor, "drain, 100 ms of GRACEFUL_SHUTDOWN", at);
    node.kill();

    let at = lab::now();
    node.start(&lab);
    eventually("the next start is in maintenance", PATIENCE, || {
        let status = node.status(&lab)?;
        (status["verdict"]["state"] == "drained").then_some(())
    });
    assert!(node.log().contains("in maintenance"));
    let undone = lab::now();
    let (code, text) = node.cli(&lab, &["drain", "--undo"]);
    assert_eq!(code, Some(0), "{text}");
    measured::back(&monitor, "undo after a start in maintenance", undone);
    let early = monitor.events(ANYCAST_V4, at);
    assert!(
        early.iter().all(|event| event.at > undone || event.deleted),
        "{early:?}"
    );

    node.kill();
    let at = lab::now();
    node.start(&lab);
    measured::back(&monitor, "the start after that", at);
}

/// A request and what became of it.
#[derive(Debug)]
struct Sent {
    at: Moment,
    answered: bool,
}

/// One client behind the leaf that asks again and again, over a new connection
/// each time the server closes the last one.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<std::sync::atomic::AtomicUsize>,
    thread: thread::JoinHandle<Vec<Sent>>,
}

// === impl Load ===

impl Load {
    fn start(lab: &Lab, node: &EdgeNode) -> Self {
        let client = client(node);
        let stop = Arc::<AtomicBool>::default();
        let answered = Arc::<std::sync::atomic::AtomicUsize>::default();
        let thread = inside(lab.leaves[0].namespace.name(), {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            move || {
                runtime().block_on(async {
                    let mut sent = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let at = lab::now();
                        let answer = client.try_send("GET", "/v1/version", None, None);
                        // Nothing answers any more once the route is gone.
                        let answer = tokio::time::timeout(Duration::from_secs(2), answer).await;
                        let ok = matches!(&answer, Ok(Ok(answer)) if answer.status == 200);
                        answered.fetch_add(usize::from(ok), Ordering::Relaxed);
                        sent.push(Sent { at, answered: ok });
                    }
                    sent
                })
            }
        });
        Self {
            stop,
            answered,
            thread,
        }
    }

    fn wait_for_answers(&self, count: usize) {
        eventually("the load is answered", PATIENCE, || {
            (self.answered.load(Ordering::Relaxed) >= count).then_some(())
        });
    }

    fn stop(self) -> Vec<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic")
    }
}

/// Creates an image whose URL answers slowly; the status of the answer.
fn put_slow_image(lab: &Lab, node: &EdgeNode) -> thread::JoinHandle<Result<u16, String>> {
    let client = client(node);
    let thread = inside(lab.leaves[0].namespace.name(), move || {
        let body = json!({
            "id": "slow-1.0",
            "url": format!("http://{SLOW_SERVER}/image"),
            "features": ["machine"],
        });
        let signature = client.sign("PUT");
        let body = Some(body.to_string().into_bytes());
        let answer = client.try_send("PUT", "/v1/image", Some(&signature), body);
        let answer = runtime().block_on(answer);
        answer
            .map(|answer| answer.status)
            .map_err(|error| format!("{error:?}"))
    });
    // It is in flight once the node asks the image's server.
    eventually("the slow request is in flight", PATIENCE, || {
        REACHED.load(Ordering::Relaxed).then_some(())
    });
    thread
}

static REACHED: AtomicBool = AtomicBool::new(false);

/// Answers one HEAD request, late.
fn slow_server(namespace: &str) {
    let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
    inside(namespace, move || {
        let listener = TcpListener::bind(SLOW_SERVER).expect("the port is free");
        ready.send(()).expect("the test waits");
        let (mut stream, _) = listener.accept().expect("one connection");
        let mut request = [0_u8; 4096];
        let _ = stream.read(&mut request).expect("a request");
        REACHED.store(true, Ordering::Relaxed);
        let until = Instant::now() + SLOW;
        while Instant::now() < until {
            thread::park_timeout(until - Instant::now());
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).expect("the node waits for it");
    });
    is_ready.recv_timeout(PATIENCE).expect("the server listens");
}

fn client(node: &EdgeNode) -> Client {
    let read = |name: &str| fs::read_to_string(node.data_dir.join(name)).expect("there");
    let tls = client_config(&read("ca.crt"), &["http/1.1"], ALL_VERSIONS);
    let address: SocketAddr = "192.0.2.1:443".parse().expect("an address");
    Client::new(address, tls, Role::Admin, read("hmac-admin.key").trim())
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}
