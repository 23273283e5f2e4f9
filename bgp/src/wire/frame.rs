//! Cutting a byte stream into messages.

use bytes::{Bytes, BytesMut};
use rustbgpd_wire::{DecodeError, NotificationCode, NotificationMessage, peek_message_length};

/// Smallest length of each message type, header included (RFC 4271 section 4, RFC 2918).
const MINIMA: [(u8, u16); 5] = [(1, 29), (2, 23), (3, 21), (4, 19), (5, 23)];

/// What is wrong with a message, as what it is answered with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// To be reported through the state machine.
    Decode(DecodeError),
    /// The codec has no error that leads to this answer.
    Answer(NotificationMessage),
}

/// Takes one whole message off the front of `inbox`, or nothing if more bytes are needed.
///
/// # Errors
///
/// A wrong marker, length or type (RFC 4271 section 6.1), found before the body is waited for.
pub(crate) fn next_frame(inbox: &mut BytesMut, limit: u16) -> Result<Option<Bytes>, Fault> {
    let Some(length) = peek_message_length(inbox, limit).map_err(Fault::Decode)? else {
        return Ok(None);
    };
    let kind = inbox[18];
    let too_short = MINIMA
        .iter()
        .any(|(of, minimum)| *of == kind && length < *minimum);
    // The codec answers these with the error of the message that it took the bytes for, and a
    // KEEPALIVE of a wrong length without the length that section 6.1 asks for.
    if too_short || (kind == 4 && length != 19) {
        return Err(Fault::Answer(NotificationMessage::new(
            NotificationCode::MessageHeader,
            2,
            Bytes::copy_from_slice(&length.to_be_bytes()),
        )));
    }
    let whole = inbox.len() >= usize::from(length);
    Ok(whole.then(|| inbox.split_to(usize::from(length)).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(length: u16, kind: u8) -> BytesMut {
        let mut bytes = BytesMut::from(&[0xFF; 16][..]);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&[kind]);
        bytes
    }

    #[test]
    fn messages_are_cut_exactly_where_they_end() {
        let mut inbox = header(19, 4);
        inbox.extend_from_slice(&header(19, 4)[..10]);
        assert_eq!(next_frame(&mut inbox, 4096).unwrap().unwrap().len(), 19);
        assert_eq!(next_frame(&mut inbox, 4096), Ok(None));
        assert_eq!(inbox.len(), 10);
    }

    #[test]
    fn a_message_too_short_for_its_type_is_a_bad_message_length() {
        for (kind, length) in [(1, 28), (2, 22), (3, 20), (4, 20), (5, 22)] {
            let Err(Fault::Answer(answer)) = next_frame(&mut header(length, kind), 4096) else {
                panic!("type {kind} with length {length} was let through");
            };
            assert_eq!((answer.code.as_u8(), answer.subcode), (1, 2));
            assert_eq!(answer.data[..], length.to_be_bytes());
        }
    }

    #[test]
    fn a_length_beyond_what_was_negotiated_is_refused_before_the_body_arrives() {
        let refused = next_frame(&mut header(4097, 2), 4096);
        assert!(matches!(
            refused,
            Err(Fault::Decode(DecodeError::InvalidLength { length: 4097 }))
        ));
        assert_eq!(next_frame(&mut header(4097, 2), 65_535), Ok(None));
    }
}
