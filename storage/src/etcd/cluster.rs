use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use futures::StreamExt;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::fault::Fault;
use super::member::Member;
use super::options::{EtcdCredential, EtcdOptions};
use super::proto::{
    AuthenticateRequest, AuthenticateResponse, RangeRequest, RangeResponse, StatusRequest,
    StatusResponse, TxnRequest, TxnResponse, WatchCreateRequest, WatchRequest, WatchResponse,
};
use super::status::{asks_for_token, classify, late, refused, text};
use crate::error::{Result, invalid};

const RANGE: &str = "/etcdserverpb.KV/Range";
const TXN: &str = "/etcdserverpb.KV/Txn";
const WATCH: &str = "/etcdserverpb.Watch/Watch";
const AUTHENTICATE: &str = "/etcdserverpb.Auth/Authenticate";
const STATUS: &str = "/etcdserverpb.Maintenance/Status";

/// The oldest version that we speak with.
const OLDEST: (u32, u32) = (3, 4);

/// Bytes of one answer: more than the [`PAGE`](super::load::PAGE) of the largest values.
const ANSWER: usize = 64 * 1024 * 1024;

/// The members, of which any may answer; the one that did last is asked first.
#[derive(Debug)]
pub(super) struct Cluster {
    members: Vec<Member>,
    current: AtomicUsize,
    /// What every member must belong to.
    id: OnceLock<u64>,
    credential: Option<EtcdCredential>,
    token: RwLock<Option<MetadataValue<Ascii>>>,
    connect_wait: Duration,
    request_wait: Duration,
}

/// Whether a member without a leader refuses at once, rather than answer from what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leader {
    Needed,
    Optional,
}

// === impl Cluster ===

impl Cluster {
    pub(super) fn new(options: &EtcdOptions) -> Result<Self> {
        let members = options.endpoints.iter();
        Ok(Self {
            members: members
                .map(|address| Member::new(address, options))
                .collect::<Result<_>>()?,
            current: AtomicUsize::new(0),
            id: OnceLock::new(),
            credential: options.credential.clone(),
            token: RwLock::default(),
            connect_wait: options.connect_wait,
            request_wait: options.request_wait,
        })
    }

    /// Reads; asks one member after another until one answers.
    pub(super) async fn range(&self, request: RangeRequest) -> Result<RangeResponse, Fault> {
        let leader = match request.serializable {
            true => Leader::Optional,
            false => Leader::Needed,
        };
        self.read(RANGE, request, leader).await
    }

    /// Reads all ranges of a transaction that writes nothing, at one moment.
    pub(super) async fn snapshot(&self, request: TxnRequest) -> Result<TxnResponse, Fault> {
        self.read(TXN, request, Leader::Needed).await
    }

    /// Sends a transaction to one member, at most once. A member that certainly has not done it
    /// is followed by the next.
    pub(super) async fn txn(&self, request: TxnRequest) -> Result<TxnResponse, Fault> {
        let mut last = None;
        for member in self.order() {
            match self.ask(member, TXN, request.clone(), Leader::Needed).await {
                Err(fault @ Fault::NotDone(_)) => last = Some(fault),
                answer => return answer,
            }
        }
        Err(last.expect("there is a member, or we had not started"))
    }

    /// Follows a key from now on.
    pub(super) async fn watch(
        &self,
        request: WatchCreateRequest,
    ) -> Result<Streaming<WatchResponse>, Fault> {
        let mut last = None;
        for member in self.order() {
            match self.stream(member, request.clone()).await {
                Ok(stream) => return Ok(stream),
                Err(fault) => last = Some(fault),
            }
        }
        Err(last.expect("there is a member, or we had not started"))
    }

    async fn read<Q, A>(&self, path: &'static str, request: Q, leader: Leader) -> Result<A, Fault>
    where
        Q: prost::Message + Clone + 'static,
        A: prost::Message + Default + 'static,
    {
        let mut last = None;
        for member in self.order() {
            match self.ask(member, path, request.clone(), leader).await {
                Err(fault @ (Fault::NotDone(_) | Fault::Unknown(_))) => last = Some(fault),
                answer => return answer,
            }
        }
        Err(last.expect("there is a member, or we had not started"))
    }

    /// Every member once, beginning with the current one.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.current.load(Ordering::Relaxed), self.members.len());
        (0..count).map(move |i| (first + i) % count)
    }

    async fn ask<Q, A>(
        &self,
        member: usize,
        path: &'static str,
        request: Q,
        leader: Leader,
    ) -> Result<A, Fault>
    where
        Q: prost::Message + Clone + 'static,
        A: prost::Message + Default + 'static,
    {
        let (channel, number) = self.channel(member).await?;
        match self.call(&channel, path, request, leader).await? {
            Ok(answer) => Ok(answer),
            Err(status) => Err(self.failed(member, number, &status).await),
        }
    }

    /// Asks on one connection, and shows who we are, once more if that is no longer known.
    async fn call<Q, A>(
        &self,
        channel: &Channel,
        path: &'static str,
        request: Q,
        leader: Leader,
    ) -> Result<Result<A, Status>, Fault>
    where
        Q: prost::Message + Clone + 'static,
        A: prost::Message + Default + 'static,
    {
        for last in [false, true] {
            let token = self.token(channel).await?;
            let request = with_metadata(request.clone(), token.as_ref(), leader);
            match self.send(channel.clone(), path, request).await {
                Err(status) if !last && asks_for_token(&status) && self.credential.is_some() => {
                    self.forget_token(token.as_ref());
                }
                answer => return Ok(answer),
            }
        }
        unreachable!("the second time returns")
    }

