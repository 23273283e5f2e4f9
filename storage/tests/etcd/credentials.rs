use std::io::Write as _;

use metal_storage::{Error, Etcd, EtcdCredential, EtcdOptions, Store};

use crate::cluster::{Cluster, Disk, Place, require_etcd};
use crate::contents::{batch, put};
use crate::suite::patient;

#[tokio::test]
async fn a_wrong_credential_is_refused_and_a_right_one_survives_a_restart() {
    require_etcd();
    let mut cluster = Cluster::start_at(Disk::Durable, vec![Place::local()], &[]);
    let options = patient(&cluster);
    Etcd::connect(options.clone(), &[]).await.unwrap();
    cluster.ctl(&["user", "add", "root:geheim"]);
    cluster.ctl(&["user", "add", "guest:guest"]);
    cluster.ctl(&["auth", "enable"]);

    let refused = async |credential: Option<EtcdCredential>| {
        let options = EtcdOptions {
            credential,
            ..options.clone()
        };
        let error = Etcd::connect(options, &[]).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        error.to_string()
    };
    let said = refused(None).await;
    assert!(said.contains("asks who we are"), "{said}");
    let said = refused(Some(EtcdCredential::new("root", "falsch"))).await;
    assert!(said.contains("does not let in user \"root\""), "{said}");
    assert!(!said.contains("falsch"), "{said}");
    let said = refused(Some(EtcdCredential::new("guest", "guest"))).await;
    assert!(said.contains("permission denied"), "{said}");

    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"root\ngeheim\n").unwrap();
    let options = options.with_credential_file(file.path()).unwrap();
    assert!(!format!("{options:?}").contains("geheim"));
    let store = Etcd::connect(options, &[]).await.unwrap();
    store.commit(batch([put("a", 1)])).await.unwrap();
    // It has forgotten who had shown a password.
    cluster.members[0].kill();
    cluster.members[0].start();
    store.commit(batch([put("b", 1)])).await.unwrap();
}

#[test]
fn a_credential_file_without_a_password_is_refused_and_not_shown() {
    for text in ["", "geheim", "geheim\n", "\ngeheim\n", "geheim\nx\ny\n"] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let options = EtcdOptions::new(["127.0.0.1:1"]);
        let error = options.with_credential_file(file.path()).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{text:?}: {error:?}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_named_in_bounded_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().to_string();
    let nobody = Place::local().client_address();
    for address in [silent, nobody] {
        let begun = std::time::Instant::now();
        let error = Etcd::connect(EtcdOptions::new([&address]), &[])
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains(&address), "{error}");
        assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
    }
}
