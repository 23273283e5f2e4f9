use crate::limits::COLUMNS;
use crate::name::Name;
use crate::value::Kind;

/// A table, declared once: every backend derives its index, its unique keys or its SQL from this.
///
/// ```
/// use metal_storage::{Column, Schema};
/// const USERS: Schema = Schema::new(
///     "user",
///     &[Column::text("email").unique(), Column::text("tenant")],
/// );
/// assert_eq!(USERS.table(), "user");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    table: &'static str,
    columns: &'static [Column],
}

/// A column that can be asked for by equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    name: &'static str,
    kind: Kind,
    unique: bool,
}

// === impl Schema ===

impl Schema {
    /// A table and its indexed columns.
    ///
    /// # Panics
    /// If a name is no [`Name`] or there are too many columns; in a `const` that is a compile
    /// error.
    pub const fn new(table: &'static str, columns: &'static [Column]) -> Self {
        let _ = std::mem::ManuallyDrop::new(Name::from_static(table));
        assert!(columns.len() <= COLUMNS, "too many columns");
        Self { table, columns }
    }

    /// The table's name.
    pub const fn table(&self) -> &'static str {
        self.table
    }

    /// Its indexed columns.
    pub const fn columns(&self) -> &'static [Column] {
        self.columns
    }

    /// What it declares, in words: `user: email text unique, tenant text`. Two schemas say the
    /// same if these do.
    pub fn describe(&self) -> String {
        let mut text = format!("{}:", self.table);
        for (i, column) in self.columns.iter().enumerate() {
            let kind = match column.kind {
                Kind::Bool => "bool",
                Kind::Int => "int",
                Kind::Text => "text",
            };
            let unique = if column.unique { " unique" } else { "" };
            let comma = if i > 0 { "," } else { "" };
            text += &format!("{comma} {} {kind}{unique}", column.name);
        }
        text
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

// === impl Column ===

impl Column {
    /// A column of text.
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text)
    }

    /// A column of whole numbers.
    pub const fn int(name: &'static str) -> Self {
        Self::new(name, Kind::Int)
    }

    /// A column of true and false.
    pub const fn bool(name: &'static str) -> Self {
        Self::new(name, Kind::Bool)
    }

    /// No two records of the table and scope may hold the same; nothing ([`Value::Null`]) may be
    /// held by many.
    ///
    /// [`Value::Null`]: crate::Value::Null
    #[must_use]
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// The column's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it holds.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether its values are unique.
    pub const fn is_unique(&self) -> bool {
        self.unique
    }

    const fn new(name: &'static str, kind: Kind) -> Self {
        let _ = std::mem::ManuallyDrop::new(Name::from_static(name));
        Self {
            name,
            kind,
            unique: false,
        }
    }
}
