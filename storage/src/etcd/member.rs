use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::fault::{Fault, chain};
use super::options::{EtcdOptions, EtcdTls};
use crate::error::{Error, Result, invalid};

/// A member that could not be reached is not tried again for this long.
const REST: Duration = Duration::from_millis(200);

/// etcd closes connections that are asked more often than every five seconds whether they live.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// One member of the cluster, and the connection to it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) address: String,
    endpoint: Endpoint,
    link: Mutex<Link>,
}

#[derive(Debug)]
struct Link {
    /// How many connections there have been.
    number: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Closed,
    Open(Channel),
    Failed(Instant, Fault),
}

/// A connection, and its number among those to the member.
pub(super) type Numbered = (Channel, u64);

// === impl Member ===

impl Member {
    pub(super) fn new(address: &str, options: &EtcdOptions) -> Result<Self> {
        let scheme = match options.tls {
            EtcdTls::Off => "http",
            EtcdTls::On { .. } => "https",
        };
        let bad = |error: tonic::transport::Error| invalid!("{address}: {}", chain(&error));
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .map_err(bad)?
            .connect_timeout(options.connect_wait)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(options.request_wait)
            .keep_alive_while_idle(true);
        if let EtcdTls::On { ca, identity } = &options.tls {
            let mut tls = ClientTlsConfig::new();
            tls = match ca {
                Some(ca) => tls.ca_certificate(Certificate::from_pem(read(ca)?)),
                None => tls.with_native_roots(),
            };
            if let Some((cert, key)) = identity {
                tls = tls.identity(Identity::from_pem(read(cert)?, read(key)?));
            }
            endpoint = endpoint.tls_config(tls).map_err(bad)?;
        }
        Ok(Self {
            address: address.to_owned(),
            endpoint,
            link: Mutex::new(Link {
                number: 0,
                state: State::Closed,
            }),
        })
    }

    /// The connection, or a new one that `check` has found good. What fails here was not sent.
    pub(super) async fn channel<C>(
        &self,
        wait: Duration,
        check: impl FnOnce(Channel) -> C,
    ) -> Result<Numbered, Fault>
    where
        C: Future<Output = Result<(), Fault>>,
    {
        let mut link = self.link.lock().await;
        match &link.state {
            State::Open(channel) => return Ok((channel.clone(), link.number)),
            State::Failed(at, fault) if at.elapsed() < REST => return Err(fault.clone()),
            State::Closed | State::Failed(..) => {}
        }
        let connect = async {
            let channel = self
                .endpoint
                .connect()
                .await
                .map_err(|error| Fault::NotDone(chain(&error)))?;
            check(channel.clone()).await?;
            Ok(channel)
        };
        let late = || Fault::NotDone(format!("no answer in {wait:?}"));
        let connected = tokio::time::timeout(wait, connect).await;
        link.number += 1;
        match connected.unwrap_or_else(|_| Err(late())) {
            Ok(channel) => {
                link.state = State::Open(channel.clone());
                Ok((channel, link.number))
            }
            Err(fault) => {
                let fault = match fault {
                    Fault::NotDone(cause) | Fault::Unknown(cause) => {
                        Fault::NotDone(format!("{}: {cause}", self.address))
                    }
                    fault => fault,
                };
                link.state = State::Failed(Instant::now(), fault.clone());
                Err(fault)
            }
        }
    }

    /// Connects anew next time, unless that was done since the connection of this number.
    pub(super) async fn forget(&self, number: u64) {
        let mut link = self.link.lock().await;
        if link.number == number {
            link.state = State::Closed;
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::Unavailable {
        reason: format!("{}: {error}", path.display()),
    })
}
