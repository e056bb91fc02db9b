//! The values of a filter, and how a cell compares with one.
//!
//! Cells of files with types are compared by their types. Cells of text are compared by what they are compared with: with
//! a number as numbers, with a date as dates, else as text.

use std::cmp::Ordering;
use std::fmt;

use super::date_text::{DateOrder, DateText};
use super::moment::Moment;
use super::number_format::{STYLES, Style};
use super::number_text::NumberText;
use super::token;

/// A value of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    /// A number without fraction, which is compared exactly with whole numbers.
    Whole(i128),
    Real(f64),
    Flag(bool),
    Text {
        text: String,
        /// What it is as a date in ISO 8601, in nanoseconds since 1970.
        moment: Option<i128>,
    },
}

// No literal is NaN.
impl Eq for Literal {}

/// A cell as its file stores it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum StoredCell<'a> {
    Missing,
    Whole(i128),
    Real(f64),
    /// A number of 32 bits, which is compared with what a value is in 32 bits.
    Single(f32),
    Flag(bool),
    /// Nanoseconds since 1970.
    Moment(i128),
    /// Text of a file with types.
    Text(&'a str),
    /// A cell of a text table; whether its file has decimal commas where nothing else tells.
    Written(&'a str, bool),
}

/// How a cell compares with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Known(Ordering),
    /// Other, and neither less nor greater.
    Other,
    /// The cell is missing.
    Missing,
    /// The cell is not of the value's kind.
    Unclear,
}

impl StoredCell<'_> {
    /// Whether the cell is missing or holds a word for that.
    pub(super) fn is_missing(self) -> bool {
        match self {
            StoredCell::Missing => true,
            StoredCell::Real(x) => x.is_nan(),
            StoredCell::Single(x) => x.is_nan(),
            StoredCell::Text(text) | StoredCell::Written(text, _) => token::is_missing(text.trim()),
            StoredCell::Whole(_) | StoredCell::Flag(_) | StoredCell::Moment(_) => false,
        }
    }
}

impl Literal {
    /// A text, which may be a date.
    pub(super) fn text(text: String) -> Literal {
        let moment = token::moment(text.trim()).map(|micros| i128::from(micros) * 1000);
        Literal::Text { text, moment }
    }

    /// A number without a sign.
    pub(super) fn number(text: &str) -> Option<Literal> {
        if text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(whole) = text.parse()
        {
            return Some(Literal::Whole(whole));
        }
        let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        text.parse().ok().filter(|_| is_number).map(Literal::Real)
    }

    /// The number with the other sign; `None` for other values.
    pub(super) fn negated(self) -> Option<Literal> {
        match self {
            Literal::Whole(whole) => Some(Literal::Whole(-whole)),
            Literal::Real(real) => Some(Literal::Real(-real)),
            _ => None,
        }
    }

    /// The number that a value compares as with typed numbers: a number, or a text that is one.
    pub(super) fn as_number(&self) -> Option<Literal> {
        match self {
            Literal::Whole(_) | Literal::Real(_) => Some(self.clone()),
            Literal::Text { text, .. } => {
                let text = text.trim();
                match text.strip_prefix('-') {
                    Some(rest) => Literal::number(rest)?.negated(),
                    None => Literal::number(text),
                }
            }
            Literal::Flag(_) => None,
        }
    }

    /// The truth value that a value compares as with typed ones.
    pub(super) fn as_flag(&self) -> Option<bool> {
        match self {
            Literal::Flag(flag) => Some(*flag),
            Literal::Text { text, .. } => token::flag(text.trim()),
            _ => None,
        }
    }

    /// How the cell compares with this value: `Less` if the cell is less.
    pub(super) fn compare(&self, cell: StoredCell<'_>) -> Compared {
        match cell {
            StoredCell::Missing => Compared::Missing,
            StoredCell::Real(x) if x.is_nan() => Compared::Missing,
            StoredCell::Single(x) if x.is_nan() => Compared::Missing,
            StoredCell::Whole(_) | StoredCell::Real(_) | StoredCell::Single(_) => match self.as_number() {
                Some(number) => Compared::Known(number.compare_number(cell)),
                None => Compared::Unclear,
            },
            StoredCell::Flag(flag) => {
                self.as_flag().map_or(Compared::Unclear, |other| Compared::Known(flag.cmp(&other)))
            }
            StoredCell::Moment(nanos) => match self {
                Literal::Text { moment: Some(moment), .. } => Compared::Known(nanos.cmp(moment)),
                _ => Compared::Unclear,
            },
            StoredCell::Text(text) => self.compare_text(text, false),
            StoredCell::Written(text, has_commas) => self.compare_text(text.trim(), has_commas),
        }
    }

