//! Many clients at once, some of whom go before they are answered or ask twice: what all of them
//! saw is that of one commit after another.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Backend;
use super::dice::Dice;
use super::kit::*;
use super::linear::Recorder;
use crate::{
    Batch, Error, Guard, Key, Name, Query, Read, Revision, Scope, Store, Stored, Version, Write,
};

const CLIENTS: u64 = 8;
const EACH: usize = 40;

/// One of many that use a store at once.
struct Client {
    store: Arc<dyn Store>,
    dice: Dice,
}

// === impl Client ===

impl Client {
    /// Commits, and one time in eight goes before it is answered; then it may ask again. `None`
    /// if it does not know what came of it.
    async fn commit(&mut self, batch: Batch) -> Option<crate::Result<Revision>> {
        if self.dice.roll(8) > 0 {
            return Some(self.store.commit(batch).await);
        }
        let patience = Duration::from_micros(self.dice.roll(3_000));
        let answer = tokio::time::timeout(patience, self.store.commit(batch.clone())).await;
        match answer {
            Ok(answer) => Some(answer),
            Err(_) if self.dice.roll(2) == 0 => Some(self.store.commit(batch).await),
            Err(_) => None,
        }
    }

    /// Commits what may be refused because another was quicker; whether it was done.
    async fn try_commit(&mut self, batch: Batch) -> bool {
        match self.commit(batch).await {
            Some(Ok(_)) => true,
            None | Some(Err(Error::Conflict(_) | Error::Taken(_) | Error::Unknown(_))) => false,
            Some(Err(other)) => panic!("{other:?}"),
        }
    }

    async fn get(&self, key: &Key) -> Option<Stored<crate::Record>> {
        get(&self.store, key).await
    }

