//! Asks a daemon, in the API that it speaks.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use ipnet::IpNet;
use prost::Message;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::config::DaemonAddress;
use super::fault::Fault;
use super::messages::{
    AddPathRequest, AddPathResponse, DeletePathRequest, Empty, Family, GetBgpResponse, Global,
    ListPathRequest, ListPathResponse, ListPeerRequest, ListPeerResponse, Peer, TableLookupPrefix,
};
use super::path::{PathSpec, family};
use super::{v3, v4};

/// How long the daemon may take for one answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Peers and destinations that are looked at, at most.
const ENTRIES: usize = 4096;

/// Which API a daemon speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    V3,
    V4,
}

/// A connection to a daemon that has BGP running.
#[derive(Debug)]
pub(super) struct Client {
    grpc: Grpc<Channel>,
    api: Api,
    pub(super) asn: u32,
    pub(super) router_id: Option<Ipv4Addr>,
}

/// A path as one of the APIs writes it.
trait WirePath: Message + Default + std::fmt::Debug + for<'a> From<&'a PathSpec> + 'static {}

impl WirePath for v3::Path {}
impl WirePath for v4::Path {}

// === impl Api ===

impl Api {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::V3 => "GoBGP v3",
            Self::V4 => "GoBGP v4",
        }
    }

    fn path(self, method: &str) -> PathAndQuery {
        let service = match self {
            Self::V3 => "apipb.GobgpApi",
            Self::V4 => "api.GoBgpService",
        };
        let path = format!("/{service}/{method}");
        PathAndQuery::try_from(path).expect("service and method are plain words")
    }

    /// The number of an enumeration's first meaning, here the global table and the exact prefix:
    /// v4 keeps 0 for "unspecified".
    const fn first(self) -> i32 {
        match self {
            Self::V3 => 0,
            Self::V4 => 1,
        }
    }
}

// === impl Client ===

impl Client {
    /// Connects, and finds out what is spoken there.
    pub(super) async fn connect(address: &DaemonAddress) -> Result<Self, Fault> {
        let unreachable = |error: &dyn std::error::Error| Fault::Unreachable {
            address: address.to_string(),
            cause: chain(error),
        };
        let uri = match address {
            DaemonAddress::Loopback(address) => format!("http://{address}"),
            DaemonAddress::Unix(path) => format!("unix://{}", path.display()),
        };
        let endpoint = Endpoint::from_shared(uri).map_err(|error| unreachable(&error))?;
        let endpoint = endpoint.connect_timeout(PATIENCE).timeout(PATIENCE);
        let connect = tokio::time::timeout(PATIENCE, endpoint.connect());
        let channel = match connect.await {
            Ok(connected) => connected.map_err(|error| unreachable(&error))?,
            Err(late) => return Err(unreachable(&late)),
        };
        let mut client = Self {
            grpc: Grpc::new(channel),
            api: Api::V4,
            asn: 0,
            router_id: None,
        };
        let mut answer = client.ask::<_, GetBgpResponse>("GetBgp", Empty {}).await;
        if answer
            .as_ref()
            .is_err_and(|status| status.code() == Code::Unimplemented)
        {
            client.api = Api::V3;
            answer = client.ask("GetBgp", Empty {}).await;
        }
        let global = answer
            .map_err(|status| unreachable(&status))?
            .global
            .unwrap_or_default();
        let Global { asn, router_id } = global;
        if asn == 0 {
            return Err(Fault::NotStarted(address.to_string()));
        }
        client.asn = asn;
        client.router_id = router_id.parse().ok();
        Ok(client)
    }

    pub(super) const fn api(&self) -> Api {
        self.api
    }

    /// Adds a path, or replaces the one to this prefix; its uuid.
    pub(super) async fn add(&mut self, path: &PathSpec) -> Result<Bytes, Fault> {
        let answer = match self.api {
            Api::V3 => self.add_as::<v3::Path>(path).await,
            Api::V4 => self.add_as::<v4::Path>(path).await,
        };
        let answer = answer.map_err(|status| Fault::of("AddPath", &status))?;
        Ok(answer.uuid)
    }

    async fn add_as<P: WirePath>(&mut self, path: &PathSpec) -> Result<AddPathResponse, Status> {
        let request = AddPathRequest {
            table_type: self.api.first(),
            path: Some(P::from(path)),
        };
        self.ask("AddPath", request).await
    }

