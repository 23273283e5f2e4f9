//! One connection of a client, and the one to PostgreSQL behind it.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::cockroach::{SERVER_VERSION, VERSION};
use super::faults::{Coin, Fault, Point};
use super::statement::{Kind, Statement};
use super::wire::{Message, Messages};
use super::{Engine, Shared, lock};

const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// What stands in a statement that PostgreSQL shall fail at, and in its error.
const MARK: &str = "metal_proxy_mark_";

/// What the way back does with the answers up to a ReadyForQuery, counted from the start.
#[derive(Debug)]
enum Answer {
    /// This error in place of the first CommandComplete.
    Fails(Message),
    /// None, and the end of the connection once PostgreSQL has answered.
    Withheld,
}

/// What one way tells the other.
#[derive(Debug, Default)]
struct Notes {
    answers: HashMap<u64, Answer>,
    /// The errors in place of PostgreSQL's, by the number after [`MARK`].
    marks: Vec<Message>,
}

/// Serves a client until either side ends or a fault cuts it off.
pub async fn run(client: TcpStream, number: u64, shared: Arc<Shared>) {
    client.set_nodelay(true).ok();
    let mut coin = Coin::new(lock(&shared.faults).seed.wrapping_add(number));
    // Some ends are sudden, a reset, and some are orderly.
    if coin.next().is_multiple_of(2) {
        client.set_zero_linger().ok();
    }
    // An error is an end like any other: both sockets close.
    serve(client, coin, &shared).await.ok();
}

async fn serve(client: TcpStream, coin: Coin, shared: &Shared) -> io::Result<()> {
    let (from_client, mut to_client) = client.into_split();
    let mut from_client = Messages::new(from_client);
    let start = loop {
        let Some(start) = from_client.start().await? else {
            return Ok(());
        };
        match start
            .get(4..8)
            .map(|four| u32::from_be_bytes(four.try_into().expect("four")))
        {
            Some(TLS | GSS) => to_client.write_all(b"N").await?,
            _ => break start,
        }
    };
    let server = TcpStream::connect(shared.upstream).await?;
    server.set_nodelay(true)?;
    let (from_server, mut to_server) = server.into_split();
    to_server.write_all(&start).await?;
    if start.get(4..8) == Some(&CANCEL.to_be_bytes()) {
        return to_server.shutdown().await;
    }
    let notes = Mutex::new(Notes::default());
    let there = There {
        shared,
        notes: &notes,
        coin,
        statements: HashMap::new(),
        in_transaction: false,
        sent: 0,
    };
    let back = Back {
        shared,
        notes: &notes,
        ready: None,
    };
    // Whichever ends first ends the other.
    tokio::select! {
        end = there.run(from_client, to_server) => end,
        end = back.run(Messages::new(from_server), to_client) => end,
    }
}

/// From the client to PostgreSQL.
struct There<'a> {
    shared: &'a Shared,
    notes: &'a Mutex<Notes>,
    coin: Coin,
    statements: HashMap<String, Statement>,
    in_transaction: bool,
    /// Messages sent that are answered by a ReadyForQuery.
    sent: u64,
}

/// What becomes of a message.
enum Fate {
    Pass(Message),
    /// Passes, and the connection is cut.
    PassAndCut(Message),
    Cut,
}

// === impl There ===

