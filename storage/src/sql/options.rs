use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::ddl::Migration;
use super::engine::Engine;
use super::identity;
use crate::error::{Result, invalid};
use crate::limits::{HISTORY_REVISIONS, REVISION_WAIT};

/// Where a database is, and the bounds of a [`Sql`](super::Sql) store on it.
///
/// Its `Debug` form hides the password.
#[derive(Clone)]
pub struct SqlOptions {
    pub(super) engine: Engine,
    pub(super) connect: PgConnectOptions,
    sslmode: Option<PgSslMode>,
    key: Option<PathBuf>,
    /// Connect without TLS to what is not this machine. Whoever is on the way reads everything
    /// and can change it.
    pub allow_plain: bool,
    /// What makes the tables; `None` derives it from the schemas that the store is opened with.
    pub migrations: Option<&'static [Migration]>,
    /// Bring the tables up to date when connecting, rather than refuse a database that is not.
    pub migrate: bool,
    /// How long one waits for another node that is migrating.
    pub migrate_wait: Duration,
    /// How long a migrating node may say nothing before another takes over.
    pub migrate_lease: Duration,
    /// Connections at most, one more than that on PostgreSQL, which listens.
    pub connections: u32,
    /// How long one waits for a connection, and so how long a read waits in an outage before it
    /// is refused.
    pub connect_wait: Duration,
    /// How long the server may take for one statement, and how long a transaction may idle. A
    /// read is tried again for as long.
    pub statement_wait: Duration,
    /// How long a commit is tried again, on conflicts with other nodes or when it is unknown
    /// whether it happened.
    pub retry_wait: Duration,
    /// Revisions that each scope remembers, at least one: changes for watchers, operation ids for
    /// repeated commits. An eighth more may be kept. Nothing bounds their bytes but this number
    /// and [`BATCH_BYTES`](crate::limits::BATCH_BYTES) for each: plan the database's disk by what
    /// the records of so many commits take.
    pub history_revisions: u64,
    /// Commits of one scope that wait at most.
    pub queue: usize,
    /// How long a commit waits for a place in the queue before it is refused.
    pub queue_wait: Duration,
    /// How long a commit waits for its answer before it is given up as unknown.
    pub commit_wait: Duration,
    /// Commits that share one transaction at most.
    pub group_batches: usize,
    /// Bytes of commits that share one transaction; the batch that exceeds it is its last.
    pub group_bytes: usize,
    /// How long reads and watchers wait for a revision that is not reached.
    pub revision_wait: Duration,
    /// How often watched scopes are looked at. On PostgreSQL this is for notifications that were
    /// lost; on CockroachDB it is what a watcher waits at most.
    pub poll: Duration,
}

// === impl SqlOptions ===

impl SqlOptions {
    /// The database at `postgres://USER@HOST:PORT/DATABASE` or `cockroach://…`. Of the parameters
    /// behind `?` those of libpq for TLS are known: `sslmode`, `sslrootcert`, `sslcert`, `sslkey`.
    ///
    /// A host that is not this machine must prove who it is (`sslmode=verify-full`, which need
    /// not be said). One proves who one is by a password or by `sslcert` and `sslkey`, of which
    /// the key must be readable by its owner alone (or by root's group, if it is root's).
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if it is no such URL. The error does not repeat it, as
    /// it may hold a password.
    pub fn new(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| {
            invalid!("a database is named by a URL such as postgres://user@host/database")
        })?;
        let engine = match scheme {
            "postgres" | "postgresql" => Engine::Postgres,
            "cockroach" | "cockroachdb" => Engine::Cockroach,
            other => {
                return Err(invalid!(
                    "{other:?} is no database that is known: use postgres or cockroach"
                ));
            }
        };
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let database = place.split_once('/').map(|(_, database)| database);
        if database.is_none_or(str::is_empty) {
            return Err(invalid!("the database's URL names no database: …/DATABASE"));
        }
        let named = |parameter: &str| parameter.split('=').next().unwrap_or_default().to_owned();
        let mut explicit = false;
        for parameter in parameters.split('&').filter(|p| !p.is_empty()).map(named) {
            match parameter.as_str() {
                "sslmode" => explicit = true,
                "sslrootcert" | "sslcert" | "sslkey" | "host" => {}
                other => {
                    return Err(invalid!(
                        "the database's URL has an unknown parameter, {other:?}"
                    ));
                }
            }
        }
        let connect = PgConnectOptions::from_str(&format!("postgres://{rest}"))
            .map_err(|_| invalid!("the database's URL is malformed"))?;
        let sslmode = explicit.then(|| connect.get_ssl_mode());
        let port = place.rsplit_once('@').map_or(place, |(_, host)| host);
        let port = port.split('/').next().unwrap_or_default();
        let named_port = port
            .rsplit_once(':')
            .is_some_and(|(_, n)| n.parse::<u16>().is_ok());
        let connect = match engine {
            Engine::Cockroach if !named_port => connect.port(26_257),
            _ => connect,
        };
        Ok(Self {
            engine,
            connect,
            sslmode,
            key: identity::key(parameters)?,
            allow_plain: false,
            migrations: None,
            migrate: true,
            migrate_wait: Duration::from_secs(60),
            migrate_lease: Duration::from_secs(15),
            connections: 16,
            connect_wait: Duration::from_secs(5),
            statement_wait: Duration::from_secs(5),
            retry_wait: Duration::from_secs(8),
            history_revisions: HISTORY_REVISIONS,
            queue: 1024,
            queue_wait: Duration::from_secs(1),
            commit_wait: Duration::from_secs(12),
            group_batches: 256,
            group_bytes: 4 * 1024 * 1024,
            revision_wait: REVISION_WAIT,
            poll: match engine {
                Engine::Postgres => Duration::from_secs(2),
                Engine::Cockroach => Duration::from_millis(50),
            },
        })
    }

    /// The password, from a file: its first line.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid), naming the file, if it cannot be read or is empty.
    pub fn password_file(mut self, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|e| invalid!("the database's password in {}: {e}", path.display()))?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(invalid!("{} holds no password", path.display()));
        }
        self.connect = self.connect.password(password);
        Ok(self)
    }

    /// The certificates that may have signed the server's, in PEM, besides those that browsers
    /// trust.
    #[must_use]
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.connect = self.connect.ssl_root_cert(path);
        self
    }

    /// Which database the URL's scheme asks for.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// What a connection is made with.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if it would send what is stored over a network without
    /// knowing to whom, or if others can use its key.
    pub(super) fn checked(&self) -> Result<PgConnectOptions> {
        let host = self.connect.get_host();
        let here = self.connect.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        let mode = match self.sslmode {
            None if here => PgSslMode::Disable,
            None => PgSslMode::VerifyFull,
            Some(PgSslMode::VerifyFull) => PgSslMode::VerifyFull,
            Some(mode) if here || self.allow_plain => mode,
            Some(_) => {
                return Err(invalid!(
                    "{host} is another machine, and only sslmode=verify-full proves that it is the database; plain connections must be allowed explicitly"
                ));
            }
        };
        if let Some(key) = &self.key {
            identity::check(key)?;
        }
        let wait = format!("{}ms", self.statement_wait.as_millis().max(1));
        Ok(self
            .connect
            .clone()
            .ssl_mode(mode)
            .application_name("metal-storage")
            .statement_cache_capacity(512)
            .options([
                ("statement_timeout", wait.as_str()),
                ("idle_in_transaction_session_timeout", wait.as_str()),
            ])
            .disable_statement_logging())
    }

    /// The database, without user and password.
    pub(super) fn place(&self) -> String {
        let host = match self.connect.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => self.connect.get_host().to_owned(),
        };
        format!(
            "{} {host}:{}/{}",
            self.engine,
            self.connect.get_port(),
            self.connect.get_database().unwrap_or_default()
        )
    }
}

