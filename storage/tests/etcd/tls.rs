use std::path::{Path, PathBuf};

use metal_storage::{Error, Etcd, EtcdOptions, EtcdTls, Store};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::cluster::{Cluster, Disk, Place, require_etcd};
use crate::contents::{batch, put};
use crate::suite::patient;

struct Authority {
    pem: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

// === impl Authority ===

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = folder.join(format!("{name}.pem"));
        std::fs::write(&pem, params.self_signed(&key).unwrap().pem()).unwrap();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    fn sign(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let names = vec!["127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).unwrap();
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let paths = (
            folder.join(format!("{name}.crt")),
            folder.join(format!("{name}.key")),
        );
        std::fs::write(&paths.0, cert.pem()).unwrap();
        std::fs::write(&paths.1, key.serialize_pem()).unwrap();
        paths
    }
}

fn with(options: &EtcdOptions, tls: EtcdTls) -> EtcdOptions {
    EtcdOptions {
        tls,
        ..options.clone()
    }
}

async fn refused(options: EtcdOptions) {
    let address = options.endpoints[0].clone();
    let error = Etcd::connect(options, &[]).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains(&address), "{error}");
}

#[tokio::test]
async fn tls_that_does_not_match_is_refused_and_our_own_authority_is_trusted() {
    require_etcd();
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new(folder.path(), "ours");
    let theirs = Authority::new(folder.path(), "theirs");
    let (cert, key) = ours.sign(folder.path(), "member");
    let identity = ours.sign(folder.path(), "client");
    let [ca, cert, key] = [&ours.pem, &cert, &key].map(|path| path.to_str().unwrap());
    let args = [
        "--cert-file",
        cert,
        "--key-file",
        key,
        "--trusted-ca-file",
        ca,
        "--client-cert-auth",
    ];
    let cluster = Cluster::start_at(Disk::Careless, vec![Place::local()], &args);
    let options = cluster.options();
    let on = |ca: Option<&PathBuf>, identity: Option<(PathBuf, PathBuf)>| EtcdTls::On {
        ca: ca.cloned(),
        identity,
    };
    let good = with(
        &patient(&cluster),
        on(Some(&ours.pem), Some(identity.clone())),
    );
    let store = Etcd::connect(good, &[]).await.unwrap();
    store.commit(batch([put("a", 1)])).await.unwrap();

    refused(with(&options, EtcdTls::Off)).await;
    refused(with(&options, on(Some(&ours.pem), None))).await;
    refused(with(
        &options,
        on(Some(&theirs.pem), Some(identity.clone())),
    ))
    .await;
    refused(with(&options, on(None, Some(identity)))).await;
    let missing = on(Some(&folder.path().join("missing")), None);
    let error = Etcd::connect(with(&options, missing), &[])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

#[tokio::test]
async fn tls_to_a_plain_member_is_refused() {
    require_etcd();
    let options = crate::suite::shared().options();
    let tls = EtcdTls::On {
        ca: None,
        identity: None,
    };
    let mut options = with(&options, tls);
    options.endpoints.truncate(1);
    refused(options).await;
}
