//! Every malformed message of RFC 4271 section 6 and RFC 7606, through a real connection: each is
//! answered with the exact NOTIFICATION, or survived where RFC 7606 says so.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail like the test")]

#[path = "../support/mod.rs"]
mod support;

mod bench;
mod message;

use bench::{Bench, Case, Stage, answered, closed, survived};
use message::{attribute, header, message, open, open_with, update};
use support::{KEEPALIVE, NOTIFICATION, OPEN, UPDATE};

const REFRESH: u8 = 5;
const EVERY_STAGE: [Stage; 3] = [Stage::OpenSent, Stage::OpenConfirm, Stage::Established];

/// ORIGIN, AS_PATH and NEXT_HOP of an ordinary route, and 198.51.100.0/24.
const ORIGIN: &[u8] = &[0x40, 1, 1, 0];
const AS_PATH: &[u8] = &[0x40, 2, 4, 2, 1, 0xFD, 0xE9];
const NEXT_HOP: &[u8] = &[0x40, 3, 4, 10, 0, 0, 2];
const PREFIX: &[u8] = &[24, 198, 51, 100];

#[test]
fn a_broken_header_is_a_message_header_error_in_every_state() {
    let mut marker = header(19, KEEPALIVE);
    marker[15] = 0xFE;
    let lengths = [
        (0, KEEPALIVE),
        (18, KEEPALIVE),
        (20, KEEPALIVE),
        (28, OPEN),
        (22, UPDATE),
        (20, NOTIFICATION),
        (22, REFRESH),
        (4097, UPDATE),
        (u16::MAX, OPEN),
    ];
    let mut cases = vec![Case::new("marker", marker, answered(1, 1, &[]))];
    cases.extend(lengths.map(|(length, kind)| {
        let bytes = header(length, kind);
        let expected = answered(1, 2, &length.to_be_bytes());
        Case::new(format!("type {kind} of length {length}"), bytes, expected)
    }));
    cases.extend([0, 6, 9, 255].map(|kind| {
        let expected = answered(1, 3, &[kind]);
        Case::new(format!("type {kind}"), header(19, kind), expected)
    }));
    for stage in EVERY_STAGE {
        Bench::new(stage).run(&cases);
    }
}

#[test]
fn a_wrong_open_is_an_open_message_error() {
    let parameters = |bytes: &[u8]| open_with(4, 65_001, 90, 2, bytes);
    let capability = |code: u8, value: &[u8]| {
        let length = value.len() as u8;
        let tlv = [&[2, length + 2, code, length], value].concat();
        parameters(&tlv)
    };
    // The optional parameters length says one more than there is.
    let mut too_long = open(65_001, 90, 2);
    *too_long.last_mut().unwrap() = 1;
    Bench::new(Stage::OpenSent).run(&[
        Case::new(
            "version 3",
            open_with(3, 65_001, 90, 2, &[]),
            answered(2, 1, &[0, 4]),
        ),
        Case::new(
            "version 5",
            open_with(5, 65_001, 90, 2, &[]),
            answered(2, 1, &[0, 4]),
        ),
        Case::new("another AS", open(65_002, 90, 2), answered(2, 2, &[])),
        Case::new("AS 0", open(0, 90, 2), answered(2, 2, &[])),
        Case::new(
            "another four-octet AS",
            capability(65, &65_002u32.to_be_bytes()),
            answered(2, 2, &[]),
        ),
        Case::new(
            "identifier 0",
            open_with(4, 65_001, 90, 0, &[]),
            answered(2, 3, &[]),
        ),
        Case::new("hold time 1", open(65_001, 1, 2), answered(2, 6, &[])),
        Case::new("hold time 2", open(65_001, 2, 2), answered(2, 6, &[])),
        Case::new(
            "authentication",
            parameters(&[1, 1, 0]),
            answered(2, 4, &[]),
        ),
        Case::new(
            "unknown parameter",
            parameters(&[99, 0]),
            answered(2, 4, &[]),
        ),
        Case::new("parameters too long", too_long, answered(2, 0, &[])),
        Case::new("half a parameter", parameters(&[2]), answered(2, 0, &[])),
        Case::new(
            "parameter too long",
            parameters(&[2, 9, 2, 0]),
            answered(2, 0, &[]),
        ),
        Case::new(
            "half a capability",
            parameters(&[2, 1, 2]),
            answered(2, 0, &[]),
        ),
        Case::new(
            "capability too long",
            parameters(&[2, 2, 65, 4]),
            answered(2, 0, &[]),
        ),
        Case::new(
            "a family of 3 bytes",
            capability(1, &[0, 1, 0]),
            answered(2, 0, &[]),
        ),
        Case::new(
            "an AS of 2 bytes",
            capability(65, &[0xFD, 0xE9]),
            answered(2, 0, &[]),
        ),
    ]);
}

