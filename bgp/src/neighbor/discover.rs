//! The task that finds the neighbour on a link.

use std::io;
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time;

use super::link::Link;
use super::message::{ADVERTISEMENT, Heard, SOLICITATION, advertisement, parse};
use super::schedule::Schedule;
use super::sight::Sight;
use crate::Interface;
use crate::socket::{Icmp, LinkEvents, MESSAGE};

/// How often the interface is looked at even if nothing seems to have happened.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// While the neighbour was heard so recently, another router on the link does not replace it.
const LOYALTY: Duration = Duration::from_secs(30);

/// Advertises this node on `interface` and says in `sight` who is at its other end: `fixed` if
/// that is configured, else who advertises there. Follows the interface when it goes down, comes
/// up, disappears and is made anew. Ends when nobody looks at `sight` any more.
pub(crate) async fn discover(
    interface: Interface,
    fixed: Option<Ipv6Addr>,
    sight: watch::Sender<Sight>,
) {
    let search = Search {
        interface,
        fixed,
        sight,
    };
    tokio::select! {
        () = search.run() => {}
        () = search.sight.closed() => {}
    }
}

struct Search {
    interface: Interface,
    fixed: Option<Ipv6Addr>,
    sight: watch::Sender<Sight>,
}

// === impl Search ===

impl Search {
    async fn run(&self) {
        let mut events = None;
        loop {
            if events.is_none() {
                events = LinkEvents::open().ok();
            }
            let link = match Link::observe(&self.interface) {
                Ok(link) => link,
                Err(sentence) => {
                    self.show(Sight::Nobody(sentence));
                    changed(&mut events).await;
                    continue;
                }
            };
            match Icmp::open(&self.interface, link.index, &[SOLICITATION, ADVERTISEMENT]) {
                Ok(icmp) => self.serve(link, &icmp, &mut events).await,
                Err(error) => {
                    self.show(Sight::Nobody(self.explain(&error)));
                    changed(&mut events).await;
                }
            }
        }
    }

    /// Advertises and listens for as long as the link stays what it is.
    async fn serve(&self, link: Link, icmp: &Icmp, events: &mut Option<LinkEvents>) {
        let mut schedule = Schedule::new(now());
        let mut heard_at = None;
        let mut buffer = [0; MESSAGE];
        let mut look_again = time::interval(LOOK_AGAIN);
        let interface = &self.interface;
        match self.fixed {
            Some(address) => self.meet(address, link),
            None => self.show(Sight::Nobody(format!(
                "no router advertisement was heard on {interface}: the leaf must send them there, \
                 as it does for a neighbour that is an interface"
            ))),
        }
        loop {
            tokio::select! {
                biased;
                () = changed(events) => {
                    if Link::observe(interface) != Ok(link) {
                        return;
                    }
                }
                _ = look_again.tick() => {
                    if Link::observe(interface) != Ok(link) {
                        return;
                    }
                }
                () = time::sleep_until(schedule.next().into()) => {
                    schedule.sent(now());
                    if let Err(error) = icmp.send(&advertisement()) {
                        tracing::debug!(%interface, %error, "no router advertisement sent");
                    }
                }
                received = icmp.receive(&mut buffer) => match received {
                    Ok(received) if received.source != link.own => {
                        let message = &buffer[..received.length];
                        match parse(message, received.source, received.hop_limit) {
                            Some(Heard::Router(router)) => self.router(router, link, &mut heard_at),
                            Some(Heard::Question) => schedule.asked(now()),
                            None => {}
                        }
                    }
                    Ok(_) => {}
                    // The interface went down; what is true of it shows above.
                    Err(error) => {
                        tracing::debug!(%interface, %error, "not listening for routers");
                        changed(events).await;
                        return;
                    }
                },
            }
        }
    }

    /// A router advertises. It is our neighbour unless another one still is.
    fn router(&self, router: Ipv6Addr, link: Link, heard_at: &mut Option<Instant>) {
        if self.fixed.is_some() {
            return;
        }
        let known = match &*self.sight.borrow() {
            Sight::Neighbor { address, .. } => Some(*address),
            Sight::Nobody(_) => None,
        };
        let lives = heard_at.is_some_and(|at: Instant| now() < at + LOYALTY);
        if known == Some(router) || known.is_none() || !lives {
            *heard_at = Some(now());
            self.meet(router, link);
        }
    }

    fn meet(&self, address: Ipv6Addr, link: Link) {
        self.show(Sight::Neighbor {
            address,
            scope: link.index,
        });
    }

    fn show(&self, new: Sight) {
        self.sight.send_if_modified(|sight| {
            let news = *sight != new;
            if news {
                let interface = &self.interface;
                match &new {
                    Sight::Neighbor { address, .. } => {
                        tracing::info!(%interface, %address, "neighbour found");
                    }
                    Sight::Nobody(reason) => tracing::info!(%interface, %reason, "no neighbour"),
                }
                *sight = new;
            }
            news
        });
    }

    fn explain(&self, error: &io::Error) -> String {
        let interface = &self.interface;
        match error.kind() {
            io::ErrorKind::PermissionDenied => format!(
                "finding the peer on {interface} needs CAP_NET_RAW, for router advertisements"
            ),
            _ => format!("no socket for router advertisements on {interface}: {error}"),
        }
    }
}

/// Waits until an interface may have changed.
async fn changed(events: &mut Option<LinkEvents>) {
    let heard = async {
        match events {
            Some(open) => open.changed().await,
            None => std::future::pending().await,
        }
    };
    if let Ok(Err(error)) = time::timeout(LOOK_AGAIN, heard).await {
        tracing::debug!(%error, "changes of interfaces are not heard");
        *events = None;
        time::sleep(Duration::from_secs(1)).await;
    }
}

fn now() -> Instant {
    time::Instant::now().into_std()
}
