//! The way to a peer, as far as others than its session know it.

use std::net::{SocketAddr, SocketAddrV6};

use tokio::sync::watch;

use crate::PeerConfig;
use crate::bfd::Health;
use crate::neighbor::Sight;

/// What says where a peer is, and whether the way there carries packets.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    /// Who is at the other end of the link, where that is looked for.
    pub(crate) sight: Option<watch::Receiver<Sight>>,
    /// What BFD says, for those who ask it.
    pub(crate) health: Option<watch::Receiver<Health>>,
}

/// Why an existing session must end: a subcode of Cease, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obstacle {
    pub(super) subcode: u8,
    pub(super) sentence: String,
}

/// RFC 4486: Other Configuration Change.
const CONFIGURATION_CHANGE: u8 = 6;
/// RFC 9384: BFD Down.
const BFD_DOWN: u8 = 10;

// === impl Path ===

impl Path {
    /// Where to connect to now.
    ///
    /// # Errors
    ///
    /// Why that is nowhere, as one sentence.
    pub(crate) fn target(&mut self, peer: &PeerConfig) -> Result<SocketAddr, String> {
        match self.failure() {
            Some(sentence) => Err(format!("{sentence}; waiting for BFD to come up again")),
            None => self.place(peer),
        }
    }

    /// Why a session with `target` cannot go on.
    pub(super) fn obstacle(&mut self, peer: &PeerConfig, target: SocketAddr) -> Option<Obstacle> {
        if let Some(sentence) = self.failure() {
            return Some(Obstacle {
                subcode: BFD_DOWN,
                sentence,
            });
        }
        let sentence = match self.place(peer) {
            Ok(new) if new == target => return None,
            Ok(new) => format!("another router is on the link now: {}", new.ip()),
            Err(sentence) => sentence,
        };
        Some(Obstacle {
            subcode: CONFIGURATION_CHANGE,
            sentence,
        })
    }

    /// Waits until something of it changes; for ever where nothing can.
    pub(crate) async fn changed(&mut self) {
        tokio::select! {
            () = changed(&mut self.sight) => {}
            () = changed(&mut self.health) => {}
        }
    }

    fn failure(&mut self) -> Option<String> {
        let health = self.health.as_mut()?;
        // Whoever is gone says nothing any more.
        health.has_changed().ok()?;
        match &*health.borrow_and_update() {
            Health::Fine => None,
            Health::Failed(sentence) => Some(sentence.clone()),
        }
    }

    fn place(&mut self, peer: &PeerConfig) -> Result<SocketAddr, String> {
        let sight = self.sight.as_mut();
        let sight = sight.map(|sight| sight.borrow_and_update().clone());
        match (sight, peer.address) {
            (Some(Sight::Neighbor { address, scope }), _) => {
                Ok(SocketAddrV6::new(address, peer.port, 0, scope).into())
            }
            (Some(Sight::Nobody(sentence)), _) => Err(sentence),
            (None, Some(address)) => Ok(SocketAddr::new(address, peer.port)),
            (None, None) => Err("nobody looks for the peer".to_owned()),
        }
    }
}

/// Waits for another value; for ever once nobody is left who would send one.
async fn changed<T>(of: &mut Option<watch::Receiver<T>>) {
    let seen = match of {
        Some(of) => of.changed().await.is_ok(),
        None => false,
    };
    if !seen {
        std::future::pending::<()>().await;
    }
}