    /// Deletes the path that an answer to [`Client::add`] named.
    pub(super) async fn delete(&mut self, prefix: &IpNet, uuid: Bytes) -> Result<(), Fault> {
        let request = DeletePathRequest::<v4::Path> {
            table_type: self.api.first(),
            family: Some(family(prefix)),
            path: None,
            uuid,
        };
        self.delete_by(request).await
    }

    /// Deletes whatever was put in over the API at the prefix of this path.
    pub(super) async fn delete_any(&mut self, bare: &PathSpec) -> Result<(), Fault> {
        match self.api {
            Api::V3 => self.delete_as::<v3::Path>(bare).await,
            Api::V4 => self.delete_as::<v4::Path>(bare).await,
        }
    }

    async fn delete_as<P: WirePath>(&mut self, bare: &PathSpec) -> Result<(), Fault> {
        let request = DeletePathRequest {
            table_type: self.api.first(),
            family: Some(family(&bare.prefix)),
            path: Some(P::from(bare)),
            uuid: Bytes::new(),
        };
        self.delete_by(request).await
    }

    async fn delete_by<P: WirePath>(&mut self, request: DeletePathRequest<P>) -> Result<(), Fault> {
        let answer: Result<Empty, _> = self.ask("DeletePath", request).await;
        answer.map_err(|status| Fault::of("DeletePath", &status))?;
        Ok(())
    }

    /// Which of `prefixes`, all of one family, have a path that was put in over the API.
    pub(super) async fn present(
        &mut self,
        family: Family,
        prefixes: &[IpNet],
    ) -> Result<Vec<IpNet>, Fault> {
        let kind = self.api.first();
        let lookup = |prefix: &IpNet| TableLookupPrefix {
            prefix: prefix.to_string(),
            kind,
        };
        let request = ListPathRequest {
            table_type: self.api.first(),
            family: Some(family),
            prefixes: prefixes.iter().map(lookup).collect(),
        };
        let answers: Result<Vec<ListPathResponse>, _> = self.list("ListPath", request).await;
        let answers = answers.map_err(|status| Fault::of("ListPath", &status))?;
        let destinations = answers.into_iter().filter_map(|answer| answer.destination);
        let ours = destinations.filter(|one| one.paths.iter().any(|path| path.is_local()));
        let named: Vec<IpNet> = ours.filter_map(|one| one.prefix.parse().ok()).collect();
        Ok(named)
    }

    /// The daemon's neighbours.
    pub(super) async fn peers(&mut self) -> Result<Vec<Peer>, Fault> {
        let request = ListPeerRequest {
            enable_advertised: false,
        };
        let answers: Result<Vec<ListPeerResponse>, _> = self.list("ListPeer", request).await;
        let answers = answers.map_err(|status| Fault::of("ListPeer", &status))?;
        Ok(answers
            .into_iter()
            .filter_map(|answer| answer.peer)
            .collect())
    }

    async fn ask<Q, A>(&mut self, method: &str, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.ready().await?;
        let codec = ProstCodec::<Q, A>::default();
        let path = self.api.path(method);
        let answer = self.grpc.unary(Request::new(request), path, codec);
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map(tonic::Response::into_inner),
            Err(_) => Err(late()),
        }
    }

    async fn list<Q, A>(&mut self, method: &str, request: Q) -> Result<Vec<A>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.ready().await?;
        let codec = ProstCodec::<Q, A>::default();
        let path = self.api.path(method);
        let all = async {
            let answer = self
                .grpc
                .server_streaming(Request::new(request), path, codec);
            let mut stream = answer.await?.into_inner();
            let mut all = Vec::new();
            while let Some(one) = stream.message().await? {
                if all.len() == ENTRIES {
                    break;
                }
                all.push(one);
            }
            Ok(all)
        };
        match tokio::time::timeout(PATIENCE, all).await {
            Ok(answer) => answer,
            Err(_) => Err(late()),
        }
    }

    async fn ready(&mut self) -> Result<(), Status> {
        let ready = tokio::time::timeout(PATIENCE, self.grpc.ready()).await;
        ready
            .map_err(|_| late())?
            .map_err(|error| Status::unavailable(chain(&error)))
    }
}

fn late() -> Status {
    Status::deadline_exceeded(format!("no answer in {PATIENCE:?}"))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
