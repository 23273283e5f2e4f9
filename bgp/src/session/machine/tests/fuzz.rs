//! A session that is sent anything at all.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::peer::FakePeer;
use super::*;

/// What may happen to a message on its way.
#[derive(Debug, Clone)]
enum Mutation {
    Replace(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        6 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        1 => at().prop_map(Mutation::Remove),
        1 => at().prop_map(Mutation::Truncate),
    ]
}

fn mutate(body: &mut Vec<u8>, mutation: &Mutation) {
    if body.is_empty() {
        return;
    }
    let length = body.len();
    match mutation {
        Mutation::Replace(at, byte) => body[at.index(length)] = *byte,
        Mutation::Insert(at, byte) => body.insert(at.index(length), *byte),
        Mutation::Remove(at) => {
            body.remove(at.index(length));
        }
        Mutation::Truncate(at) => body.truncate(at.index(length)),
    }
}

/// Bodies of good messages, with their type.
fn good() -> Vec<(u8, Vec<u8>)> {
    let mut other_end = FakePeer::wanting(announcement(&[Community::new(1, 2)]));
    let mut all = vec![
        Message::Open(FakePeer::open(8)),
        Message::Keepalive,
        Message::RouteRefresh(RouteRefreshMessage::new(Afi::Ipv4, Safi::Unicast)),
        Message::Notification(NotificationMessage::new(
            NotificationCode::Cease,
            2,
            Bytes::from_static(b"\x03bye"),
        )),
    ];
    all.extend(other_end.updates().into_iter().map(Message::Update));
    let body = |message: &Message| {
        let bytes = encode_message(message).unwrap();
        (bytes[18], bytes[19..].to_vec())
    };
    all.iter().map(body).collect()
}

/// What must hold after anything was received.
fn check(peer: &mut FakePeer) -> Result<(), TestCaseError> {
    let answers: Vec<_> = std::iter::from_fn(|| peer.next()).collect();
    let notifications = answers.iter();
    let notifications = notifications.filter(|m| matches!(m, Message::Notification(_)));
    let ended = peer.machine.end().is_some();
    prop_assert!(notifications.count() <= usize::from(ended));
    prop_assert!(peer.machine.inbox.len() <= usize::from(u16::MAX));
    if let Some(End::Lost(reason)) = peer.machine.end() {
        prop_assert!(!reason.is_empty() && reason.len() < 4096, "{reason}");
        prop_assert!(!reason.contains('\n'), "{reason}");
    }
    prop_assert!(ended || peer.machine.deadline().is_some() || peer.machine.negotiated().is_some());
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_survived_and_answered_once_at_the_most(
        bytes in vec(any::<u8>(), 0..300),
        framed: bool,
        kind in 0..7u8,
        established: bool,
    ) {
        let mut peer = match established {
            true => FakePeer::established(),
            false => FakePeer::connect(),
        };
        while peer.next().is_some() {}
        if framed {
            peer.send(&header(19 + bytes.len() as u16, kind));
        }
        for part in bytes.chunks(7) {
            peer.send(part);
        }
        check(&mut peer)?;
    }

    #[test]
    fn good_messages_that_were_changed_on_the_way_are_survived(
        messages in vec((select(good()), vec(mutation(), 0..6)), 1..6),
        established: bool,
    ) {
        let mut peer = match established {
            true => FakePeer::established(),
            false => FakePeer::connect(),
        };
        while peer.next().is_some() {}
        for ((kind, mut body), mutations) in messages {
            mutations.iter().for_each(|mutation| mutate(&mut body, mutation));
            peer.send(&header(19 + body.len() as u16, kind));
            peer.send(&body);
        }
        check(&mut peer)?;
    }
}
