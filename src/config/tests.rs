use std::{fs, path::PathBuf, time::Duration};

use super::*;

mod bgp;

/// A directory with a configuration file in it, and what is said beside it.
struct Case {
    dir: tempfile::TempDir,
    sources: Sources,
}

impl Case {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("edge.toml");
        fs::write(&path, text).unwrap();
        let sources = Sources {
            file: Some(path),
            environment: vec![],
            flags: vec![],
        };
        Self { dir, sources }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.push((name.into(), value.into()));
        self
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn loaded(&self) -> Loaded {
        Config::load(&self.sources).unwrap()
    }

    /// The problems as a user sees them, without the directory.
    fn problems(&self) -> Vec<String> {
        let dir = format!("{}/", self.dir.path().display());
        let Problems(problems) = Config::load(&self.sources).unwrap_err();
        let shown = problems.iter().map(ToString::to_string);
        shown.map(|line| line.replace(&dir, "")).collect()
    }
}

fn refused(text: &str) -> Vec<String> {
    Case::new(text).problems()
}

#[test]
fn without_a_file_a_node_runs_on_its_defaults() {
    let sources = Sources {
        file: None,
        environment: vec![("METAL_EDGE_CONFIG".into(), String::new())],
        flags: vec![],
    };
    let loaded = Config::load(&sources).unwrap();
    let config = loaded.config;
    assert_eq!(config.partition.as_str(), "dev");
    assert_eq!(config.listen.api, ["127.0.0.1:8443".parse().unwrap()]);
    assert_eq!(config.listen.admin, "127.0.0.1:8081".parse().unwrap());
    assert_eq!(config.listen.max_body.bytes(), 1 << 20);
    assert_eq!(config.tls, Tls::OwnCa);
    assert_eq!(config.auth.provider_tenant, "metal-stack");
    assert_eq!(config.auth.hmac.admin.lifetime, Duration::from_secs(90));
    assert_eq!(config.bgp, None);
    assert_eq!(config.health.interval, Duration::from_millis(100));
    assert!(config.data_dir.path().is_absolute());
    assert!(loaded.warnings.is_empty());
}

#[test]
fn the_example_file_is_a_valid_configuration_that_names_every_key() {
    let text = include_str!("../../metal-edge.example.toml");
    let case = Case::new(text);
    let config = case.loaded().config;
    assert_eq!(config.partition.as_str(), "fra");
    let bgp = config.bgp.unwrap();
    assert_eq!(bgp.announce.len(), 2);
    let asn = "4210000001".parse().unwrap();
    assert_eq!(bgp.peers[0].asn, PeerAsn::Exactly(asn));
    for key in KEYS.iter().chain(PEER_KEYS).chain(PREFIX_KEYS) {
        let word = key.rsplit('.').next().unwrap();
        let named = text.lines().any(|line| {
            line.trim_start_matches(['#', ' '])
                .starts_with(&format!("{word} = "))
        });
        assert!(named, "{key}");
    }
}

#[test]
fn the_example_file_stays_valid_with_every_commented_setting_enabled() {
    let text = include_str!("../../metal-edge.example.toml");
    let enabled: Vec<_> = text
        .lines()
        .map(|line| match line.strip_prefix("#") {
            Some(rest) if rest.starts_with("[[") => rest,
            Some(rest) if !rest.starts_with(' ') && rest.contains(" = ") => rest,
            _ => line,
        })
        .collect();
    let mut sources = Case::new(&enabled.join("\n")).sources;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("edge.toml");
    fs::write(&path, enabled.join("\n")).unwrap();
    sources.file = Some(path);
    let config = Config::load_without_files(&sources).unwrap().config;
    assert!(matches!(config.tls, Tls::Files { .. }));
    let levels = config.bgp.unwrap().levels;
    assert_eq!(levels.healthy.med(), Some(10));
    assert_eq!(levels.degraded.prepend(), 2);
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let text = "partition = \"file\"\nnode = \"file\"\n[log]\nlevel = \"warn\"\n";
    let mut case = Case::new(text)
        .variable("METAL_EDGE_PARTITION", "environment")
        .variable("METAL_EDGE_NODE", "environment")
        .variable("UNRELATED", "x");
    case.sources.flags.push(Flag {
        name: "--node",
        key: "node",
        value: "flag".into(),
    });
    let config = case.loaded().config;
    assert_eq!(config.partition.as_str(), "environment");
    assert_eq!(config.node.as_str(), "flag");
    assert_eq!(config.log.level, "warn");
}

