//! Messages byte by byte.

use crate::support::{OPEN, UPDATE};

/// A header alone, whatever length it claims.
pub fn header(length: u16, kind: u8) -> Vec<u8> {
    let mut bytes = vec![0xFF; 16];
    bytes.extend(length.to_be_bytes());
    bytes.push(kind);
    bytes
}

/// A message with the right length.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = header(19 + body.len() as u16, kind);
    bytes.extend(body);
    bytes
}

/// An OPEN without optional parameters; the identifier is `10.0.0.last`.
pub fn open(asn: u16, hold_time: u16, last: u8) -> Vec<u8> {
    open_with(4, asn, hold_time, last, &[])
}

/// An OPEN; `last` 0 makes the identifier 0.
pub fn open_with(version: u8, asn: u16, hold_time: u16, last: u8, parameters: &[u8]) -> Vec<u8> {
    let mut body = vec![version];
    body.extend(asn.to_be_bytes());
    body.extend(hold_time.to_be_bytes());
    body.extend(if last == 0 { [0; 4] } else { [10, 0, 0, last] });
    body.push(parameters.len() as u8);
    body.extend(parameters);
    message(OPEN, &body)
}

/// A path attribute.
pub fn attribute(flags: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flags, kind];
    if flags & 0x10 != 0 {
        bytes.push(0);
    }
    bytes.push(value.len() as u8);
    bytes.extend(value);
    bytes
}

/// An UPDATE with the right lengths of its fields.
pub fn update(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    let mut body = (withdrawn.len() as u16).to_be_bytes().to_vec();
    body.extend(withdrawn);
    body.extend((attributes.len() as u16).to_be_bytes());
    body.extend(attributes);
    body.extend(nlri);
    message(UPDATE, &body)
}
