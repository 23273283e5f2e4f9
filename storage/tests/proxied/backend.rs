//! Stores behind a proxy, all on one server.

use std::env;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use metal_storage::conformance::{Backend, Isolated, SCHEMAS};
use metal_storage::{BoxFuture, Sql, SqlOptions, Store};

use crate::postgres::{PASSWORD, Postgres, USER};
use crate::proxy::{Engine, Faults, Proxy};

/// One server for all tests of this program.
pub fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start)
}

/// A proxy before that server.
pub async fn proxy(engine: Engine, faults: Faults) -> Proxy {
    let upstream = SocketAddr::from(([127, 0, 0, 1], server().port()));
    Proxy::start(upstream, engine, faults).await.unwrap()
}

/// What a store behind a proxy is opened with.
pub fn options(proxy: &Proxy, engine: Engine, database: &str) -> SqlOptions {
    let scheme = match engine {
        Engine::Postgres => "postgres",
        Engine::Cockroach => "cockroach",
    };
    let at = proxy.address();
    let url = format!("{scheme}://{USER}:{PASSWORD}@{at}/{database}");
    SqlOptions::new(&url).unwrap()
}

/// The database of the suite, which each engine makes for itself, once.
fn database(engine: Engine) -> &'static str {
    static POSTGRES: OnceLock<()> = OnceLock::new();
    static COCKROACH: OnceLock<()> = OnceLock::new();
    let (name, made) = match engine {
        Engine::Postgres => ("suite_postgres", &POSTGRES),
        Engine::Cockroach => ("suite_cockroach", &COCKROACH),
    };
    made.get_or_init(|| drop(server().create_database(name)));
    name
}

/// What names a real CockroachDB, if there is one. Which it is, is said once.
fn real() -> Option<&'static str> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    let url = URL.get_or_init(|| {
        let url = env::var("METAL_TEST_COCKROACH_URL").ok();
        let what = match &url {
            Some(_) => "the real one that METAL_TEST_COCKROACH_URL names",
            None => "a proxy before PostgreSQL (METAL_TEST_COCKROACH_URL names no real one)",
        };
        // Past the capture of test output: one must not be taken for the other.
        writeln!(io::stderr(), "CockroachDB is {what}").ok();
        url
    });
    url.as_deref()
}

/// Stores of one test, behind a proxy of its own.
pub struct Behind {
    engine: Engine,
    faults: Faults,
    real: Option<&'static str>,
    last: Mutex<Option<(Option<Proxy>, Isolated, SqlOptions)>>,
}

// === impl Behind ===

impl Behind {
    /// With these faults of a seed.
    pub fn new(engine: Engine, faults: impl Fn(u64) -> Faults) -> Self {
        Self {
            engine,
            faults: faults(Faults::seed()),
            real: None,
            last: Mutex::default(),
        }
    }

    /// CockroachDB, with neither proxy nor faults if it is a real one.
    pub fn cockroach(faults: impl Fn(u64) -> Faults) -> Self {
        Self {
            real: real(),
            ..Self::new(Engine::Cockroach, faults)
        }
    }
}

impl Behind {
    /// Faults from now on.
    fn strike(&self, proxy: Option<&Proxy>) {
        if let Some(proxy) = proxy {
            proxy.set(self.faults.clone());
        }
    }
}

async fn open(options: &SqlOptions) -> Arc<dyn Store> {
    Arc::new(Sql::connect(options.clone(), SCHEMAS).await.unwrap())
}

impl Backend for Behind {
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move {
            // It opens in peace: what a fault at the start does is another test's.
            let (proxy, mut options) = match self.real {
                Some(url) => (None, SqlOptions::new(url).unwrap()),
                None => {
                    let proxy = proxy(self.engine, Faults::none()).await;
                    let options = options(&proxy, self.engine, database(self.engine));
                    (Some(proxy), options)
                }
            };
            options.history_revisions = history;
            options.connections = 4;
            // A cut connection is soon made again, unless the machine is busy with other tests.
            options.connect_wait = Duration::from_secs(20);
            options.statement_wait = Duration::from_secs(20);
            options.retry_wait = Duration::from_secs(40);
            options.commit_wait = Duration::from_secs(60);
            let store = Isolated::new(open(&options).await);
            self.strike(proxy.as_ref());
            *self.last.lock().unwrap() = Some((proxy, store.clone(), options));
            Arc::new(store) as Arc<dyn Store>
        })
    }

    fn reopened(&self) -> BoxFuture<'_, Option<Arc<dyn Store>>> {
        Box::pin(async move {
            let (proxy, store, options) = self.last.lock().unwrap().take().unwrap();
            if let Some(proxy) = &proxy {
                proxy.set(Faults::none());
            }
            let store = store.on(open(&options).await);
            self.strike(proxy.as_ref());
            *self.last.lock().unwrap() = Some((proxy, store.clone(), options));
            Some(Arc::new(store) as Arc<dyn Store>)
        })
    }

    fn cases(&self) -> u32 {
        4
    }
}
