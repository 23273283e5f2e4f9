//! BFD Control packets (RFC 5880 section 4.1).

use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use super::{BfdDiagnostic, BfdState};

/// Without authentication, which is not spoken here.
pub(super) const LENGTH: usize = 24;

const VERSION: u8 = 1;
const POLL: u8 = 0x20;
const FINAL: u8 = 0x10;
const AUTHENTICATED: u8 = 0x04;
const MULTIPOINT: u8 = 0x01;

/// The number by which one side knows a session.
pub(super) type Discriminator = NonZeroU32;

/// One packet. Echo is never asked for, and demand mode neither offered nor minded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) diagnostic: BfdDiagnostic,
    pub(super) state: BfdState,
    pub(super) poll: bool,
    pub(super) is_final: bool,
    pub(super) multiplier: NonZeroU8,
    pub(super) my: Discriminator,
    pub(super) your: Option<Discriminator>,
    pub(super) desired_min_tx: Duration,
    pub(super) required_min_rx: Duration,
}

// === impl Packet ===

impl Packet {
    pub(super) fn encode(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[0] = VERSION << 5 | self.diagnostic.code();
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        bytes[1] = self.state.bits() << 6 | flag(self.poll, POLL) | flag(self.is_final, FINAL);
        bytes[2] = self.multiplier.get();
        bytes[3] = LENGTH as u8;
        let your = self.your.map_or(0, Discriminator::get);
        let words = [
            self.my.get(),
            your,
            micros(self.desired_min_tx),
            micros(self.required_min_rx),
        ];
        for (position, word) in words.into_iter().enumerate() {
            bytes[4 + 4 * position..][..4].copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// Reads what RFC 5880 section 6.8.6 lets pass, as far as that shows in the packet alone:
    /// version, length, multiplier, multipoint bit, both discriminators, and no authentication,
    /// as none is configured.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let fixed: &[u8; LENGTH] = bytes.first_chunk()?;
        let [first, flags, multiplier, length, ..] = *fixed;
        let length = usize::from(length);
        let word = |position: usize| {
            let word = fixed[position..]
                .first_chunk()
                .expect("six words are there");
            u32::from_be_bytes(*word)
        };
        let state = BfdState::from_bits(flags >> 6);
        let your = Discriminator::new(word(8));
        let anonymous = matches!(state, BfdState::Down | BfdState::AdminDown);
        if first >> 5 != VERSION
            || !(LENGTH..=bytes.len()).contains(&length)
            || flags & (AUTHENTICATED | MULTIPOINT) != 0
            || (your.is_none() && !anonymous)
        {
            return None;
        }
        Some(Self {
            diagnostic: BfdDiagnostic::from_code(first),
            state,
            poll: flags & POLL != 0,
            is_final: flags & FINAL != 0,
            multiplier: NonZeroU8::new(multiplier)?,
            my: Discriminator::new(word(4))?,
            your,
            desired_min_tx: Duration::from_micros(word(12).into()),
            required_min_rx: Duration::from_micros(word(16).into()),
        })
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet() -> Packet {
        Packet {
            diagnostic: BfdDiagnostic::NEIGHBOR_DOWN,
            state: BfdState::Up,
            poll: true,
            is_final: false,
            multiplier: NonZeroU8::new(3).unwrap(),
            my: Discriminator::new(0x0102_0304).unwrap(),
            your: Discriminator::new(7),
            desired_min_tx: Duration::from_millis(50),
            required_min_rx: Duration::from_millis(300),
        }
    }

    #[test]
    fn a_packet_is_laid_out_as_rfc_5880_draws_it() {
        let expected = [
            0x23, 0xe0, 3, 24, 1, 2, 3, 4, 0, 0, 0, 7, 0, 0, 0xc3, 0x50, 0, 4, 0x93, 0xe0, 0, 0, 0,
            0,
        ];
        assert_eq!(packet().encode(), expected);
        assert_eq!(Packet::decode(&expected), Some(packet()));
    }

    #[test]
    fn each_check_of_section_6_8_6_refuses_its_packet() {
        let good = packet().encode();
        let with = |position: usize, value: u8| {
            let mut bytes = good;
            bytes[position] = value;
            Packet::decode(&bytes)
        };
        assert_eq!(with(0, 0x03), None, "version 0");
        assert_eq!(with(0, 0x43), None, "version 2");
        assert_eq!(with(3, 23), None, "too short a length");
        assert_eq!(with(3, 25), None, "longer than what arrived");
        assert_eq!(with(2, 0), None, "multiplier 0");
        assert_eq!(with(1, 0xe0 | MULTIPOINT), None, "multipoint");
        assert_eq!(with(1, 0xe0 | AUTHENTICATED), None, "authenticated");
        assert_eq!(with(11, 0), None, "Up without your discriminator");
        let mut nameless = good;
        nameless[4..8].fill(0);
        assert_eq!(
            Packet::decode(&nameless),
            None,
            "no discriminator of its own"
        );
        assert_eq!(Packet::decode(&good[..23]), None, "cut");
        assert!(with(11, 7).is_some());
        for (state, passes) in [(0x00, true), (0x40, true), (0x80, false), (0xc0, false)] {
            let mut bytes = good;
            (bytes[1], bytes[11]) = (state, 0);
            assert_eq!(Packet::decode(&bytes).is_some(), passes, "state {state:#x}");
        }
    }

    #[test]
    fn bytes_after_the_packet_are_padding() {
        let mut long = packet().encode().to_vec();
        long.extend([0xff; 10]);
        assert_eq!(Packet::decode(&long), Some(packet()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut likely = bytes.clone();
            if likely.len() >= LENGTH {
                (likely[0], likely[3]) = (likely[0] & 0x1f | 0x20, LENGTH as u8);
                likely[1] &= !(AUTHENTICATED | MULTIPOINT);
            }
            for bytes in [&bytes, &likely] {
                if let Some(packet) = Packet::decode(bytes) {
                    prop_assert_eq!(Packet::decode(&packet.encode()), Some(packet));
                }
            }
        }
    }
}