#[test]
fn the_environment_can_say_all_that_the_file_can() {
    let case = Case::new("[[bgp.peer]]\naddress = \"10.9.9.9\"\nasn = 1\n")
        .variable("METAL_EDGE_LISTEN_API", "192.0.2.1:443, [2001:db8::1]:443")
        .variable("METAL_EDGE_LISTEN_MAX_CONNECTIONS", "77")
        .variable("METAL_EDGE_GUARD_ENABLED", "false")
        .variable("METAL_EDGE_BGP_ASN", "64086.59905")
        .variable("METAL_EDGE_BGP_ROUTER_ID", "10.0.0.1")
        .variable("METAL_EDGE_BGP_ANNOUNCE", "192.0.2.1/32")
        .variable(
            "METAL_EDGE_BGP_PEER",
            "[{address = '10.0.0.254', asn = 4210000001}]",
        );
    let config = case.loaded().config;
    assert_eq!(config.listen.api.len(), 2);
    assert_eq!(config.listen.max_connections, 77);
    assert!(!config.guard.enabled);
    let bgp = config.bgp.unwrap();
    assert_eq!(bgp.asn.get(), 4200000001);
    assert_eq!(bgp.peers.len(), 1);
    assert_eq!(
        bgp.peers[0].address,
        "10.0.0.254".parse::<std::net::IpAddr>().ok()
    );
    assert_eq!(bgp.peers[0].port, 179);
    assert_eq!(bgp.peers[0].hold_time, Duration::from_secs(8));
}

#[test]
fn every_problem_is_reported_with_its_file_line_column_and_key() {
    let text = "\
partition = 7
data_dir = \"/x\"
[listen]
api = [\"127.0.0.1:8443\", \"localhost:1\"]
admn = \"127.0.0.1:8081\"
request-timeout = \"30\"
max-body = \"1M\"
[health]
interval = 100
";
    assert_eq!(
        refused(text),
        [
            "edge.toml:1:13: partition: expected 1 to 63 characters of a-z, A-Z, 0-9, '.', '_' and '-', \
             the first a letter or digit, found the number 7",
            "edge.toml:2:1: data_dir: unknown key; did you mean data-dir?",
            "edge.toml:4:26: listen.api: expected an address and port, like \"192.0.2.1:443\" or \
             \"[2001:db8::1]:443\", found \"localhost:1\"",
            "edge.toml:5:1: listen.admn: unknown key; did you mean listen.admin?",
            "edge.toml:6:19: listen.request-timeout: expected a duration with its unit, like \"500ms\", \
             \"30s\" or \"5m\", found \"30\"",
            "edge.toml:7:12: listen.max-body: expected a size, like \"512\", \"16KiB\" or \"1MiB\", found \"1M\"",
            "edge.toml:9:12: health.interval: expected a duration with its unit, like \"500ms\", \"30s\" \
             or \"5m\", found the number 100",
        ]
    );
}

#[test]
fn a_syntax_error_names_its_place() {
    let problems = refused("partition = \"fra\"\n[listen\nadmin = 1\n");
    assert!(problems[0].starts_with("edge.toml:2:"), "{problems:?}");
    let problems = refused("node = \"a\"\nnode = \"b\"\n");
    assert!(
        problems[0].starts_with("edge.toml:2:1: duplicate key"),
        "{problems:?}"
    );
}

#[test]
fn an_unknown_environment_variable_is_refused() {
    let case = Case::new("").variable("METAL_EDGE_PARTITON", "fra");
    assert_eq!(
        case.problems(),
        ["METAL_EDGE_PARTITON: no such setting; did you mean METAL_EDGE_PARTITION?"]
    );
    let case = Case::new("").variable("METAL_EDGE_LISTEN_ADMIN", "x");
    assert!(case.problems()[0].starts_with("METAL_EDGE_LISTEN_ADMIN: listen.admin: expected"));
}

#[test]
fn a_missing_file_is_refused_by_name() {
    let mut case = Case::new("");
    case.sources.file = Some(case.dir.path().join("none.toml"));
    let problems = case.problems();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("none.toml: No such file"),
        "{problems:?}"
    );
}