#[test]
fn a_message_that_does_not_fit_the_state_is_an_fsm_error_that_names_state_and_type() {
    let messages = [
        (OPEN, open(65_001, 90, 2)),
        (KEEPALIVE, message(KEEPALIVE, &[])),
        (UPDATE, update(&[], &[], &[])),
        (REFRESH, message(REFRESH, &[0, 1, 0, 1])),
    ];
    let unfit: [(Stage, u8, &[u8]); 3] = [
        (Stage::OpenSent, 1, &[KEEPALIVE, UPDATE, REFRESH]),
        (Stage::OpenConfirm, 2, &[OPEN, UPDATE, REFRESH]),
        (Stage::Established, 3, &[OPEN]),
    ];
    for (stage, subcode, kinds) in unfit {
        let unfit = messages.iter().filter(|(kind, _)| kinds.contains(kind));
        let cases = unfit.map(|(kind, bytes)| {
            let expected = answered(5, subcode, &[*kind]);
            Case::new(format!("type {kind} in {stage:?}"), bytes.clone(), expected)
        });
        Bench::new(stage).run(&cases.collect::<Vec<_>>());
    }
}

#[test]
fn a_notification_is_never_answered_however_odd() {
    let cases = [
        vec![6, 2],
        vec![6, 2, 200, b'x'],
        vec![6, 2, 2, 0xFF, 0xFE],
        vec![99, 99, 1, 2, 3],
        vec![0, 0],
    ];
    let cases =
        cases.map(|body| Case::new(format!("{body:?}"), message(NOTIFICATION, &body), closed()));
    for stage in EVERY_STAGE {
        Bench::new(stage).run(&cases);
    }
}

#[test]
fn an_update_whose_prefixes_cannot_be_found_is_an_update_message_error() {
    let route = [ORIGIN, AS_PATH, NEXT_HOP].concat();
    let raw = |body: &[u8]| message(UPDATE, body);
    let reach = attribute(0x80, 14, &[0, 2, 1, 4, 1, 2, 3, 4, 0]);
    let unreach = attribute(0x80, 15, &[0, 2]);
    let twice = [&route[..], &unreach_all(), &unreach_all()].concat();
    Bench::new(Stage::Established).run(&[
        Case::new(
            "withdrawn beyond the message",
            raw(&[0, 9, 0, 0]),
            answered(3, 1, &[]),
        ),
        Case::new(
            "attributes beyond the message",
            raw(&[0, 0, 0, 9]),
            answered(3, 1, &[]),
        ),
        Case::new(
            "no room for the lengths",
            raw(&[0, 1, 0, 0]),
            answered(3, 1, &[]),
        ),
        Case::code(
            "NLRI of /33",
            update(&[], &route, &[33, 1, 2, 3, 4, 5]),
            (3, 10),
        ),
        Case::code("half an NLRI", update(&[], &route, &[24, 198]), (3, 10)),
        Case::code(
            "withdrawn /33",
            update(&[33, 1, 2, 3, 4, 5], &[], &[]),
            (3, 10),
        ),
        Case::code("half a withdrawn one", update(&[32, 1], &[], &[]), (3, 10)),
        Case::new(
            "a next hop of 4 bytes in IPv6",
            update(&[], &reach, &[]),
            answered(3, 9, &reach),
        ),
        Case::new(
            "MP_UNREACH without a SAFI",
            update(&[], &unreach, &[]),
            answered(3, 9, &unreach),
        ),
        Case::new(
            "MP_UNREACH twice",
            update(&[], &twice, &[]),
            answered(3, 1, &[]),
        ),
    ]);
}

