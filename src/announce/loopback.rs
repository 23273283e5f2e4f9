//! The anycast addresses on `lo`, where the configuration wants the node to
//! put them there.
//!
//! They are put there before anything is announced (without them the node's own
//! probes fail), put there again when somebody removed them, and removed only
//! after the withdrawal, when no request is in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::TryStreamExt;
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use rtnetlink::packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use rtnetlink::{Error, Handle};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::departure::Phase;
use crate::files;

/// How often it is looked whether they are still there.
const INTERVAL: Duration = Duration::from_secs(1);
/// From the close of the sessions to the removal: leaf switches take some ten milliseconds to
/// take a withdrawn route out of their tables, and still send packets then.
const LINGER: Duration = Duration::from_millis(500);
/// How long the kernel may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of the record at most.
const RECORD: u64 = 64 * 1024;

/// Puts addresses on `lo`, and takes away what it has put there.
pub struct Loopback {
    handle: Handle,
    connection: JoinHandle<()>,
    index: u32,
    wanted: BTreeSet<IpAddr>,
    /// Held while something is put or taken.
    record: Mutex<PathBuf>,
}

/// What we have put on `lo` since this machine started, so that what somebody
/// else has put there is never removed, also after `kill -9`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    boot_id: String,
    addresses: BTreeSet<IpAddr>,
}

// === impl Loopback ===

impl Loopback {
    /// Will keep `wanted` on `lo`, and a record of it in the file `record`.
    ///
    /// # Errors
    /// No netlink socket, or no `lo`.
    pub fn new(wanted: impl IntoIterator<Item = IpAddr>, record: &Path) -> anyhow::Result<Self> {
        let index = if_nametoindex("lo").context("there is no interface lo")?;
        let (connection, handle, _) =
            rtnetlink::new_connection().context("cannot open a netlink socket")?;
        Ok(Self {
            handle,
            connection: tokio::spawn(connection),
            index,
            wanted: wanted.into_iter().collect(),
            record: Mutex::new(record.to_owned()),
        })
    }

    /// Puts there what is missing; returns that.
    ///
    /// # Errors
    /// What the kernel says, with what to do about it; the record cannot be
    /// written.
    pub async fn put(&self) -> anyhow::Result<Vec<IpAddr>> {
        let path = self.record.lock().await;
        let there: BTreeSet<IpAddr> = self.there().await?.into_keys().collect();
        let missing: Vec<IpAddr> = self.wanted.difference(&there).copied().collect();
        if missing.is_empty() {
            return Ok(missing);
        }
        let mut record = Record::read(&path)?;
        record.addresses.extend(&missing);
        // Before they are: an address too many in it does less harm.
        record.write(&path)?;
        for address in &missing {
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            let mut request = self.handle.address().add(self.index, *address, prefix);
            if address.is_ipv6() {
                request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
            }
            match answer(request.execute()).await {
                Err(error) if is(&error, Errno::EEXIST) => {}
                done => done.map_err(|error| explained(&error, "put", *address))?,
            }
        }
        Ok(missing)
    }

    /// Removes what we have put there and is still there; returns that.
    ///
    /// # Errors
    /// What the kernel says; the record cannot be written.
    pub async fn take(&self) -> anyhow::Result<Vec<IpAddr>> {
        let path = self.record.lock().await;
        let mut record = Record::read(&path)?;
        let mut taken = Vec::new();
        for (address, message) in self.there().await? {
            if !record.addresses.contains(&address) {
                continue;
            }
            match answer(self.handle.address().del(message).execute()).await {
                Err(error) if is(&error, Errno::EADDRNOTAVAIL) => {}
                done => done.map_err(|error| explained(&error, "remove", address))?,
            }
            taken.push(address);
        }
        if !record.addresses.is_empty() {
            record.addresses.clear();
            record.write(&path)?;
        }
        Ok(taken)
    }

    /// Waits until the leaf switches have taken the route out of their tables, and removes what
    /// we have put there: for a node that ends.
    pub async fn leave(&self) -> anyhow::Result<()> {
        tokio::time::sleep(LINGER).await;
        self.take().await?;
        Ok(())
    }

    /// Keeps them there until the node has left, and again when it came back.
    pub async fn run(self: Arc<Self>, mut phases: watch::Receiver<Phase>) {
        let mut trouble = None;
        loop {
            let phase = *phases.borrow_and_update();
            if phase == Phase::Gone
                && let Ok(changed) = timeout(LINGER, phases.changed()).await
            {
                match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                }
            }
            self.keep(phase, &mut trouble).await;
            tokio::select! {
                changed = phases.changed() => if changed.is_err() {
                    return;
                },
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// Logs what was done, and a trouble once.
    async fn keep(&self, phase: Phase, trouble: &mut Option<String>) {
        let (done, what) = match phase {
            Phase::Gone => (self.take().await, "removed from lo"),
            _ => (self.put().await, "put on lo"),
        };
        match done {
            Ok(addresses) => {
                *trouble = None;
                for address in addresses {
                    tracing::info!(%address, "{what}");
                }
            }
            Err(error) => {
                let text = format!("{error:#}");
                if trouble.as_ref() != Some(&text) {
                    tracing::error!(error = text, "the anycast addresses");
                    *trouble = Some(text);
                }
            }
        }
    }

    /// What is on `lo`, with what the kernel wants to hear to remove it.
    async fn there(&self) -> anyhow::Result<BTreeMap<IpAddr, AddressMessage>> {
        let request = self.handle.address().get();
        let all = request.set_link_index_filter(self.index).execute();
        let all: Vec<AddressMessage> = answer(all.try_collect())
            .await
            .map_err(|error| anyhow::anyhow!("cannot read the addresses of lo: {error}"))?;
        let named = |message: AddressMessage| {
            let address = message.attributes.iter().find_map(|one| match one {
                AddressAttribute::Address(address) => Some(*address),
                _ => None,
            });
            Some((address?, message))
        };
        Ok(all.into_iter().filter_map(named).collect())
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

// === impl Record ===

impl Record {
    /// What the file says of this start of the machine.
    fn read(path: &Path) -> anyhow::Result<Self> {
        let boot_id = boot_id()?;
        let text = match files::read(path, RECORD) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other.with_context(|| path.display().to_string())?,
        };
        // A file that nobody can read says nothing, and so nothing is removed.
        let record: Self = serde_json::from_slice(&text).unwrap_or_default();
        if record.boot_id == boot_id {
            return Ok(record);
        }
        Ok(Self {
            boot_id,
            addresses: BTreeSet::new(),
        })
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_vec(self)?;
        files::write(path, &text, files::PUBLIC).with_context(|| path.display().to_string())
    }
}

fn boot_id() -> anyhow::Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    let text = std::fs::read_to_string(path).context(path)?;
    Ok(text.trim().to_owned())
}

/// An answer of the kernel that does not come is an error.
async fn answer<T>(request: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let answered = timeout(PATIENCE, request).await;
    answered.unwrap_or(Err(Error::RequestFailed))
}

fn is(error: &Error, errno: Errno) -> bool {
    matches!(error, Error::NetlinkError(message) if message.raw_code() == -(errno as i32))
}

fn explained(error: &Error, verb: &str, address: IpAddr) -> anyhow::Error {
    if is(error, Errno::EPERM) {
        return anyhow::anyhow!(
            "cannot {verb} {address} on lo: not permitted; give the process CAP_NET_ADMIN, or \
             set bgp.manage-addresses = false and put it there with the machine's configuration"
        );
    }
    anyhow::anyhow!("cannot {verb} {address} on lo: {error}")
}
