//! What a statement may consist of so that PostgreSQL and CockroachDB take it and mean the same.
//!
//! Two lists, both of what is allowed: words, over every token, so that no clause is overlooked;
//! and shapes, over the parsed tree, for what a word does not tell.

use std::ops::ControlFlow;

use sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, ColumnOption, DataType, Expr, ObjectName, Query, Select,
    SelectItem, Statement, TableConstraint, TableFactor, TimezoneInfo, Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::words;

/// Where a statement is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    Everywhere,
    Postgres,
    Cockroach,
}

/// The cause for which the statement is refused, if it is.
pub fn check(sql: &str, at: Where) -> Result<(), String> {
    if at == Where::Postgres && words::is_postgres(sql) {
        return Ok(());
    }
    let text;
    let mut sql = sql;
    if at == Where::Cockroach {
        if words::is_cockroachs(sql) {
            return Ok(());
        }
        text = sql.replacen(words::STALE, "", 1);
        if text == sql {
            return Err("CockroachDB's alone, but no statement that is known to be".into());
        }
        sql = &text;
    }
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize();
    for token in tokens.map_err(|error| error.to_string())? {
        check_word(&token, at)?;
    }
    let statements = Parser::parse_sql(&dialect, sql).map_err(|error| error.to_string())?;
    let [statement] = statements.as_slice() else {
        return Err(format!("{} statements in one text", statements.len()));
    };
    match statement.visit(&mut Guard(at)) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(cause) => Err(cause),
    }
}

/// A migration: one statement, which may be run twice.
pub fn check_migration(sql: &str, at: Where) -> Result<(), String> {
    check(sql, at)?;
    let again = [
        "CREATE TABLE IF NOT EXISTS ",
        "CREATE INDEX IF NOT EXISTS ",
        "ALTER TABLE ",
    ];
    if again.iter().any(|start| sql.starts_with(start)) {
        return Ok(());
    }
    Err("a migration that cannot be run twice".into())
}

fn check_word(token: &Token, at: Where) -> Result<(), String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() && word.keyword != Keyword::NoKeyword => {
            let word = word.value.to_ascii_uppercase();
            let only_postgres = at == Where::Postgres && words::POSTGRES.contains(&word.as_str());
            if words::SHARED.contains(&word.as_str()) || only_postgres {
                return Ok(());
            }
            Err(format!("the word {word}"))
        }
        Token::SemiColon => Err("a semicolon".into()),
        Token::DollarQuotedString(_) => Err("a string in dollars".into()),
        _ => Ok(()),
    }
}

/// Visits every part of a statement that it knows and refuses the others.
struct Guard(Where);

type Flow = ControlFlow<String>;

const FINE: Flow = ControlFlow::Continue(());

fn unless(fine: bool, cause: impl FnOnce() -> String) -> Flow {
    if fine { FINE } else { Flow::Break(cause()) }
}

// === impl Guard ===

impl Guard {
    fn only_postgres(&self) -> bool {
        self.0 == Where::Postgres
    }

    fn kind(&self, kind: &DataType) -> Flow {
        match kind {
            DataType::Array(ArrayElemTypeDef::SquareBracket(inner, None)) => self.kind(inner),
            DataType::Text
            | DataType::Bool
            | DataType::Uuid
            | DataType::Bytea
            | DataType::JSONB
            | DataType::Int8(None)
            | DataType::Int4(None)
            | DataType::Timestamp(None, TimezoneInfo::Tz) => FINE,
            other => Flow::Break(format!("the type {other}")),
        }
    }

    fn option(&self, option: &ColumnOption) -> Flow {
        match option {
            ColumnOption::Null
            | ColumnOption::NotNull
            | ColumnOption::PrimaryKey(_)
            | ColumnOption::Unique(_) => FINE,
            other => Flow::Break(format!("a column that is {other}")),
        }
    }

    /// Columns by their names, never all that there are.
    fn shown(&self, items: &[SelectItem]) -> Flow {
        let named = |item: &SelectItem| {
            matches!(
                item,
                SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }
            )
        };
        match items.iter().find(|item| !named(item)) {
            None => FINE,
            Some(item) => Flow::Break(format!("the columns {item}")),
        }
    }

    fn returned(&self, items: Option<&Vec<SelectItem>>) -> Flow {
        self.shown(items.map_or(&[], Vec::as_slice))
    }

    fn function(&self, name: &ObjectName) -> Flow {
        let name = name.to_string();
        let only_postgres =
            self.only_postgres() && words::POSTGRES_FUNCTIONS.contains(&name.as_str());
        let known = words::FUNCTIONS.contains(&name.as_str()) || only_postgres;
        unless(known, || format!("the function {name}"))
    }

    fn setting(&self, name: &str) -> Flow {
        let only_postgres = self.only_postgres() && words::POSTGRES_SETTINGS.contains(&name);
        let known = words::SETTINGS.contains(&name) || only_postgres;
        unless(known, || format!("the setting {name}"))
    }
}

