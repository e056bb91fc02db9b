//! How the numbers of a column are written: decimal mark, thousands separators, and a currency sign or unit around them.
//!
//! `1.234,56 €`, `$1,234.56`, `55 %`, `20.1 °C`, `1'234`, `(12.50)` and `12.50-` are numbers in some such format. A cell
//! alone is ambiguous (`1,234`), so it only says which styles it fits; the whole column decides.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest text that is taken apart as a number.
const LONGEST: usize = 40;
/// Most bytes before a number: a currency, a sign and spaces.
const LONGEST_CURRENCY: usize = 8;
/// Longest unit, in bytes.
const LONGEST_UNIT: usize = 16;

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

/// A text taken apart: a number with its sign, and what stands around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NumberText<'a> {
    is_negative: bool,
    pub(super) prefix: &'a str,
    /// Digits and marks.
    body: &'a str,
    /// Such as `e-3`.
    exponent: &'a str,
    pub(super) suffix: &'a str,
}

impl<'a> NumberText<'a> {
    /// The parts; `None` if the text does not hold exactly one number with at most a currency and a unit around it.
    pub(super) fn of(text: &'a str) -> Option<NumberText<'a>> {
        if text.len() > LONGEST {
            return None;
        }
        let mut is_negative = false;
        let mut rest = text;
        if let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
            (is_negative, rest) = (true, inner.trim());
        }
        let first = rest.bytes().position(|byte| byte.is_ascii_digit())?;
        // A number may begin with its decimal mark.
        let start = match &rest.as_bytes()[..first] {
            [.., b'.' | b','] => first - 1,
            _ => first,
        };
        if start > LONGEST_CURRENCY {
            return None;
        }
        let mut prefix = signed(rest[..start].trim(), &mut is_negative)?;
        if !prefix.is_empty() {
            let before = prefix;
            prefix = match before.chars().next_back() {
                Some(sign @ ('-' | '\u{2212}')) if before.len() > sign.len_utf8() => {
                    is_negative = !is_negative;
                    before[..before.len() - sign.len_utf8()].trim_end()
                }
                _ => before,
            };
            if !is_currency(prefix) {
                return None;
            }
        }
        let length = body_length(&rest[start..]);
        let (body, after) = rest[start..].split_at(length);
        let exponent = &after[..exponent_length(after)];
        let mut suffix = after[exponent.len()..].trim();
        if suffix == "-" {
            (is_negative, suffix) = (!is_negative, "");
        }
        let parts = NumberText { is_negative, prefix, body, exponent, suffix };
        let is_number = (suffix.is_empty() || is_unit(suffix)) && STYLES.iter().any(|style| parts.fits(*style));
        is_number.then_some(parts)
    }

    /// Whether its marks fit the style.
    pub(super) fn fits(&self, (decimal, thousands): Style) -> bool {
        let decimal = if decimal == DecimalMark::Point { b'.' } else { b',' };
        let mut groups = self.body.split(decimal as char);
        let (whole, fraction) = (groups.next().unwrap_or_default(), groups.next());
        if groups.next().is_some() || fraction.is_some_and(|f| f.is_empty() || !is_digits(f)) {
            return false;
        }
        if is_digits(whole) {
            return !whole.is_empty() || fraction.is_some();
        }
        let Some(thousands) = thousands else { return false };
        let mut groups = whole.split(|c: char| thousands.is(c));
        let first = groups.next().unwrap_or_default();
        if first.is_empty() || first.len() > 3 || first.starts_with('0') || !is_digits(first) {
            return false;
        }
        let groups: Vec<&str> = groups.collect();
        let Some((last, middle)) = groups.split_last() else { return false };
        // The last group has three digits; those before it two in India, such as 12,34,567.
        let is_group = |group: &&str| is_digits(group) && (group.len() == 3 || (group.len() == 2 && decimal == b'.'));
        last.len() == 3 && is_digits(last) && middle.iter().all(is_group)
    }

    /// The number in this style; `None` if its marks do not fit.
    pub(super) fn value(&self, style: Style) -> Option<f64> {
        if !self.fits(style) {
            return None;
        }
        let mut plain = String::with_capacity(self.body.len() + self.exponent.len());
        let decimal = if style.0 == DecimalMark::Point { '.' } else { ',' };
        for c in self.body.chars() {
            match c {
                digit if digit.is_ascii_digit() => plain.push(digit),
                mark if mark == decimal => plain.push('.'),
                _ => {}
            }
        }
        plain.push_str(self.exponent);
        let number: f64 = plain.parse().ok()?;
        Some(if self.is_negative { -number } else { number })
    }

    /// Whether it has a mark that is decimal in one style and separates thousands in another.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.fits(STYLES[1]) && self.fits(STYLES[4]) && self.body.contains(',')
    }

    /// Whether no digit stands behind a mark.
    pub(super) fn is_whole(&self) -> bool {
        is_digits(self.body) && self.exponent.is_empty()
    }
}

