use std::sync::Arc;
use std::time::{Duration, Instant};

use metal_storage::Store;
use tokio::task::JoinSet;

use crate::data::{DOCUMENT, batch, scope};
use crate::{quantile, setting};

pub const CLIENTS: [usize; 4] = [1, 8, 32, 128];

pub fn time() -> Duration {
    Duration::from_secs(setting("METAL_BENCH_SECONDS", 3))
}

/// Commits of one new record each; gives how many a second for each number of clients.
pub async fn measure(store: &Arc<dyn Store>) -> Vec<f64> {
    let mut rates = Vec::new();
    for clients in CLIENTS {
        let store = Arc::clone(store);
        let rate = run(clients, move || {
            let store = Arc::clone(&store);
            async move {
                let batch = batch(&scope("commits"), 1, DOCUMENT);
                store.commit(batch).await.unwrap();
            }
        });
        rates.push(rate.await);
    }
    rates
}

/// Lets so many clients do this one time after another; prints and gives how often a second.
pub async fn run<F>(clients: usize, work: impl Fn() -> F + Clone + Send + Sync + 'static) -> f64
where
    F: Future<Output = ()> + Send,
{
    let (begun, time) = (Instant::now(), time());
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let work = work.clone();
        tasks.spawn(async move {
            let mut took = Vec::new();
            while begun.elapsed() < time {
                let begun = Instant::now();
                work().await;
                took.push(begun.elapsed());
            }
            took
        });
    }
    let mut took: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    println!(
        "  {clients:4} clients  {rate:8.0} commits/s  p50 {:9.2?}  p99 {:9.2?}",
        quantile(&took, 500),
        quantile(&took, 990),
    );
    rate
}
