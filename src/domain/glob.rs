//! Glob patterns of `*` and `?`.

/// Whether some text matches both patterns. `[…]` counts as any one character, so the answer errs
/// towards yes. Costs the product of the lengths.
pub(super) fn intersect(a: &str, b: &str) -> bool {
    let a = tokens(a);
    let b = tokens(b);
    // reach[j]: the first i tokens of a and the first j tokens of b can match the same text.
    let mut reach = vec![false; b.len() + 1];
    for i in 0..=a.len() {
        let mut next = vec![false; b.len() + 1];
        for j in 0..=b.len() {
            let nothing_left = i == 0 && j == 0;
            let a_star = i > 0 && a[i - 1] == Token::Star;
            let b_star = j > 0 && b[j - 1] == Token::Star;
            let skip_a = a_star && reach[j];
            let skip_b = b_star && next[j - 1];
            let both = i > 0
                && j > 0
                && ((a_star && next[j - 1])
                    || (b_star && reach[j])
                    || (a[i - 1].meets(b[j - 1]) && reach[j - 1]));
            next[j] = nothing_left || skip_a || skip_b || both;
        }
        reach = next;
    }
    reach[b.len()]
}

#[derive(Clone, Copy, PartialEq)]
enum Token {
    Star,
    Any,
    Char(char),
}

impl Token {
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Char(a), Self::Char(b)) => a == b,
            (Self::Star, _) | (_, Self::Star) => false,
            _ => true,
        }
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Star,
            '?' => Token::Any,
            '[' if chars.as_str().contains(']') => {
                for inner in chars.by_ref() {
                    if inner == ']' {
                        break;
                    }
                }
                Token::Any
            }
            c => Token::Char(c),
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_intersect_when_one_text_matches_both() {
        for (a, b) in [
            ("AD102*", "AD102GL"),
            ("*GL*", "AD1*"),
            ("a?c", "ab*"),
            ("*", ""),
            ("", ""),
            ("/dev/nvme*", "/dev/*n1"),
            ("a[bc]d", "acd"),
            ("**a", "a**"),
        ] {
            assert!(intersect(a, b) && intersect(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("AD102*", "AD103*"),
            ("a", ""),
            ("a?", "a"),
            ("*a", "*b"),
            ("/dev/sd*", "/dev/nvme*"),
        ] {
            assert!(!intersect(a, b) && !intersect(b, a), "{a} {b}");
        }
    }
}
