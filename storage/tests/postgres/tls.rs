//! TLS to the database: who it is must be proved.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use metal_storage::conformance::SCHEMAS;
use metal_storage::{Sql, SqlOptions, Store};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use tempfile::TempDir;

use crate::kit::{put, refused};
use crate::postgres::{PASSWORD, Postgres, USER};

struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate for a role, and its key.
    fn identity(&self, role: &str) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, role);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        [certificate, key.serialize_pem()]
    }

    /// A server with a certificate for this name.
    fn serve(&self, name: &str) -> Postgres {
        let server = Postgres::start();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        let certificate = server.write("server.crt", &certificate);
        let key = server.write("server.key", &key.serialize_pem());
        for (setting, path) in [("ssl_cert_file", certificate), ("ssl_key_file", key)] {
            let set = format!("ALTER SYSTEM SET {setting} = '{}'", path.display());
            server.sql("postgres", &set);
        }
        server.sql("postgres", "ALTER SYSTEM SET ssl = on");
        server.sql("postgres", "SELECT pg_reload_conf()");
        server
    }
}

/// The options for a server, which must prove to be `localhost`, by this authority.
fn options(server: &Postgres, database: &str, ca: &Ca, folder: &TempDir) -> SqlOptions {
    let file = folder.path().join("ca.crt");
    std::fs::write(&file, &ca.pem).unwrap();
    let url = server
        .create_database(database)
        .replace("127.0.0.1", "localhost");
    let options = SqlOptions::new(&format!("{url}?sslmode=verify-full")).unwrap();
    options.ca_file(file)
}

#[tokio::test]
async fn only_a_server_that_proves_its_name_by_ones_own_authority_is_spoken_to() {
    let folder = TempDir::new().unwrap();
    let (ours, theirs) = (Ca::new("ours"), Ca::new("theirs"));

    let server = ours.serve("localhost");
    let good = options(&server, "good", &ours, &folder);
    let store = Sql::connect(good, SCHEMAS).await.unwrap();
    store.commit(put("a")).await.unwrap();
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'metal-storage'";
    assert_eq!(server.sql("good", encrypted), "t");
    store.close().await;

    let said = refused(options(&server, "strange", &theirs, &folder))
        .await
        .to_string();
    assert!(
        said.contains("invalid peer certificate: UnknownIssuer"),
        "{said}"
    );

    let elsewhere = ours.serve("db.example");
    let said = refused(options(&elsewhere, "named", &ours, &folder))
        .await
        .to_string();
    assert!(said.contains("not valid for name \"localhost\""), "{said}");

    let plain = Postgres::start();
    let said = refused(options(&plain, "plain", &ours, &folder))
        .await
        .to_string();
    assert!(
        said.contains("TLS") && said.contains("not support"),
        "{said}"
    );

    let mut missing = options(&server, "missing", &ours, &folder);
    missing = missing.ca_file(folder.path().join("nothing.crt"));
    let said = refused(missing).await.to_string();
    assert!(
        said.contains("nothing.crt") || said.contains("No such file"),
        "{said}"
    );
}

#[tokio::test]
async fn one_proves_who_one_is_by_a_certificate_whose_key_is_ones_own() {
    let folder = TempDir::new().unwrap();
    let (ours, theirs) = (Ca::new("ours"), Ca::new("theirs"));
    let server = ours.serve("localhost");
    let url = server.create_database("identity");
    let ca = server.write("ca.crt", &ours.pem);
    server.write(
        "data/pg_hba.conf",
        "local all all trust\nhostssl all all all cert\n",
    );
    let set = format!("ALTER SYSTEM SET ssl_ca_file = '{}'", ca.display());
    server.sql("postgres", &set);
    server.sql("postgres", "SELECT pg_reload_conf()");

    let place = url
        .replace("127.0.0.1", "localhost")
        .replace(&format!(":{PASSWORD}"), "");
    let with = |ca: &Ca, role: &str, mode: u32| {
        let [certificate, key] = ca.identity(role);
        let files = [
            ("client.crt", certificate, 0o644),
            ("client.key", key, mode),
        ];
        let [certificate, key] = files.map(|(name, text, mode)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path.display().to_string()
        });
        let root = folder.path().join("ca.crt");
        std::fs::write(&root, &ours.pem).unwrap();
        let parameters = format!("sslmode=verify-full&sslcert={certificate}&sslkey={key}");
        let options = SqlOptions::new(&format!("{place}?{parameters}")).unwrap();
        options.ca_file(root)
    };

    let store = Sql::connect(with(&ours, USER, 0o600), SCHEMAS)
        .await
        .unwrap();
    store.commit(put("a")).await.unwrap();
    store.close().await;

    let said = refused(with(&ours, USER, 0o644)).await.to_string();
    assert!(said.contains("client.key has mode 0644"), "{said}");
    let said = refused(with(&ours, "other", 0o600)).await.to_string();
    assert!(said.contains("authentication failed"), "{said}");
    refused(with(&theirs, USER, 0o600)).await;
    refused(options(&server, "without", &ours, &folder)).await;
    let gone = with(&ours, USER, 0o600);
    std::fs::remove_file(folder.path().join("client.key")).unwrap();
    let said = refused(gone).await.to_string();
    assert!(said.contains("client.key: No such file"), "{said}");
}
