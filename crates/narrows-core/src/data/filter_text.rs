//! The text of a filter as a list of tokens, each with its place: names, texts, numbers, words and signs.

use std::fmt;

use super::literal::Literal;
use crate::error::{Error, Result};

/// Longest expression in bytes.
const LONGEST: usize = 64 << 10;

/// What a part of an expression is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A column or a keyword, as written.
    Word(String),
    /// A column in double quotes or backticks.
    Quoted(String),
    /// A text or a number.
    Value(Literal),
    /// An operator, a comma or a parenthesis.
    Sign(&'static str),
    End,
}

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// The byte at which it begins.
    pub(super) at: usize,
}

const SIGNS: [&str; 12] = ["<>", "<=", ">=", "!=", "==", "=", "<", ">", "(", ")", ",", "-"];

/// The tokens of an expression; the last one is its end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>> {
    if text.len() > LONGEST {
        let message = format!("expected at most {LONGEST} bytes, got {}", text.len());
        return Err(Error::recipe("where", message));
    }
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '\'' => {
                let (inner, length) = quoted(text, at, c)?;
                (TokenKind::Value(Literal::text(inner)), length)
            }
            '"' | '`' => {
                let (inner, length) = quoted(text, at, c)?;
                (TokenKind::Quoted(inner), length)
            }
            _ if starts_number(rest) => {
                let length = number_length(rest);
                let Some(number) = Literal::number(&rest[..length]) else {
                    return Err(wrong(text, at, "expected a number such as -1.5", &format!("`{}`", &rest[..length])));
                };
                (TokenKind::Value(number), length)
            }
            _ if is_word(c) => {
                let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                (TokenKind::Word(rest[..length].to_owned()), length)
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (TokenKind::Sign(sign), sign.len()),
                None => {
                    let expected = "expected a column, a value, an operator or a parenthesis";
                    return Err(wrong(text, at, expected, &format!("`{}`", c.escape_debug())));
                }
            },
        };
        tokens.push(Token { kind, at });
        at += length;
    }
    tokens.push(Token { kind: TokenKind::End, at: text.len() });
    Ok(tokens)
}

/// The error for what stands at a byte of an expression.
pub(super) fn wrong(text: &str, at: usize, expected: &str, got: &str) -> Error {
    let place = text[..at].chars().count() + 1;
    Error::recipe("where", format!("{expected} at character {place} of `{text}`, got {got}"))
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenKind::Word(word) => write!(f, "`{word}`"),
            TokenKind::Quoted(name) => write!(f, "`\"{name}\"`"),
            TokenKind::Value(value) => write!(f, "`{value}`"),
            TokenKind::Sign(sign) => write!(f, "`{sign}`"),
            TokenKind::End => f.write_str("the end"),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '#' | '@')
}

/// Whether a number stands here, and no name that begins with a digit, such as `2nd_rate`.
fn starts_number(rest: &str) -> bool {
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (Some(c), _) if c.is_ascii_digit() => {}
        (Some('.'), Some(c)) if c.is_ascii_digit() => {}
        _ => return false,
    }
    let word = &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())];
    // `1e-5` is cut at its sign.
    Literal::number(word).is_some()
        || Literal::number(&rest[..number_length(rest)]).is_some() && number_length(rest) >= word.len()
}

fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut length = 0;
    while let Some(byte) = bytes.get(length) {
        let follows_exponent = length > 0 && matches!(bytes[length - 1], b'e' | b'E');
        match byte {
            b'0'..=b'9' | b'.' | b'e' | b'E' => length += 1,
            b'+' | b'-' if follows_exponent => length += 1,
            _ => break,
        }
    }
    length
}

/// What stands between quotes, in which a doubled quote is one, and the length with the quotes.
fn quoted(text: &str, at: usize, quote: char) -> Result<(String, usize)> {
    let mut inner = String::new();
    let mut chars = text[at + 1..].char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if c != quote {
            inner.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            inner.push(quote);
        } else {
            return Ok((inner, i + 2));
        }
    }
    Err(wrong(text, at, &format!("expected a closing {quote} after the one"), "the end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<String> {
        let tokens = tokens(text).unwrap();
        tokens[..tokens.len() - 1].iter().map(|token| token.kind.to_string()).collect()
    }

    #[test]
    fn an_expression_falls_into_names_values_and_signs() {
        assert_eq!(kinds("amount>=-1.5e-3"), ["`amount`", "`>=`", "`-`", "`0.0015`"]);
        assert_eq!(kinds("2nd_rate <> 2"), ["`2nd_rate`", "`<>`", "`2`"]);
        assert_eq!(kinds("\"a \"\"b\"\"\" = 'it''s'"), ["`\"a \"b\"\"`", "`=`", "`'it''s'`"]);
        assert_eq!(kinds("größe.x in(1,2)"), ["`größe.x`", "`in`", "`(`", "`1`", "`,`", "`2`", "`)`"]);
    }

    #[test]
    fn what_is_no_part_of_an_expression_is_pointed_at() {
        let error = |text: &str| tokens(text).unwrap_err().to_string();
        assert!(error("ä ; b").contains("at character 3 of `ä ; b`, got `;`"), "{}", error("ä ; b"));
        assert!(error("a = 'x").contains("a closing ' after the one at character 5"), "{}", error("a = 'x"));
        assert!(error(&"x".repeat(LONGEST + 1)).contains("at most"));
    }
}
