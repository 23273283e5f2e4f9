//! The listener: TLS, its limits, and what it answers where HTTP goes wrong.

mod support;

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ALL_VERSIONS, ProtocolVersion, version};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use support::{
    Authority, Node, PATIENCE, Role, Settings, Snapshot, TlsSocket, assert_error, client_config,
    read_http_answer, read_until_closed,
};

const GET_VERSION: &str = "GET /v1/version HTTP/1.1\r\nHost: test\r\n\r\n";

#[tokio::test]
async fn plain_http_is_told_to_use_https() {
    let node = Node::start();
    for request in [
        GET_VERSION.to_owned(),
        format!(
            "PUT /v1/size HTTP/1.1\r\nHost: test\r\nContent-Length: 9000\r\n\r\n{}",
            "x".repeat(9000)
        ),
    ] {
        let mut stream = TcpStream::connect(node.api()).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let answer = read_http_answer(&mut stream).await.expect("an answer");
        assert_error(&answer, 400, "https");
        read_until_closed(&mut stream, PATIENCE).await;
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_work_and_1_1_is_refused() {
    let node = Node::start();
    for (version, expected) in [
        (&version::TLS12, ProtocolVersion::TLSv1_2),
        (&version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let tls = client_config(&node.ca(), &["http/1.1"], &[version]);
        let mut socket = TlsSocket::connect(node.api(), tls).await.expect("shaken");
        let (_, session) = socket.stream.get_ref();
        assert_eq!(session.protocol_version(), Some(expected));
        assert_eq!(socket.ask(GET_VERSION).await.expect("answer").status, 200);
    }

    // The same ClientHello is fine as one of TLS 1.2: a ServerHello begins.
    assert_eq!(answer_to_client_hello(&node, [3, 3]).await[..2], [22, 3]);
    // As one of TLS 1.1 it gets a fatal alert (RFC 5246, section 7.2):
    // protocol_version is 70.
    let alert = answer_to_client_hello(&node, [3, 2]).await;
    assert_eq!(alert[..1], [21], "no alert: {alert:?}");
    assert_eq!(alert[5..], [2, 70], "not protocol_version: {alert:?}");
}

#[tokio::test]
async fn alpn_chooses_http_2_or_http_1_1() {
    let node = Node::start();
    for (offered, chosen) in [
        (["h2", "http/1.1"].as_slice(), Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let socket = TlsSocket::connect(node.api(), node.tls(offered)).await;
        let socket = socket.expect("shaken");
        let (_, session) = socket.stream.get_ref();
        assert_eq!(session.alpn_protocol(), chosen.map(str::as_bytes));
        let client = node.client_with(Role::View, node.tls(offered));
        assert_eq!(client.get("/v1/size").await.status, 200, "{offered:?}");
    }
    let foreign = TlsSocket::connect(node.api(), node.tls(&["spdy/3"])).await;
    assert!(foreign.is_err(), "an unknown protocol was accepted");
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_connections_while_old_ones_go_on() {
    let authority = Authority::new();
    let first = authority.issue("first.example");
    let second = authority.issue("second.example");
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key) = (
        directory.path().join("tls.crt"),
        directory.path().join("tls.key"),
    );
    fs::write(&certificate, &first.certificate).expect("written");
    fs::write(&key, &first.key).expect("written");
    let mut node = Node::prepare(
        Settings::new()
            .with(
                "tls",
                format!("certificate = {:?}", certificate.display().to_string()),
            )
            .with("tls", format!("key = {:?}", key.display().to_string())),
    );
    node.trust(&authority.certificate());
    node.boot();

    let connect = async || {
        let tls = client_config(&authority.certificate(), &["http/1.1"], ALL_VERSIONS);
        TlsSocket::connect(node.api(), tls).await.expect("shaken")
    };
    let mut old = connect().await;
    assert_eq!(old.peer_certificate(), first.der());

    // Half of it: certificate and key do not fit, the old pair stays in use.
    fs::write(&key, &second.key).expect("written");
    sleep(Duration::from_millis(500)).await;
    assert_eq!(connect().await.peer_certificate(), first.der());

    fs::write(&certificate, &second.certificate).expect("written");
    let start = Instant::now();
    while connect().await.peer_certificate() != second.der() {
        assert!(
            start.elapsed() < PATIENCE,
            "the new certificate is not shown"
        );
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(old.ask(GET_VERSION).await.expect("answer").status, 200);
    assert_eq!(
        connect()
            .await
            .ask(GET_VERSION)
            .await
            .expect("answer")
            .status,
        200
    );
}

#[tokio::test]
async fn headers_that_are_too_long_are_refused() {
    let node = Node::with(Settings::new().with("listen", "max-header-bytes = \"16KiB\""));
    let admin = node.client(Role::Admin);
    let before = Snapshot::take(&admin).await;
    let signature = admin.sign("PUT").header_lines();
    let long = "x".repeat(64 * 1024);
    for head in [
        format!("PUT /v1/size HTTP/1.1\r\nHost: test\r\n{signature}X-Long: {long}\r\n\r\n"),
        format!("PUT /v1/size/{long} HTTP/1.1\r\nHost: test\r\n{signature}\r\n"),
        format!(
            "PUT /v1/size HTTP/1.1\r\nHost: test\r\n{signature}{}\r\n",
            "X-Many: 1\r\n".repeat(6000)
        ),
    ] {
        let tls = node.tls(&["http/1.1"]);
        let mut socket = TlsSocket::connect(node.api(), tls).await.expect("shaken");
        // The server may answer and close before it took everything.
        let _ = socket.write(&head).await;
        if let Ok(answer) = read_http_answer(&mut socket.stream).await {
            assert!(matches!(answer.status, 414 | 431), "{answer:?}");
        }
        read_until_closed(&mut socket.stream, PATIENCE).await;
    }
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn a_client_that_dribbles_is_cut_off_in_bounded_time() {
    let node = Node::with(
        Settings::new()
            .with("listen", "header-timeout = \"1s\"")
            .with("listen", "request-timeout = \"2s\""),
    );
    let bound = Duration::from_secs(10);
    let admin = node.client(Role::Admin);
    let before = Snapshot::take(&admin).await;

    // Nothing at all, not even TLS.
    let mut silent = TcpStream::connect(node.api()).await.expect("connected");
    // A part of a ClientHello.
    let mut half = TcpStream::connect(node.api()).await.expect("connected");
    half.write_all(&[0x16, 3, 1, 2]).await.expect("sent");
    let (_, _) = tokio::join!(
        read_until_closed(&mut silent, bound),
        read_until_closed(&mut half, bound)
    );

    let signature = admin.sign("PUT").header_lines();
    let head = format!("PUT /v1/size HTTP/1.1\r\nHost: test\r\n{signature}");
    let body = json!({ "id": "slow", "constraints": [] }).to_string();
    let slow_head = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    for sent_at_once in [0, slow_head.len() - body.len()] {
        let tls = node.tls(&["http/1.1"]);
        let mut socket = TlsSocket::connect(node.api(), tls).await.expect("shaken");
        let (at_once, rest) = slow_head.split_at(sent_at_once);
        socket.write(at_once).await.expect("sent");
        let (mut read, mut write) = tokio::io::split(socket.stream);
        let dribble = tokio::spawn({
            let rest = rest.to_owned();
            async move {
                for byte in rest.bytes() {
                    if write.write_all(&[byte]).await.is_err() || write.flush().await.is_err() {
                        return;
                    }
                    sleep(Duration::from_millis(200)).await;
                }
            }
        });
        let (answer, took) = read_until_closed(&mut read, bound).await;
        dribble.abort();
        assert!(took > Duration::from_millis(500), "cut off at once");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            !answer.starts_with("HTTP/1.1 2"),
            "it was executed: {answer}"
        );
    }
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let node = Node::with(Settings::new().with("listen", "idle-timeout = \"1s\""));
    let tls = node.tls(&["http/1.1"]);
    let mut socket = TlsSocket::connect(node.api(), tls).await.expect("shaken");
    assert_eq!(socket.ask(GET_VERSION).await.expect("answer").status, 200);
    let (_, took) = read_until_closed(&mut socket.stream, Duration::from_secs(10)).await;
    assert!(took > Duration::from_millis(500), "closed at once");
}

#[tokio::test]
async fn beyond_the_limit_of_connections_clients_are_told_so_and_later_served() {
    const LIMIT: usize = 8;
    let node = Node::with(Settings::new().with("listen", format!("max-connections = {LIMIT}")));
    let tls = Arc::new(node.tls(&["http/1.1"]));
    // Not the address that the node's own probes come from.
    let connect = async || {
        let socket = TcpSocket::new_v4().expect("a socket");
        let client = SocketAddr::from((IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 0));
        socket.bind(client).expect("the loopback range is ours");
        let tcp = socket.connect(node.api()).await?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&tls));
        let stream = connector.connect(node.api().ip().into(), tcp).await?;
        Ok::<_, std::io::Error>(TlsSocket { stream })
    };
    let mut held = Vec::new();
    for _ in 0..LIMIT {
        let mut socket = connect().await.expect("shaken");
        assert_eq!(socket.ask(GET_VERSION).await.expect("answer").status, 200);
        held.push(socket);
    }
    let mut beyond = connect().await.expect("shaken");
    let answer = beyond.ask(GET_VERSION).await.expect("an answer");
    assert_error(&answer, 503, "connections");
    read_until_closed(&mut beyond.stream, PATIENCE).await;
    for socket in &mut held {
        assert_eq!(socket.ask(GET_VERSION).await.expect("answer").status, 200);
    }

    held.clear();
    let served = async {
        loop {
            let mut socket = connect().await.expect("shaken");
            if socket
                .ask(GET_VERSION)
                .await
                .is_ok_and(|answer| answer.status == 200)
            {
                return;
            }
        }
    };
    timeout(PATIENCE, served).await.expect("room again");
}

#[tokio::test]
async fn nonsense_on_a_connection_harms_no_other() {
    let node = Node::start();
    let tls = || node.tls(&["http/1.1"]);
    let mut good = TlsSocket::connect(node.api(), tls()).await.expect("shaken");
    for nonsense in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /v1/size HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/size HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "POST /v1/size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        "\u{0}\u{1}\u{2}\u{3}",
    ] {
        let mut socket = TlsSocket::connect(node.api(), tls()).await.expect("shaken");
        let _ = socket.write(nonsense).await;
        let _ = socket.stream.shutdown().await;
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, socket.stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "{nonsense:?} holds its connection");
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{nonsense:?}");
        assert_eq!(good.ask(GET_VERSION).await.expect("answer").status, 200);
    }
}

async fn answer_to_client_hello(node: &Node, version: [u8; 2]) -> Vec<u8> {
    let mut stream = TcpStream::connect(node.api()).await.expect("connected");
    stream
        .write_all(&client_hello(version))
        .await
        .expect("sent");
    stream.shutdown().await.expect("still open");
    read_until_closed(&mut stream, PATIENCE).await.0
}

/// A ClientHello that offers `version` at most (RFC 5246, section 7.4.1.2).
fn client_hello(version: [u8; 2]) -> Vec<u8> {
    let mut hello = version.to_vec();
    hello.extend([7; 32]);
    hello.push(0);
    // With ECDHE and ECDSA: AES-128-GCM-SHA256, and AES-128-CBC-SHA for old versions.
    hello.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x09]);
    hello.extend([1, 0]);
    let extensions = [
        [0, 10, 0, 4, 0, 2, 0, 23].as_slice(), // supported_groups: secp256r1
        &[0, 11, 0, 2, 1, 0],                  // ec_point_formats: uncompressed
        &[0, 13, 0, 4, 0, 2, 4, 3],            // signature_algorithms: ecdsa_secp256r1_sha256
        &[0, 23, 0, 0],                        // extended_master_secret
    ]
    .concat();
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("short");
    hello.extend([0, length(&extensions)]);
    hello.extend(extensions);
    let mut handshake = vec![1, 0, 0, length(&hello)];
    handshake.extend(hello);
    let mut record = vec![22, 3, 1, 0, length(&handshake)];
    record.extend(handshake);
    record
}
