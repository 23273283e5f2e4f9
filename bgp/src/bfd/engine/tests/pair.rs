//! Two engines and the link between them, in a time of their own.

use super::*;

/// What happens to packets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    /// Of a hundred so many are lost.
    pub(super) loss: u64,
    /// Of a hundred so many arrive twice.
    pub(super) duplicates: u64,
    /// Each takes any time up to this, so they overtake each other.
    pub(super) delay: Duration,
}

pub(super) struct Pair {
    pub(super) ends: [Engine; 2],
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) sent: u64,
    /// Under way: when they arrive, and where.
    flying: Vec<(Instant, usize, Packet)>,
    random: u64,
}

// === impl Link ===

impl Link {
    pub(super) fn perfect() -> Self {
        Self {
            loss: 0,
            duplicates: 0,
            delay: MS,
        }
    }

    pub(super) fn cut() -> Self {
        Self {
            loss: 100,
            ..Self::perfect()
        }
    }
}

// === impl Pair ===

impl Pair {
    pub(super) fn new(first: BfdConfig, second: BfdConfig) -> Self {
        let start = Instant::now();
        let engine =
            |config: &BfdConfig, my: u32| Engine::new(start, config, NonZeroU32::new(my).unwrap());
        Self {
            ends: [engine(&first, 0x1111), engine(&second, 0x2222)],
            start,
            now: start,
            sent: 0,
            flying: Vec::new(),
            random: 88_172_645_463_325_252,
        }
    }

    pub(super) fn seed(&mut self, seed: u64) {
        self.random = seed;
    }

    pub(super) fn states(&self) -> [BfdState; 2] {
        [self.ends[0].state(), self.ends[1].state()]
    }

    /// Lets `span` pass over `link`. What was under way before arrives, unless the link is cut.
    pub(super) fn run(&mut self, span: Duration, link: Link) {
        let end = self.now + span;
        if link.loss >= 100 {
            self.flying.clear();
        }
        loop {
            for from in 0..2 {
                self.ends[from].tick(self.now);
                while let Some(packet) = self.ends[from].transmit(self.now) {
                    // Over the wire and back.
                    let packet = Packet::decode(&packet.encode()).expect("we send valid packets");
                    self.sent += 1;
                    self.fly(1 - from, packet, link);
                }
            }
            let deadlines = self.ends.iter().filter_map(Engine::deadline);
            let arrivals = self.flying.iter().map(|(at, ..)| *at);
            let next = deadlines.chain(arrivals).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = next.max(self.now);
            let now = self.now;
            let arrived: Vec<_> = self.flying.extract_if(.., |(at, ..)| *at <= now).collect();
            for (_, to, packet) in arrived {
                self.ends[to].receive(now, &packet);
            }
        }
    }

    fn fly(&mut self, to: usize, packet: Packet, link: Link) {
        let copies = 1 + u64::from(self.draw(100) < link.duplicates);
        for _ in 0..copies {
            if self.draw(100) >= link.loss {
                let micros = link.delay.as_micros() as u64;
                let takes = Duration::from_micros(1 + self.draw(micros.max(1)));
                self.flying.push((self.now + takes, to, packet));
            }
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 16) % below
    }
}
