//! Whether a client would be answered.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::probe::{Finding, Probe};
use crate::edge::certificates::Certificates;
use crate::edge::tls;

/// The status line that a probe wants to see.
const WANTED: &[u8] = b"HTTP/1.1 200 ";

/// Opens a connection to a listener, does a full TLS handshake and asks for
/// `GET /v1/version`, as a client would.
#[derive(Clone)]
pub struct FrontDoor {
    name: Arc<str>,
    address: SocketAddr,
    connector: TlsConnector,
    request: Arc<str>,
}

// === impl FrontDoor ===

impl FrontDoor {
    /// Probes the listener on `address`, which serves `certificates`. Requests
    /// carry `request_id`.
    pub fn new(
        address: SocketAddr,
        certificates: Arc<Certificates>,
        request_id: &str,
    ) -> Result<Self, rustls::Error> {
        let provider = tls::provider();
        let verifier = SameCertificate {
            certificates,
            provider: Arc::clone(&provider),
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let address = reachable(address);
        Ok(Self {
            name: format!("api {address}").into(),
            address,
            connector: TlsConnector::from(Arc::new(config)),
            request: format!(
                "GET /v1/version HTTP/1.1\r\nHost: {address}\r\nX-Request-Id: {request_id}\r\n\
                 Connection: close\r\n\r\n"
            )
            .into(),
        })
    }

    async fn probe(self) -> Finding {
        match self.ask().await {
            Ok(()) => Finding::Good,
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                let ip = self.address.ip();
                let length = if ip.is_ipv4() { 32 } else { 128 };
                Finding::bad(format!(
                    "{ip} is on no interface of this node: ip address add {ip}/{length} dev lo"
                ))
            }
            Err(error) => Finding::bad(format!("the listener {}: {error}", self.address)),
        }
    }

    async fn ask(&self) -> io::Result<()> {
        let stream = self.connect().await?;
        let name = ServerName::IpAddress(self.address.ip().into());
        let mut stream = self.connector.connect(name, stream).await?;
        stream.write_all(self.request.as_bytes()).await?;
        let mut answer = [0_u8; WANTED.len()];
        stream.read_exact(&mut answer).await?;
        if answer == WANTED {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&answer).trim_end().to_owned();
        Err(io::Error::other(format!("answered {line:?}")))
    }

    /// From the address to itself. Without a source address the request could
    /// leave the node and be answered by another one with the same address.
    async fn connect(&self) -> io::Result<TcpStream> {
        let socket = if self.address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        let mut source = self.address;
        source.set_port(0);
        socket.bind(source)?;
        socket.connect(self.address).await
    }
}

impl Probe for FrontDoor {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&self) -> BoxFuture<'static, Finding> {
        self.clone().probe().boxed()
    }
}

/// An address of this node at which a listener on `address` is reached.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

/// Accepts just the certificate that this node serves: a probe asks whether
/// the listener works, not whether somebody trusts it.
#[derive(Debug)]
struct SameCertificate {
    certificates: Arc<Certificates>,
    provider: Arc<CryptoProvider>,
}

// === impl SameCertificate ===

impl ServerCertVerifier for SameCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.certificates.current().leaf {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
