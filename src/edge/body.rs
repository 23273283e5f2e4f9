//! A request's body on loan to its handler.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::timeout;

/// The most that is read of a body that nobody wanted.
const MAX_REST: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(1);

/// The body as the handler gets it. What it leaves unread goes back to the
/// lender.
struct Lent {
    body: Option<Incoming>,
    rest: Arc<Mutex<Option<Incoming>>>,
}

/// Takes back what was not read.
#[derive(Default)]
pub struct Lender(Arc<Mutex<Option<Incoming>>>);

// === impl Lender ===

impl Lender {
    /// Lends `body` out.
    pub fn lend(&self, body: Incoming) -> axum::body::Body {
        if body.is_end_stream() {
            return axum::body::Body::empty();
        }
        axum::body::Body::new(Lent {
            body: Some(body),
            rest: Arc::clone(&self.0),
        })
    }

    /// Reads what the handler left, so that the connection can carry the next
    /// request; says whether it can. Bounded in bytes and time. A client that
    /// waits to be told to continue is not told: then the connection ends.
    pub async fn settle(self, client_waits: bool) -> bool {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match rest {
            None => true,
            Some(_) if client_waits => false,
            Some(rest) => timeout(PATIENCE, discard(rest)).await.unwrap_or(false),
        }
    }
}

async fn discard(mut rest: Incoming) -> bool {
    let mut read = 0;
    while let Some(frame) = rest.frame().await {
        let Ok(frame) = frame else {
            return false;
        };
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MAX_REST {
            return false;
        }
    }
    true
}

// === impl Lent ===

impl Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take()
            && !body.is_end_stream()
        {
            *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
