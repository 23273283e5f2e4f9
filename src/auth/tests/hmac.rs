use super::*;

// The worked example: made with metal-python's driver, salt and clock pinned.
const KEY: &[u8] = b"metal-admin";
const DATE: &str = "2026-01-02T03:04:05Z";
const SALT: &str = "abcdefghijklmnopqrstuvwx";
const POST: &str = "9d02121681f8ed232b1b46b4981d7d38db370a5aba6861fba208d617da0f8443";
const GET: &str = "28af823639826b71ac374adacdf86683541cb9ded7b0f52aa266bdf2d3d6581e";

fn authenticator() -> Authenticator {
    let key = |role, secret, lifetime| RoleKey {
        role,
        key: HmacKey::new(secret),
        lifetime: Duration::from_secs(lifetime),
    };
    Authenticator::new(
        vec![
            key(Role::View, b"metal-view", 30),
            key(Role::Edit, b"metal-edit", 30),
            key(Role::Admin, KEY, 90),
        ],
        "metal-stack",
        Duration::from_secs(30),
        1000,
        wall(DATE) - chrono::Duration::hours(1),
    )
}

fn wall(date: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(date).expect("a date").to_utc()
}

fn at(seconds: i64) -> Moment {
    Moment {
        wall: wall(DATE) + chrono::Duration::seconds(seconds),
        monotonic: Instant::now(),
    }
}

fn headers(kind: &str, hex: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let authorization = format!("{kind} {hex}");
    headers.insert("authorization", authorization.parse().expect("a header"));
    headers.insert("x-date", DATE.parse().expect("a header"));
    headers.insert("x-data-salt", SALT.parse().expect("a header"));
    headers
}

#[test]
fn the_worked_example_of_metal_python_authenticates_as_admin() {
    let auth = authenticator();
    for (method, hex) in [(Method::POST, POST), (Method::GET, GET)] {
        let user = auth
            .authenticate(&method, &headers("Metal-Admin", hex), true, at(1))
            .expect("authentic");
        assert_eq!(user.role, Role::Admin);
        assert_eq!(user.email, "metal-admin@metal-stack.io");
        assert_eq!(user.tenant, "metal-stack");
    }
}

#[test]
fn a_signature_of_another_method_key_type_date_or_salt_is_wrong() {
    let auth = authenticator();
    let refused = |method: Method, headers: &HeaderMap| {
        auth.authenticate(&method, headers, false, at(1)).err()
    };
    let wrong = Some(Refusal::WrongHmac);
    assert_eq!(refused(Method::GET, &headers("Metal-Admin", POST)), wrong);
    assert_eq!(refused(Method::POST, &headers("Metal-Edit", POST)), wrong);
    let mut other = headers("Metal-Admin", POST);
    other.insert("x-date", "2026-01-02T03:04:06Z".parse().expect("a header"));
    assert_eq!(refused(Method::POST, &other), wrong);
    let mut other = headers("Metal-Admin", POST);
    other.insert(
        "x-data-salt",
        "bbcdefghijklmnopqrstuvwx".parse().expect("a header"),
    );
    assert_eq!(refused(Method::POST, &other), wrong);
}

#[test]
fn a_date_with_an_offset_is_signed_in_its_utc_form() {
    let auth = authenticator();
    let mut headers = headers("Metal-Admin", GET);
    let offset = "2026-01-02T04:04:05+01:00";
    headers.insert("x-date", offset.parse().expect("a header"));
    assert!(
        auth.authenticate(&Method::GET, &headers, false, at(1))
            .is_ok()
    );
}

#[test]
fn a_date_is_good_for_the_roles_lifetime_and_the_bounded_skew_ahead() {
    let auth = authenticator();
    let headers = headers("Metal-Admin", GET);
    let outcome = |now| {
        auth.authenticate(&Method::GET, &headers, false, at(now))
            .err()
    };
    assert_eq!(outcome(90), None);
    assert_eq!(outcome(91), Some(Refusal::TooOld(DATE.to_owned())));
    assert_eq!(outcome(-30), None);
    assert_eq!(outcome(-31), Some(Refusal::TooNew(DATE.to_owned())));
}

#[test]
fn a_writing_request_passes_once_and_a_reading_one_as_often_as_it_likes() {
    let auth = authenticator();
    let headers = headers("Metal-Admin", POST);
    let send = |writes| {
        auth.authenticate(&Method::POST, &headers, writes, at(1))
            .err()
    };
    assert_eq!(send(false), None);
    assert_eq!(send(false), None);
    assert_eq!(
        send(true),
        Some(Refusal::Replayed),
        "a find's signature is no key to a write"
    );
}

#[test]
fn a_write_signed_before_the_node_started_is_refused() {
    let mut auth = authenticator();
    auth.started = wall(DATE) + chrono::Duration::seconds(1);
    let headers = headers("Metal-Admin", POST);
    let send = |writes| {
        auth.authenticate(&Method::POST, &headers, writes, at(2))
            .err()
    };
    assert_eq!(send(false), None);
    let auth2 = authenticator();
    assert!(
        auth2
            .authenticate(&Method::POST, &headers, true, at(2))
            .is_ok()
    );
    auth.replay = ReplayGuard::new(10);
    assert_eq!(
        auth.authenticate(&Method::POST, &headers, true, at(2))
            .err(),
        Some(Refusal::BeforeStart)
    );
}

#[test]
fn malformed_headers_are_named() {
    let auth = authenticator();
    let refusal = |change: &dyn Fn(&mut HeaderMap)| {
        let mut headers = headers("Metal-Admin", GET);
        change(&mut headers);
        auth.authenticate(&Method::GET, &headers, false, at(1))
            .err()
    };
    let set = |name: &'static str, value: &'static str| {
        move |headers: &mut HeaderMap| {
            headers.insert(name, value.parse().expect("a header"));
        }
    };
    assert_eq!(
        refusal(&|h| {
            h.remove("authorization");
        }),
        Some(Refusal::Missing)
    );
    assert_eq!(
        refusal(&set("authorization", "Bearer abc")),
        Some(Refusal::UnknownType)
    );
    let authorization = Some(Refusal::Malformed("Authorization"));
    assert_eq!(refusal(&set("authorization", "Metal-Admin")), authorization);
    assert_eq!(
        refusal(&set("authorization", "Metal-Admin a b")),
        authorization
    );
    assert_eq!(
        refusal(&set("authorization", "Metal-Admin 28af")),
        authorization
    );
    assert_eq!(
        refusal(&set("x-date", "yesterday")),
        Some(Refusal::Malformed("X-Date"))
    );
    assert_eq!(
        refusal(&|h| {
            h.remove("x-data-salt");
        }),
        Some(Refusal::Malformed("X-Data-Salt"))
    );
}

#[test]
fn a_key_never_shows_in_debug_output() {
    let shown = format!("{:?}", authenticator());
    assert!(!shown.contains("metal-admin\""), "{shown}");
    assert!(shown.contains("HmacKey(..)"), "{shown}");
}
