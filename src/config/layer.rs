use std::{collections::BTreeMap, path::Path, sync::Arc};

use toml::de::{DeTable, DeValue};

use super::{
    Origin, Problem,
    keys::{self, KEYS, NO_KEYS, PEER, PEER_KEYS, PREFIX},
    value::{Node, Value},
};

/// What one source says: values by their full key, and peers.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    pub(super) values: BTreeMap<String, Node>,
    /// Present when the source lists peers; the list counts as one value.
    pub(super) peers: Option<Vec<PeerTable>>,
}

/// One `[[bgp.peer]]`.
#[derive(Clone, Debug)]
pub(super) struct PeerTable {
    pub(super) origin: Origin,
    pub(super) values: BTreeMap<String, Node>,
}

/// A TOML text and where positions in it are.
struct Text<'a> {
    text: &'a str,
    place: Place<'a>,
}

/// What a position in a text means to the reader of a message.
enum Place<'a> {
    File(&'a Arc<Path>),
    Fixed(&'a Origin),
}

// === impl Layer ===

impl Layer {
    /// What a TOML file says.
    pub(super) fn from_file(path: &Arc<Path>, text: &str, problems: &mut Vec<Problem>) -> Self {
        let place = Place::File(path);
        Text { text, place }.read(problems)
    }

    /// What the program itself says.
    pub(super) fn from_defaults(text: &str, problems: &mut Vec<Problem>) -> Self {
        let place = Place::Fixed(&Origin::Default);
        Text { text, place }.read(problems)
    }

    /// What the environment says. An empty variable counts like any other.
    pub(super) fn from_environment(
        variables: &[(String, String)],
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut layer = Self::default();
        for (name, value) in variables {
            if !name.starts_with(PREFIX) || NO_KEYS.contains(&name.as_str()) {
                continue;
            }
            let origin = Origin::Environment(name.clone());
            if let Some(key) = KEYS.iter().find(|key| keys::variable(key) == *name) {
                layer.set(key, Value::Text(value.clone()), origin);
            } else if keys::variable(PEER) == *name {
                let text = format!("{PEER} = {value}");
                let place = Place::Fixed(&origin);
                layer.peers = Text { text: &text, place }.read(problems).peers;
            } else {
                let known: Vec<_> = KEYS.iter().map(|key| keys::variable(key)).collect();
                let nearest = keys::nearest(name, known.iter().map(String::as_str));
                let what = format!("no such setting{}", keys::hint(nearest));
                problems.push(Problem::new(Some(origin), "", what));
            }
        }
        layer
    }

    /// Sets one value.
    pub(super) fn set(&mut self, key: &str, value: Value, origin: Origin) {
        self.values.insert(key.to_owned(), Node { value, origin });
    }
}

// === impl Text ===

impl Text<'_> {
    fn read(&self, problems: &mut Vec<Problem>) -> Layer {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let origin = self.origin(error.span().map_or(0, |span| span.start));
            problems.push(Problem::new(Some(origin), "", error.message()));
        }
        let mut layer = Layer::default();
        self.walk(table.get_ref(), "", &mut layer, problems);
        layer
    }

    fn origin(&self, offset: usize) -> Origin {
        match self.place {
            Place::File(path) => Origin::in_file(path, self.text, offset),
            Place::Fixed(origin) => origin.clone(),
        }
    }

    fn walk(
        &self,
        table: &DeTable<'_>,
        prefix: &str,
        layer: &mut Layer,
        problems: &mut Vec<Problem>,
    ) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let section = format!("{key}.");
            let at = self.origin(name.span().start);
            let is_section = KEYS.iter().any(|known| known.starts_with(&section));
            match value.get_ref() {
                _ if KEYS.contains(&key.as_str()) => {
                    let origin = self.origin(value.span().start);
                    let value = self.value(value.get_ref());
                    layer.values.insert(key, Node { value, origin });
                }
                DeValue::Array(tables) if key == PEER => {
                    let peers = tables.iter().enumerate().filter_map(|(index, table)| {
                        let origin = self.origin(table.span().start);
                        let Some(table) = table.get_ref().as_table() else {
                            problems.push(Problem::new(Some(origin), PEER, "expected a table"));
                            return None;
                        };
                        Some(self.peer(table, index, origin, problems))
                    });
                    layer.peers = Some(peers.collect());
                }
                DeValue::Table(table) if is_section => {
                    self.walk(table, &section, layer, problems);
                }
                _ if is_section => {
                    let what = format!("expected a section, written [{key}]");
                    problems.push(Problem::new(Some(at), &key, what));
                }
                _ if key == PEER => {
                    let what = format!("expected an array of tables, each written [[{PEER}]]");
                    problems.push(Problem::new(Some(at), &key, what));
                }
                _ => {
                    let sections = KEYS.iter().filter_map(|key| Some(key.rsplit_once('.')?.0));
                    let known = KEYS.iter().copied().chain([PEER]).chain(sections);
                    let what = format!("unknown key{}", keys::hint(keys::nearest(&key, known)));
                    problems.push(Problem::new(Some(at), &key, what));
                }
            }
        }
    }

    fn peer(
        &self,
        table: &DeTable<'_>,
        index: usize,
        origin: Origin,
        problems: &mut Vec<Problem>,
    ) -> PeerTable {
        let mut values = BTreeMap::new();
        for (name, value) in table {
            let key = name.get_ref().to_string();
            if PEER_KEYS.contains(&key.as_str()) {
                let origin = self.origin(value.span().start);
                let value = self.value(value.get_ref());
                values.insert(key, Node { value, origin });
            } else {
                let at = self.origin(name.span().start);
                let nearest = keys::nearest(&key, PEER_KEYS.iter().copied());
                let what = format!("unknown key{}", keys::hint(nearest));
                problems.push(Problem::new(
                    Some(at),
                    &format!("{PEER}[{index}].{key}"),
                    what,
                ));
            }
        }
        PeerTable { origin, values }
    }

    fn value(&self, value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(truth) => Value::Boolean(*truth),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other("number out of range"), Value::Integer),
            DeValue::Array(elements) => Value::Array(
                elements
                    .iter()
                    .map(|element| Node {
                        value: self.value(element.get_ref()),
                        origin: self.origin(element.span().start),
                    })
                    .collect(),
            ),
            DeValue::Table(_) => Value::Other("table"),
            DeValue::Float(_) => Value::Other("number with a fraction"),
            DeValue::Datetime(_) => Value::Other("date"),
        }
    }
}
