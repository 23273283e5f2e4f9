//! Two nodes on one database, which both hand out addresses and networks from the same pools while
//! one of them is killed and comes back.

#[path = "../storage/tests/support/postgres.rs"]
mod postgres;
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use postgres::{PASSWORD, Postgres, USER};
use support::{
    Answer, Client, FileServer, Node, PARTITION, PATIENCE, PROJECT, Role, Settings, address_of,
    addresses, all_agrees, furnish,
};

const CLIENTS: usize = 32;

/// What one client holds at the most of each kind.
const MOST: usize = 4;

/// What is handed out, by its name: an address, or the prefix of a network.
#[derive(Debug, Default)]
struct Ledger {
    /// What somebody was given and has not begun to give back, with the id that gives it back.
    held: BTreeMap<String, String>,
    /// What is given back, and nobody said whether it was.
    doubtful: BTreeSet<String>,
    /// Requests for one that nobody answered: each may have been carried out.
    unanswered: usize,
    given: usize,
    refused: BTreeMap<String, usize>,
    /// What must not be.
    wrong: Vec<String>,
}

/// Something to hand out.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// An address of a network.
    Address(&'static str),
    /// A network out of the super network.
    Network,
}

const KINDS: [Kind; 3] = [
    Kind::Address("internet"),
    Kind::Address("plain"),
    Kind::Network,
];

/// A client of both nodes.
#[derive(Clone)]
struct Tenant {
    number: usize,
    nodes: [Client; 2],
    ledger: Arc<Mutex<Ledger>>,
    until: Instant,
}

// === impl Tenant ===

impl Tenant {
    async fn run(self) {
        let mut own: [Vec<(String, String)>; 3] = Default::default();
        let mut turn = self.number;
        while Instant::now() < self.until {
            turn += 1;
            let which = turn % KINDS.len();
            let (kind, own) = (KINDS[which], &mut own[which]);
            // Through one node and through the other, whichever gave it.
            let node = &self.nodes[turn / KINDS.len() % 2];
            if own.len() < MOST && !(turn / 7).is_multiple_of(3) {
                own.extend(self.take(node, kind).await);
            } else if let Some((name, id)) = own.pop() {
                self.give_back(node, kind, name, id).await;
            }
        }
    }

    async fn take(&self, node: &Client, kind: Kind) -> Option<(String, String)> {
        let (path, body) = match kind {
            Kind::Address(network) => ("/v1/ip/allocate", address_of(network)),
            Kind::Network => (
                "/v1/network/allocate",
                json!({ "partitionid": PARTITION, "projectid": PROJECT }),
            ),
        };
        let answer = send(node, "POST", path, Some(body)).await;
        let mut ledger = self.ledger();
        let Some(answer) = answer else {
            ledger.unanswered += 1;
            return None;
        };
        if answer.status != 201 {
            ledger.refuse(path, &answer);
            return None;
        }
        let (name, id) = kind.names(&answer.json());
        ledger.given += 1;
        // It may be given back, and to another, before that is said.
        ledger.doubtful.remove(&name);
        if ledger.held.insert(name.clone(), id.clone()).is_some() {
            ledger.wrong.push(format!("{name} was handed out twice"));
        }
        Some((name, id))
    }