    async fn stream(
        &self,
        member: usize,
        create: WatchCreateRequest,
    ) -> Result<Streaming<WatchResponse>, Fault> {
        let (channel, number) = self.channel(member).await?;
        let token = self.token(&channel).await?;
        let request = WatchRequest {
            create: Some(create),
        };
        // The stream of requests stays open as long as that of answers is held.
        let requests = futures::stream::iter([request]).chain(futures::stream::pending());
        let requests = with_metadata(requests, token.as_ref(), Leader::Needed);
        let mut grpc = Grpc::new(channel).max_decoding_message_size(ANSWER);
        let open = async {
            grpc.ready()
                .await
                .map_err(|e| Status::from_error(e.into()))?;
            let codec = ProstCodec::<WatchRequest, WatchResponse>::default();
            grpc.streaming(requests, PathAndQuery::from_static(WATCH), codec)
                .await
        };
        let opened = tokio::time::timeout(self.request_wait, open).await;
        match opened.unwrap_or_else(|_| Err(late(self.request_wait))) {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => {
                if asks_for_token(&status) {
                    self.forget_token(token.as_ref());
                }
                Err(self.failed(member, number, &status).await)
            }
        }
    }

    async fn channel(&self, member: usize) -> Result<super::member::Numbered, Fault> {
        let check = |channel| self.check(channel);
        let opened = self.members[member].channel(self.connect_wait, check).await;
        if opened.is_err() {
            self.avoid(member);
        }
        opened
    }

    /// Whether a member is of a version that we speak with, and of the cluster that the others
    /// are of.
    async fn check(&self, channel: Channel) -> Result<(), Fault> {
        // The newer ones tell their version only to those whom they know.
        let request = StatusRequest {};
        let answer = self.call(&channel, STATUS, request, Leader::Optional);
        let status: StatusResponse = answer.await?.map_err(|status| classify(&status))?;
        let mut numbers = status.version.split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST => {}
            _ => {
                return Err(Fault::Refused(invalid!(
                    "etcd has version {:?}; {}.{} and newer will do",
                    status.version,
                    OLDEST.0,
                    OLDEST.1
                )));
            }
        }
        let id = status.header.unwrap_or_default().cluster_id;
        if *self.id.get_or_init(|| id) != id {
            return Err(Fault::NotDone("it belongs to another cluster".into()));
        }
        Ok(())
    }

    /// What shows who we are, if we are someone.
    async fn token(&self, channel: &Channel) -> Result<Option<MetadataValue<Ascii>>, Fault> {
        let Some(credential) = &self.credential else {
            return Ok(None);
        };
        if let Some(token) = self.known_token() {
            return Ok(Some(token));
        }
        let request = AuthenticateRequest {
            name: credential.user.clone(),
            password: credential.password.clone(),
        };
        let answer = self.send(channel.clone(), AUTHENTICATE, Request::new(request));
        let answer: AuthenticateResponse = answer.await.map_err(|status| match status.code() {
            tonic::Code::InvalidArgument | tonic::Code::FailedPrecondition => refused(format!(
                "etcd does not let in user {:?}: {}",
                credential.user,
                status.message()
            )),
            // To log in changes nothing.
            _ => Fault::NotDone(text(&status)),
        })?;
        let token: MetadataValue<Ascii> = answer
            .token
            .parse()
            .map_err(|_| Fault::NotDone("etcd gave a token that is no token".into()))?;
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(Some(token))
    }

    fn known_token(&self) -> Option<MetadataValue<Ascii>> {
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
        token.clone()
    }

    fn forget_token(&self, used: Option<&MetadataValue<Ascii>>) {
        let mut token = self.token.write().unwrap_or_else(PoisonError::into_inner);
        if token.as_ref() == used {
            *token = None;
        }
    }

    async fn send<Q, A>(
        &self,
        channel: Channel,
        path: &'static str,
        request: Request<Q>,
    ) -> Result<A, Status>
    where
        Q: prost::Message + 'static,
        A: prost::Message + Default + 'static,
    {
        let mut grpc = Grpc::new(channel).max_decoding_message_size(ANSWER);
        let send = async {
            grpc.ready()
                .await
                .map_err(|e| Status::from_error(e.into()))?;
            let codec = ProstCodec::<Q, A>::default();
            grpc.unary(request, PathAndQuery::from_static(path), codec)
                .await
        };
        match tokio::time::timeout(self.request_wait, send).await {
            Ok(answer) => answer.map(tonic::Response::into_inner),
            Err(_) => Err(late(self.request_wait)),
        }
    }

    /// What a failed request means; asks another member next time unless it was the request.
    async fn failed(&self, member: usize, number: u64, status: &Status) -> Fault {
        let at = &self.members[member];
        let with = |cause: &str| format!("{}: {cause}", at.address);
        match classify(status) {
            Fault::NotDone(cause) => {
                self.avoid(member);
                Fault::NotDone(with(&cause))
            }
            Fault::Unknown(cause) => {
                self.avoid(member);
                at.forget(number).await;
                Fault::Unknown(with(&cause))
            }
            fault => fault,
        }
    }

    fn avoid(&self, member: usize) {
        let next = (member + 1) % self.members.len();
        let _ = self
            .current
            .compare_exchange(member, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn with_metadata<T>(
    message: T,
    token: Option<&MetadataValue<Ascii>>,
    leader: Leader,
) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("token", token.clone());
    }
    if leader == Leader::Needed {
        let yes = MetadataValue::from_static("true");
        request.metadata_mut().insert("hasleader", yes);
    }
    request
}
