//! What a statement is, as far as the proxy must know.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::Engine;
use super::cockroach::{self, Refusal};

/// What a statement does to the transaction that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Begin,
    Commit,
    Rollback,
    /// Changes something: outside a transaction a commit by itself.
    Write,
    Read,
    /// A setting, or nothing.
    Other,
}

/// A text that a client sends, which may hold several statements.
#[derive(Clone, Debug)]
pub struct Statement {
    pub kind: Kind,
    pub refusal: Option<Refusal>,
    /// What PostgreSQL is to be asked in its place.
    pub instead: Option<String>,
}

// === impl Statement ===

impl Statement {
    pub fn of(text: &str, engine: Engine) -> Self {
        let tokens = tokens(text);
        let mut kind = Kind::Other;
        let mut refusal = None;
        let mut instead = None;
        for statement in tokens.split(|token| *token == Token::SemiColon) {
            kind = kind.with(Kind::of(statement));
            if engine == Engine::Cockroach {
                refusal = refusal.or_else(|| cockroach::refusal(statement));
                instead = instead.or_else(|| cockroach::answer(text, statement));
            }
        }
        Self {
            kind,
            refusal,
            instead,
        }
    }
}

// === impl Kind ===

impl Kind {
    fn of(tokens: &[Token]) -> Self {
        let Some(first) = tokens.first().and_then(word) else {
            return Self::Other;
        };
        let writes = |word: &String| matches!(word.as_str(), "insert" | "update" | "delete");
        match first.as_str() {
            "begin" | "start" => Self::Begin,
            "commit" | "end" => Self::Commit,
            "rollback" | "abort" => Self::Rollback,
            "insert" | "update" | "delete" | "create" | "alter" | "drop" | "truncate" => {
                Self::Write
            }
            "with" if tokens.iter().filter_map(word).any(|word| writes(&word)) => Self::Write,
            "select" | "with" | "values" | "table" => Self::Read,
            _ => Self::Other,
        }
    }

    /// What two statements are that are sent as one.
    fn with(self, next: Self) -> Self {
        match (self, next) {
            (kind, Self::Other) | (Self::Other, kind) => kind,
            (Self::Begin, Self::Commit) => Self::Write,
            (_, Self::Commit) | (Self::Commit, _) => Self::Commit,
            (Self::Write, _) => Self::Write,
            (_, kind) => kind,
        }
    }
}

/// The text's tokens, without white space and comments. A text that is no SQL has none.
pub fn tokens(text: &str) -> Vec<Token> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize();
    let mut tokens = tokens.unwrap_or_default();
    tokens.retain(|token| !matches!(token, Token::Whitespace(_)));
    tokens
}

/// The word in small letters, unless it is in quotes.
pub fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_lowercase()),
        _ => None,
    }
}

/// Whether the word at this place is a function that is called.
pub fn is_call(tokens: &[Token], at: usize) -> bool {
    tokens.get(at + 1) == Some(&Token::LParen)
}
