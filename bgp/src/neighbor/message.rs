//! Router advertisements and solicitations (RFC 4861 sections 4.1, 4.2).

use std::net::Ipv6Addr;

/// ICMPv6 types.
pub(crate) const SOLICITATION: u8 = 133;
/// See [`SOLICITATION`].
pub(crate) const ADVERTISEMENT: u8 = 134;

/// Sizes without options.
const SOLICITATION_LENGTH: usize = 8;
const ADVERTISEMENT_LENGTH: usize = 16;

/// What a neighbour sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is a router, with this link-local address.
    Router(Ipv6Addr),
    /// It wants to know who is a router.
    Question,
}

/// An advertisement that offers nothing: no default route (router lifetime 0), no prefix, no
/// parameters. The kernel fills in the checksum.
pub(super) fn advertisement() -> [u8; ADVERTISEMENT_LENGTH] {
    let mut message = [0; ADVERTISEMENT_LENGTH];
    message[0] = ADVERTISEMENT;
    message
}

/// Reads a message as RFC 4861 sections 6.1.1 and 6.1.2 demand: what came over a router, from
/// no link-local address, or is malformed, is nothing. The kernel has checked the checksum.
pub(super) fn parse(message: &[u8], source: Ipv6Addr, hop_limit: u8) -> Option<Heard> {
    let (kind, code) = (*message.first()?, *message.get(1)?);
    if hop_limit != u8::MAX || code != 0 {
        return None;
    }
    match kind {
        ADVERTISEMENT if source.is_unicast_link_local() => {
            options_are_whole(message.get(ADVERTISEMENT_LENGTH..)?).then_some(Heard::Router(source))
        }
        SOLICITATION => {
            options_are_whole(message.get(SOLICITATION_LENGTH..)?).then_some(Heard::Question)
        }
        _ => None,
    }
}

/// Options have a type, a length in units of eight bytes that is not zero, and nothing after.
fn options_are_whole(mut options: &[u8]) -> bool {
    while let [_, length, ..] = options {
        match options.get(usize::from(*length) * 8..) {
            Some(rest) if *length > 0 => options = rest,
            _ => return false,
        }
    }
    options.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);

    /// As FRR sends them, with its link-layer address as an option.
    fn advertised() -> Vec<u8> {
        let mut message = vec![ADVERTISEMENT, 0, 0x12, 0x34, 64, 0, 0, 18];
        message.extend([0; 8]);
        message.extend([1, 1, 2, 0, 0, 0, 0, 1]);
        message
    }

    #[test]
    fn an_advertisement_shows_its_source() {
        assert_eq!(
            parse(&advertised(), ROUTER, 255),
            Some(Heard::Router(ROUTER))
        );
        assert_eq!(
            parse(&advertisement(), ROUTER, 255),
            Some(Heard::Router(ROUTER))
        );
    }

    #[test]
    fn ours_offers_no_default_route() {
        assert_eq!(&advertisement()[6..8], [0, 0]);
    }

    #[test]
    fn a_solicitation_is_a_question_whoever_asks() {
        let message = [SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
        for source in [ROUTER, Ipv6Addr::UNSPECIFIED] {
            assert_eq!(parse(&message, source, 255), Some(Heard::Question));
        }
    }

    #[test]
    fn what_came_over_a_router_or_is_malformed_is_nothing() {
        let good = advertised();
        assert_eq!(parse(&good, ROUTER, 254), None);
        assert_eq!(parse(&good, "2001:db8::1".parse().unwrap(), 255), None);
        for length in [0, 1, 8, 15, 17, 20, 23] {
            assert_eq!(parse(&good[..length], ROUTER, 255), None, "{length} bytes");
        }
        let mut code = good.clone();
        code[1] = 1;
        assert_eq!(parse(&code, ROUTER, 255), None);
        let mut empty_option = good.clone();
        empty_option[17] = 0;
        assert_eq!(parse(&empty_option, ROUTER, 255), None);
        let mut long_option = good;
        long_option[17] = 2;
        assert_eq!(parse(&long_option, ROUTER, 255), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_nothing(
            bytes in proptest::collection::vec(any::<u8>(), 0..128),
            kind in 130_u8..138,
        ) {
            let _ = parse(&bytes, ROUTER, 255);
            let mut typed = bytes;
            if typed.len() > 1 {
                (typed[0], typed[1]) = (kind, 0);
            }
            if let Some(Heard::Router(router)) = parse(&typed, ROUTER, 255) {
                prop_assert_eq!(router, ROUTER);
                prop_assert!(typed.len() >= ADVERTISEMENT_LENGTH);
            }
        }
    }
}
