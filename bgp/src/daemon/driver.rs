//! Brings a daemon to what is wanted, and keeps it there.
//!
//! What is wanted is told at once when it changes. Once a second the daemon is asked what it has:
//! one that was started again has lost our paths, and gets them again; a path that a killed
//! predecessor left is deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ipnet::IpNet;
use tokio::sync::watch;

use super::client::Client;
use super::config::DaemonConfig;
use super::fault::Fault;
use super::handle::{Order, Sheet};
use super::path::{PathMaker, PathSpec, family};
use super::peers::Neighbour;
use crate::keeper::Wanted;
use crate::{Asn, MAX_PREFIXES};

/// How often the daemon is asked what it has.
const LOOK: Duration = Duration::from_secs(1);
/// Between attempts to reach a daemon that is away.
const REST: Duration = Duration::from_millis(250);
/// Prefixes that are kept in mind while the daemon is away, however often they change.
const REMEMBERED: usize = 4 * MAX_PREFIXES;

/// What the daemon was told and has confirmed.
pub(super) type Installed = BTreeMap<IpNet, (PathSpec, Bytes)>;

pub(super) struct Driver {
    pub(super) config: DaemonConfig,
    pub(super) wanted: watch::Receiver<Wanted>,
    pub(super) orders: watch::Receiver<Order>,
    pub(super) prefixes: watch::Receiver<Vec<IpNet>>,
    pub(super) sheet: Arc<Sheet>,
    /// The prefixes that the daemon may have paths to because of us: those that are configured,
    /// and those that were until the daemon could be asked again.
    ours: BTreeSet<IpNet>,
    maker: PathMaker,
    client: Option<Client>,
    installed: Installed,
}

// === impl Driver ===

impl Driver {
    pub(super) fn new(
        asn: Asn,
        config: DaemonConfig,
        wanted: watch::Receiver<Wanted>,
        orders: watch::Receiver<Order>,
        prefixes: watch::Receiver<Vec<IpNet>>,
        sheet: Arc<Sheet>,
    ) -> Self {
        Self {
            maker: config.maker(asn),
            config,
            wanted,
            orders,
            prefixes,
            sheet,
            ours: BTreeSet::new(),
            client: None,
            installed: Installed::new(),
        }
    }

    /// Runs until it is told to stop, and has withdrawn or tried to.
    pub(super) async fn run(mut self) {
        loop {
            let order = *self.orders.borrow_and_update();
            self.ours.extend(self.prefixes.borrow_and_update().iter());
            let target = self.target(order);
            if self.ours.len() > REMEMBERED {
                self.forget(&target);
            }
            let told = self.step(&target).await;
            let wait = match &told {
                Ok(()) => LOOK,
                Err(_) => REST,
            };
            self.show(told);
            if matches!(order, Order::Stop) {
                return;
            }
            self.sheet.carried_out(order);
            let (mut wanted, mut orders) = (self.wanted.clone(), self.orders.clone());
            let mut prefixes = self.prefixes.clone();
            let news = async {
                tokio::select! {
                    changed = wanted.changed() => changed,
                    changed = orders.changed() => changed,
                    changed = prefixes.changed() => changed,
                }
            };
            let rest = async {
                // Given up for news: they are more urgent than what a slow daemon lists.
                let seen = self.look(&target).await;
                self.show(seen);
                tokio::time::sleep(wait).await;
            };
            tokio::select! {
                changed = news => if changed.is_err() {
                    return;
                },
                () = rest => {}
            }
        }
    }

    /// What the daemon should have now.
    fn target(&mut self, order: Order) -> BTreeMap<IpNet, PathSpec> {
        let wanted = self.wanted.borrow_and_update().clone();
        let (Some(announcement), Order::Open(_)) = (wanted, order) else {
            return BTreeMap::new();
        };
        self.maker.paths(&announcement)
    }

