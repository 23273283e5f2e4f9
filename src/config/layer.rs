use std::{collections::BTreeMap, path::Path, sync::Arc};

use toml::de::{DeTable, DeValue};

use super::{
    Origin, Problem,
    keys::{self, ARRAYS, Array, KEYS, NO_KEYS, PREFIX},
    value::{Node, Value},
};

/// What one source says: values by their full key, and arrays of tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    pub(super) values: BTreeMap<String, Node>,
    /// By their full key. An array counts as one value.
    pub(super) arrays: BTreeMap<&'static str, Vec<Table>>,
}

/// One table of an array, such as a `[[bgp.peer]]`.
#[derive(Clone, Debug)]
pub(super) struct Table {
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

fn array_of(wanted: impl Fn(&str) -> bool) -> Option<Array> {
    ARRAYS.into_iter().find(|(name, _)| wanted(name))
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
            } else if let Some((array, _)) = array_of(|key| keys::variable(key) == *name) {
                let text = format!("{array} = {value}");
                let place = Place::Fixed(&origin);
                let mut said = Text { text: &text, place }.read(problems);
                layer.arrays.append(&mut said.arrays);
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
            let array = array_of(|name| name == key);
            match (value.get_ref(), array) {
                _ if KEYS.contains(&key.as_str()) => {
                    let origin = self.origin(value.span().start);
                    let value = self.value(value.get_ref());
                    layer.values.insert(key, Node { value, origin });
                }
                (DeValue::Array(tables), Some(array)) => {
                    let tables = tables.iter().enumerate().filter_map(|(index, table)| {
                        let origin = self.origin(table.span().start);
                        let Some(table) = table.get_ref().as_table() else {
                            problems.push(Problem::new(Some(origin), &key, "expected a table"));
                            return None;
                        };
                        Some(self.table(table, array, index, origin, problems))
                    });
                    let tables = tables.collect();
                    layer.arrays.insert(array.0, tables);
                }
                (DeValue::Table(table), _) if is_section => {
                    self.walk(table, &section, layer, problems);
                }
                _ if is_section => {
                    let what = format!("expected a section, written [{key}]");
                    problems.push(Problem::new(Some(at), &key, what));
                }
                (_, Some(_)) => {
                    let what = format!("expected an array of tables, each written [[{key}]]");
                    problems.push(Problem::new(Some(at), &key, what));
                }
                _ => {
                    let sections = KEYS.iter().filter_map(|key| Some(key.rsplit_once('.')?.0));
                    let known = KEYS.iter().copied().chain(ARRAYS.map(|array| array.0));
                    let known = known.chain(sections);
                    let what = format!("unknown key{}", keys::hint(keys::nearest(&key, known)));
                    problems.push(Problem::new(Some(at), &key, what));
                }
            }
        }
    }

    fn table(
        &self,
        table: &DeTable<'_>,
        (array, known): Array,
        index: usize,
        origin: Origin,
        problems: &mut Vec<Problem>,
    ) -> Table {
        let mut values = BTreeMap::new();
        for (name, value) in table {
            let key = name.get_ref().to_string();
            if known.contains(&key.as_str()) {
                let origin = self.origin(value.span().start);
                let value = self.value(value.get_ref());
                values.insert(key, Node { value, origin });
            } else {
                let at = self.origin(name.span().start);
                let nearest = keys::nearest(&key, known.iter().copied());
                let what = format!("unknown key{}", keys::hint(nearest));
                problems.push(Problem::new(
                    Some(at),
                    &format!("{array}[{index}].{key}"),
                    what,
                ));
            }
        }
        Table { origin, values }
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