impl ThousandsMark {
    fn is(self, c: char) -> bool {
        match self {
            ThousandsMark::Comma => c == ',',
            ThousandsMark::Point => c == '.',
            ThousandsMark::Space => is_space(c),
            ThousandsMark::Apostrophe => matches!(c, '\'' | '\u{2019}'),
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A space within a number: plain, no-break, thin, or narrow no-break.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

/// The text without a sign at its front, which is noted.
fn signed<'a>(text: &'a str, is_negative: &mut bool) -> Option<&'a str> {
    let Some(sign @ ('-' | '+' | '\u{2212}')) = text.chars().next() else { return Some(text) };
    if sign != '+' {
        *is_negative = !*is_negative;
    }
    Some(text[sign.len_utf8()..].trim_start())
}

/// Length of the digits and the marks between them.
fn body_length(text: &str) -> usize {
    let mut end = 0;
    let mut marks = 0;
    for (at, c) in text.char_indices() {
        match c {
            digit if digit.is_ascii_digit() => (end, marks) = (at + 1, 0),
            '.' | ',' | '\'' | '\u{2019}' => marks += 1,
            space if is_space(space) && end > 0 => marks += 1,
            _ => break,
        }
        if marks > 1 {
            break;
        }
    }
    end
}

fn exponent_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !matches!(bytes.first(), Some(b'e' | b'E')) {
        return 0;
    }
    let sign = usize::from(matches!(bytes.get(1), Some(b'+' | b'-')));
    let digits = bytes[1 + sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 { 0 } else { 1 + sign + digits }
}

/// Signs of currencies, and the codes that stand before numbers most often. Other words before a number belong to a name.
fn is_currency(text: &str) -> bool {
    const CODES: [&str; 34] = [
        "EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "AUD", "CAD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL",
        "RUB", "TRY", "ZAR", "KRW", "MXN", "NZD", "SGD", "HKD", "RMB", "R$", "A$", "C$", "US$", "Rs", "Rs.", "kr",
        "Fr.", "zł",
    ];
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(sign), None) => is_currency_sign(sign),
        _ => CODES.contains(&text),
    }
}

fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '¢' | '£' | '¤' | '¥' | '\u{20a0}'..='\u{20c0}')
}

/// Whether the text may be a unit: `%`, `°C`, `kg/m³`, `kWh`, `m2`.
fn is_unit(text: &str) -> bool {
    let is_first = |c: char| c.is_alphabetic() || matches!(c, '%' | '‰' | '°' | 'µ') || is_currency_sign(c);
    let is_mark = |c: char| matches!(c, '/' | '·' | '*' | '^' | '²' | '³' | '⁻' | '¹' | ' ' | '.' | '-');
    // A digit is an exponent, as in m2.
    let mut is_letter_before = false;
    let mut is_part = |c: char| {
        let fits = is_first(c) || is_mark(c) || (is_letter_before && matches!(c, '2' | '3'));
        is_letter_before = c.is_alphabetic();
        fits
    };
    text.len() <= LONGEST_UNIT && text.starts_with(is_first) && text.chars().all(&mut is_part)
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
    fn units_are_taken_off_and_names_are_not() {
        let unit = |text: &str| NumberText::of(text).map(|parts| (parts.prefix.to_owned(), parts.suffix.to_owned()));
        for (text, suffix) in [("55 %", "%"), ("20.1 C", "C"), ("3kg/m3", "kg/m3"), ("5 °C", "°C"), ("1,5 €", "€")]
        {
            assert_eq!(unit(text), Some((String::new(), suffix.to_owned())), "{text}");
        }
        assert_eq!(unit("EUR 5"), Some(("EUR".to_owned(), String::new())));
        for text in [
            "user 5",
            "B-00001",
            "1080x720",
            "17:24",
            "2024-01-31",
            "10.0.0.1",
            "31.01.2025",
            "<0.01",
            "3+",
            "1 Jan 23",
            "v1.2",
            "",
            "n/a",
            "0x1f7",
        ] {
            assert_eq!(unit(text), None, "{text}");
        }
    }

    #[test]
    fn one_cell_may_fit_several_styles() {
        let fits = |text: &str| -> Vec<usize> {
            let parts = NumberText::of(text).unwrap();
            (0..STYLES.len()).filter(|style| parts.fits(STYLES[*style])).collect()
        };
        assert_eq!(fits("1,234"), [1, 4, 5, 6, 7]);
        assert_eq!(fits("1.234"), [0, 1, 2, 3, 5]);
        assert_eq!(fits("1.234,5"), [5]);
        assert_eq!(fits("12"), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(NumberText::of("1,234").unwrap().is_ambiguous());
        assert!(!NumberText::of("1,23").unwrap().is_ambiguous());
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
