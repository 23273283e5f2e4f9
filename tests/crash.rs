//! `kill -9` during writes: whatever was acknowledged is there afterwards, and
//! nothing is there that nobody asked for.

mod support;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use support::{Client, Node, PATIENCE, Role, Settings};

const KILLS: u32 = 200;
const WRITERS: usize = 6;
/// Records that a writer keeps at most, so that a check stays cheap.
const KEPT: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_is_there_after_kill_9() {
    let mut node = Node::prepare(Settings::new().with("log", "level = \"warn\""));
    let mut writers: Vec<Writer> = (0..WRITERS).map(Writer::new).collect();
    let mut doubtful = 0;
    for round in 0..=KILLS {
        node.boot();
        let client = node.client(Role::Admin);
        doubtful += verify(&client, &mut writers, round).await;
        if round == KILLS {
            break;
        }
        let acknowledgements = Arc::new(Semaphore::new(0));
        let mut tasks = JoinSet::new();
        for mut writer in writers.drain(..) {
            let (client, acknowledgements) = (client.clone(), Arc::clone(&acknowledgements));
            tasks.spawn(async move {
                writer.write_until_cut_off(&client, &acknowledgements).await;
                writer
            });
        }
        // Spread over the life of a commit; the same in every run.
        let enough = acknowledgements.acquire_many(5 + round * 7 % 20);
        let enough = timeout(PATIENCE, enough).await.expect("writes go on");
        enough.expect("nobody closes it").forget();
        sleep(Duration::from_micros(u64::from(round * 977 % 5000))).await;
        node.kill();
        while let Some(writer) = tasks.join_next().await {
            writers.push(writer.expect("no writer panicked"));
        }
    }
    let acknowledged: u64 = writers.iter().map(|writer| writer.acknowledged).sum();
    println!("{KILLS} kills, {acknowledged} acknowledged writes, {doubtful} in doubt");
    assert!(doubtful > 0, "no kill came in the middle of a write");
}

/// What a record is: absent, or this name at this version.
type State = Option<(String, u64)>;

/// Creates, updates and deletes tenants of its own, one request at a time.
struct Writer {
    number: usize,
    steps: u64,
    acknowledged: u64,
    known: BTreeMap<String, State>,
    /// What was asked for last and not answered.
    doubt: Option<(String, State)>,
}

// === impl Writer ===

impl Writer {
    fn new(number: usize) -> Self {
        Self {
            number,
            steps: 0,
            acknowledged: 0,
            known: BTreeMap::new(),
            doubt: None,
        }
    }

    /// Adds a permit to `acknowledgements` for each.
    async fn write_until_cut_off(&mut self, client: &Client, acknowledgements: &Semaphore) {
        loop {
            self.steps += 1;
            let (method, path, body, id, wanted) = self.next();
            self.doubt = Some((id.clone(), wanted.clone()));
            let signature = client.sign(method);
            let answer = client.try_send(method, &path, Some(&signature), body).await;
            let Ok(answer) = answer else { return };
            assert!(
                matches!(answer.status, 200 | 201),
                "{method} {id}: {} {}",
                answer.status,
                answer.text()
            );
            self.doubt = None;
            self.known.insert(id, wanted);
            self.acknowledged += 1;
            acknowledgements.add_permits(1);
        }
    }

    fn next(&self) -> (&'static str, String, Option<Vec<u8>>, String, State) {
        let name = format!("step {}", self.steps);
        let tenant = |id: &str, version: u64| {
            let meta =
                json!({ "id": id, "kind": "Tenant", "apiversion": "v1", "version": version });
            let tenant = json!({ "meta": meta, "name": name });
            Some(tenant.to_string().into_bytes())
        };
        let mut living = self
            .known
            .iter()
            .filter_map(|(id, state)| Some((id, state.as_ref()?)));
        let count = living.clone().count();
        let oldest = living.next();
        match (self.steps % 3, oldest) {
            (0, Some((id, (_, version)))) => (
                "POST",
                "/v1/tenant".into(),
                tenant(id, *version),
                id.clone(),
                Some((name, version + 1)),
            ),
            (_, Some((id, _))) if count >= KEPT => {
                let path = format!("/v1/tenant/{id}");
                ("DELETE", path, None, id.clone(), None)
            }
            _ => {
                let id = format!("w{}-{:09}", self.number, self.steps);
                let body = tenant(&id, 0);
                ("PUT", "/v1/tenant".into(), body, id, Some((name, 0)))
            }
        }
    }
}

/// Holds the list against what the writers know, settles what was in doubt, and
/// says how much that was.
async fn verify(client: &Client, writers: &mut [Writer], round: u32) -> usize {
    let mut stored: BTreeMap<String, State> = BTreeMap::new();
    for tenant in client.list("/v1/tenant").await {
        let id = tenant["meta"]["id"].as_str().expect("an id").to_owned();
        let name = tenant["name"].as_str().expect("a name").to_owned();
        let version = tenant["meta"]["version"].as_u64().unwrap_or(0);
        stored.insert(id, Some((name, version)));
    }
    let mut doubtful = 0;
    for writer in writers {
        if let Some((id, wanted)) = writer.doubt.take() {
            doubtful += 1;
            let is = stored.get(&id).cloned().flatten();
            let was = writer.known.get(&id).cloned().flatten();
            assert!(
                is == was || is == wanted,
                "after kill {round}: {id} is {is:?}, was {was:?}, asked for {wanted:?}"
            );
            writer.known.insert(id, is);
        }
        for (id, state) in &writer.known {
            let is = stored.remove(id).flatten();
            assert_eq!(&is, state, "after kill {round}: {id}");
        }
        writer.known.retain(|_, state| state.is_some());
    }
    assert!(
        stored.is_empty(),
        "after kill {round}: from nobody: {stored:?}"
    );
    doubtful
}
