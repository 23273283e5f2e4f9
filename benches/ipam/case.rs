use std::fmt;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use metal_edge::ipam::{Interval, Want, prefix};

/// What is acquired and released.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// An address of a /16.
    Address,
    /// A child prefix, by the lengths of both.
    Child { parent: u8, length: u8 },
    /// A new prefix among others.
    Prefix,
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub kind: Kind,
    /// So many are taken before.
    pub taken: usize,
}

// === impl Case ===

impl Case {
    /// What is acquired from.
    pub fn parent(&self) -> IpNet {
        match self.kind {
            Kind::Address => net([10, 0, 0, 0], 16),
            Kind::Child { parent, .. } => net([10, 0, 0, 0], parent),
            Kind::Prefix => net([0, 0, 0, 0], 0),
        }
    }

    /// What a client wants.
    pub fn want(&self, client: usize, number: usize) -> Want {
        match self.kind {
            Kind::Address => Want::Any,
            Kind::Child { length, .. } => Want::Aligned { bits: 32 - length },
            Kind::Prefix => {
                let third = u8::try_from(number % 256).unwrap();
                let second = 16 + u8::try_from(client).unwrap();
                Want::Range(prefix::interval(&net([172, second, third, 0], 24)))
            }
        }
    }

    /// What is taken before, spread at random; the same each time.
    pub fn taken(&self) -> Vec<Interval> {
        let (first, size, count) = match self.kind {
            Kind::Address => (1, 1, 65_534),
            Kind::Child { parent, length } => (0, 1 << (32 - length), 1_usize << (length - parent)),
            Kind::Prefix => (0, 256, self.taken),
        };
        let base = prefix::interval(&net([10, 0, 0, 0], 8)).lo;
        let mut places: Vec<u128> = (0..count as u128).collect();
        let mut dice = 1_u64;
        for at in (1..places.len()).rev() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            places.swap(at, (dice >> 33) as usize % (at + 1));
        }
        places.truncate(self.taken);
        let interval = |place: u128| {
            let lo = base + (first + place) * size;
            Interval {
                lo,
                hi: lo + (size - 1),
            }
        };
        places.into_iter().map(interval).collect()
    }

    /// The same, and what is never handed out, as go-ipam writes it.
    pub fn taken_as_text(&self) -> Vec<String> {
        let parent = self.parent();
        let taken = self.taken();
        match self.kind {
            Kind::Address => {
                let reserved = prefix::reserved(&parent);
                let all = reserved.iter().chain(&taken);
                let address = |of: &Interval| prefix::address(&parent, of.lo).unwrap();
                all.map(|of| address(of).to_string()).collect()
            }
            Kind::Child { .. } | Kind::Prefix => {
                let text = |of: &Interval| prefix::prefixes(&parent, of).unwrap()[0].to_string();
                taken.iter().map(text).collect()
            }
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.taken;
        match self.kind {
            Kind::Address => write!(f, "an address of a /16 with {taken} taken"),
            Kind::Child { parent, length } => {
                write!(f, "a child prefix {parent}/{length} with {taken} taken")
            }
            Kind::Prefix => write!(f, "a new prefix beside {taken}"),
        }
    }
}

fn net(address: [u8; 4], length: u8) -> IpNet {
    Ipv4Net::new(Ipv4Addr::from(address), length)
        .unwrap()
        .into()
}
