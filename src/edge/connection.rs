//! One connection, from its first byte to its last.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Limits;
use super::drain::Drain;
use super::handler::Handler;
use crate::api::ApiError;
use crate::metrics::Metrics;

/// First byte of a TLS handshake record (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// How much of a plain HTTP request is read before its refusal is closed.
const MAX_PLAIN: u64 = 64 * 1024;
const PLAIN_PATIENCE: Duration = Duration::from_secs(1);

/// What every connection is served with.
#[derive(Clone)]
pub struct Server {
    /// TLS.
    pub acceptor: TlsAcceptor,
    /// Answers requests.
    pub handler: Arc<Handler>,
    /// Bounds.
    pub limits: Limits,
    /// When to finish.
    pub drain: Drain,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

/// Whether there is room for a connection's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Requests are answered.
    Admitted,
    /// Too many connections: each request is answered with 503 and closed.
    Overflow,
}

// === impl Server ===

impl Server {
    /// Serves one connection until it ends. Errors of single connections are
    /// counted, and logged at debug level: clients cause them at will.
    pub async fn serve(self, stream: TcpStream, peer: SocketAddr, admission: Admission) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        let handshake = async {
            let mut first = [0_u8; 1];
            match stream.peek(&mut first).await {
                Ok(0) => return Err(Refused::Silent),
                Err(error) => return Err(Refused::Handshake(error)),
                Ok(_) if first[0] != TLS_HANDSHAKE => return Err(Refused::Plain(stream)),
                Ok(_) => {}
            }
            let accepted = self.acceptor.accept(stream).await;
            accepted.map_err(Refused::Handshake)
        };
        match timeout(self.limits.header_timeout, handshake).await {
            Ok(Ok(stream)) => self.serve_http(stream, peer, admission).await,
            Ok(Err(Refused::Plain(stream))) => {
                self.metrics.connection_refused("plain_http");
                if let Err(error) = refuse_plain(stream).await {
                    tracing::debug!(%peer, %error, "plain HTTP not refused in full");
                }
            }
            Ok(Err(Refused::Silent)) => self.metrics.connection_refused("silent"),
            Ok(Err(Refused::Handshake(error))) => {
                self.metrics.connection_refused("handshake");
                tracing::debug!(%peer, %error, "TLS handshake failed");
            }
            Err(_) => {
                self.metrics.connection_refused("handshake_timeout");
                tracing::debug!(%peer, "TLS handshake timed out");
            }
        }
    }

    async fn serve_http<S>(self, stream: S, peer: SocketAddr, admission: Admission)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::new());
        let handler = self.handler;
        let service = service_fn(|request: Request<Incoming>| {
            let handler = Arc::clone(&handler);
            let busy = activity.busy();
            async move {
                let response = match admission {
                    Admission::Admitted => handler.handle(peer, request).await,
                    Admission::Overflow => Ok(too_many_connections()),
                };
                drop(busy);
                response
            }
        });
        let builder = http(&self.limits);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = self.drain.ended();
        let closing = async {
            tokio::select! {
                () = ended => {}
                () = activity.idle_for(self.limits.idle_timeout) => {}
            }
        };
        let mut closing = pin!(closing);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = closing.as_mut() => {
                connection.as_mut().graceful_shutdown();
                // What is in flight has its own time limit; a client that does
                // not read its answer gets no more than that.
                let patience = self.limits.request_timeout + self.limits.header_timeout;
                match timeout(patience, connection.as_mut()).await {
                    Ok(outcome) => outcome,
                    Err(_) => return,
                }
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(%peer, %error, "connection ended");
        }
    }
}

/// Why a connection did not come to HTTP.
enum Refused {
    Silent,
    Plain(TcpStream),
    Handshake(io::Error),
}

/// When a connection last had a request.
#[derive(Debug)]
struct Activity {
    start: Instant,
    /// Requests under way in the upper bits, milliseconds since `start` of the
    /// last change in the lower ones.
    requests: AtomicU64,
    changed: AtomicU64,
}

struct Busy(Arc<Activity>);

// === impl Activity ===

impl Activity {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            requests: AtomicU64::new(0),
            changed: AtomicU64::new(0),
        }
    }

    fn busy(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(self))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns once no request was under way for `limit`.
    async fn idle_for(&self, limit: Duration) {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        loop {
            let idle = match self.requests.load(Ordering::Acquire) {
                0 => self
                    .now()
                    .saturating_sub(self.changed.load(Ordering::Acquire)),
                _ => 0,
            };
            if idle >= limit {
                return;
            }
            tokio::time::sleep(Duration::from_millis(limit - idle)).await;
        }
    }
}

// === impl Busy ===

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.changed.store(self.0.now(), Ordering::Release);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// HTTP/1.1 and HTTP/2 with every wait and buffer bounded.
fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes.max(8 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.idle_timeout / 2)
        .keep_alive_timeout(limits.header_timeout);
    builder
}

fn too_many_connections() -> Response {
    let mut response = ApiError::unavailable("too many connections, try again").into_response();
    let close = axum::http::HeaderValue::from_static("close");
    response
        .headers_mut()
        .insert(axum::http::header::CONNECTION, close);
    response
}

/// Answers plain HTTP with a readable refusal.
async fn refuse_plain(mut stream: TcpStream) -> io::Result<()> {
    const BODY: &str = "{\"statuscode\":400,\"message\":\"this port speaks HTTPS: \
                        repeat the request with https:// in its URL\"}";
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    let refusal = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // Unread bytes would make the kernel reset the connection, and the
        // client might lose the answer.
        let mut rest = stream.take(MAX_PLAIN);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    bounded(refusal).await.map(drop)
}

async fn bounded<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(PLAIN_PATIENCE, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
