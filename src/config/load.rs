//! From the sources to one checked [`Config`].

use std::{fs, path::Path, path::PathBuf, sync::Arc};

use super::{
    Audit, Auth, Bgp, Config, DataDir, Drain, Guard, Health, Http, Listen, Log, NodeName, Origin,
    Problem, Problems, Sources, Stores, Tls, files,
    keys::{ARRAYS, KEYS},
    layer::Layer,
    reader::Reader,
    value::{Node, Value},
};

const DEFAULTS: &str = include_str!("defaults.toml");
/// A longer configuration is not read.
const MAX_FILE: u64 = 1 << 20;

/// A configuration, and what is worth knowing about how it came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Doubts; the configuration is used nevertheless.
    pub warnings: Vec<Problem>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    layers: Vec<Layer>,
}

/// One effective setting, as it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Full key.
    pub key: String,
    /// Its value as TOML.
    pub value: String,
    /// Who said so.
    pub origin: Origin,
}

// === impl Config ===

impl Config {
    /// Puts the sources together and checks the whole, the files that it names
    /// (keys and certificates) included.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first problem.
    pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
        Self::read(sources, true)
    }

    /// Like [`Config::load`], without a look at the files that it names: for
    /// those who only ask where the node is, and may be of a user who cannot
    /// read its keys.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first problem.
    pub fn load_without_files(sources: &Sources) -> Result<Loaded, Problems> {
        Self::read(sources, false)
    }

    fn read(sources: &Sources, with_files: bool) -> Result<Loaded, Problems> {
        let mut problems = Vec::new();
        let file = sources.file();
        let layers = vec![
            defaults(sources),
            file.as_deref()
                .map_or_else(Layer::default, |path| read_file(path, &mut problems)),
            Layer::from_environment(&sources.environment, &mut problems),
            flags(sources),
        ];
        let mut reader = Reader::new(&layers);
        reader.problems = problems;
        let partition = reader.get("partition");
        let node: NodeName = reader.get("node");
        let data_dir: PathBuf = reader.get("data-dir");
        let stores = Stores::read(&mut reader);
        let listen = Listen::read(&mut reader);
        let tls = Tls::read(&mut reader);
        let auth = Auth::read(&mut reader);
        let bgp = Bgp::read(&mut reader, &layers);
        let health = Health::read(&mut reader);
        let drain = Drain::read(&mut reader);
        let guard = Guard::read(&mut reader);
        let log = Log::read(&mut reader);
        let http = Http::read(&mut reader);
        let audit = Audit::read(&mut reader);
        if let Some(bgp) = &bgp {
            bgp.check_coverage(&listen.api, &mut reader);
        }
        if with_files {
            files::check(&tls, &auth.hmac, &mut reader);
            files::check_stores(&stores, &mut reader);
            if let Some(bgp) = &bgp {
                files::check_peers(bgp, &mut reader);
            }
        }
        let (mut problems, warnings) = (reader.problems, reader.warnings);
        if !problems.is_empty() {
            sort(&mut problems);
            return Err(Problems(problems));
        }
        let config = Self {
            partition,
            node,
            data_dir: DataDir::new(data_dir),
            stores,
            listen,
            tls,
            auth,
            bgp,
            health,
            drain,
            guard,
            log,
            http,
            audit,
        };
        Ok(Loaded {
            config,
            warnings,
            file,
            layers,
        })
    }
}

// === impl Loaded ===

impl Loaded {
    /// Every setting that counts, in the order of [`KEYS`], tables last. No
    /// setting is a secret: keys are files.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        let find = |key: &str| {
            self.layers
                .iter()
                .rev()
                .find_map(|layer| layer.values.get(key))
        };
        for key in KEYS {
            let wanted = self.config.bgp.is_some() || !key.starts_with("bgp.");
            if let Some(node) = find(key).filter(|_| wanted) {
                settings.push(Setting::new((*key).to_owned(), node));
            }
        }
        for (array, keys) in ARRAYS {
            let said = self.layers[1..].iter().rev();
            let said = said.filter_map(|layer| layer.arrays.get(array)).next();
            let defaults = self.layers[0].arrays.get(array);
            let defaults = defaults.and_then(|tables| tables.first());
            for (index, table) in said.into_iter().flatten().enumerate() {
                for key in keys {
                    let default = || defaults.and_then(|table| table.values.get(*key));
                    if let Some(node) = table.values.get(*key).or_else(default) {
                        settings.push(Setting::new(format!("{array}[{index}].{key}"), node));
                    }
                }
            }
        }
        settings
    }
}

