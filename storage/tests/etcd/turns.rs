use std::sync::Arc;
use std::time::{Duration, Instant};

use metal_storage::Store;
use metal_storage::{Etcd, EtcdOptions};
use tokio::task::JoinSet;

use crate::contents::{batch, put};
use crate::suite::fresh_options;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_commit_to_one_scope_all_get_their_turn() {
    let options = EtcdOptions {
        retries: 64,
        ..fresh_options()
    };
    let until = Instant::now() + Duration::from_secs(3);
    let mut nodes = JoinSet::new();
    for node in 0..3 {
        let store = Arc::new(Etcd::connect(options.clone(), &[]).await.unwrap());
        nodes.spawn(async move {
            let mut clients = JoinSet::new();
            for client in 0..4 {
                let store = Arc::clone(&store);
                clients.spawn(async move {
                    let mut done = 0_u32;
                    while Instant::now() < until {
                        let id = format!("{node}-{client}-{}", done % 10);
                        store.commit(batch([put(&id, 10)])).await.unwrap();
                        done += 1;
                    }
                    done
                });
            }
            clients.join_all().await.into_iter().sum::<u32>()
        });
    }
    let done = nodes.join_all().await;
    let all: u32 = done.iter().sum();
    println!("commits of each node: {done:?}");
    for node in done {
        assert!(
            node * 10 > all,
            "{node} of {all} commits are less than a tenth"
        );
    }
}
