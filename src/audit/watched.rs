//! A request's body, looked at while its handler reads it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

use super::note::Draft;
use super::redact::RAW;

/// Keeps what passes, up to a bound, without copying it. When the handler has read the body, and
/// before it does anything with it, the request is recorded.
pub(super) struct Watched {
    body: Body,
    read: Vec<Bytes>,
    length: usize,
    draft: Arc<Mutex<Draft>>,
}

// === impl Watched ===

impl Watched {
    /// Looks at `body`.
    pub fn new(body: Body, draft: Arc<Mutex<Draft>>) -> Self {
        Self {
            body,
            read: Vec::new(),
            length: 0,
            draft,
        }
    }
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.length += data.len();
            if self.length <= RAW {
                self.read.push(data.clone());
            } else {
                self.read.clear();
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut draft = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
        draft.read(&self.read, self.length);
    }
}

/// The bytes of an answer's body, which is there as a whole.
pub(super) async fn whole(body: Body) -> Option<Bytes> {
    let collected = body.collect().await.ok()?;
    Some(collected.to_bytes())
}