impl There<'_> {
    async fn run(
        mut self,
        mut from: Messages<impl AsyncRead + Unpin>,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut out = BytesMut::new();
        while let Some(messages) = from.next().await? {
            for message in messages {
                let (message, cut) = match self.fate(message) {
                    Fate::Pass(message) => (message, false),
                    Fate::PassAndCut(message) => (message, true),
                    Fate::Cut => return Err(io::ErrorKind::ConnectionAborted.into()),
                };
                message.write(&mut out);
                if cut {
                    // An Execute by itself would wait for its Sync.
                    if message.kind == b'B' {
                        Message::execute(&message.text(0)).write(&mut out);
                        Message::sync().write(&mut out);
                    }
                    to.write_all(&out).await?;
                    return to.shutdown().await;
                }
                if matches!(message.kind, b'Q' | b'S' | b'F') {
                    self.sent += 1;
                }
            }
            to.write_all(&out).await?;
            out.clear();
        }
        Ok(())
    }

    fn fate(&mut self, message: Message) -> Fate {
        match message.kind {
            b'Q' => {
                let text = message.text(0);
                let statement = Statement::of(&text, self.shared.engine);
                let message = self.without_refused(message, &text, &statement);
                self.execute(message, statement.kind)
            }
            b'P' => {
                self.shared.prepared.fetch_add(1, Relaxed);
                let text = message.text(1);
                let statement = Statement::of(&text, self.shared.engine);
                let name = message.text(0);
                let message = self.without_refused(message, &text, &statement);
                self.statements.insert(name, statement);
                Fate::Pass(message)
            }
            b'B' => {
                let statement = self.statements.get(&message.text(1));
                let kind = statement.map_or(Kind::Other, |statement| statement.kind);
                self.execute(message, kind)
            }
            _ => Fate::Pass(message),
        }
    }

    /// The Query or Parse, its text changed if CockroachDB would answer otherwise.
    fn without_refused(&self, message: Message, text: &str, statement: &Statement) -> Message {
        let text = if let Some(refusal) = &statement.refusal {
            self.shared.refuse(text);
            self.mark(Message::error(refusal.code, &refusal.text))
        } else if let Some(instead) = &statement.instead {
            instead.clone()
        } else {
            return message;
        };
        match message.kind {
            b'Q' => Message::query(&text),
            _ => message.with_text(&text),
        }
    }

    /// A Query or Bind, at which faults strike.
    fn execute(&mut self, message: Message, kind: Kind) -> Fate {
        let was_in_transaction = self.in_transaction;
        let point = match kind {
            Kind::Begin => {
                self.in_transaction = true;
                return Fate::Pass(message);
            }
            Kind::Rollback => {
                self.in_transaction = false;
                return Fate::Pass(message);
            }
            Kind::Other => return Fate::Pass(message),
            Kind::Commit => {
                self.in_transaction = false;
                Point::Commit
            }
            Kind::Write if !was_in_transaction => Point::Commit,
            Kind::Write | Kind::Read => Point::Statement,
        };
        self.shared.statements.fetch_add(1, Relaxed);
        if point == Point::Commit {
            self.shared.commits.fetch_add(1, Relaxed);
        }
        let Some(fault) = self.shared.draw(point, &mut self.coin) else {
            return Fate::Pass(message);
        };
        let error = match fault {
            Fault::Retry => Message::error(
                "40001",
                "restart transaction: TransactionRetryWithProtoRefreshError: injected",
            ),
            Fault::Missing => Message::error("42P01", "relation does not exist: injected"),
            Fault::Refuse => Message::error("54001", "statement is too large: injected"),
            _ => Message::error("40003", "result is ambiguous: injected"),
        };
        match fault {
            Fault::CutBefore => Fate::Cut,
            Fault::CutAtOnce => Fate::PassAndCut(message),
            Fault::CutAfter => self.answered(Answer::Withheld, message),
            Fault::AmbiguousDone => self.answered(Answer::Fails(error), message),
            // A COMMIT that fails leaves no transaction behind.
            Fault::Retry | Fault::Refuse | Fault::Missing | Fault::AmbiguousLost
                if kind == Kind::Commit && message.kind == b'Q' =>
            {
                self.answered(Answer::Fails(error), Message::query("ROLLBACK"))
            }
            Fault::Retry | Fault::Refuse | Fault::Missing | Fault::AmbiguousLost => {
                let mark = self.mark(error);
                Fate::Pass(match message.kind {
                    b'Q' => Message::query(&mark),
                    _ => message.with_statement(&mark),
                })
            }
        }
    }

    fn answered(&self, answer: Answer, message: Message) -> Fate {
        lock(self.notes).answers.insert(self.sent, answer);
        Fate::Pass(message)
    }

    /// What PostgreSQL fails at, so that this error is answered in place of its own.
    fn mark(&self, error: Message) -> String {
        let mut notes = lock(self.notes);
        notes.marks.push(error);
        format!("{MARK}{}", notes.marks.len() - 1)
    }
}

/// From PostgreSQL to the client.
struct Back<'a> {
    shared: &'a Shared,
    notes: &'a Mutex<Notes>,
    /// Answers given since the start; `None` before.
    ready: Option<u64>,
}

// === impl Back ===

impl Back<'_> {
    async fn run(
        mut self,
        mut from: Messages<impl AsyncRead + Unpin>,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut out = BytesMut::new();
        while let Some(messages) = from.next().await? {
            for message in messages {
                if !self.answer(message, &mut out) {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
            to.write_all(&out).await?;
            out.clear();
        }
        Ok(())
    }

    /// Passes a message on, or another; `false` if the connection is to be cut.
    fn answer(&mut self, message: Message, out: &mut BytesMut) -> bool {
        let Some(ready) = &mut self.ready else {
            self.start(message, out);
            return true;
        };
        let mut notes = lock(self.notes);
        let kind = message.kind;
        match notes.answers.get(ready) {
            Some(Answer::Withheld) => return kind != b'Z',
            Some(Answer::Fails(error)) if kind == b'C' => {
                error.write(out);
                notes.answers.remove(ready);
            }
            _ if kind == b'E' => {
                let text = message.field(b'M').unwrap_or_default();
                let digits = text.split_once(MARK).map(|(_, rest)| {
                    let end = rest.find(|c: char| !c.is_ascii_digit());
                    &rest[..end.unwrap_or(rest.len())]
                });
                let mark = digits.and_then(|digits| digits.parse::<usize>().ok());
                let error = mark.and_then(|mark| notes.marks.get(mark));
                error.unwrap_or(&message).write(out);
            }
            _ => message.write(out),
        }
        if kind == b'Z' {
            *ready += 1;
        }
        true
    }

    /// The start of a connection, at which CockroachDB says who it is.
    fn start(&mut self, message: Message, out: &mut BytesMut) {
        let cockroach = self.shared.engine == Engine::Cockroach;
        if message.kind == b'Z' {
            self.ready = Some(0);
            if cockroach {
                Message::parameter("crdb_version", VERSION).write(out);
            }
        }
        if cockroach && message.kind == b'S' && message.text(0) == "server_version" {
            return Message::parameter("server_version", SERVER_VERSION).write(out);
        }
        message.write(out);
    }
}
