//! Putting the node together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use axum::Router;
use metal_storage::{Scope, ScopeName, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::collector::NodeCollector;
use super::data_dir::{self, Lock};
use super::reload::Reload;
use super::report::{PublicHealth, Reporter};
use super::tasks::Tasks;
use super::{credentials, node_file, sessions, speaker, upkeep};
use crate::announce::departure::{Exit, Times};
use crate::announce::{Announcer, Departure, Driver, Loopback, Maintenance, Policy};
use crate::api::space::Upkeep;
use crate::api::{self, ApiState, HeadChecker, NoMachines, Space, VersionInfo};
use crate::audit::{self, Audit, Trail};
use crate::auth::{Admission, Authenticator};
use crate::clock;
use crate::config::{Config, Loaded, Sources};
use crate::edge::admin::{self, Admin};
use crate::edge::certificates::Certificates;
use crate::edge::connection::Server;
use crate::edge::drain::Drain;
use crate::edge::handler::Handler;
use crate::edge::listener::{self, Room};
use crate::edge::{Limits, tls};
use crate::health::certificate::CertificateProbe;
use crate::health::checker::{Pace, Pulses};
use crate::health::front_door::FrontDoor;
use crate::health::global::GlobalStoreProbe;
use crate::health::store::StoreProbe;
use crate::health::{Checker, Probe, Verdict};
use crate::metrics::Metrics;
use crate::stores::Stores;

/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 128;

/// A node that serves.
pub(super) struct Node {
    /// Ends when one of the node's tasks does.
    pub(super) tasks: Tasks,
    /// Leaves.
    pub(super) exit: Exit,
    /// Tells connections to finish.
    pub(super) drain: Drain,
    /// The open connections.
    pub(super) connections: TaskTracker,
    /// Ends the accept loops.
    pub(super) stop: CancellationToken,
    /// Both stores.
    pub(super) stores: Arc<Stores>,
    /// The address pools in them.
    pub(super) space: Space,
    /// Who changed what.
    pub(super) trail: Trail,
    /// The addresses on `lo`, where the node puts them there.
    pub(super) loopback: Option<Arc<Loopback>>,
    /// The data directory is ours until the end.
    pub(super) lock: Lock,
}

/// What several parts share.
struct Shared {
    metrics: Arc<Metrics>,
    certificates: Arc<Certificates>,
    authenticator: Arc<Authenticator>,
    drain: Drain,
    stores: Arc<Stores>,
    space: Space,
    audit: Audit,
    speaker: Option<(Arc<Driver>, watch::Sender<Policy>)>,
    /// The request id of the node's own probes.
    probe_id: String,
}

/// Starts everything. On an error nothing is left running, and nothing was
/// announced.
pub(super) async fn start(loaded: &Loaded, sources: Sources) -> anyhow::Result<Node> {
    let config = &loaded.config;
    let started = clock::wall();
    let lock = data_dir::acquire(&config.data_dir)?;
    let (shared, networks) = shared(config).await?;
    let listeners = bind(config)?;
    let admin_listener = TcpListener::bind(config.listen.admin)
        .await
        .with_context(|| format!("listen.admin: cannot listen on {}", config.listen.admin))?;

    let mut tasks = Tasks::default();
    shared.metrics.watch_tasks(tasks.alive());
    shared.metrics.watch_ipam(shared.space.metrics());
    shared.metrics.watch_audit(&shared.audit.trail.figures());
    shared.metrics.collect(Box::new(NodeCollector {
        speaker: shared
            .speaker
            .as_ref()
            .map(|(speaker, _)| Arc::clone(speaker)),
        certificates: Arc::clone(&shared.certificates),
        authenticator: Arc::clone(&shared.authenticator),
        drain: shared.drain.clone(),
        stores: Arc::clone(&shared.stores),
    }));

    let (verdicts, verdict) = watch::channel(Verdict::unknown(Instant::now()));
    let checker = checker(config, &shared, &listeners, verdicts)?;
    let pulses = checker.pulses();
    let (departure, exit) = departure(config, &shared);

    let connections = TaskTracker::new();
    let stop = CancellationToken::new();
    let server = server(config, &shared, pulses.clone())?;
    let room = Room::new(config.listen.max_connections);
    let node_file = node_file::of(config, &listeners)?;
    let reporter = Reporter {
        node: config.node.to_string(),
        partition: config.partition.to_string(),
        started,
        verdicts: verdict.clone(),
        pulses,
        exit: exit.clone(),
        speaker: shared
            .speaker
            .as_ref()
            .map(|(speaker, _)| Arc::clone(speaker)),
        policy: shared
            .speaker
            .as_ref()
            .map(|(_, policies)| policies.subscribe()),
        stores: Arc::clone(&shared.stores),
        certificates: Arc::clone(&shared.certificates),
    };
    let admin = admin::routes(Admin {
        report: Arc::new(move || reporter.report()),
        bgp: Arc::new({
            let driver = shared
                .speaker
                .as_ref()
                .map(|(driver, _)| Arc::clone(driver));
            move || driver.as_deref().map(sessions::report).unwrap_or_default()
        }),
        metrics: Arc::clone(&shared.metrics),
        exit: exit.clone(),
        token: credentials::admin_token(config)?,
        stores: Arc::clone(&shared.stores),
        config: Arc::new(config.clone()),
        space: shared.space.clone(),
    });
    if let Some(task) = shared.stores.keep_trying() {
        tasks.spawn("global store", task);
    }
    if let Some(replica) = shared.stores.replica() {
        tasks.spawn("global replica", replica.follow());
    }
    tasks.spawn("networks", networks.run());
    tasks.spawn("audit", shared.audit.writer.run());
    tasks.spawn("audit retention", shared.audit.retention.run());
    tasks.spawn("admin", serve_admin(admin_listener, admin));
    tasks.spawn("checker", checker.run());
    tasks.spawn("departure", departure.run());
    let loopback = loopback(config)?;
    if let Some(loopback) = &loopback {
        tasks.spawn("loopback", Arc::clone(loopback).run(exit.phases()));
    }
    tasks.spawn(
        "certificates",
        upkeep::certificates(
            Arc::clone(&shared.certificates),
            credentials::own_ca(config),
            Arc::clone(&shared.metrics),
        ),
    );
    let mut reload = Reload::new(sources, loaded, Arc::clone(&shared.metrics));
    if let Some((speaker, policies)) = shared.speaker {
        let policy = policies.subscribe();
        let announcer = Announcer::new(Arc::clone(&speaker), policy, verdict, exit.phases());
        tasks.spawn("announcer", announcer.run());
        reload = reload.announcing(speaker, policies);
    } else {
        tracing::info!("no BGP peer is configured: the address is announced to nobody");
    }
    tasks.spawn("reload", reload.run());
    node_file
        .write(&config.data_dir)
        .with_context(|| format!("cannot write {}", config.data_dir.node_file().display()))?;
    for (listener, address) in listeners {
        tracing::info!(%address, "serving the API");
        let accept = listener::accept(
            listener,
            server.clone(),
            room.clone(),
            connections.clone(),
            stop.clone(),
        );
        connections.spawn(accept);
    }

    Ok(Node {
        tasks,
        exit,
        drain: shared.drain,
        connections,
        stop,
        stores: shared.stores,
        space: shared.space,
        trail: shared.audit.trail,
        loopback,
        lock,
    })
}

async fn shared(config: &Config) -> anyhow::Result<(Shared, Upkeep)> {
    let stores = Stores::start(config).await.with_context(|| {
        let local = &config.stores.local.url;
        format!("cannot open the store ({local}): `metal-edge check` says more")
    })?;
    let speaker = match &config.bgp {
        Some(bgp) if !bgp.peers.is_empty() || bgp.daemon.is_some() => {
            let (speaker, policy) = speaker::start(bgp).context("bgp")?;
            Some((Arc::new(speaker), watch::Sender::new(policy)))
        }
        _ => None,
    };
    let global = Arc::clone(&stores.global) as Arc<dyn Store>;
    let local = Arc::clone(&stores.local) as Arc<dyn Store>;
    let (space, upkeep) = Space::new(global, Arc::clone(&local), config.partition.as_str())?;
    let partition = Scope::Partition(ScopeName::try_from(config.partition.as_str())?);
    let audit = audit::open(&local, &partition, config.node.as_str(), &config.audit);
    let shared = Shared {
        metrics: Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))),
        certificates: Arc::new(credentials::certificates(config)?),
        authenticator: Arc::new(credentials::authenticator(config)?),
        drain: Drain::default(),
        stores: Arc::new(stores),
        space,
        audit,
        speaker,
        probe_id: format!("probe-{}", Uuid::new_v4().simple()),
    };
    Ok((shared, upkeep))
}

