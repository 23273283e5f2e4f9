//! Blocks of global networks, and partitions that are cut off.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};

use super::mortal::{Life, Mortal};
use super::networks::internet;
use super::*;

fn any() -> Value {
    json!({"networkid": "internet", "projectid": "p1", "type": "static"})
}

/// A partition of several that share the global store.
struct Plant {
    api: Api,
    space: Space,
    /// Below zero the line to the global store is cut.
    line: Life,
}

// === impl Plant ===

impl Plant {
    fn new(global: &Arc<Memory>, local: &Arc<Memory>, home: &str) -> Self {
        let line = Arc::new(AtomicI64::new(i64::MAX));
        let global: Arc<dyn Store> = Arc::new(Mortal::new(global, &line, false));
        let local = Arc::clone(local) as Arc<dyn Store>;
        let (space, _) = Space::new(Arc::clone(&global), local, home).unwrap();
        let api = Api::of(global, space.clone(), BTreeMap::new(), Fleet::default());
        Self { api, space, line }
    }

    fn cut(&self) {
        self.line.store(-1, Ordering::SeqCst);
    }

    fn heal(&self) {
        self.line.store(i64::MAX, Ordering::SeqCst);
    }

    async fn take(&self) -> String {
        let made = self.api.post("/v1/ip/allocate", any()).await.is(201);
        made["ipaddress"].as_str().unwrap().to_owned()
    }
}

/// Plants `dev` and `far`, each with its own local store.
async fn two() -> [Plant; 2] {
    let global = Arc::new(Memory::new());
    let dev = Plant::new(&global, &Arc::new(Memory::new()), "dev");
    let far = Plant::new(&global, &Arc::new(Memory::new()), "far");
    dev.api.furnish().await;
    dev.api.put("/v1/network", internet()).await.is(201);
    [dev, far]
}

#[tokio::test]
async fn partitions_hand_out_what_they_own_and_never_the_same() {
    let [dev, far] = two().await;
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        assert!(seen.insert(dev.take().await));
        assert!(seen.insert(far.take().await));
    }
    let blocks = dev.space.blocks().await.unwrap();
    let owners: BTreeSet<_> = blocks
        .iter()
        .map(|block| block.partition.as_str())
        .collect();
    assert_eq!(owners, ["dev", "far"].into());
    assert!(
        blocks.iter().all(|block| block.addresses <= 4),
        "{blocks:?}"
    );
    // Of an address in another's block, the other is named.
    let foreign = blocks
        .iter()
        .find(|block| block.partition == "far")
        .unwrap();
    let path = format!("/v1/ip/allocate/{}", foreign.first);
    dev.api
        .post(&path, any())
        .await
        .refused(503, "partition \"far\" owns");
}

#[tokio::test]
async fn a_partition_that_is_cut_off_hands_out_its_blocks_and_then_says_so() {
    let [dev, far] = two().await;
    let first = dev.take().await;
    dev.cut();
    // A block has four; the network's own address is in none.
    for _ in 0..3 {
        dev.take().await;
    }
    let used_up = dev.api.post("/v1/ip/allocate", any()).await;
    used_up.refused(
        503,
        "no ips left of network \"internet\" in partition \"dev\"",
    );
    let used_up = dev.api.post("/v1/ip/allocate", any()).await;
    used_up.refused(503, "all 4 addresses of its 1 blocks");
    // What is freed is handed out again, and the others go on.
    dev.api
        .delete(&format!("/v1/ip/free/{first}"))
        .await
        .is(200);
    assert_eq!(dev.take().await, first);
    far.take().await;
    dev.heal();
    dev.take().await;
    let blocks = dev.space.blocks().await.unwrap();
    let addresses = |owner: &str| {
        let own = blocks.iter().filter(|block| block.partition == owner);
        own.map(|block| block.addresses).sum::<u64>()
    };
    assert_eq!((addresses("dev"), addresses("far")), (8, 4));
    let listed = dev.api.get("/v1/ip").await.is(200);
    assert_eq!(listed.as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn an_address_of_an_owned_block_asks_nothing_of_the_global_store() {
    let [dev, _] = two().await;
    let first = dev.take().await;
    let before = dev.line.load(Ordering::SeqCst);
    for _ in 0..3 {
        dev.take().await;
    }
    dev.api
        .delete(&format!("/v1/ip/free/{first}"))
        .await
        .is(200);
    assert_eq!(dev.line.load(Ordering::SeqCst), before, "commits");
}

#[tokio::test]
async fn blocks_that_are_idle_are_given_back() {
    let api = Plant::new(&Arc::new(Memory::new()), &Arc::new(Memory::new()), "dev");
    api.api.furnish().await;
    api.api.put("/v1/network", internet()).await.is(201);
    let mut taken = Vec::new();
    for _ in 0..40 {
        taken.push(api.take().await);
    }
    let scope = api.space.home_scope().unwrap();
    assert_eq!(api.space.blocks().await.unwrap().len(), 10);
    for address in &taken[1..] {
        api.api
            .delete(&format!("/v1/ip/free/{address}"))
            .await
            .is(200);
    }
    api.space.return_idle(&scope).await.unwrap();
    let left = api.space.blocks().await.unwrap();
    assert_eq!(left.len(), 3, "{left:?}");
    assert_eq!(left[0].used, Some(1));
    assert_eq!(api.space.fsck().await.unwrap(), []);
    api.api
        .delete("/v1/network/internet")
        .await
        .refused(422, &taken[0]);
    api.api
        .delete(&format!("/v1/ip/free/{}", taken[0]))
        .await
        .is(200);
    api.api.delete("/v1/network/internet").await.is(200);
    assert_eq!(api.space.blocks().await.unwrap(), []);
    assert_eq!(api.space.fsck().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_free_of_a_revoked_block_is_the_networks_again_and_the_rest_stays() {
    let (global, local) = (Arc::new(Memory::new()), Arc::new(Memory::new()));
    let dev = Plant::new(&global, &local, "dev");
    dev.api.furnish().await;
    dev.api.put("/v1/network", internet()).await.is(201);
    let [first, second] = [dev.take().await, dev.take().await];
    dev.api
        .delete(&format!("/v1/ip/free/{first}"))
        .await
        .is(200);
    let block = dev.space.blocks().await.unwrap().remove(0);
    assert_eq!((block.addresses, block.used), (4, Some(1)));

    let freed = dev.space.revoke_block(&block.id).await.unwrap();
    assert_eq!(freed.iter().map(|free| free.len()).sum::<u128>(), 3);
    assert_eq!(dev.space.fsck().await.unwrap(), []);
    let left = dev.space.blocks().await.unwrap();
    assert_eq!((left.len(), left[0].first.as_str()), (1, second.as_str()));
    let error = dev.space.revoke_block(&left[0].id).await.unwrap_err();
    assert!(error.message.contains("nothing of block"), "{error}");
    let error = dev.space.revoke_block("4/0").await.unwrap_err();
    assert_eq!(error.status, 404);
    // Another partition, whose records are elsewhere, claims what was freed.
    let far = Plant::new(&global, &Arc::new(Memory::new()), "far");
    assert_eq!(far.take().await, first);
    let error = far.space.revoke_block(&left[0].id).await.unwrap_err();
    assert!(error.message.contains("is not known here"), "{error}");
    dev.api.get(&format!("/v1/ip/{second}")).await.is(200);
    dev.api
        .delete(&format!("/v1/ip/free/{second}"))
        .await
        .is(200);
    assert_eq!(dev.take().await, second);
}
