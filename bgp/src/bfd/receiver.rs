//! What arrives on one port.

use std::time::Duration;

use tokio::time;

use super::packet::Packet;
use super::registry::{Kind, Registry};
use crate::socket::{BfdListener, DATAGRAM};

/// Pause after the port could not be had, or could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// RFC 5881 section 5: over a single link a packet comes with the TTL that it was sent with.
const TTL: u8 = 255;

/// Hands every packet of one family and kind to its session. Runs until it is dropped.
pub(crate) async fn receive(registry: Registry, kind: Kind) {
    let port = super::port(kind.multihop);
    loop {
        let error = match BfdListener::open(kind.v6, port) {
            Ok(listener) => {
                registry.set_fault(kind, None);
                listen(&listener, &registry, kind.multihop).await
            }
            Err(error) => error,
        };
        let sentence = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("UDP port {port} is taken: another BFD daemon runs on this node")
            }
            _ => format!("UDP port {port} cannot be listened on: {error}"),
        };
        if registry.set_fault(kind, Some(sentence.clone())) {
            tracing::warn!(reason = %sentence, "BFD hears nothing");
        }
        time::sleep(PAUSE).await;
    }
}

async fn listen(listener: &BfdListener, registry: &Registry, multihop: bool) -> std::io::Error {
    let mut buffer = [0; DATAGRAM];
    loop {
        let received = match listener.receive(&mut buffer).await {
            Ok(received) => received,
            Err(error) => return error,
        };
        if received.ttl != TTL && !multihop {
            continue;
        }
        if let Some(packet) = Packet::decode(&buffer[..received.length]) {
            registry.deliver(packet, received.from, multihop);
        }
    }
}
