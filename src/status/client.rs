use std::{io, net::SocketAddr, pin::pin, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{BgpReport, Report};
use crate::api::space::{BlockInfo, Finding};
use crate::stores::info::Info;

/// The longest answer that is read.
const MAX_ANSWER: usize = 1 << 20;
/// From the connection to the complete answer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// From one part of a long answer to the next.
const SILENCE: Duration = Duration::from_secs(60);

/// A client of the admin listener, for the node's own command line. Plain HTTP,
/// and therefore to loopback addresses alone. One connection per request.
#[derive(Clone, Debug)]
pub struct AdminClient {
    address: SocketAddr,
}

/// Why the admin listener gave no answer. No variant carries the token.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Plain HTTP leaves the machine otherwise.
    #[error("the admin listener {0} is not on a loopback address")]
    NotLoopback(SocketAddr),
    /// Nobody listens there.
    #[error("cannot connect to the admin listener {0}: {1}")]
    Connect(SocketAddr, io::Error),
    /// The process hangs, or the machine is overloaded.
    #[error("the admin listener {0} did not answer within {n} s", n = TIMEOUT.as_secs())]
    Timeout(SocketAddr),
    /// Something else listens there, or the node ended meanwhile.
    #[error("the admin listener {0} broke off: {1}")]
    Http(SocketAddr, String),
    /// The token does not fit: another node listens there.
    #[error("the admin listener {0} refused the token of this data directory")]
    Refused(SocketAddr),
    /// Any other status that is not a success.
    #[error("the admin listener {0} answered {1}: {2}")]
    Status(SocketAddr, StatusCode, String),
    /// Not a report.
    #[error("the admin listener {0} answered something that is no report: {1}")]
    Body(SocketAddr, serde_json::Error),
}

// === impl AdminClient ===

impl AdminClient {
    /// Refuses an address outside loopback.
    pub fn new(address: SocketAddr) -> Result<Self, AdminError> {
        if address.ip().is_loopback() {
            Ok(Self { address })
        } else {
            Err(AdminError::NotLoopback(address))
        }
    }

    /// `GET /status`.
    pub async fn status(&self) -> Result<Report, AdminError> {
        let body = self.request(Method::GET, "/status", None).await?;
        serde_json::from_slice(&body).map_err(|error| AdminError::Body(self.address, error))
    }

    /// `GET /bgp`.
    pub async fn bgp(&self) -> Result<BgpReport, AdminError> {
        let body = self.request(Method::GET, "/bgp", None).await?;
        serde_json::from_slice(&body).map_err(|error| AdminError::Body(self.address, error))
    }

    /// `POST /drain`, or `POST /drain/undo`, with the token of the data
    /// directory. Returns when the node has taken note, not when it is done.
    pub async fn drain(&self, undo: bool, token: &str) -> Result<(), AdminError> {
        let path = if undo { "/drain/undo" } else { "/drain" };
        self.request(Method::POST, path, Some(token)).await?;
        Ok(())
    }

    /// `GET /store`.
    pub async fn stores(&self) -> Result<Info, AdminError> {
        let body = self.patient(Method::GET, "/store", None).await?;
        serde_json::from_slice(&body).map_err(|error| AdminError::Body(self.address, error))
    }

    /// `GET /ipam/blocks`. As long as it takes: a store may be waited for.
    pub async fn blocks(&self) -> Result<Vec<BlockInfo>, AdminError> {
        let body = self.patient(Method::GET, "/ipam/blocks", None).await?;
        serde_json::from_slice(&body).map_err(|error| AdminError::Body(self.address, error))
    }

    /// `POST /ipam/fsck`, with the token. However long it takes, as long as the node says something
    /// each minute.
    pub async fn fsck(&self, token: &str) -> Result<Vec<Finding>, AdminError> {
        let body = self
            .patient(Method::POST, "/ipam/fsck", Some(token))
            .await?;
        serde_json::from_slice(&body).map_err(|error| AdminError::Body(self.address, error))
    }

