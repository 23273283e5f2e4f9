use crate::{Column, Field, Key, Name, Schema, Value};

/// A table with every kind of column, unique and not. Its names are keywords of SQL on purpose.
const THING: Schema = Schema::new(
    "thing",
    &[
        Column::text("name").unique(),
        Column::int("group"),
        Column::text("label").unique(),
        Column::text("order"),
        Column::bool("default"),
    ],
);

/// A table that shares column names with `thing`.
const OTHER: Schema = Schema::new(
    "other",
    &[Column::text("name").unique(), Column::int("group")],
);

/// A table whose name begins with another's.
const THING2: Schema = Schema::new("thing2", &[]);

/// Unique columns of every kind.
const EVERY: Schema = Schema::new(
    "every",
    &[
        Column::text("a"),
        Column::bool("b"),
        Column::int("c").unique(),
        Column::text("d").unique(),
        Column::text("e"),
        Column::bool("f").unique(),
    ],
);

/// The tables of the suite. A backend that keeps tables is opened with these.
pub const SCHEMAS: &[Schema] = &[THING, OTHER, THING2, EVERY];

/// The fields of a record of this key: every column that its schema declares, in that order,
/// holding what is given and else nothing.
pub(super) fn fields<const N: usize>(key: &Key, values: [(&'static str, Value); N]) -> Vec<Field> {
    let table = key.table().as_str();
    let schema = SCHEMAS.iter().find(|schema| schema.table() == table);
    let schema = schema.expect("the suite declares its tables");
    let known = |name: &str| schema.column(name).is_some();
    assert!(values.iter().all(|(name, _)| known(name)), "{table}");
    let field = |column: &Column| Field {
        name: Name::from_static(column.name()),
        value: values
            .iter()
            .find(|(name, _)| *name == column.name())
            .map_or(Value::Null, |(_, value)| value.clone()),
        unique: column.is_unique(),
    };
    schema.columns().iter().map(field).collect()
}