    /// Connects if there is no connection, and tells what has changed.
    async fn step(&mut self, target: &BTreeMap<IpNet, PathSpec>) -> Result<(), Fault> {
        if self.client.is_none() {
            let client = Client::connect(&self.config.address).await?;
            // Whatever we believed of another connection may be over.
            self.installed.clear();
            tracing::info!(
                address = %self.config.address,
                api = client.api().as_str(),
                asn = client.asn,
                "connected to the BGP daemon"
            );
            self.client = Some(client);
        }
        let Some(client) = &mut self.client else {
            return Ok(());
        };
        tell(client, &self.maker, &mut self.installed, target).await
    }

    /// Compares what it has with what it should have, mends that, and notes its neighbours.
    async fn look(&mut self, target: &BTreeMap<IpNet, PathSpec>) -> Result<(), Fault> {
        let Some(client) = &mut self.client else {
            return Ok(());
        };
        self.ours.extend(target.keys());
        let all = self.ours.iter().copied().collect();
        mend(client, &self.maker, &mut self.installed, target, all).await?;
        let peers = client.peers().await?;
        let peers = peers.into_iter().filter_map(Neighbour::of).collect();
        let prefixes = self.installed.keys().copied().collect();
        self.sheet.connected(client, peers, prefixes);
        // It has no path to those that are neither configured nor announced.
        self.forget(target);
        Ok(())
    }

    /// Keeps only the prefixes of now in mind.
    fn forget(&mut self, target: &BTreeMap<IpNet, PathSpec>) {
        let configured = self.prefixes.borrow();
        self.ours = configured.iter().chain(target.keys()).copied().collect();
    }

    /// Notes a fault, which costs the connection.
    fn show(&mut self, done: Result<(), Fault>) {
        if let Err(fault) = done {
            self.client = None;
            let sentence = fault.to_string();
            if self.sheet.failed(&sentence) {
                tracing::warn!(error = sentence, "the BGP daemon");
            }
        }
    }
}

/// Tells the difference to what it was told before: the quick way.
async fn tell(
    client: &mut Client,
    maker: &PathMaker,
    installed: &mut Installed,
    target: &BTreeMap<IpNet, PathSpec>,
) -> Result<(), Fault> {
    let told: Vec<IpNet> = installed.keys().copied().collect();
    for prefix in told.iter().filter(|prefix| !target.contains_key(prefix)) {
        let uuid = installed[prefix].1.clone();
        if let Err(fault) = client.delete(prefix, uuid).await {
            // Started again meanwhile, it has neither the path nor its uuid.
            tracing::debug!(%prefix, error = %fault, "deleting by prefix instead");
            client.delete_any(&maker.bare(*prefix)).await?;
        }
        installed.remove(prefix);
    }
    for (prefix, path) in target {
        if installed.get(prefix).is_none_or(|(told, _)| told != path) {
            let uuid = client.add(path).await?;
            installed.insert(*prefix, (path.clone(), uuid));
        }
    }
    Ok(())
}

/// Brings each of `all` to what it should be, whatever the daemon has; what was there and is not
/// wanted.
pub(super) async fn mend(
    client: &mut Client,
    maker: &PathMaker,
    installed: &mut Installed,
    target: &BTreeMap<IpNet, PathSpec>,
    all: Vec<IpNet>,
) -> Result<Vec<IpNet>, Fault> {
    let mut deleted = Vec::new();
    let (v4, v6): (Vec<IpNet>, Vec<IpNet>) =
        all.into_iter().partition(|one| matches!(one, IpNet::V4(_)));
    for prefixes in [v4, v6] {
        let Some(first) = prefixes.first() else {
            continue;
        };
        let present = client.present(family(first), &prefixes).await?;
        for prefix in prefixes {
            match (target.get(&prefix), present.contains(&prefix)) {
                (Some(path), false) => {
                    tracing::warn!(%prefix, "the BGP daemon has lost the path: adding it again");
                    let uuid = client.add(path).await?;
                    installed.insert(prefix, (path.clone(), uuid));
                }
                (None, true) => {
                    tracing::warn!(%prefix, "the BGP daemon has a path that nobody wants: deleting it");
                    client.delete_any(&maker.bare(prefix)).await?;
                    deleted.push(prefix);
                }
                (Some(_), true) | (None, false) => {}
            }
        }
    }
    Ok(deleted)
}
