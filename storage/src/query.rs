use std::borrow::Cow;

use crate::error::{Error, Result, invalid};
use crate::limits::{FILTERS, ID_BYTES, PAGE_RECORDS};
use crate::name::Name;
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::scope::Scope;
use crate::value::Value;

/// Which records of a table to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The scope that owns them.
    pub scope: Scope,
    /// The table that they are in.
    pub table: Name,
    /// Columns and what they must hold, all of them; at most [`FILTERS`]. The first should be the
    /// one that the fewest records match: it is looked up, the others are compared. A record
    /// without the column does not match; [`Value::Null`] matches nothing but itself.
    pub equal: Vec<(Name, Value)>,
    /// What the ids must begin with; empty for all.
    pub prefix: String,
    /// List the ids after this one: a [`Page::next`].
    pub after: Option<String>,
    /// Records in one page, 1 to [`PAGE_RECORDS`].
    pub limit: usize,
}

/// Records of one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Ordered by id.
    pub records: Vec<Stored<Record>>,
    /// Those of the page that cannot be read, each named by an [`Error::Corrupt`]; the others are
    /// not affected.
    pub unreadable: Vec<Error>,
    /// Where the next page begins, if there may be one.
    pub next: Option<String>,
    /// The revision that the page shows; watching from it misses nothing.
    pub revision: Revision,
}

// === impl Query ===

impl Query {
    /// All records of a table, in the largest pages.
    pub fn new(scope: Scope, table: Name) -> Self {
        Self {
            scope,
            table,
            equal: Vec::new(),
            prefix: String::new(),
            after: None,
            limit: PAGE_RECORDS,
        }
    }

    /// Whether the query is in bounds. Backends call this first.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid), naming the bound.
    pub fn check(&self) -> Result<()> {
        if self.limit == 0 || self.limit > PAGE_RECORDS {
            return Err(invalid!(
                "a page has 1 to {PAGE_RECORDS} records, not {}",
                self.limit
            ));
        }
        if self.equal.len() > FILTERS {
            return Err(invalid!(
                "a query has at most {FILTERS} conditions, this one {}",
                self.equal.len()
            ));
        }
        let ids = [Some(&self.prefix), self.after.as_ref()];
        for id in ids.into_iter().flatten() {
            if id.len() > ID_BYTES || id.contains('\0') {
                return Err(invalid!(
                    "a prefix or cursor has at most {ID_BYTES} bytes, none of them NUL"
                ));
            }
        }
        self.equal.iter().try_for_each(|(_, value)| value.check())
    }

    /// Whether a record of the table matches, whatever the page.
    pub fn matches(&self, record: &Record) -> bool {
        record.key.id().starts_with(&self.prefix)
            && self
                .equal
                .iter()
                .all(|(column, value)| record.field(column) == Some(value))
    }
}

/// Which records of a [`Table`](crate::Table) to list: [`Filter::all`], or those whose columns
/// hold something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub(crate) equal: Vec<(Cow<'static, str>, Value)>,
    pub(crate) prefix: String,
}

// === impl Filter ===

impl Filter {
    /// Every record.
    pub fn all() -> Self {
        Self::default()
    }

    /// Records whose column holds this. Start with the condition that the fewest records match.
    pub fn eq(column: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self::all().and(column, value)
    }

    /// And whose other column holds that.
    #[must_use]
    pub fn and(mut self, column: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.equal.push((column.into(), value.into()));
        self
    }

    /// And whose id begins with this.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
}
