//! NOTIFICATION messages in words.

use rustbgpd_wire::NotificationMessage;
use rustbgpd_wire::notification::{description, extract_shutdown_communication};

/// Names a NOTIFICATION: `Cease 6/2 (Administrative Shutdown), "maintenance"`. The text of the
/// peer (RFC 9003) is quoted and escaped, at most 255 bytes long on the wire.
pub(crate) fn describe(notification: &NotificationMessage) -> String {
    let (code, subcode) = (notification.code, notification.subcode);
    let mut text = format!(
        "{code} {}/{subcode} ({})",
        code.as_u8(),
        description(code, subcode)
    );
    if let Ok(Some(said)) = extract_shutdown_communication(notification)
        && !said.is_empty()
    {
        text.push_str(&format!(", {said:?}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rustbgpd_wire::NotificationCode;
    use rustbgpd_wire::notification::encode_shutdown_communication;

    use super::*;

    #[test]
    fn a_notification_is_named_with_its_numbers_and_what_the_peer_said() {
        let said = encode_shutdown_communication("leaf upgrade\n");
        let shutdown = NotificationMessage::new(NotificationCode::Cease, 2, said);
        assert_eq!(
            describe(&shutdown),
            r#"Cease 6/2 (Administrative Shutdown), "leaf upgrade\n""#
        );
        let bad = NotificationMessage::new(NotificationCode::OpenMessage, 2, Bytes::new());
        assert_eq!(describe(&bad), "OPEN Message Error 2/2 (Bad Peer AS)");
    }
}
