//! What a speaker is to be.

use std::net::TcpListener;
use std::sync::Arc;

use crate::socket::bind;
use crate::status::PeerId;
use crate::{SpeakerConfig, StartError};

/// A checked configuration with its sockets, and who is who in it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) config: SpeakerConfig,
    /// In the order of the configuration, as the peers there.
    pub(crate) ids: Vec<PeerId>,
    /// In the order of the configuration.
    pub(crate) listeners: Vec<Arc<TcpListener>>,
    next_id: u64,
}

// === impl Plan ===

impl Plan {
    /// Checks `config` and binds its sockets. Peers and sockets that the plan `before` has too
    /// are the same ones.
    ///
    /// # Errors
    ///
    /// A wrong configuration, or an address that cannot be listened on.
    pub(crate) fn new(config: SpeakerConfig, before: Option<&Self>) -> Result<Self, StartError> {
        config.validate()?;
        let mut next_id = before.map_or(0, |before| before.next_id);
        let mut new_id = || {
            next_id += 1;
            PeerId(next_id)
        };
        let ids = config.peers.iter().map(|peer| {
            let peers = before.map_or(&[][..], |before| &before.config.peers);
            let position = peers.iter().position(|known| known.is_same_peer(peer));
            let known = position.and_then(|position| before?.ids.get(position).copied());
            known.unwrap_or_else(&mut new_id)
        });
        let ids = ids.collect();
        let listeners = config.listen.iter().map(|address| {
            let listen = before.map_or(&[][..], |before| &before.config.listen);
            let position = listen.iter().position(|known| known == address);
            let known = position.and_then(|position| before?.listeners.get(position).cloned());
            let bound = known.map_or_else(|| bind(*address).map(Arc::new), Ok);
            bound.map_err(|error| StartError::Listen {
                address: *address,
                error,
            })
        });
        Ok(Self {
            listeners: listeners.collect::<Result<_, _>>()?,
            config,
            ids,
            next_id,
        })
    }
}
