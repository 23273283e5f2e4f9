use bytes::Bytes;
use serde_json::{Value, json};

use crate::audit::redact::{RAW, cut, is_secret, recorded, without_credentials};

/// Every field of the API's document and of its clients, and which of them are secrets.
const FIELDS: &str = include_str!("../../../tests/fixtures/api-fields.txt");

/// What a name has in it that somebody must decide about.
const SUSPICIOUS: [&str; 9] = [
    "pass",
    "secret",
    "key",
    "token",
    "cred",
    "user_data",
    "auth",
    "cert",
    "sign",
];

/// Suspicious names of what is no secret: public keys.
const HARMLESS: [&str; 1] = ["ssh_pub_keys"];

fn record(body: &str) -> String {
    recorded(&[Bytes::from(body.to_owned())], body.len(), 4096)
}

#[test]
fn every_secret_field_of_the_api_is_redacted_and_no_other() {
    let mut secrets = 0;
    for line in FIELDS.lines() {
        let (name, secret) = match line.strip_suffix(" secret") {
            Some(name) => (name, true),
            None => (line, false),
        };
        secrets += usize::from(secret);
        assert_eq!(is_secret(name), secret, "{name}");
        let suspicious = SUSPICIOUS.iter().any(|word| name.contains(word));
        assert!(
            !suspicious || secret || HARMLESS.contains(&name),
            "{name}: is it a secret?"
        );
        let shown: Value =
            serde_json::from_str(&record(&json!({name: "hidden"}).to_string())).unwrap();
        assert_eq!(shown[name] == "hidden", !secret, "{name}");
    }
    assert!(secrets >= 4);
}

#[test]
fn secrets_are_redacted_at_every_depth_and_in_every_spelling() {
    let body = json!({
        "user_data": "hidden", "userData": ["hidden"], "UserData": {"x": "hidden"},
        "ipmi": {"password": "hidden", "user": "admin"},
        "list": [{"annotations": {"example.com/api-token": "hidden"}}],
        "clientSecret": "hidden", "AccessKeyId": "hidden",
        "url": "https://me:hidden@images.example/x?y=1",
        "password": "", "ssh_pub_keys": ["ssh-ed25519 AAAA"],
    });
    let shown = record(&body.to_string());
    assert!(!shown.contains("hidden"), "{shown}");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        shown["ipmi"],
        json!({"password": "(redacted)", "user": "admin"})
    );
    assert_eq!(shown["url"], "https://(redacted)@images.example/x?y=1");
    assert_eq!(shown["ssh_pub_keys"], json!(["ssh-ed25519 AAAA"]));
    assert_eq!(shown["password"], "", "that there is none is no secret");
}

#[test]
fn what_is_no_json_is_not_recorded() {
    for body in ["password=hidden", "{\"password\": \"hidden\"", "\u{1}"] {
        let shown = record(body);
        assert_eq!(shown, format!("({} bytes, not JSON)", body.len()));
    }
    let deep = "[".repeat(10_000);
    assert!(record(&deep).contains("not JSON"));
    assert_eq!(record(""), "");
}

#[test]
fn what_is_recorded_of_a_body_is_bounded() {
    let long = json!({"description": "x".repeat(5000), "id": "s"});
    let shown = record(&long.to_string());
    assert!(
        shown.contains("3976 bytes more") && shown.contains("\"s\""),
        "{shown}"
    );
    let many = json!((0..5000).collect::<Vec<_>>());
    let shown = record(&many.to_string());
    assert!(shown.len() < 4096 + 64 && shown.ends_with("bytes more)"));
    let longer = recorded(&[], RAW + 1, 4096);
    assert_eq!(
        longer,
        format!("({} bytes, too long to be recorded)", RAW + 1)
    );
    // In the middle of a character.
    assert_eq!(cut("äää".into(), 3), "ä… (4 bytes more)");
}

#[test]
fn every_url_of_a_text_loses_its_credentials() {
    for (text, shown) in [
        ("no url", "no url"),
        ("http://a/b@c", "http://a/b@c"),
        (
            "x=ftp://u:p@h y=http://q@h:1/z",
            "x=ftp://(redacted)@h y=http://(redacted)@h:1/z",
        ),
        (
            "url: \"https://u:p@ss@h\" is bad",
            "url: \"https://(redacted)@h\" is bad",
        ),
        ("://", "://"),
    ] {
        assert_eq!(without_credentials(text.to_owned()), shown);
    }
}
