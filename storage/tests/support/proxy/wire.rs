//! Messages of PostgreSQL's protocol, version 3, as far as the proxy must see them.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// No message of a test is longer.
const MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// One message after the start of a connection.
#[derive(Clone, Debug)]
pub struct Message {
    pub kind: u8,
    pub body: Bytes,
}

/// Messages as they come.
#[derive(Debug)]
pub struct Messages<R> {
    from: R,
    buffer: BytesMut,
}

// === impl Messages ===

impl<R: AsyncRead + Unpin> Messages<R> {
    pub fn new(from: R) -> Self {
        Self {
            from,
            buffer: BytesMut::with_capacity(16 * 1024),
        }
    }

    /// A packet of the start, which has a length and no kind; `None` at the end.
    pub async fn start(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(length) = length(&self.buffer, 0)?
                && self.buffer.len() >= length
            {
                return Ok(Some(self.buffer.split_to(length).freeze()));
            }
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// All messages that are there, at least one; `None` at the end.
    pub async fn next(&mut self) -> io::Result<Option<Vec<Message>>> {
        let mut messages = Vec::new();
        loop {
            while let Some(length) = length(&self.buffer, 1)? {
                if self.buffer.len() < 1 + length {
                    break;
                }
                let kind = self.buffer.get_u8();
                let mut body = self.buffer.split_to(length).freeze();
                body.advance(4);
                messages.push(Message { kind, body });
            }
            if !messages.is_empty() {
                return Ok(Some(messages));
            }
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// The length that stands at this place, itself included, if it is there yet.
fn length(buffer: &[u8], at: usize) -> io::Result<Option<usize>> {
    let Some(four) = buffer.get(at..at + 4) else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(four.try_into().expect("four bytes")) as usize;
    if !(4..=MESSAGE_BYTES).contains(&length) {
        return Err(io::Error::other("a message of no sensible length"));
    }
    Ok(Some(length))
}

// === impl Message ===

impl Message {
    pub fn new(kind: u8, body: Bytes) -> Self {
        Self { kind, body }
    }

    /// ErrorResponse.
    pub fn error(code: &str, text: &str) -> Self {
        let mut body = BytesMut::new();
        for (field, value) in [(b'S', "ERROR"), (b'V', "ERROR"), (b'C', code), (b'M', text)] {
            body.put_u8(field);
            put_text(&mut body, value);
        }
        body.put_u8(0);
        Self::new(b'E', body.freeze())
    }

    /// ParameterStatus.
    pub fn parameter(name: &str, value: &str) -> Self {
        let mut body = BytesMut::new();
        put_text(&mut body, name);
        put_text(&mut body, value);
        Self::new(b'S', body.freeze())
    }

    /// Query.
    pub fn query(text: &str) -> Self {
        let mut body = BytesMut::new();
        put_text(&mut body, text);
        Self::new(b'Q', body.freeze())
    }

    /// Execute of a portal to its end.
    pub fn execute(portal: &str) -> Self {
        let mut body = BytesMut::new();
        put_text(&mut body, portal);
        body.put_u32(0);
        Self::new(b'E', body.freeze())
    }

    /// Sync.
    pub fn sync() -> Self {
        Self::new(b'S', Bytes::new())
    }

    /// This Parse with another text.
    pub fn with_text(&self, text: &str) -> Self {
        let (name, old) = (self.text(0), self.text(1));
        let mut body = BytesMut::new();
        put_text(&mut body, &name);
        put_text(&mut body, text);
        body.put_slice(&self.body[name.len() + old.len() + 2..]);
        Self::new(self.kind, body.freeze())
    }

    /// This Bind of another statement.
    pub fn with_statement(&self, statement: &str) -> Self {
        let (portal, old) = (self.text(0), self.text(1));
        let mut body = BytesMut::new();
        put_text(&mut body, &portal);
        put_text(&mut body, statement);
        body.put_slice(&self.body[portal.len() + old.len() + 2..]);
        Self::new(self.kind, body.freeze())
    }

    /// The text number so many, counted from 0, of those that the message begins with.
    pub fn text(&self, number: usize) -> String {
        let text = self.body.split(|byte| *byte == 0).nth(number);
        String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
    }

    /// The field of an ErrorResponse.
    pub fn field(&self, kind: u8) -> Option<String> {
        self.body
            .split(|byte| *byte == 0)
            .find(|field| field.first() == Some(&kind))
            .map(|field| String::from_utf8_lossy(&field[1..]).into_owned())
    }

    pub fn write(&self, to: &mut BytesMut) {
        to.put_u8(self.kind);
        to.put_u32(u32::try_from(self.body.len() + 4).expect("bounded when it was read"));
        to.put_slice(&self.body);
    }
}

fn put_text(to: &mut BytesMut, text: &str) {
    to.put_slice(text.as_bytes());
    to.put_u8(0);
}