// === impl Setting ===

impl Setting {
    fn new(key: String, node: &Node) -> Self {
        let list = ["listen.api", "bgp.announce", "bgp.bmp"].contains(&key.as_str())
            || key.ends_with("communities");
        Self {
            key,
            value: show(&node.value, list),
            origin: node.origin.clone(),
        }
    }
}

/// The value as TOML; `list` says that a text without type is one.
fn show(value: &Value, list: bool) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let joined = |parts: Vec<String>| format!("[{}]", parts.join(", "));
    match value {
        Value::Text(text) if list => {
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            joined(parts.map(quoted).collect())
        }
        // A number or truth from the environment reads as one.
        Value::Text(text) if text.parse::<u32>().is_ok() || text.parse::<bool>().is_ok() => {
            text.clone()
        }
        Value::Text(text) | Value::String(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Array(nodes) => joined(nodes.iter().map(|node| show(&node.value, false)).collect()),
        Value::Other(kind) => format!("<{kind}>"),
    }
}

/// The embedded defaults, and what is found out on the machine.
fn defaults(sources: &Sources) -> Layer {
    let mut layer = Layer::from_defaults(DEFAULTS, &mut Vec::new());
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    let host = host.filter(|name| name.parse::<NodeName>().is_ok());
    let node = host.unwrap_or_else(|| "dev-1".to_owned());
    let data_dir = default_data_dir(sources).to_string_lossy().into_owned();
    layer.set("node", Value::String(node), Origin::Default);
    layer.set("data-dir", Value::String(data_dir), Origin::Default);
    layer
}

/// systemd's directory of the unit; for root the directory of a service; for a
/// user one below the home; without a home one below the current directory.
fn default_data_dir(sources: &Sources) -> PathBuf {
    let absolute = |name| sources.variable(name).filter(|path| path.starts_with('/'));
    // systemd separates several by colons; the unit has one.
    if let Some(path) = absolute("STATE_DIRECTORY") {
        PathBuf::from(path.split(':').next().unwrap_or(path))
    } else if nix::unistd::geteuid().is_root() {
        PathBuf::from("/var/lib/metal-edge")
    } else if let Some(path) = absolute("XDG_DATA_HOME") {
        Path::new(path).join("metal-edge")
    } else if let Some(home) = absolute("HOME") {
        Path::new(home).join(".local/share/metal-edge")
    } else {
        PathBuf::from("metal-edge-data")
    }
}

fn read_file(path: &Path, problems: &mut Vec<Problem>) -> Layer {
    let shown: Arc<Path> = path.into();
    let text = fs::metadata(path).and_then(|found| {
        if found.len() > MAX_FILE {
            return Err(std::io::Error::other("longer than 1 MiB"));
        }
        fs::read_to_string(path)
    });
    match text {
        Ok(text) => Layer::from_file(&shown, &text, problems),
        Err(error) => {
            let what = format!("cannot read the configuration {}: {error}", path.display());
            problems.push(Problem::new(None, "", what));
            Layer::default()
        }
    }
}

fn flags(sources: &Sources) -> Layer {
    let mut layer = Layer::default();
    for flag in &sources.flags {
        layer.set(
            flag.key,
            Value::Text(flag.value.clone()),
            Origin::Flag(flag.name),
        );
    }
    layer
}

/// By their place in the file, so that one reads down; the rest behind.
fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by_key(|problem| match problem.origin {
        None => (0, 0, 0),
        Some(Origin::File { line, column, .. }) => (1, line, column),
        Some(_) => (2, 0, 0),
    });
    problems.dedup();
}