    fn compare_number(&self, cell: StoredCell<'_>) -> Ordering {
        let real = |x: f64| match self {
            Literal::Whole(whole) => compare_whole(*whole, x).reverse(),
            Literal::Real(other) => x.partial_cmp(other).expect("neither is NaN"),
            _ => Ordering::Equal,
        };
        match (cell, self) {
            (StoredCell::Whole(x), Literal::Whole(whole)) => x.cmp(whole),
            (StoredCell::Whole(x), Literal::Real(other)) => compare_whole(x, *other),
            (StoredCell::Single(x), Literal::Real(other)) => x.partial_cmp(&(*other as f32)).expect("neither is NaN"),
            (StoredCell::Single(x), _) => real(f64::from(x)),
            (StoredCell::Real(x), _) => real(x),
            _ => Ordering::Equal,
        }
    }

    fn compare_text(&self, text: &str, has_commas: bool) -> Compared {
        let clear = |found: Option<Ordering>| match found {
            Some(ordering) => Compared::Known(ordering),
            None if token::is_missing(text.trim()) => Compared::Missing,
            None => Compared::Unclear,
        };
        match self {
            Literal::Whole(_) | Literal::Real(_) => {
                let number = number_of(text.trim(), has_commas).filter(|x| !x.is_nan());
                clear(number.map(|x| self.compare_number(StoredCell::Real(x))))
            }
            Literal::Flag(flag) => clear(token::flag(text.trim()).map(|cell| cell.cmp(flag))),
            Literal::Text { text: other, .. } if text == other => Compared::Known(Ordering::Equal),
            Literal::Text { .. } if token::is_missing(text.trim()) => Compared::Missing,
            Literal::Text { moment: Some(moment), .. } => match moment_of(text.trim()) {
                Some(nanos) => Compared::Known(nanos.cmp(moment)),
                None => Compared::Other,
            },
            Literal::Text { text: other, .. } => Compared::Known(text.cmp(other)),
        }
    }
}

/// A whole number and another one, of which neither is rounded.
fn compare_whole(whole: i128, real: f64) -> Ordering {
    // Beyond this every f64 is whole, and larger than any number of 64 bits.
    const BOUND: f64 = (1u128 << 100) as f64;
    if real >= BOUND {
        return Ordering::Less;
    }
    if real <= -BOUND {
        return Ordering::Greater;
    }
    let floor = real.floor();
    whole.cmp(&(floor as i128)).then(if real > floor { Ordering::Less } else { Ordering::Equal })
}

/// The number that a text is: plainly, else as all styles agree or as the file's decimal mark decides.
fn number_of(text: &str, has_commas: bool) -> Option<f64> {
    if let Some(number) = token::number(text) {
        return Some(number);
    }
    let parts = NumberText::of(text)?;
    let fits = |style: &&Style| parts.fits(**style);
    let found = if has_commas { STYLES.iter().rev().find(fits) } else { STYLES.iter().find(fits) };
    parts.value(*found?)
}

/// The date that a text is, if it is one without doubt.
fn moment_of(text: &str) -> Option<i128> {
    let micros = token::moment(text).or_else(|| {
        let date = DateText::of(text)?;
        let mut moments = DateOrder::ALL.iter().filter_map(|order| date.moment(*order));
        let first = moments.next()?;
        moments.all(|other| other == first).then_some(first)
    });
    micros.map(|micros| i128::from(micros) * 1000)
}