    fn one_of(&mut self, names: &[&'static str]) -> &'static str {
        names[self.dice.roll(names.len() as u64) as usize]
    }
}

/// Lets clients work at once, and checks what they saw.
async fn clients<F>(recorder: &Recorder, work: impl Fn(Client) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for client in 0..CLIENTS {
        tasks.spawn(work(Client {
            store: Arc::new(recorder.clone()),
            dice: Dice::new(client + 1),
        }));
    }
    bounded(tasks.join_all()).await;
    // What came of everything.
    for scope in recorder.scopes() {
        let query = Query::new(scope.clone(), Name::from_static("thing"));
        let page = recorder.list(&query, Read::Latest).await.unwrap();
        let mut stream = recorder.watch(scope, Revision::ZERO);
        revisions(&mut stream, page.revision.get() as usize).await;
    }
    assert!(recorder.len() > EACH * CLIENTS as usize / 2);
    if let Err(wrong) = recorder.check() {
        panic!("{wrong}");
    }
}

pub async fn a_register_is_linearizable(backend: &dyn Backend) {
    let recorder = Recorder::new(backend.fresh(HISTORY).await);
    clients(&recorder, |mut client| async move {
        let mut seen: HashMap<&str, Option<Version>> = HashMap::new();
        for i in 0..EACH {
            let id = client.one_of(&["x", "y"]);
            let value = format!("{i} {}", client.dice.roll(1_000_000));
            let version = seen.get(id).copied().flatten();
            match client.dice.roll(6) {
                0 => drop(client.try_commit(put(plain(key(id), &value))).await),
                1 => drop(client.try_commit(delete(key(id))).await),
                2 | 3 => {
                    let batch = put(plain(key(id), &value));
                    let batch = match version {
                        Some(version) => at(batch, key(id), version),
                        None => absent(batch, key(id)),
                    };
                    client.try_commit(batch).await;
                }
                _ => {
                    let found = client.get(&key(id)).await;
                    seen.insert(id, found.map(|found| found.version));
                }
            }
        }
    })
    .await;
}

pub async fn a_bank_is_linearizable_and_keeps_its_money(backend: &dyn Backend) {
    const ACCOUNTS: [&str; 4] = ["a", "b", "c", "d"];
    let recorder = Recorder::new(backend.fresh(HISTORY).await);
    let opening = puts(ACCOUNTS.map(|id| plain(key(id), "100")));
    recorder.commit(opening).await.unwrap();
    clients(&recorder, |mut client| async move {
        for _ in 0..EACH {
            let page = client.store.list(&query(), Read::Latest).await.unwrap();
            let money = |found: &Stored<_>| text(found).parse::<i64>().unwrap();
            assert_eq!(page.records.iter().map(money).sum::<i64>(), 400);
            let from = client.dice.roll(4) as usize;
            let to = (from + 1 + client.dice.roll(3) as usize) % 4;
            let amount = client.dice.roll(20) as i64;
            let mut batch = Batch::new(Scope::Global);
            for (i, amount) in [(from, -amount), (to, amount)] {
                let found = &page.records[i];
                let key = found.value.key.clone();
                let record = plain(key.clone(), &(money(found) + amount).to_string());
                batch.guards.push(Guard::Version(key, found.version));
                batch.writes.push(Write::Put(record));
            }
            client.try_commit(batch).await;
        }
    })
    .await;
}

pub async fn a_set_is_linearizable(backend: &dyn Backend) {
    const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let recorder = Recorder::new(backend.fresh(HISTORY).await);
    clients(&recorder, |mut client| async move {
        for i in 0..EACH {
            let id = client.one_of(&IDS);
            match client.dice.roll(3) {
                0 => {
                    let batch = absent(put(plain(key(id), &i.to_string())), key(id));
                    client.try_commit(batch).await;
                }
                1 => {
                    if let Some(found) = client.get(&key(id)).await {
                        let batch = at(delete(key(id)), key(id), found.version);
                        client.try_commit(batch).await;
                    }
                }
                _ => drop(client.store.list(&query(), Read::Latest).await.unwrap()),
            }
        }
    })
    .await;
}

pub async fn a_unique_index_is_linearizable(backend: &dyn Backend) {
    const NAMES: [&str; 3] = ["one", "two", "three"];
    const IDS: [&str; 5] = ["a", "b", "c", "d", "e"];
    let recorder = Recorder::new(backend.fresh(HISTORY).await);
    clients(&recorder, |mut client| async move {
        for i in 0..EACH {
            let (id, name) = (client.one_of(&IDS), client.one_of(&NAMES));
            match client.dice.roll(5) {
                0 | 1 => drop(client.try_commit(put(thing(id, name, i as i64))).await),
                2 => drop(client.try_commit(delete(key(id))).await),
                3 => {
                    // Hands a name from one to another.
                    let other = client.one_of(&IDS);
                    let mut batch = delete(key(id));
                    if other != id {
                        let taker = thing(other, name, i as i64);
                        batch.writes.push(Write::Put(taker));
                    }
                    client.try_commit(batch).await;
                }
                _ => {
                    let mut query = query();
                    query.equal.push((Name::from_static("name"), name.into()));
                    let page = client.store.list(&query, Read::Latest).await.unwrap();
                    assert!(page.records.len() <= 1, "{:?}", page.records);
                }
            }
        }
    })
    .await;
}

pub async fn scopes_are_linearizable_side_by_side(backend: &dyn Backend) {
    let recorder = Recorder::new(backend.fresh(HISTORY).await);
    clients(&recorder, |mut client| async move {
        for i in 0..EACH {
            let scope = scope(client.one_of(&["global", "fra", "muc"]));
            let key = key_in(scope.clone(), "thing", "a");
            match client.dice.roll(3) {
                0 => drop(client.get(&key).await),
                1 => {
                    let query = Query::new(scope, Name::from_static("thing"));
                    client.store.list(&query, Read::Latest).await.unwrap();
                }
                _ => drop(client.try_commit(put(plain(key, &i.to_string()))).await),
            }
        }
    })
    .await;
}

pub async fn a_client_never_sees_a_scope_go_back(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let mut tasks = JoinSet::new();
    for client in 0..CLIENTS {
        let mut client = Client {
            store: Arc::clone(&store),
            dice: Dice::new(client + 1),
        };
        tasks.spawn(async move {
            let mut acknowledged = Vec::new();
            let mut last = Revision::ZERO;
            for i in 0..EACH {
                if client.dice.roll(3) == 0 {
                    let batch = put(plain(key("a"), &i.to_string()));
                    let revision = client.store.commit(batch).await.unwrap();
                    assert!(revision > last, "{revision} after {last}");
                    acknowledged.push(revision);
                    last = revision;
                }
                let read = match client.dice.roll(2) {
                    0 => Read::Latest,
                    _ => Read::AtLeast(last),
                };
                let found = client.store.get(&key("a"), read).await.unwrap();
                let seen = found.map_or(Revision::ZERO, |found| found.version.revision());
                assert!(seen >= last, "{read:?} shows {seen} after {last}");
                let page = client.store.list(&query(), read).await.unwrap();
                assert!(page.revision >= seen, "{read:?} shows {}", page.revision);
                last = page.revision;
            }
            acknowledged
        });
    }
    let mut all: Vec<_> = bounded(tasks.join_all())
        .await
        .into_iter()
        .flatten()
        .collect();
    all.sort_unstable();
    let expected: Vec<_> = (1..=all.len() as u64).map(Revision::new).collect();
    assert_eq!(
        all, expected,
        "each revision is acknowledged once, without a gap"
    );
}