fn unreach_all() -> Vec<u8> {
    attribute(0x80, 15, &[0, 2, 1])
}

#[test]
fn an_attribute_error_costs_the_routes_of_its_update_and_not_the_session() {
    let with = |attributes: &[&[u8]]| update(&[], &attributes.concat(), PREFIX);
    let extra = |flags, kind, value: &[u8]| {
        with(&[ORIGIN, AS_PATH, NEXT_HOP, &attribute(flags, kind, value)])
    };
    let origin = |bytes: &[u8]| with(&[bytes, AS_PATH, NEXT_HOP]);
    let path = |flags, value: &[u8]| with(&[ORIGIN, &attribute(flags, 2, value), NEXT_HOP]);
    let hop = |bytes: &[u8]| with(&[ORIGIN, AS_PATH, bytes]);
    Bench::new(Stage::Established).run(&[
        Case::new("ORIGIN missing", with(&[AS_PATH, NEXT_HOP]), survived(true)),
        Case::new("AS_PATH missing", with(&[ORIGIN, NEXT_HOP]), survived(true)),
        Case::new("NEXT_HOP missing", with(&[ORIGIN, AS_PATH]), survived(true)),
        Case::new(
            "ORIGIN of value 3",
            origin(&[0x40, 1, 1, 3]),
            survived(true),
        ),
        Case::new(
            "ORIGIN of length 2",
            origin(&[0x40, 1, 2, 0, 0]),
            survived(true),
        ),
        Case::new("ORIGIN of length 0", origin(&[0x40, 1, 0]), survived(true)),
        Case::new("optional ORIGIN", origin(&[0xC0, 1, 1, 0]), survived(true)),
        Case::new(
            "AS_PATH of type 9",
            path(0x40, &[9, 1, 0xFD, 0xE9]),
            survived(true),
        ),
        Case::new(
            "AS_PATH overrun",
            path(0x40, &[2, 3, 0xFD, 0xE9]),
            survived(true),
        ),
        Case::new(
            "AS_PATH underrun",
            path(0x40, &[2, 1, 0xFD, 0xE9, 2]),
            survived(true),
        ),
        Case::new(
            "AS_PATH with an empty segment",
            path(0x40, &[2, 0]),
            survived(true),
        ),
        Case::new(
            "non-transitive AS_PATH",
            path(0x00, &[2, 1, 0xFD, 0xE9]),
            survived(true),
        ),
        Case::new(
            "NEXT_HOP of length 3",
            hop(&[0x40, 3, 3, 10, 0, 0]),
            survived(true),
        ),
        Case::new(
            "NEXT_HOP 0.0.0.0",
            hop(&[0x40, 3, 4, 0, 0, 0, 0]),
            survived(true),
        ),
        Case::new(
            "NEXT_HOP multicast",
            hop(&[0x40, 3, 4, 224, 0, 0, 1]),
            survived(true),
        ),
        Case::new("MED of length 3", extra(0x80, 4, &[0; 3]), survived(true)),
        Case::new("transitive MED", extra(0xC0, 4, &[0; 4]), survived(true)),
        Case::new(
            "LOCAL_PREF of length 3",
            extra(0x40, 5, &[0; 3]),
            survived(true),
        ),
        Case::new(
            "ATOMIC_AGGREGATE of length 1",
            extra(0x40, 6, &[0]),
            survived(true),
        ),
        Case::new(
            "AGGREGATOR of length 5",
            extra(0xC0, 7, &[0; 5]),
            survived(true),
        ),
        Case::new(
            "COMMUNITIES of length 0",
            extra(0xC0, 8, &[]),
            survived(true),
        ),
        Case::new(
            "COMMUNITIES of length 3",
            extra(0xC0, 8, &[0; 3]),
            survived(true),
        ),
        Case::new(
            "ORIGINATOR_ID of length 3",
            extra(0x80, 9, &[0; 3]),
            survived(true),
        ),
        Case::new(
            "CLUSTER_LIST of length 5",
            extra(0x80, 10, &[0; 5]),
            survived(true),
        ),
        Case::new(
            "extended COMMUNITIES of length 7",
            extra(0xC0, 16, &[0; 7]),
            survived(true),
        ),
        Case::new(
            "large COMMUNITIES of length 11",
            extra(0xC0, 32, &[0; 11]),
            survived(true),
        ),
        Case::new(
            "an unknown well-known attribute",
            extra(0x40, 200, &[0]),
            survived(true),
        ),
        Case::new(
            "an attribute beyond the attributes",
            extra_raw(&[0xC0, 8, 99, 0]),
            survived(true),
        ),
        Case::new(
            "half an attribute header",
            extra_raw(&[0xC0, 8]),
            survived(true),
        ),
        Case::new(
            "one byte of an attribute",
            extra_raw(&[0xC0]),
            survived(true),
        ),
        Case::new(
            "half an extended length",
            extra_raw(&[0xD0, 8, 0]),
            survived(true),
        ),
        Case::new(
            "ORIGIN twice",
            with(&[ORIGIN, AS_PATH, NEXT_HOP, ORIGIN]),
            survived(true),
        ),
    ]);
}