#[test]
fn plain_http_does_not_leave_the_machine() {
    let problems = refused("[listen]\nadmin = \"0.0.0.0:8081\"\n");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("edge.toml:2:9: listen.admin: 0.0.0.0 is not a loopback address"));
    Case::new("[listen]\nadmin = \"[::1]:8081\"\n").loaded();
}

#[test]
fn listeners_that_would_collide_are_refused() {
    for api in [
        "[\"127.0.0.1:1\", \"127.0.0.1:1\"]",
        "[\"0.0.0.0:1\", \"192.0.2.1:1\"]",
        "[\"127.0.0.1:8081\"]",
        "[\"0.0.0.0:8081\"]",
        "[]",
    ] {
        let problems = refused(&format!("[listen]\napi = {api}\n"));
        assert_eq!(problems.len(), 1, "{api} {problems:?}");
        assert!(
            problems[0].starts_with("edge.toml:2:7: listen.api: "),
            "{problems:?}"
        );
    }
    Case::new("[listen]\napi = [\"127.0.0.1:0\", \"127.0.0.1:0\", \"[::]:8081\"]\n").loaded();
}

#[test]
fn a_certificate_without_its_key_is_refused_and_so_is_an_unreadable_one() {
    let problems = refused("[tls]\ncertificate = \"tls.crt\"\n");
    assert_eq!(
        problems,
        ["edge.toml:2:15: tls.certificate: tls.key is missing beside it"]
    );
    let problems = refused("[tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n");
    assert_eq!(
        problems,
        [
            "edge.toml:2:15: tls.certificate: cannot read tls.crt: No such file or directory (os error 2)",
            "edge.toml:3:7: tls.key: cannot read tls.key: No such file or directory (os error 2)",
        ]
    );
}

#[test]
fn a_shared_key_that_others_can_read_is_refused_and_never_shown() {
    let case = Case::new("[auth.hmac]\nadmin-key-file = \"admin.key\"\n");
    case.file("admin.key", "correct-horse\n", 0o640);
    let problems = case.problems();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("admin.key has mode 0640"),
        "{problems:?}"
    );
    assert!(problems[0].contains("chmod 0600"), "{problems:?}");

    let path = case.file("admin.key", "correct-horse\n", 0o600);
    let loaded = case.loaded();
    assert_eq!(loaded.config.auth.hmac.admin.file, Some(path));
    assert!(!format!("{loaded:?}").contains("correct-horse"));

    case.file("admin.key", "  \n", 0o600);
    assert!(case.problems()[0].contains("holds a key of 0 bytes"));
}

#[test]
fn a_path_in_a_file_counts_from_that_file() {
    let case = Case::new("data-dir = \"state\"\n");
    assert_eq!(
        case.loaded().config.data_dir.path(),
        case.dir.path().join("state")
    );
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    for (text, message) in [
        (
            "[health]\nvalid-for = \"100ms\"\n",
            "health.valid-for: must be longer than health.interval",
        ),
        (
            "[guard]\nlimit = \"300ms\"\n",
            "guard.limit: must be at least twice guard.beat",
        ),
        (
            "[health]\nfall = 0\n",
            "health.fall: must be from 1 to 100, is 0",
        ),
        (
            "[listen]\nmax-connections = -1\n",
            "listen.max-connections: expected a number",
        ),
        (
            "[drain]\ntimeout = \"2h\"\n",
            "drain.timeout: must be from 0s to 10m, is 2h",
        ),
        (
            "[log]\nlevel = \"loud=very\"\n",
            "log.level: expected a level",
        ),
        (
            "[log]\nformat = \"xml\"\n",
            "log.format: expected \"text\" or \"json\"",
        ),
        (
            "[auth]\nprovider-tenant = \"\"\n",
            "auth.provider-tenant: must not be empty",
        ),
        (
            "listen = 1\n",
            "listen: expected a section, written [listen]",
        ),
        (
            "[bgp.peer]\naddress = \"10.0.0.1\"\n",
            "bgp.peer: expected an array of tables, each written [[bgp.peer]]",
        ),
        ("[tls.key]\n", "tls.key: expected a path, found a table"),
    ] {
        let problems = refused(text);
        assert_eq!(problems.len(), 1, "{text} {problems:?}");
        assert!(problems[0].contains(message), "{text} {problems:?}");
    }
}

