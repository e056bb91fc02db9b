//! The grammar of a filter, by recursive descent:
//!
//! ```text
//! either     = both ("or" both)*
//! both       = negation ("and" negation)*
//! negation   = "not" negation | "(" either ")" | test
//! test       = column compare value | value compare column | column ["not"] "in" "(" value ("," value)* ")"
//!            | column ["not"] "between" value "and" value | column "is" ["not"] "null"
//! ```

use super::condition::{CellTest, ColumnTest, Condition, Operator};
use super::filter_text::{Token, TokenKind, tokens, wrong};
use super::literal::Literal;
use crate::error::{Error, Hint, Result};

/// Most conditions within each other, and most that are joined: each takes a part of the stack.
const MOST_NESTED: usize = 64;
const MOST_TESTS: usize = 1000;

const KEYWORDS: [&str; 9] = ["and", "or", "not", "in", "between", "is", "null", "true", "false"];

/// A reader of an expression.
pub(super) struct FilterParser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    nested: usize,
    n_tests: usize,
}

/// A side of a comparison.
enum Side {
    Column(String),
    Value(Literal),
}

impl<'a> FilterParser<'a> {
    pub(super) fn new(text: &'a str) -> Result<FilterParser<'a>> {
        Ok(FilterParser { text, tokens: tokens(text)?, next: 0, nested: 0, n_tests: 0 })
    }

    /// The condition of the whole text.
    pub(super) fn condition(mut self) -> Result<Condition> {
        let condition = self.either()?;
        match self.peek() {
            TokenKind::End => Ok(condition),
            TokenKind::Sign("," | "(" | ")") | TokenKind::Value(_) => {
                Err(self.wrong("expected `and`, `or` or the end"))
            }
            _ => Err(self.wrong("expected `and`, `or` or the end").with_hint(quoting())),
        }
    }

    fn either(&mut self) -> Result<Condition> {
        let mut left = self.both()?;
        while self.takes("or") {
            left = Condition::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Condition> {
        let mut left = self.negation()?;
        while self.takes("and") {
            left = Condition::And(Box::new(left), Box::new(self.negation()?));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Condition> {
        self.nested += 1;
        if self.nested > MOST_NESTED {
            return Err(self.wrong(&format!("expected at most {MOST_NESTED} conditions within each other")));
        }
        let condition = if self.takes("not") {
            Condition::Not(Box::new(self.negation()?))
        } else if self.takes_sign("(") {
            let inner = self.either()?;
            self.expect_sign(")")?;
            inner
        } else {
            self.test()?
        };
        self.nested -= 1;
        Ok(condition)
    }

    fn test(&mut self) -> Result<Condition> {
        self.n_tests += 1;
        if self.n_tests > MOST_TESTS {
            return Err(self.wrong(&format!("expected at most {MOST_TESTS} comparisons")).with_hint("use `in (...)`"));
        }
        let column = match self.side("expected a column")? {
            Side::Column(column) => column,
            Side::Value(value) => {
                let operator = self.operator("expected a comparison after a value")?;
                let Side::Column(column) = self.side("expected a column")? else {
                    self.next -= 1;
                    return Err(self.wrong("expected a column, as the other side is a value"));
                };
                return Ok(test(column, CellTest::Compare(operator.turned(), value)));
            }
        };
        if self.takes("is") {
            let is_negated = self.takes("not");
            if !self.takes("null") {
                return Err(self.wrong("expected `null` or `not null`"));
            }
            return Ok(negated_if(is_negated, test(column, CellTest::Missing)));
        }
        let is_negated = self.takes("not");
        if self.takes("in") {
            self.expect_sign("(")?;
            let mut values = vec![self.value()?];
            while self.takes_sign(",") {
                values.push(self.value()?);
            }
            self.expect_sign(")")?;
            return Ok(negated_if(is_negated, test(column, CellTest::AnyOf(values))));
        }
        if self.takes("between") {
            let low = CellTest::Compare(Operator::AtLeast, self.value()?);
            if !self.takes("and") {
                return Err(self.wrong("expected `and` between the two values"));
            }
            let high = CellTest::Compare(Operator::AtMost, self.value()?);
            let both = Condition::And(Box::new(test(column.clone(), low)), Box::new(test(column, high)));
            return Ok(negated_if(is_negated, both));
        }
        if is_negated {
            return Err(self.wrong("expected `in` or `between`"));
        }
        let operator = self.operator("expected a comparison (=, !=, <, <=, >, >=), `in`, `between` or `is`")?;
        let value = self.value()?;
        Ok(test(column, CellTest::Compare(operator, value)))
    }

    /// A column or a value.
    fn side(&mut self, expected: &str) -> Result<Side> {
        match self.peek() {
            TokenKind::Word(word) if !is_keyword(word) => {
                let word = word.clone();
                self.next += 1;
                Ok(Side::Column(word))
            }
            TokenKind::Quoted(name) => {
                let name = name.clone();
                self.next += 1;
                Ok(Side::Column(name))
            }
            TokenKind::Value(_) | TokenKind::Sign("-") => self.value().map(Side::Value),
            TokenKind::Word(word) if is_truth(word) => self.value().map(Side::Value),
            TokenKind::Word(_) => Err(self.wrong(expected).with_hint("a column of that name stands in double quotes")),
            _ => Err(self.wrong(expected)),
        }
    }

    fn value(&mut self) -> Result<Literal> {
        let is_negative = self.takes_sign("-");
        let value = match self.peek() {
            TokenKind::Value(value) if is_negative => value.clone().negated(),
            TokenKind::Value(value) => Some(value.clone()),
            TokenKind::Word(word) if is_truth(word) && !is_negative => {
                Some(Literal::Flag(word.eq_ignore_ascii_case("true")))
            }
            _ => None,
        };
        if let Some(value) = value {
            self.next += 1;
            return Ok(value);
        }
        let error = self.wrong("expected a number or a text in single quotes");
        Err(match self.peek() {
            TokenKind::Word(word) if word.eq_ignore_ascii_case("null") => {
                error.with_hint("missing cells are found with `is null`")
            }
            TokenKind::Word(_) | TokenKind::Quoted(_) => error.with_hint(quoting()),
            _ => error,
        })
    }

    fn operator(&mut self, expected: &str) -> Result<Operator> {
        let operator = match self.peek() {
            TokenKind::Sign(sign) => Operator::of(sign),
            _ => None,
        };
        let Some(operator) = operator else { return Err(self.wrong(expected)) };
        self.next += 1;
        Ok(operator)
    }

    fn peek(&self) -> &TokenKind {
        &self.tokens[self.next.min(self.tokens.len() - 1)].kind
    }

    /// Goes past a keyword if it is the next token.
    fn takes(&mut self, keyword: &str) -> bool {
        let is_next = matches!(self.peek(), TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(is_next);
        is_next
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), TokenKind::Sign(found) if *found == sign);
        self.next += usize::from(is_next);
        is_next
    }

    fn expect_sign(&mut self, sign: &str) -> Result<()> {
        if self.takes_sign(sign) { Ok(()) } else { Err(self.wrong(&format!("expected `{sign}`"))) }
    }

    fn wrong(&self, expected: &str) -> Error {
        let token = &self.tokens[self.next.min(self.tokens.len() - 1)];
        wrong(self.text, token.at, expected, &token.kind.to_string())
    }
}

fn test(column: String, test: CellTest) -> Condition {
    Condition::Test(ColumnTest { column, test })
}

fn negated_if(is_negated: bool, condition: Condition) -> Condition {
    if is_negated { Condition::Not(Box::new(condition)) } else { condition }
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

fn is_truth(word: &str) -> bool {
    word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false")
}

fn quoting() -> Hint {
    Hint::from("texts stand in single quotes, columns in double quotes or backticks: \"my column\" = 'DE'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Condition> {
        FilterParser::new(text)?.condition()
    }

    fn check(a: &str, b: &str) {
        assert_eq!(parse(a).unwrap(), parse(b).unwrap());
    }

    fn check_error(text: &str, expected: &str, hint: Option<&str>) {
        let error = parse(text).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.hint_text().is_some(), hint.is_some(), "{:?}", error.hint_text());
        assert!(hint.is_none_or(|hint| error.hint_text().unwrap().contains(hint)), "{:?}", error.hint_text());
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        check("a = 1 or b = 2 and not c = 3", "(a = 1) OR ((b = 2) AND (NOT (c = 3)))");
        check("not a = 1 and b = 2", "(not a = 1) and (b = 2)");
        check("a between -1 and 2 and b = 3", "(a >= -1 and a <= 2) and b = 3");
    }

    #[test]
    fn what_is_written_in_two_ways_means_the_same() {
        check("0 < a", "\"a\" > 0");
        check("a <> 'x'", "`a` != 'x'");
        check("a not in (1, 2)", "not (a in (1, 2))");
        check("a is not null", "not a is null");
        check("a not between 1 and 2", "not (a between 1 and 2)");
        check("true = a", "a == TRUE");
    }

    #[test]
    fn whatever_is_written_gives_a_condition_or_an_error() {
        let base = "not (\"ä\" >= -1.5e3 and b in ('x''y', 2)) or 1 < c and `d` is not null or e not between 1 and 2";
        let parts =
            ["", "(", ")", "'", "\"", "`", "-", "e", ".", "ß", "not ", "and", " in ", "1e", "1e999", "\u{0}", "null"];
        let places: Vec<usize> = base.char_indices().map(|(at, _)| at).collect();
        let mut n_good = 0;
        for (i, at) in places.iter().enumerate() {
            for end in [*at, *places.get(i + 1).unwrap_or(&base.len()), base.len()] {
                for part in parts {
                    n_good += usize::from(parse(&format!("{}{part}{}", &base[..*at], &base[end..])).is_ok());
                }
            }
        }
        assert!(parse(base).is_ok() && n_good > 100, "{n_good}");
    }

    #[test]
    fn errors_point_at_the_place() {
        check_error("a > ", "a number or a text in single quotes at character 5 of `a > `, got the end", None);
        check_error("country = DE", "at character 11 of `country = DE`, got `DE`", Some("single quotes"));
        check_error("country = \"DE\"", "got `\"DE\"`", Some("single quotes"));
        check_error("a = null", "got `null`", Some("`is null`"));
        check_error("a is missing", "expected `null` or `not null` at character 6", None);
        check_error("a = 1 b = 2", "expected `and`, `or` or the end at character 7", Some("double quotes"));
        check_error("(a = 1", "expected `)` at character 7 of `(a = 1`, got the end", None);
        check_error("a in (1", "expected `)`", None);
        check_error("a in ()", "got `)`", None);
        check_error("and = 1", "expected a column at character 1", Some("double quotes"));
        check_error("", "expected a column at character 1 of ``, got the end", None);
        check_error("a", "expected a comparison", None);
        check_error("1 = 2", "expected a column, as the other side is a value", None);
        check_error("a = -'x'", "got `'x'`", None);
        check_error(&"(".repeat(1000), "at most 64 conditions within each other", None);
        check_error(&vec!["a = 1"; 1001].join(" or "), "at most 1000 comparisons", Some("in (...)"));
    }
}
