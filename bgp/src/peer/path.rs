//! The way to a peer, as far as others than its session know it.

use std::net::{SocketAddr, SocketAddrV6};

use tokio::sync::watch;

use crate::PeerConfig;
use crate::neighbor::Sight;

/// What says where a peer is.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    /// Who is at the other end of the link, where that is looked for.
    pub(crate) sight: Option<watch::Receiver<Sight>>,
}

/// Why an existing session must end: an RFC 4486 subcode of Cease, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obstacle {
    pub(super) subcode: u8,
    pub(super) sentence: String,
}

/// RFC 4486: Other Configuration Change.
const CONFIGURATION_CHANGE: u8 = 6;

// === impl Path ===

impl Path {
    /// Where to connect to now.
    ///
    /// # Errors
    ///
    /// Why there is no such place, as one sentence.
    pub(super) fn target(&mut self, peer: &PeerConfig) -> Result<SocketAddr, String> {
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

    /// Why a session with `target` cannot go on.
    pub(super) fn obstacle(&mut self, peer: &PeerConfig, target: SocketAddr) -> Option<Obstacle> {
        let sentence = match self.target(peer) {
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
    pub(super) async fn changed(&mut self) {
        let seen = match &mut self.sight {
            Some(sight) => sight.changed().await.is_ok(),
            None => false,
        };
        if !seen {
            // Nobody is left who would change it.
            std::future::pending::<()>().await;
        }
    }
}