#[test]
fn the_effective_settings_read_back_as_the_same_configuration() {
    let case = Case::new(bgp::BGP)
        .variable("METAL_EDGE_LISTEN_API", "192.0.2.1:443,127.0.0.1:8443")
        .variable("METAL_EDGE_HEALTH_RISE", "9");
    let loaded = case.loaded();
    let settings = loaded.settings();
    let rise = settings
        .iter()
        .find(|setting| setting.key == "health.rise")
        .unwrap();
    assert_eq!(rise.value, "9");
    assert_eq!(rise.origin.to_string(), "METAL_EDGE_HEALTH_RISE");
    let mut text = String::new();
    let mut peer = String::new();
    for setting in settings {
        match setting.key.strip_prefix("bgp.peer[0].") {
            None => text += &format!("{} = {}\n", setting.key, setting.value),
            Some(key) => peer += &format!("{key} = {}\n", setting.value),
        }
    }
    let again = Case::new(&format!("{text}[[bgp.peer]]\n{peer}")).loaded();
    assert_eq!(again.config, loaded.config);
}

#[test]
fn a_store_on_a_server_has_its_password_in_a_private_file() {
    let text = |line: &str| format!("[store]\nglobal = \"postgres://me@db/edge\"\n{line}\n");
    let case = Case::new(&text("global-password-file = \"password\""));
    case.file("password", "s3cret\n", 0o600);
    let stores = case.loaded().config.stores;
    assert_eq!(stores.global.url.scheme(), "postgres");
    assert_eq!(stores.local.url.as_str(), "redb");
    assert!(stores.global.password_file.unwrap().ends_with("password"));

    case.file("password", "s3cret", 0o644);
    let problems = case.problems();
    assert!(problems[0].starts_with("edge.toml:3:24: store.global-password-file: "));
    assert!(problems[0].contains("0644"), "{problems:?}");
    case.file("password", " \n", 0o600);
    assert!(case.problems()[0].ends_with("password is empty"));
    let missing = Case::new(&text("global-ca-file = \"missing.crt\""));
    assert!(missing.problems()[0].contains("cannot read"));
}

#[test]
fn a_url_of_a_store_is_checked_and_its_secrets_are_not_repeated() {
    for (url, expected) in [
        ("postgres://me:s3cret@db/edge", "password"),
        ("postgres://me:s3/cr@et@db/edge", "password"),
        ("cockroach://me@db/edge?PASSWORD=s3cret", "password"),
        ("etcd://me:s3cret@a,b", "password"),
        ("postgres://s3cret@db", "names no database"),
        ("etcd://a:s3cret0", "HOST:PORT"),
        ("postgres", "expected a URL"),
        ("redb://s3cret", "\"redb\" alone"),
        ("s3cret://db", "expected \"redb\""),
        ("", "expected \"redb\""),
    ] {
        let problems = refused(&format!("[store]\nlocal = {url:?}\n"));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("edge.toml:2:9: store.local: "));
        assert!(problems[0].contains(expected), "{url}: {problems:?}");
        let secret = url != "etcd://a:s3cret0" && problems[0].contains("s3cret");
        assert!(!secret, "{problems:?}");
    }
}
