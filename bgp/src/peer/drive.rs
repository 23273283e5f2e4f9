//! Moves bytes and time between a session and its connection.

use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time;

use super::{Peer, local};
use crate::PeerState;
use crate::session::{End, Machine};

/// How long the last message may take to reach the peer, its end of the connection included.
const FLUSH_WAIT: Duration = Duration::from_secs(1);

/// How often the addresses of the node are looked at while a next hop is missing: at boot IPv6
/// addresses come later than IPv4 ones.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Bytes read at once.
const CHUNK: usize = 16 * 1024;

/// Holds the session until it ends; says how, and since when it was established.
pub(super) async fn drive<S>(
    peer: &mut Peer,
    stream: S,
    mut machine: Machine,
) -> (End, Option<Instant>)
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut chunk = vec![0; CHUNK];
    let mut orders = peer.orders.clone();
    let mut keeper_lives = true;
    let mut shown = None;
    let mut established = None;
    let mut look_again = time::interval(LOOK_AGAIN);
    let end = loop {
        let now = time::Instant::now().into_std();
        if machine.state() == PeerState::Established {
            established.get_or_insert(now);
        }
        show(peer, now, &machine, &mut shown);
        if let Some(end) = machine.end() {
            break end.clone();
        }
        let deadline = machine.deadline();
        // What makes the session end or the route go comes first, what a peer can flood us with
        // comes last.
        tokio::select! {
            biased;
            _ = orders.changed() => {
                let latest = orders.borrow_and_update().clone();
                match latest.order.message() {
                    Some(message) => machine.stop(tick(), message),
                    // Closed and opened again faster than this task could see.
                    None => peer.board.carried_out(peer.position, latest.number),
                }
            }
            changed = peer.wanted.changed(), if keeper_lives => {
                // Without the keeper nobody would end the announcement in time.
                keeper_lives = changed.is_ok();
                let wanted = peer.wanted.borrow_and_update().clone();
                machine.set_wanted(tick(), wanted.filter(|_| keeper_lives));
            }
            () = sleep_until(deadline), if deadline.is_some() => machine.tick(tick()),
            written = writer.write(machine.outbox()), if !machine.outbox().is_empty() => {
                match written {
                    Ok(0) => machine.disconnected(tick(), None),
                    Ok(count) => machine.sent(tick(), count),
                    Err(error) => machine.disconnected(tick(), Some(&error)),
                }
            }
            read = reader.read(&mut chunk) => match read {
                Ok(0) => machine.disconnected(tick(), None),
                Ok(count) => machine.receive(tick(), &chunk[..count]),
                Err(error) => machine.disconnected(tick(), Some(&error)),
            },
            _ = look_again.tick(), if machine.lacks_next_hop() => {
                if let Some(local) = peer.local_address() {
                    machine.set_candidates(tick(), local::candidates(local));
                }
            }
        }
    };
    // The peer must see the NOTIFICATION: bytes that it sent meanwhile and that nobody reads
    // would make the kernel reset the connection instead of closing it.
    let flush = async {
        writer.write_all(machine.outbox()).await?;
        writer.shutdown().await?;
        while reader.read(&mut chunk).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Whatever goes wrong now, the connection is dropped next.
    let _ = time::timeout(FLUSH_WAIT, flush).await;
    (end, established)
}

fn tick() -> Instant {
    time::Instant::now().into_std()
}

async fn sleep_until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        time::sleep_until(deadline.into()).await;
    }
}

/// Writes what has changed to the board.
fn show(peer: &Peer, now: Instant, machine: &Machine, shown: &mut Option<u64>) {
    peer.board.count(peer.position, machine.counters());
    if shown.replace(machine.version()) == Some(machine.version()) {
        return;
    }
    let state = machine.state();
    peer.board.update(peer.position, now, |status| {
        if status.state != state {
            let address = peer.terms.peer.address;
            tracing::info!(peer = %address, state = %state, before = %status.state, "session");
        }
        status.state = state;
        let negotiated = machine.negotiated();
        status.remote_asn = negotiated.map(|of| of.peer_asn);
        status.hold_time_seconds = negotiated.map(|of| of.hold_time);
        status.router_id = negotiated.map(|of| of.peer_router_id);
        status.announced = machine.announced().collect();
        status.not_announced = machine.not_announced();
    });
}