fn bind(config: &Config) -> anyhow::Result<Vec<(TcpListener, SocketAddr)>> {
    let bind = |address: &SocketAddr| {
        let listener = listener::bind(*address)
            .with_context(|| format!("listen.api: cannot listen on {address}"))?;
        // The port may have been left to the system.
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    config.listen.api.iter().map(bind).collect()
}

fn server(config: &Config, shared: &Shared, pulses: Pulses) -> anyhow::Result<Server> {
    let listen = &config.listen;
    let limits = Limits {
        header_bytes: usize::try_from(listen.max_header_bytes.bytes())?,
        header_timeout: listen.header_timeout,
        request_timeout: listen.request_timeout,
        idle_timeout: listen.idle_timeout,
        streams: STREAMS,
    };
    let handler = Handler {
        router: router(config, shared, pulses)?,
        admission: Admission {
            authenticator: Arc::clone(&shared.authenticator),
            metrics: Arc::clone(&shared.metrics),
        },
        drain: shared.drain.clone(),
        metrics: Arc::clone(&shared.metrics),
        timeout: listen.request_timeout,
        max_requests: listen.max_connections,
        max_body: usize::try_from(listen.max_body.bytes())?,
        trail: shared.audit.trail.clone(),
        probe_id: shared.probe_id.parse()?,
    };
    let tls = tls::server_config(Arc::clone(&shared.certificates))?;
    Ok(Server {
        acceptor: TlsAcceptor::from(Arc::new(tls)),
        handler: Arc::new(handler),
        limits,
        drain: shared.drain.clone(),
        metrics: Arc::clone(&shared.metrics),
    })
}

fn router(config: &Config, shared: &Shared, pulses: Pulses) -> anyhow::Result<Router> {
    let revision = option_env!("METAL_EDGE_BUILD_REVISION").unwrap_or_default();
    let date = option_env!("METAL_EDGE_BUILD_DATE").unwrap_or_default();
    let state = ApiState {
        store: Arc::clone(&shared.stores.global) as Arc<dyn Store>,
        space: shared.space.clone(),
        partition: config.partition.to_string().into(),
        version: Arc::new(VersionInfo::of_this_build(revision, date)),
        heads: HeadChecker::new(config.http.head_timeout)?,
        health: Arc::new(PublicHealth(pulses)),
        machines: Arc::new(NoMachines),
        audit: shared.audit.archive.clone(),
    };
    Ok(api::routes(state))
}

fn checker(
    config: &Config,
    shared: &Shared,
    listeners: &[(TcpListener, SocketAddr)],
    verdicts: watch::Sender<Verdict>,
) -> anyhow::Result<Checker> {
    let health = &config.health;
    let store = StoreProbe::new(
        Arc::clone(&shared.stores.local) as Arc<dyn Store>,
        ScopeName::try_from(config.node.as_str())?,
        config.data_dir.path().to_owned(),
        health.min_free.bytes(),
    );
    let mut probes: Vec<Arc<dyn Probe>> = vec![
        Arc::new(store),
        Arc::new(CertificateProbe::new(Arc::clone(&shared.certificates))),
    ];
    if !shared.stores.is_one() {
        let global = Arc::clone(&shared.stores.global) as Arc<dyn Store>;
        probes.push(Arc::new(GlobalStoreProbe::new(global, health.timeout)));
    }
    for (_, address) in listeners {
        let certificates = Arc::clone(&shared.certificates);
        probes.push(Arc::new(FrontDoor::new(
            *address,
            certificates,
            &shared.probe_id,
        )?));
    }
    let pace = Pace {
        interval: health.interval,
        fall: health.fall,
        rise: health.rise,
        timeout: health.timeout,
        valid_for: health.valid_for,
    };
    Ok(Checker::new(
        probes,
        pace,
        verdicts,
        Arc::clone(&shared.metrics),
    ))
}

fn departure(config: &Config, shared: &Shared) -> (Departure, Exit) {
    let times = Times {
        graceful_shutdown: config.drain.graceful_shutdown,
        in_flight: config.drain.timeout,
    };
    let speaker = shared
        .speaker
        .as_ref()
        .map(|(speaker, _)| Arc::clone(speaker));
    let maintenance = Maintenance::new(config.data_dir.maintenance());
    Departure::new(speaker, shared.drain.clone(), times, maintenance)
}

fn loopback(config: &Config) -> anyhow::Result<Option<Arc<Loopback>>> {
    let Some(bgp) = config.bgp.as_ref().filter(|bgp| bgp.manage_addresses) else {
        return Ok(None);
    };
    let api = config.listen.api.iter().map(SocketAddr::ip);
    let managed = api.filter(|address| bgp.manages(*address));
    let loopback = Loopback::new(managed, &config.data_dir.loopback());
    let loopback = loopback.context("bgp.manage-addresses")?;
    Ok(Some(Arc::new(loopback)))
}

async fn serve_admin(listener: TcpListener, routes: Router) {
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(%error, "the admin listener failed");
    }
}
