//! A partition whose global store, a PostgreSQL, hangs or is gone: what it owns it goes on handing
//! out, what it cannot do it says, and nothing waits for it that does not need it.

#[path = "../storage/tests/support/postgres.rs"]
mod postgres;
mod support;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tokio::sync::Mutex;

use postgres::{PASSWORD, Postgres, USER};
use support::{
    Client, FileServer, Node, PARTITION, PATIENCE, Role, Settings, address_of, addresses,
    all_agrees, assert_error, blocks, furnish, ipam, replica_is_current, take_address,
};

/// One test at a time: a database and a node each, whose waits are looked at.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Requests at once that want an address which nobody can give them.
const CROWD: usize = 12;

/// Every process of a server, stopped until this is dropped: it takes connections, and is silent.
struct Hanging(Vec<Pid>);

// === impl Hanging ===

impl Hanging {
    fn of(server: &Postgres) -> Self {
        let main = i32::try_from(server.pid()).expect("a pid");
        let hanging = Self(vec![Pid::from_raw(main)]);
        hanging.signal(Signal::SIGSTOP);
        // It starts no more now.
        let mut all = hanging.0.clone();
        all.extend(children(main));
        let hanging = Self({
            std::mem::forget(hanging);
            all
        });
        hanging.signal(Signal::SIGSTOP);
        hanging
    }

    fn signal(&self, signal: Signal) {
        for pid in &self.0 {
            // A process of it may have ended.
            let _ = kill(*pid, signal);
        }
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.signal(Signal::SIGCONT);
    }
}

/// The processes that a process has started.
fn children(of: i32) -> Vec<Pid> {
    let file = format!("/proc/{of}/task/{of}/children");
    let listed = fs::read_to_string(file).expect("the process lives");
    let pid = |word: &str| Pid::from_raw(word.parse().expect("a pid"));
    listed.split_whitespace().map(pid).collect()
}

/// A node with its own file and a global store on this server, and one address handed out, of the
/// one block that it owns.
async fn plant(server: &Postgres, folder: &Path, files: &FileServer) -> (Node, String) {
    server.create_database("edge");
    let password = folder.join("password");
    fs::write(&password, PASSWORD).expect("written");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("private");
    let url = format!("postgres://{USER}@127.0.0.1:{}/edge", server.port());
    let node = Node::with(Settings::new().with_store("global", &url, &password));
    let admin = node.client(Role::Admin);
    furnish(&admin, files).await;
    let first = take_address(&admin, "internet").await;
    assert_eq!(blocks(&node, "internet"), (4, 1));
    replica_is_current(&node).await;
    (node, first)
}

/// What this node does while the global store does not answer; gives the addresses of the internet
/// that it has handed out.
async fn goes_on_alone(node: &Node) -> BTreeSet<String> {
    let admin = node.client(Role::Admin);
    let mut taken = BTreeSet::new();
    for _ in 0..3 {
        assert!(taken.insert(take_address(&admin, "internet").await));
    }
    // Its block is used up. A crowd that wants more is told so, each, and not much later than the
    // first: it does not stand in a queue.
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| {
            let admin = node.client(Role::Admin);
            tokio::spawn(async move {
                let begun = Instant::now();
                let answer = admin.post("/v1/ip/allocate", address_of("internet")).await;
                (answer, begun.elapsed())
            })
        })
        .collect();
    // Meanwhile what the partition has by itself does not wait for it.
    let mut others = 0;
    while others < 20 || crowd.iter().any(|one| !one.is_finished()) {
        let begun = Instant::now();
        let local = take_address(&admin, "plain").await;
        assert_eq!(free(&admin, &local).await, 200);
        others += 1;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(5), "a local one took {took:?}");
    }
    let mut longest = Duration::ZERO;
    for one in crowd {
        let (answer, took) = one.await.expect("it ends");
        longest = longest.max(took);
        assert_error(
            &answer,
            503,
            "no ips left of network \"internet\" in partition \"test\": all 4 addresses of its 1 \
             blocks are handed out",
        );
        assert_error(&answer, 503, "Free some, or restore the connection");
    }
    println!("{others} local ones meanwhile, {longest:?} the longest of the crowd");
    assert!(longest < Duration::from_secs(20), "{longest:?}");

    let other = "/v1/ip/allocate/203.0.113.200";
    let answer = admin.post(other, address_of("internet")).await;
    assert_error(
        &answer,
        503,
        "203.0.113.200 of network \"internet\" is in no block",
    );

    // What is given back is handed out again.
    let again = taken.last().expect("some").clone();
    assert_eq!(free(&admin, &again).await, 200);
    assert_eq!(take_address(&admin, "internet").await, again);
    // It is all shown, too.
    assert_eq!(addresses(&admin, "internet").await.len(), 4);
    let network = admin.get("/v1/network/internet").await;
    assert_eq!(network.status, 200, "{}", network.text());
    // What only the global store knows is not made up.
    for what in ["blocks", "fsck"] {
        let (code, stdout, stderr) = ipam(node, &[what]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert!(stderr.contains("the store is unavailable"), "{stderr}");
        assert!(stderr.contains("which store does not answer"), "{stderr}");
    }
    let new = json!({ "id": "new", "partitionid": PARTITION, "prefixes": ["10.90.0.0/24"] });
    assert_error(
        &admin.put("/v1/network", new).await,
        503,
        "nothing was changed",
    );
    assert_eq!(admin.get("/v1/network/new").await.status, 404);
    taken
}

async fn free(client: &Client, address: &str) -> u16 {
    let answer = client.delete(&format!("/v1/ip/free/{address}")).await;
    answer.status
}

/// Once the global store answers again, addresses are handed out again, and all agrees.
async fn recovers(node: &Node, taken: &BTreeSet<String>) -> BTreeSet<String> {
    let admin = node.client(Role::Admin);
    let begun = Instant::now();
    let next = loop {
        let answer = admin.post("/v1/ip/allocate", address_of("internet")).await;
        if answer.status == 201 {
            break answer.json()["ipaddress"].as_str().expect("one").to_owned();
        }
        assert_error(&answer, 503, "");
        assert!(begun.elapsed() < PATIENCE, "{}", node.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    println!("handed out again after {:?}", begun.elapsed());
    let mut all = taken.clone();
    assert!(all.insert(next), "an address twice");
    assert_eq!(addresses(&admin, "internet").await, all);
    all_agrees(node);
    let used = u64::try_from(all.len()).expect("few");
    assert_eq!(blocks(node, "internet").1, used);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_hands_out_its_blocks_while_the_global_store_hangs_and_then_says_so() {
    let _alone = ALONE.lock().await;
    let server = Postgres::start();
    let (folder, files) = (tempfile::tempdir().expect("a folder"), FileServer::start());
    let (node, first) = plant(&server, folder.path(), &files).await;

    let hanging = Hanging::of(&server);
    let mut taken = goes_on_alone(&node).await;
    drop(hanging);
    taken.insert(first);
    recovers(&node, &taken).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_hands_out_its_blocks_while_the_global_store_is_gone_and_then_says_so() {
    let _alone = ALONE.lock().await;
    let mut server = Postgres::start();
    let (folder, files) = (tempfile::tempdir().expect("a folder"), FileServer::start());
    let (node, first) = plant(&server, folder.path(), &files).await;

    server.stop();
    let mut taken = goes_on_alone(&node).await;
    taken.insert(first);
    server.run();
    recovers(&node, &taken).await;
}