impl fmt::Debug for SqlOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SqlOptions({} as {})",
            self.place(),
            self.connect.get_username()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        SqlOptions::new(url).unwrap_err().to_string()
    }

    #[test]
    fn a_url_that_is_none_is_refused_and_not_repeated() {
        assert!(refused("hello").contains("postgres://user@host/database"));
        assert!(refused("mysql://a/b").contains("\"mysql\" is no database"));
        assert!(refused("postgres://me:s3cret@host").contains("names no database"));
        assert!(refused("postgres://me:s3cret@host/").contains("names no database"));
        for url in [
            "postgres://me:s3cret@host:port/d",
            "postgres://me:s3cret@host/d?sslmode=maybe",
            "postgres://me:s3cret@host/d?sslmod=require",
            "postgres://me:s3cret@host/d?sslcert=/a",
            "postgres://me:s3cret@host/d?sslcert=/a&sslkey=/%61",
            "postgres://me:s3cret@/d:/",
        ] {
            if let Err(error) = SqlOptions::new(url) {
                assert!(!error.to_string().contains("s3cret"), "{error}");
            }
        }
    }

    #[test]
    fn a_certificate_comes_with_its_key() {
        for parameters in ["sslcert=/a", "sslkey=/a"] {
            let said = refused(&format!("postgres://me@host/d?{parameters}"));
            assert!(said.contains("belong together"), "{said}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let options = SqlOptions::new("postgres://me:s3cret@host/d").unwrap();
        assert_eq!(
            format!("{options:?}"),
            "SqlOptions(PostgreSQL host:5432/d as me)"
        );
    }

    #[test]
    fn another_machine_must_prove_who_it_is() {
        let mode = |url: &str| {
            let options = SqlOptions::new(url).unwrap();
            options.checked().map(|checked| checked.get_ssl_mode())
        };
        for (url, expected) in [
            ("postgres://me@127.0.0.1/d", PgSslMode::Disable),
            ("postgres://me@localhost/d", PgSslMode::Disable),
            ("postgres://me@[::1]/d", PgSslMode::Disable),
            (
                "postgres://me@localhost/d?sslmode=verify-full",
                PgSslMode::VerifyFull,
            ),
            ("postgres://me@db.example/d", PgSslMode::VerifyFull),
            (
                "cockroach://me@10.0.0.1/d?sslmode=verify-full",
                PgSslMode::VerifyFull,
            ),
        ] {
            assert_eq!(
                format!("{:?}", mode(url).unwrap()),
                format!("{expected:?}"),
                "{url}"
            );
        }
        for mode_name in ["disable", "allow", "prefer", "require", "verify-ca"] {
            let url = format!("postgres://me@db.example/d?sslmode={mode_name}");
            let error = mode(&url).unwrap_err().to_string();
            assert!(
                error.starts_with("db.example is another machine"),
                "{error}"
            );
            let mut options = SqlOptions::new(&url).unwrap();
            options.allow_plain = true;
            assert!(options.checked().is_ok());
        }
    }

    #[test]
    fn an_engine_has_its_own_port() {
        for (url, port) in [
            ("cockroach://me@host/d", 26_257),
            ("cockroach://me@host:1/d", 1),
            ("cockroach://me:2@[::1]/d", 26_257),
            ("postgres://me@host/d", 5_432),
        ] {
            assert_eq!(
                SqlOptions::new(url).unwrap().connect.get_port(),
                port,
                "{url}"
            );
        }
    }
}