fn extra_raw(bytes: &[u8]) -> Vec<u8> {
    update(&[], &[ORIGIN, AS_PATH, NEXT_HOP, bytes].concat(), PREFIX)
}

#[test]
fn what_is_only_unusual_is_no_error() {
    let route = [ORIGIN, AS_PATH, NEXT_HOP].concat();
    let extra = |flags, kind, value: &[u8]| {
        let attributes = [&route[..], &attribute(flags, kind, value)].concat();
        update(&[], &attributes, PREFIX)
    };
    let own_as = [0x40, 2, 4, 2, 1, 0x5B, 0xA0];
    Bench::new(Stage::Established).run(&[
        Case::new(
            "an ordinary route",
            update(&[], &route, PREFIX),
            survived(false),
        ),
        Case::new("End-of-RIB", update(&[], &[], &[]), survived(false)),
        Case::new(
            "a withdrawal of nothing known",
            update(PREFIX, &[], &[]),
            survived(false),
        ),
        Case::new(
            "an unknown transitive attribute",
            extra(0xC0, 200, &[1, 2]),
            survived(false),
        ),
        Case::new(
            "an unknown attribute",
            extra(0x80, 201, &[]),
            survived(false),
        ),
        Case::new(
            "an extended length",
            extra(0xD0, 8, &[0; 4]),
            survived(false),
        ),
        Case::new(
            "a family that is not spoken",
            extra(0x80, 14, &[0, 25, 70, 4, 1, 2, 3, 4, 0]),
            survived(false),
        ),
        Case::new(
            "a refresh of an unknown family",
            message(REFRESH, &[0, 99, 0, 99]),
            survived(false),
        ),
        Case::new(
            "our own AS in the path",
            update(&[], &[ORIGIN, &own_as, NEXT_HOP].concat(), PREFIX),
            survived(false),
        ),
    ]);
}

#[test]
fn silence_is_a_hold_timer_error_after_the_negotiated_time() {
    let bench = Bench::with_hold_time(Stage::Established, 3);
    bench.run(&[Case::new("silence", Vec::new(), answered(4, 0, &[]))]);
}
