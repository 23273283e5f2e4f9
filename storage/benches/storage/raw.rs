use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::commits::{CLIENTS, run};
use crate::data::{DOCUMENT, next};

/// The same record on the same server without a store: first with nothing promised, then with
/// what a store promises (one order of changes without a gap), one transaction each.
pub async fn measure(url: &str, ours: &[f64]) {
    let pool = PgPoolOptions::new()
        .max_connections(32)
        .connect(url)
        .await
        .unwrap();
    for statement in [
        "CREATE TABLE thing (id TEXT PRIMARY KEY, number INT8 UNIQUE, parity INT8, doc JSONB)",
        "CREATE INDEX thing_parity ON thing (parity)",
        "CREATE TABLE revision (last INT8)",
        "INSERT INTO revision VALUES (0)",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    println!("\nPostgreSQL without a store: one INSERT, nothing promised");
    let plain = pool.clone();
    let raw = rates(move || {
        let pool = plain.clone();
        async move { insert(&pool).await }
    });
    ratio(ours, &raw.await);
    println!("\nPostgreSQL without a store: a counter row and an INSERT in a transaction");
    let raw = rates(move || {
        let pool = pool.clone();
        async move { count_and_insert(&pool).await }
    });
    ratio(ours, &raw.await);
}

async fn rates<F>(work: impl Fn() -> F + Clone + Send + Sync + 'static) -> Vec<f64>
where
    F: Future<Output = ()> + Send,
{
    let mut rates = Vec::new();
    for clients in CLIENTS {
        rates.push(run(clients, work.clone()).await);
    }
    rates
}

const INSERT: &str =
    "INSERT INTO thing (id, number, parity, doc) VALUES ($1, $2, $3, $4::TEXT::JSONB)";

fn values() -> (String, i64, String) {
    let number = i64::try_from(next()).unwrap();
    let doc = format!("\"{}\"", "x".repeat(DOCUMENT));
    (format!("{number:010}"), number, doc)
}

async fn insert(pool: &PgPool) {
    let (id, number, doc) = values();
    let query = sqlx::query(INSERT).bind(id).bind(number).bind(number % 2);
    query.bind(doc).execute(pool).await.unwrap();
}

async fn count_and_insert(pool: &PgPool) {
    let (id, number, doc) = values();
    let mut txn = pool.begin().await.unwrap();
    sqlx::query("UPDATE revision SET last = last + 1")
        .execute(&mut *txn)
        .await
        .unwrap();
    let query = sqlx::query(INSERT).bind(id).bind(number).bind(number % 2);
    query.bind(doc).execute(&mut *txn).await.unwrap();
    txn.commit().await.unwrap();
}

/// Prints how many of our commits there are for each of the others.
pub fn ratio(ours: &[f64], raw: &[f64]) {
    let ratios: Vec<_> = CLIENTS
        .iter()
        .zip(ours.iter().zip(raw))
        .map(|(clients, (ours, raw))| format!("{clients}: {:.2}", ours / raw))
        .collect();
    println!(
        "  the store's commits to these, by clients: {}",
        ratios.join(", ")
    );
}