    /// `POST /ipam/revoke/BLOCK`, with the token.
    pub async fn revoke(&self, block: &str, token: &str) -> Result<String, AdminError> {
        let path = format!("/ipam/revoke/{block}");
        let body = self.patient(Method::POST, &path, Some(token)).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// `POST` to `path`, with the token; gives the answer's body to `take` as it comes, however
    /// long it is. An answer that is cut off is an error.
    pub async fn stream<E: From<AdminError>>(
        &self,
        path: &str,
        token: &str,
        take: impl AsyncFnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        self.follow(Method::POST, path, Some(token), take).await
    }

    /// A whole answer that may take longer than others.
    async fn patient(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Result<Vec<u8>, AdminError> {
        let mut body = Vec::new();
        self.follow(method, path, token, async |bytes: Bytes| {
            body.extend_from_slice(&bytes);
            Ok::<_, AdminError>(())
        })
        .await?;
        Ok(body)
    }

    async fn follow<E: From<AdminError>>(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        mut take: impl AsyncFnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        let begin = self.send(method, path, token);
        let (answer, connection) = tokio::time::timeout(TIMEOUT, begin)
            .await
            .map_err(|_| AdminError::Timeout(self.address))??;
        let mut connection = pin!(drive(connection));
        let exchange = async {
            let broken = |error: String| AdminError::Http(self.address, error);
            let answer = tokio::time::timeout(SILENCE, answer)
                .await
                .map_err(|_| AdminError::Timeout(self.address))?
                .map_err(|error| broken(error.to_string()))?;
            let status = answer.status();
            let mut body = answer.into_body();
            if !status.is_success() {
                let body = Limited::new(body, MAX_ANSWER).collect().await;
                let body = body.map_err(|error| broken(error.to_string()))?;
                return Err(self.refused(status, &body.to_bytes()).into());
            }
            loop {
                let frame = tokio::time::timeout(SILENCE, body.frame())
                    .await
                    .map_err(|_| AdminError::Timeout(self.address))?;
                let Some(frame) = frame else { return Ok(()) };
                let frame = frame.map_err(|error| broken(error.to_string()))?;
                if let Ok(data) = frame.into_data() {
                    take(data).await?;
                }
            }
        };
        tokio::select! {
            outcome = exchange => outcome,
            error = &mut connection => Err(AdminError::Http(self.address, error).into()),
        }
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Result<Bytes, AdminError> {
        tokio::time::timeout(TIMEOUT, self.exchange(method, path, token))
            .await
            .map_err(|_| AdminError::Timeout(self.address))?
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Result<Bytes, AdminError> {
        let broken = |error: String| AdminError::Http(self.address, error);
        let (answer, connection) = self.send(method, path, token).await?;
        let answer = async {
            let answer = answer.await.map_err(|error| broken(error.to_string()))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER)
                .collect()
                .await
                .map_err(|error| broken(error.to_string()))?
                .to_bytes();
            Ok((status, body))
        };
        // The connection makes progress only while it is polled, and ends with
        // the answer.
        let (status, body) = tokio::select! {
            answer = answer => answer?,
            result = drive(connection) => return Err(broken(result)),
        };
        match status {
            status if status.is_success() => Ok(body),
            status => Err(self.refused(status, &body)),
        }
    }

    /// Connects and prepares a request; both what is given back have to be polled.
    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Result<
        (
            impl Future<Output = hyper::Result<Response<Incoming>>>,
            impl Future<Output = hyper::Result<()>>,
        ),
        AdminError,
    > {
        let broken = |error: String| AdminError::Http(self.address, error);
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(|error| AdminError::Connect(self.address, error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(error.to_string()))?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string());
        if let Some(token) = token {
            let mut value = header::HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| broken("the token holds characters that no header may".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(|error| broken(error.to_string()))?;
        let answer = async move { sender.send_request(request).await };
        Ok((answer, connection))
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> AdminError {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => AdminError::Refused(self.address),
            status => {
                let text = String::from_utf8_lossy(body).trim().to_owned();
                AdminError::Status(self.address, status, text)
            }
        }
    }
}

/// Polls a connection. One that ended well leaves the word to the answer that
/// was read from it.
async fn drive(connection: impl Future<Output = hyper::Result<()>>) -> String {
    match connection.await {
        Ok(()) => std::future::pending().await,
        Err(error) => error.to_string(),
    }
}
