//! What the answers of etcd that are errors mean.

use std::time::Duration;

use tonic::Status;

use super::fault::{Fault, chain};
use crate::error::Error;

pub(super) fn asks_for_token(status: &Status) -> bool {
    [
        "invalid auth token",
        "user name is empty",
        "revision of auth store is old",
        "revision in auth store is old",
    ]
    .iter()
    .any(|text| status.message().contains(text))
}

/// What a status says of the request. Only what etcd says before it proposes a change is taken
/// for a promise that nothing happened.
pub(super) fn classify(status: &Status) -> Fault {
    let message = status.message();
    let says = |text: &str| message.contains(text);
    if asks_for_token(status) {
        return refused(format!("etcd asks who we are: {message}"));
    }
    if says("required revision has been compacted") {
        return Fault::Compacted;
    }
    if says("request is too large") || says("too many operations") {
        return refused(format!(
            "etcd permits less than we need, see --max-request-bytes and --max-txn-ops: {message}"
        ));
    }
    if says("database space exceeded") {
        return Fault::Full(message.to_owned());
    }
    if says("no leader") || says("too many requests") {
        return Fault::NotDone(message.to_owned());
    }
    if never_sent(status) {
        return Fault::NotDone(text(status));
    }
    match status.code() {
        tonic::Code::InvalidArgument
        | tonic::Code::FailedPrecondition
        | tonic::Code::PermissionDenied
        | tonic::Code::ResourceExhausted
        | tonic::Code::Unimplemented => refused(message.to_owned()),
        _ => Fault::Unknown(text(status)),
    }
}

/// Whether the connection had gone and there was no other.
fn never_sent(status: &Status) -> bool {
    let first = std::error::Error::source(status);
    std::iter::successors(first, |error| error.source())
        .any(|error| error.is::<tonic::ConnectError>())
}

pub(super) fn refused(reason: String) -> Fault {
    Fault::Refused(Error::Unavailable { reason })
}

pub(super) fn late(wait: Duration) -> Status {
    Status::deadline_exceeded(format!("no answer in {wait:?}"))
}

pub(super) fn text(status: &Status) -> String {
    match std::error::Error::source(status) {
        Some(source) => chain(source),
        None => status.message().to_owned(),
    }
}
