//! How the numbers of a column are written: decimal mark, thousands separators, and a currency sign or unit around them.
//!
//! `1.234,56 €`, `$1,234.56`, `55 %`, `20.1 °C`, `1'234`, `(12.50)` and `12.50-` are numbers in some such format. A cell
//! alone is ambiguous (`1,234`), so it only says which styles it fits; the whole column decides.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::number_text::NumberText;

/// The mark between whole part and fraction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// `1.5`
    #[default]
    Point,
    /// `1,5`
    Comma,
}

/// The separator of thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThousandsMark {
    /// `1,234`
    Comma,
    /// `1.234`
    Point,
    /// `1 234`, also with a no-break or thin space.
    Space,
    /// `1'234`
    Apostrophe,
}

/// How the numbers of a column are written. Plain numbers such as `-1.5e3` have no format.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberFormat {
    /// The decimal mark.
    pub decimal: DecimalMark,
    /// The separator of thousands, if there is one; cells need not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<ThousandsMark>,
    /// A currency before the number; cells need not have it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// A currency or unit after the number; cells need not have it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub suffix: String,
}

/// Decimal mark and thousands separator.
pub(super) type Style = (DecimalMark, Option<ThousandsMark>);

/// The styles, in order of preference if several fit equally many cells of a file with decimal points.
pub(super) const STYLES: [Style; 8] = [
    (DecimalMark::Point, None),
    (DecimalMark::Point, Some(ThousandsMark::Comma)),
    (DecimalMark::Point, Some(ThousandsMark::Space)),
    (DecimalMark::Point, Some(ThousandsMark::Apostrophe)),
    (DecimalMark::Comma, None),
    (DecimalMark::Comma, Some(ThousandsMark::Point)),
    (DecimalMark::Comma, Some(ThousandsMark::Space)),
    (DecimalMark::Comma, Some(ThousandsMark::Apostrophe)),
];

impl NumberFormat {
    /// The number; `None` if the text is not written like this. `text` is trimmed.
    pub(crate) fn read(&self, text: &str) -> Option<f64> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok();
        }
        let parts = NumberText::of(text)?;
        let is_mine = |got: &str, own: &str| got.is_empty() || got == own;
        if !is_mine(parts.prefix, &self.prefix) || !is_mine(parts.suffix, &self.suffix) {
            return None;
        }
        parts.value((self.decimal, self.thousands))
    }
}

impl fmt::Display for NumberFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = vec![match self.decimal {
            DecimalMark::Point => "decimal point".to_owned(),
            DecimalMark::Comma => "decimal comma".to_owned(),
        }];
        words.extend(self.thousands.map(|mark| {
            let mark = match mark {
                ThousandsMark::Comma => "commas",
                ThousandsMark::Point => "points",
                ThousandsMark::Space => "spaces",
                ThousandsMark::Apostrophe => "apostrophes",
            };
            format!("thousands separated by {mark}")
        }));
        words.extend([&self.prefix, &self.suffix].into_iter().filter(|s| !s.is_empty()).map(|s| format!("in `{s}`")));
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &NumberFormat, cells: &[(&str, Option<f64>)]) {
        for (text, expected) in cells {
            assert_eq!(format.read(text), *expected, "`{text}` with {format}");
        }
    }

    fn of_style((decimal, thousands): Style) -> NumberFormat {
        NumberFormat { decimal, thousands, ..NumberFormat::default() }
    }

    #[test]
    fn marks_are_read_as_the_style_says() {
        check(
            &of_style(STYLES[1]),
            &[("1,234", Some(1234.0)), ("12,345.5", Some(12345.5)), ("1,00,000", Some(1e5)), ("7", Some(7.0))],
        );
        check(&of_style(STYLES[1]), &[("1,5", None), ("0,123", None), ("1,2345", None), ("1,234,56", None)]);
        check(&of_style(STYLES[4]), &[("1,5", Some(1.5)), (",5", Some(0.5)), ("-1,5e3", Some(-1500.0)), ("1.5", None)]);
        check(
            &of_style(STYLES[5]),
            &[("1.234,5", Some(1234.5)), ("1.234", Some(1234.0)), ("1.5", None), ("1,5", Some(1.5))],
        );
        check(&of_style(STYLES[6]), &[("1 234,5", Some(1234.5)), ("1\u{a0}234", Some(1234.0)), ("12 34", None)]);
        check(&of_style(STYLES[3]), &[("1'234.5", Some(1234.5)), ("1’234", Some(1234.0))]);
    }

    #[test]
    fn signs_stand_before_behind_or_are_brackets() {
        let plain = NumberFormat::default();
        check(
            &plain,
            &[("(12.50)", Some(-12.5)), ("12.50-", Some(-12.5)), ("\u{2212}3", Some(-3.0)), ("+3", Some(3.0))],
        );
        let money = NumberFormat { prefix: "$".to_owned(), ..of_style(STYLES[1]) };
        check(&money, &[("$1,234.50", Some(1234.5)), ("-$5", Some(-5.0)), ("$-5", Some(-5.0)), ("($5)", Some(-5.0))]);
        check(&money, &[("€5", None), ("5", Some(5.0)), ("5 $", None)]);
    }

    #[test]
    fn a_format_goes_through_json_and_says_what_it_is() {
        let format = NumberFormat { suffix: "%".to_owned(), ..of_style(STYLES[5]) };
        let text = serde_json::to_string(&format).unwrap();
        assert_eq!(text, r#"{"decimal":"comma","thousands":"point","suffix":"%"}"#);
        assert_eq!(serde_json::from_str::<NumberFormat>(&text).unwrap(), format);
        assert_eq!(format.to_string(), "decimal comma, thousands separated by points, in `%`");
    }
}