    async fn give_back(&self, node: &Client, kind: Kind, name: String, id: String) {
        // From now on another may be given it.
        self.ledger().held.remove(&name);
        let path = kind.free(&id);
        let answer = send(node, "DELETE", &path, None).await;
        let mut ledger = self.ledger();
        match answer {
            Some(answer) if answer.status == 200 => {}
            answer => {
                // It may be another's by now.
                if !ledger.held.contains_key(&name) {
                    ledger.doubtful.insert(name);
                }
                if let Some(answer) = answer {
                    ledger.refuse("free", &answer);
                }
            }
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Kind ===

impl Kind {
    /// The name of what was handed out, and the id to give it back by.
    fn names(self, given: &Value) -> (String, String) {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        match self {
            Self::Address(_) => (text(&given["ipaddress"]), text(&given["ipaddress"])),
            Self::Network => (text(&given["prefixes"][0]), text(&given["id"])),
        }
    }

    fn free(self, id: &str) -> String {
        match self {
            Self::Address(_) => format!("/v1/ip/free/{id}"),
            Self::Network => format!("/v1/network/free/{id}"),
        }
    }
}

// === impl Ledger ===

impl Ledger {
    /// A node that is busy or stops may say so; anything else is wrong.
    fn refuse(&mut self, what: &str, answer: &Answer) {
        let text = format!("{what}: {} {}", answer.status, answer.text());
        if answer.status == 503 {
            *self.refused.entry(text).or_default() += 1;
        } else {
            self.wrong.push(text);
        }
    }
}

/// The answer; none if the node was gone before it had said anything, or in the midst of it.
async fn send(node: &Client, method: &str, path: &str, body: Option<Value>) -> Option<Answer> {
    let body = body.map(|body| body.to_string().into_bytes());
    let signature = node.sign(method);
    let answer = node.try_send(method, path, Some(&signature), body).await;
    if answer.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    answer.ok()
}

/// The prefixes of the networks that are made of the super network, with their ids; none twice.
async fn children(admin: &Client) -> BTreeMap<String, String> {
    let parent = json!({ "parentnetworkid": "super" });
    let answer = admin.post("/v1/network/find", parent).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut seen = BTreeMap::new();
    for network in answer.json().as_array().expect("a list") {
        let (prefix, id) = Kind::Network.names(network);
        assert!(
            seen.insert(prefix, id).is_none(),
            "{network} is there twice"
        );
    }
    seen
}

/// The configuration of a node whose stores are both this database.
fn on(server: &Postgres, folder: &Path, name: &str) -> Settings {
    let password = folder.join("password");
    fs::write(&password, PASSWORD).expect("written");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("private");
    let url = format!("postgres://{USER}@127.0.0.1:{}/edge", server.port());
    let mut settings = Settings::new()
        .with_store("global", &url, &password)
        .with_store("local", &url, &password);
    settings.node = name.to_owned();
    settings
}

/// How long it runs, and how often a node is killed meanwhile.
fn measure() -> (Duration, usize) {
    match env::var_os("METAL_TEST_LONG") {
        Some(_) => (Duration::from_secs(60), 8),
        None => (Duration::from_secs(6), 2),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_hand_nothing_out_twice_and_lose_nothing_while_one_is_killed() {
    let (server, files) = (Postgres::start(), FileServer::start());
    server.create_database("edge");
    let folder = tempfile::tempdir().expect("a folder");
    let survivor = Node::with(on(&server, folder.path(), "test-1"));
    let mut mortal = Node::with(on(&server, folder.path(), "test-2"));
    let admin = survivor.client(Role::Admin);
    furnish(&admin, &files).await;

    let ledger = Arc::<Mutex<Ledger>>::default();
    let (lasts, kills) = measure();
    let begun = Instant::now();
    let tenants: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let tenant = Tenant {
                number,
                nodes: [survivor.client(Role::Admin), mortal.client(Role::Admin)],
                ledger: Arc::clone(&ledger),
                until: begun + lasts,
            };
            tokio::spawn(tenant.run())
        })
        .collect();
    let pause = lasts / u32::try_from(kills + 1).expect("few");
    for kill in 1..=kills {
        let at = begun + pause * u32::try_from(kill).expect("few");
        tokio::time::sleep_until(at.into()).await;
        mortal.kill();
        mortal.boot();
    }
    for tenant in tenants {
        tenant.await.expect("it ends");
    }

    let ledger = std::mem::take(&mut *ledger.lock().expect("nobody panicked"));
    let [given, held, doubtful] = [ledger.given, ledger.held.len(), ledger.doubtful.len()];
    let unanswered = ledger.unanswered;
    println!("{given} given, {held} held, {doubtful} doubtful, {unanswered} unanswered");
    println!("busy: {:#?}", ledger.refused);
    assert!(ledger.wrong.is_empty(), "{:#?}", ledger.wrong);
    let busy: usize = ledger.refused.values().sum();
    assert!(
        given > CLIENTS / 2 && busy < given,
        "{busy} refused, {given} given"
    );

    // What was acknowledged is listed by both; what is listed besides nobody was told.
    let second = mortal.client(Role::Admin);
    let networks = children(&admin).await;
    assert_eq!(children(&second).await, networks);
    let mut listed: BTreeSet<String> = networks.keys().cloned().collect();
    for network in ["internet", "plain"] {
        let here = addresses(&admin, network).await;
        assert_eq!(addresses(&second, network).await, here);
        listed.extend(here);
    }
    for name in ledger.held.keys() {
        assert!(listed.contains(name), "{name} was acknowledged and is lost");
    }
    let more = listed
        .iter()
        .filter(|name| !ledger.held.contains_key(*name) && !ledger.doubtful.contains(*name));
    let more: Vec<_> = more.collect();
    assert!(more.len() <= ledger.unanswered, "{more:?}");
    both_agree(&survivor, &mortal);

    // Everything can be given back, and is gone then.
    for name in &listed {
        let path = match networks.get(name) {
            Some(id) => Kind::Network.free(id),
            None => Kind::Address("").free(name),
        };
        let answer = admin.delete(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    for path in ["network/internet", "network/plain", "network/super"] {
        let answer = second.delete(&format!("/v1/{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let answer = admin.delete(&format!("/v1/project/{PROJECT}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(admin.list("/v1/network").await, Vec::<Value>::new());
    both_agree(&survivor, &mortal);
    assert!(begun.elapsed() < lasts + 4 * PATIENCE);
}

#[track_caller]
fn both_agree(survivor: &Node, mortal: &Node) {
    all_agrees(survivor);
    all_agrees(mortal);
}
