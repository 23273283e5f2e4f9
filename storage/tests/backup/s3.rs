//! A bucket of s3s-fs, an S3 server that checks signatures, over TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use metal_storage::backup::{self, Error, Place, RestoreOptions, S3Options};
use metal_storage::{Memory, Scope, Store};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::kit::*;

const ACCESS: &str = "test-access";
const SECRET: &str = "test-secret-that-nobody-sees";

struct Server {
    address: SocketAddr,
    folder: TempDir,
    _tasks: JoinSet<()>,
}

// === impl Server ===

impl Server {
    /// A server on loopback with the bucket `backups`.
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir_all(folder.path().join("root/backups")).unwrap();
        let service = {
            let files = s3s_fs::FileSystem::new(folder.path().join("root")).unwrap();
            let mut builder = S3ServiceBuilder::new(files);
            builder.set_auth(SimpleAuth::from_single(ACCESS, SECRET));
            builder.build()
        };
        let acceptor = TlsAcceptor::from(Arc::new(tls(folder.path())));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, service) = (acceptor.clone(), service.clone());
                connections.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let served = server.serve_connection(TokioIo::new(stream), service);
                    served.await.ok();
                });
            }
        });
        let server = Self {
            address,
            folder,
            _tasks: tasks,
        };
        let text =
            format!("[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n");
        std::fs::write(server.credentials(), text).unwrap();
        server
    }

    fn credentials(&self) -> std::path::PathBuf {
        self.folder.path().join("credentials")
    }

    fn options(&self) -> S3Options {
        S3Options {
            endpoint: Some(format!("https://localhost:{}", self.address.port())),
            ca_file: Some(self.folder.path().join("ca.crt")),
            credentials_file: Some(self.credentials()),
            ..S3Options::default()
        }
    }

    fn place(&self) -> Place {
        Place::parse("s3://backups/fra/store.zst", &self.options()).unwrap()
    }
}

/// A certificate for localhost, of an authority in `ca.crt`.
fn tls(folder: &Path) -> rustls::ServerConfig {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.join("ca.crt"), ca.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = params.signed_by(&key, &ca).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap()
}

async fn write(place: &Place, store: &dyn Store, plain: bool) {
    let mut options = options();
    if plain {
        options.compression = backup::Compression::None;
    }
    let mut sink = place.create().await.unwrap();
    backup::backup(&parts(store), &SCHEMAS, &options, sink.writer(), &|_| {})
        .await
        .unwrap();
    sink.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_gives_back_what_was_put_into_it() {
    let server = Server::start().await;
    let place = server.place();
    assert!(!place.exists().await.unwrap());
    let store = Memory::new();
    for i in 0..200 {
        store
            .commit(put(thing(&Scope::Global, &format!("{i:03}"), 1)))
            .await
            .unwrap();
    }
    write(&place, &store, false).await;
    assert!(place.exists().await.unwrap());
    let to = Memory::new();
    restore_into(&to, place, &RestoreOptions::default())
        .await
        .unwrap();
    assert_eq!(contents(&to).await, contents(&store).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_backup_is_uploaded_in_parts() {
    let server = Server::start().await;
    let place = server.place();
    let store = Memory::new();
    let text = "x".repeat(1_000_000);
    for i in 0..40 {
        let mut record = other(&Scope::Global, &format!("{i:02}"));
        record.doc = serde_json::to_vec(&text).unwrap().into();
        store.commit(put(record)).await.unwrap();
    }
    write(&place, &store, true).await;
    let to = Memory::new();
    let summary = restore_into(&to, place, &RestoreOptions::default())
        .await
        .unwrap();
    assert!(summary.bytes > 40_000_000, "{}", summary.bytes);
    assert_eq!(contents(&to).await, contents(&store).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let server = Server::start().await;
    let place = server.place();
    let sink = place.create().await.unwrap();
    sink.abort().await;
    assert!(!place.exists().await.unwrap());
    let error = restore_into(&Memory::new(), place, &RestoreOptions::default()).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no such bucket or object"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_and_an_unknown_authority_are_refused_without_showing_the_secret() {
    let server = Server::start().await;
    let create = async |options: &S3Options| {
        let place = Place::parse("s3://backups/key", options)?;
        place.create().await.map(drop)
    };
    let mut wrong = server.options();
    wrong.credentials_file = None;
    wrong.keys = Some((ACCESS.into(), "not the secret".into(), None));
    let mut unknown = server.options();
    let other = Server::start().await;
    unknown.ca_file = other.options().ca_file;
    let mut missing = server.options();
    missing.credentials_file = None;
    for options in [wrong, unknown, missing] {
        let error: Error = create(&options).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("s3://backups/key"), "{text}");
        assert!(
            !text.contains(SECRET) && !text.contains("not the secret"),
            "{text}"
        );
    }
}
