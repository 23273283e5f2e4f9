use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use super::{
    ByteSize, Origin, Problem,
    layer::Layer,
    value::{Fault, FromValue, Node},
};

/// Reads typed values by key from layers, the last of which wins, and collects
/// what is wrong. A key with a default always has a value, so that reading goes
/// on after a problem and finds the next.
pub(super) struct Reader<'a> {
    layers: &'a [Layer],
    /// Prepended to the keys in messages.
    prefix: String,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// `layers[0]` holds the defaults.
    pub(super) fn new(layers: &'a [Layer]) -> Self {
        Self {
            layers,
            prefix: String::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The value that counts.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.layers
            .iter()
            .rev()
            .find_map(|layer| layer.values.get(key))
    }

    /// Where the value that counts comes from.
    pub(super) fn origin(&self, key: &str) -> Option<Origin> {
        self.node(key).map(|node| node.origin.clone())
    }

    /// A value that may be absent; also absent when it is wrong.
    pub(super) fn optional<T: FromValue>(&mut self, key: &str) -> Option<T> {
        let read = T::from_node(self.node(key)?);
        read.map_err(|faults| self.report(key, faults)).ok()
    }

    /// A value that has a default.
    pub(super) fn get<T: FromValue>(&mut self, key: &str) -> T {
        self.optional(key).unwrap_or_else(|| {
            let default = self.layers[0].values.get(key).map(T::from_node);
            default
                .and_then(Result::ok)
                .expect("every key read without a choice has a default; a test reads them all")
        })
    }

    /// A value with bounds, both included.
    pub(super) fn within<T>(&mut self, key: &str, bounds: RangeInclusive<T>) -> T
    where
        T: FromValue + PartialOrd + Shown,
    {
        let value: T = self.get(key);
        if !bounds.contains(&value) {
            let (least, most) = (bounds.start().shown(), bounds.end().shown());
            let what = format!("must be from {least} to {most}, is {}", value.shown());
            self.problem(key, what);
        }
        value
    }

    /// Something is wrong with the value of `key`.
    pub(super) fn problem(&mut self, key: &str, what: impl Into<String>) {
        let problem = Problem::new(self.origin(key), &(self.prefix.clone() + key), what);
        self.problems.push(problem);
    }

    /// Something is doubtful about the value of `key`.
    pub(super) fn warning(&mut self, key: &str, what: impl Into<String>) {
        let warning = Problem::new(self.origin(key), &(self.prefix.clone() + key), what);
        self.warnings.push(warning);
    }

    fn report(&mut self, key: &str, faults: Vec<Fault>) {
        let key = self.prefix.clone() + key;
        let problem = |fault: Fault| Problem::new(Some(fault.origin), &key, fault.what);
        self.problems.extend(faults.into_iter().map(problem));
    }

    /// Reads the keys of a nested table, named `prefix` in messages.
    pub(super) fn nested<T>(
        &mut self,
        prefix: String,
        defaults: &BTreeMap<String, Node>,
        values: &BTreeMap<String, Node>,
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        let layers = [defaults, values].map(|values| Layer {
            values: values.clone(),
            arrays: BTreeMap::new(),
        });
        let mut reader = Reader::new(&layers);
        reader.prefix = prefix;
        let value = read(&mut reader);
        self.problems.append(&mut reader.problems);
        self.warnings.append(&mut reader.warnings);
        value
    }
}

/// How a bound is written in a message: as in the file.
pub(super) trait Shown {
    fn shown(&self) -> String;
}

impl Shown for Duration {
    fn shown(&self) -> String {
        humantime::format_duration(*self).to_string()
    }
}

impl Shown for ByteSize {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for u32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}