impl Visitor for Guard {
    type Break = String;

    fn pre_visit_statement(&mut self, statement: &Statement) -> Flow {
        match statement {
            Statement::Query(_)
            | Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. } => FINE,
            Statement::Insert(insert) => {
                unless(!insert.columns.is_empty(), || {
                    "an INSERT that does not name its columns".into()
                })?;
                self.returned(insert.returning.as_ref())
            }
            Statement::Update(update) => self.returned(update.returning.as_ref()),
            Statement::Delete(delete) => self.returned(delete.returning.as_ref()),
            Statement::ShowVariable { variable } => {
                let names: Vec<_> = variable.iter().map(ToString::to_string).collect();
                self.setting(&names.join("."))
            }
            Statement::CreateTable(table) => {
                let simple = table.if_not_exists && !table.temporary && table.query.is_none();
                unless(simple, || "a table that is not simply made".into())?;
                for column in &table.columns {
                    self.kind(&column.data_type)?;
                    for option in &column.options {
                        self.option(&option.option)?;
                    }
                }
                let known = |constraint: &TableConstraint| {
                    matches!(
                        constraint,
                        TableConstraint::PrimaryKey(_) | TableConstraint::Unique(_)
                    )
                };
                unless(table.constraints.iter().all(known), || {
                    "a constraint of another kind".into()
                })
            }
            Statement::CreateIndex(index) => {
                let simple = index.if_not_exists
                    && index.name.is_some()
                    && index.using.is_none()
                    && !index.concurrently
                    && index.include.is_empty()
                    && index.with.is_empty()
                    && index.predicate.is_none();
                unless(simple, || "an index that is not simply made".into())
            }
            Statement::LISTEN { .. } | Statement::UNLISTEN { .. } if self.only_postgres() => FINE,
            other => Flow::Break(format!("the statement {other}")),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        let recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        let plain = !recursive && query.fetch.is_none() && query.settings.is_none();
        unless(plain, || format!("a clause of {query}"))
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        let plain = select.into.is_none() && select.distinct.is_none();
        unless(plain, || format!("a clause of {select}"))?;
        self.shown(&select.projection)
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        match factor {
            // A call in the place of a table.
            TableFactor::Table {
                name,
                args: Some(_),
                ..
            } => self.function(name),
            TableFactor::Table { sample: None, .. }
            | TableFactor::Derived { .. }
            | TableFactor::UNNEST { .. } => FINE,
            other => Flow::Break(format!("reading from {other}")),
        }
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> Flow {
        let name = relation.to_string();
        let ours = !name.contains('.') && !name.trim_start_matches('"').starts_with("pg_");
        let known = ours || words::FOREIGN_TABLES.contains(&name.as_str());
        unless(known, || format!("the table {name}"))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        match expr {
            Expr::Function(function) => self.function(&function.name),
            Expr::Cast { data_type, .. } => self.kind(data_type),
            Expr::BinaryOp { op, .. } => match op {
                BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
                | BinaryOperator::And
                | BinaryOperator::Or
                | BinaryOperator::Plus
                | BinaryOperator::Minus
                | BinaryOperator::Multiply => FINE,
                // Among them `/`, which gives decimals there.
                other => Flow::Break(format!("the operator {other}")),
            },
            Expr::Identifier(name) => self.pre_visit_column(&name.value),
            Expr::CompoundIdentifier(names) => {
                let name = names.last().expect("it has two at least");
                self.pre_visit_column(&name.value)
            }
            Expr::Value(_)
            | Expr::Interval(_)
            | Expr::Nested(_)
            | Expr::AnyOp { .. }
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsNotDistinctFrom(..)
            | Expr::UnaryOp { .. } => FINE,
            other => Flow::Break(format!("the expression {other}")),
        }
    }
}

impl Guard {
    fn pre_visit_column(&self, name: &str) -> Flow {
        let known = !words::SYSTEM_COLUMNS.contains(&name);
        unless(known, || format!("the column {name}"))
    }
}
