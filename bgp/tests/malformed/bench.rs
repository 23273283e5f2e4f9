//! One speaker, and one connection per case.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use metal_bgp::{PeerCounters, PeerState, Speaker};

use crate::message::{header, open};
use crate::support::{KEEPALIVE, Leaf, NOTIFICATION, config, until};

const LEAF: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A type that does not exist, to end a session that has survived a case.
const END: u8 = 77;

/// When a case is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    OpenSent,
    OpenConfirm,
    Established,
}

/// What must come of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// A NOTIFICATION with this code, subcode, and data if it is said.
    Answer(u8, u8, Option<Vec<u8>>),
    /// The end of the connection, and nothing said.
    Closed,
    /// The session goes on; whether the UPDATE counts as malformed.
    Survived(bool),
}

pub struct Case {
    name: String,
    bytes: Vec<u8>,
    expected: Expected,
}

pub struct Bench {
    speaker: Speaker,
    stage: Stage,
    hold_time: u16,
}

pub fn answered(code: u8, subcode: u8, data: &[u8]) -> Expected {
    Expected::Answer(code, subcode, Some(data.to_vec()))
}

pub fn closed() -> Expected {
    Expected::Closed
}

pub fn survived(malformed: bool) -> Expected {
    Expected::Survived(malformed)
}

// === impl Case ===

impl Case {
    pub fn new(name: impl Into<String>, bytes: Vec<u8>, expected: Expected) -> Self {
        Self {
            name: name.into(),
            bytes,
            expected,
        }
    }

    /// The same where no RFC says what the data are.
    pub fn code(name: &str, bytes: Vec<u8>, (code, subcode): (u8, u8)) -> Self {
        Self::new(name, bytes, Expected::Answer(code, subcode, None))
    }
}

// === impl Bench ===

impl Bench {
    pub fn new(stage: Stage) -> Self {
        Self::with_hold_time(stage, 90)
    }

    pub fn with_hold_time(stage: Stage, hold_time: u16) -> Self {
        let mut config = config(&[SocketAddr::from((LEAF, 179))]);
        config.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let peer = &mut config.peers[0];
        peer.passive = true;
        peer.hold_time = Duration::from_secs(hold_time.into());
        peer.retry_min = Duration::from_millis(10);
        peer.retry_max = Duration::from_millis(10);
        Self {
            speaker: Speaker::start(config).unwrap(),
            stage,
            hold_time,
        }
    }

    /// Runs every case and names all that come out otherwise.
    pub fn run(&self, cases: &[Case]) {
        let wrong = cases.iter().filter_map(|case| {
            let seen = self.seen(case);
            let right = match (&case.expected, &seen) {
                (Expected::Answer(code, subcode, None), Expected::Answer(c, s, _)) => {
                    (code, subcode) == (c, s)
                }
                (expected, seen) => expected == seen,
            };
            let (name, stage) = (&case.name, self.stage);
            (!right).then(|| format!("{name} in {stage:?}: {:?}, not {seen:?}", case.expected))
        });
        let wrong: Vec<_> = wrong.collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn seen(&self, case: &Case) -> Expected {
        let before = self.settled();
        let mut leaf = Leaf::connect(LEAF, self.speaker.listening()[0]);
        assert_eq!(leaf.try_hear(), Some(1), "OPEN");
        if self.stage != Stage::OpenSent {
            leaf.stream
                .write_all(&open(65_001, self.hold_time, 2))
                .unwrap();
        }
        if self.stage == Stage::Established {
            leaf.confirm();
        }
        leaf.stream.write_all(&case.bytes).unwrap();
        if self.stage == Stage::Established && !case.bytes.is_empty() {
            leaf.stream.write_all(&header(19, END)).unwrap();
        }
        let heard = loop {
            match leaf.try_hear() {
                Some(KEEPALIVE) => {}
                other => break other,
            }
        };
        let body = std::mem::take(&mut leaf.body);
        assert_eq!(leaf.try_hear(), None, "{}: the connection ends", case.name);
        drop(leaf);
        let after = self.settled();
        match (heard, &body[..]) {
            (Some(NOTIFICATION), [1, 3, END]) => {
                Expected::Survived(after.updates_malformed > before.updates_malformed)
            }
            (Some(NOTIFICATION), [code, subcode, data @ ..]) => {
                Expected::Answer(*code, *subcode, Some(data.to_vec()))
            }
            (None, _) => Expected::Closed,
            (heard, body) => panic!("{}: {heard:?} {body:?}", case.name),
        }
    }

    /// The counters while nobody is connected.
    fn settled(&self) -> PeerCounters {
        let status = until(&self.speaker, |peers| {
            matches!(peers[0].state, PeerState::Active | PeerState::Idle)
        });
        status.peers[0].counters
    }
}
