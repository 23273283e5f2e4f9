use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Answer, PATIENCE};

/// A TLS connection on which a test writes what it likes.
pub struct TlsSocket {
    pub stream: TlsStream<TcpStream>,
}

/// A client that trusts `ca` (PEM) and nothing else, offers `alpn` and speaks
/// `versions` only.
pub fn client_config(
    ca: &str,
    alpn: &[&str],
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots
            .add(certificate.expect("PEM"))
            .expect("a certificate of a CA");
    }
    let mut config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_protocol_versions(versions)
        .expect("the provider has suites for these versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    // A resumed session shows no certificate anew.
    config.resumption = rustls::client::Resumption::disabled();
    config
}

// === impl TlsSocket ===

impl TlsSocket {
    pub async fn connect(address: SocketAddr, config: ClientConfig) -> io::Result<Self> {
        let tcp = TcpStream::connect(address).await?;
        let name = ServerName::IpAddress(address.ip().into());
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, tcp);
        let stream = timeout(PATIENCE, handshake).await??;
        Ok(Self { stream })
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }

    /// Sends one HTTP/1.1 request and reads its answer; the connection stays.
    pub async fn ask(&mut self, request: &str) -> io::Result<Answer> {
        self.write(request).await?;
        read_http_answer(&mut self.stream).await
    }

    /// The certificate that the server showed, DER.
    pub fn peer_certificate(&self) -> Vec<u8> {
        let (_, session) = self.stream.get_ref();
        let chain = session.peer_certificates().expect("the handshake is done");
        chain[0].to_vec()
    }
}

/// Reads one HTTP/1.1 answer with a `Content-Length`.
pub async fn read_http_answer(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if timeout(PATIENCE, stream.read_buf(&mut bytes)).await?? == 0 {
            let seen = String::from_utf8_lossy(&bytes).into_owned();
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, seen));
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| io::Error::other(format!("no status line: {head:?}")))?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = bytes.split_off(head_end);
    while body.len() < length {
        if timeout(PATIENCE, stream.read_buf(&mut body)).await?? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
}

/// Reads until the peer closes, for `bound` at most; what was read, and how
/// long it took. A reset counts as closing.
pub async fn read_until_closed(
    stream: &mut (impl AsyncRead + Unpin),
    bound: Duration,
) -> (Vec<u8>, Duration) {
    let start = Instant::now();
    let mut bytes = Vec::new();
    let closed = timeout(bound, async {
        while let Ok(read) = stream.read_buf(&mut bytes).await {
            if read == 0 {
                break;
            }
        }
    });
    assert!(
        closed.await.is_ok(),
        "the server kept the connection for more than {bound:?}"
    );
    (bytes, start.elapsed())
}