impl fmt::Display for StoredCell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoredCell::Missing => f.write_str("nothing"),
            StoredCell::Whole(x) => x.fmt(f),
            StoredCell::Real(x) => x.fmt(f),
            StoredCell::Single(x) => x.fmt(f),
            StoredCell::Flag(flag) => flag.fmt(f),
            StoredCell::Moment(nanos) => Moment::Instant((nanos / 1000) as i64).fmt(f),
            StoredCell::Text(text) | StoredCell::Written(text, _) => shortened(text).fmt(f),
        }
    }
}

/// The beginning of a text, for messages.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Whole(whole) => whole.fmt(f),
            Literal::Real(real) => real.fmt(f),
            Literal::Flag(flag) => flag.fmt(f),
            Literal::Text { text, .. } => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Literal, cell: StoredCell<'_>, expected: Compared) {
        assert_eq!(value.compare(cell), expected, "{cell:?} with {value}");
    }

    fn text(text: &str) -> Literal {
        Literal::text(text.to_owned())
    }

    const LESS: Compared = Compared::Known(Ordering::Less);
    const EQUAL: Compared = Compared::Known(Ordering::Equal);
    const GREATER: Compared = Compared::Known(Ordering::Greater);

    #[test]
    fn whole_numbers_are_compared_without_rounding() {
        let large = (1i128 << 53) + 1;
        check(Literal::Whole(large), StoredCell::Whole(large), EQUAL);
        check(Literal::Whole(large), StoredCell::Real((1u64 << 53) as f64), LESS);
        check(Literal::Real((1u64 << 53) as f64), StoredCell::Whole(large), GREATER);
        check(Literal::Real(-2.5), StoredCell::Whole(-3), LESS);
        check(Literal::Real(-2.5), StoredCell::Whole(-2), GREATER);
        check(Literal::Real(f64::INFINITY), StoredCell::Whole(i128::from(i64::MAX)), LESS);
        check(Literal::Real(0.1), StoredCell::Single(0.1), EQUAL);
        check(Literal::Whole(0), StoredCell::Real(-0.0), EQUAL);
    }

    #[test]
    fn missing_cells_are_neither_equal_nor_unequal() {
        check(Literal::Whole(0), StoredCell::Missing, Compared::Missing);
        check(Literal::Whole(0), StoredCell::Real(f64::NAN), Compared::Missing);
        check(Literal::Whole(0), StoredCell::Written("NA", false), Compared::Missing);
        check(Literal::Whole(0), StoredCell::Written("", false), Compared::Missing);
        check(text("DE"), StoredCell::Written("NA", false), Compared::Missing);
        // Asked for by name, a word for missing is a word: the country code of Namibia.
        check(text("NA"), StoredCell::Written(" NA", false), EQUAL);
    }

    #[test]
    fn text_is_compared_as_what_it_is_compared_with() {
        let written = |text| StoredCell::Written(text, false);
        check(Literal::Whole(9), written(" 10"), GREATER);
        check(text("9"), written("10"), LESS);
        check(Literal::Real(1234.5), written("1,234.50"), EQUAL);
        check(Literal::Real(1234.5), written("1.234,50 €"), EQUAL);
        check(Literal::Whole(1234), written("1,234"), EQUAL);
        check(Literal::Real(1.234), StoredCell::Written("1,234", true), EQUAL);
        check(Literal::Whole(1), written("much"), Compared::Unclear);
        check(text("2024-01-31"), written("31.01.2024"), EQUAL);
        check(text("2024-01-31"), written("2024-02-01 10:00"), GREATER);
        check(text("2024-04-03"), written("03/04/2024"), Compared::Other);
        check(text("2024-01"), written("2023-12-31"), LESS);
        check(Literal::Flag(true), written("Yes"), EQUAL);
    }

    #[test]
    fn typed_cells_are_compared_by_their_types() {
        let day = 86_400_000_000_000;
        check(text("1970-01-02"), StoredCell::Moment(day), EQUAL);
        check(text("1970-01-02T00:00:00+01:00"), StoredCell::Moment(day), GREATER);
        check(text("day"), StoredCell::Moment(day), Compared::Unclear);
        check(text("5"), StoredCell::Whole(5), EQUAL);
        check(text("five"), StoredCell::Whole(5), Compared::Unclear);
        check(text("false"), StoredCell::Flag(true), GREATER);
        check(text("DE"), StoredCell::Text(" DE"), LESS);
    }
}
