//! What goes wrong, where, and how often.

use std::io::Write as _;
use std::sync::Once;

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A statement that reads or writes, BEGIN, ROLLBACK and settings excluded.
    Statement,
    /// A COMMIT, or a write outside a transaction.
    Commit,
}

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 40001 in place of an answer; nothing of the transaction stays.
    Retry,
    /// 54001 in place of an answer, as if the statement were too much for the engine; nothing of
    /// the transaction stays.
    Refuse,
    /// 42P01 in place of an answer, as where a table is not there yet.
    Missing,
    /// 40003 in place of an answer; it happened.
    AmbiguousDone,
    /// 40003 in place of an answer; it did not happen.
    AmbiguousLost,
    /// The connection is cut and the statement never sent.
    CutBefore,
    /// The statement is sent and the connection cut at once.
    CutAtOnce,
    /// The statement is carried out and the connection cut in place of the answer.
    CutAfter,
}

/// How often each fault strikes, from 0.0 to 1.0; they exclude each other.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Where chance begins; each connection has its own sequence.
    pub seed: u64,
    /// At a statement.
    pub statement: Vec<(Fault, f64)>,
    /// At a commit.
    pub commit: Vec<(Fault, f64)>,
}

/// Chance that can be repeated (SplitMix64).
#[derive(Debug)]
pub struct Coin(u64);

// === impl Fault ===

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 8] = [
        Self::Retry,
        Self::Refuse,
        Self::Missing,
        Self::AmbiguousDone,
        Self::AmbiguousLost,
        Self::CutBefore,
        Self::CutAtOnce,
        Self::CutAfter,
    ];
}

// === impl Faults ===

impl Faults {
    /// `METAL_TEST_SEED`, or a new number, printed once, so that a failure can be repeated.
    pub fn seed() -> u64 {
        static PRINTED: Once = Once::new();
        static SEED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
        let seed = *SEED.get_or_init(|| match std::env::var("METAL_TEST_SEED") {
            Ok(text) => text.parse().expect("METAL_TEST_SEED is a number"),
            Err(_) => uuid::Uuid::new_v4().as_u64_pair().0 >> 16,
        });
        PRINTED.call_once(|| {
            writeln!(
                std::io::stderr(),
                "faults of the proxy: METAL_TEST_SEED={seed}"
            )
            .ok();
        });
        seed
    }

    /// None, until told otherwise.
    pub fn none() -> Self {
        Self::default()
    }

    /// One fault at this point with this chance.
    pub fn one(seed: u64, point: Point, fault: Fault, chance: f64) -> Self {
        Self {
            seed,
            ..Self::none()
        }
        .and(point, fault, chance)
    }

    /// And another.
    #[must_use]
    pub fn and(mut self, point: Point, fault: Fault, chance: f64) -> Self {
        match point {
            Point::Statement => self.statement.push((fault, chance)),
            Point::Commit => self.commit.push((fault, chance)),
        }
        self
    }

    pub(super) fn draw(&self, point: Point, coin: &mut Coin) -> Option<Fault> {
        let chances = match point {
            Point::Statement => &self.statement,
            Point::Commit => &self.commit,
        };
        if chances.is_empty() {
            return None;
        }
        let mut left = coin.toss();
        for (fault, chance) in chances {
            if left < *chance {
                return Some(*fault);
            }
            left -= chance;
        }
        None
    }
}

// === impl Coin ===

impl Coin {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0.0 to 1.0, which it never is.
    fn toss(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
