//! One text taken apart as a number: sign, currency, digits with marks, exponent and unit.
//!
//! `1,234` is a number in several styles, so a text only says which styles it fits; the whole column decides.

use super::number_format::{DecimalMark, STYLES, Style, ThousandsMark};

/// Longest text that is taken apart.
const LONGEST: usize = 40;
/// Most bytes before a number: a currency, a sign and spaces.
const LONGEST_CURRENCY: usize = 8;
/// Longest unit, in bytes.
const LONGEST_UNIT: usize = 16;

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
}
