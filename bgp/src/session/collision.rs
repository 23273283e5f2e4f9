//! Two connections with one peer at the same time (RFC 4271 section 6.8).

use std::net::Ipv4Addr;

use super::Machine;
use crate::PeerState;

/// Who has made a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This node.
    Us,
    /// The peer.
    Peer,
}

/// Which of two connections is to be given up, if that can be said already: the one that is not
/// established, or of two on which both OPENs were exchanged the one that the side with the lower
/// identity has made.
pub(crate) fn loser(first: (&Machine, Origin), second: (&Machine, Origin)) -> Option<Which> {
    let states = (first.0.state(), second.0.state());
    match states {
        (PeerState::Established, _) => Some(Which::Second),
        (_, PeerState::Established) => Some(Which::First),
        (PeerState::OpenConfirm, PeerState::OpenConfirm) => {
            let peer = second.0.negotiated()?;
            let peer = (peer.peer_router_id, peer.peer_asn);
            let kept = initiator(first.0.identity(), peer);
            // Two that the peer has made: the newer one cannot be the one that it wants.
            match first.1 == kept {
                true => Some(Which::Second),
                false if second.1 == kept => Some(Which::First),
                false => Some(Which::Second),
            }
        }
        _ => None,
    }
}

/// One of two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The older one.
    First,
    /// The newer one.
    Second,
}

/// Whose connection stays: that of the side with the higher BGP identifier, or of equal ones the
/// higher AS number (RFC 6286 section 2.3).
fn initiator(own: (Ipv4Addr, u32), peer: (Ipv4Addr, u32)) -> Origin {
    if own < peer { Origin::Peer } else { Origin::Us }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_of_the_higher_identifier_stays_and_as_numbers_break_the_tie() {
        let side = |last, asn| (Ipv4Addr::new(10, 0, 0, last), asn);
        assert_eq!(initiator(side(1, 9), side(2, 1)), Origin::Peer);
        assert_eq!(initiator(side(2, 1), side(1, 9)), Origin::Us);
        assert_eq!(initiator(side(1, 65_001), side(1, 65_002)), Origin::Peer);
        assert_eq!(initiator(side(1, 65_002), side(1, 65_001)), Origin::Us);
        // Compared as numbers of 32 bits, not byte by byte from the other end.
        let (low, high) = (Ipv4Addr::new(9, 255, 0, 0), Ipv4Addr::new(10, 0, 0, 0));
        assert_eq!(initiator((low, 1), (high, 1)), Origin::Peer);
    }
}
