//! Number formatting for readers: significant digits, thousands separators, percent, non-finite values.

/// Between a number and its unit.
const NO_BREAK: char = '\u{a0}';

/// A whole number with thousands separators: `1,234,567`.
pub(in crate::report) fn count(n: u64) -> String {
    group(&n.to_string())
}

/// A number with up to four significant digits: `3.41`, `1,235`, `2.5e-7`.
pub(in crate::report) fn number(x: f64) -> String {
    rounded(x, 4)
}

/// A number with up to `digits` significant digits.
pub(in crate::report) fn rounded(x: f64, digits: i32) -> String {
    if let Some(word) = not_finite(x) {
        return word.to_owned();
    }
    let size = x.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return scientific(x);
    }
    trim(&fixed(x, decimals(size, digits)))
}

/// The numbers of a table column: equal decimals, four significant digits for the largest.
pub(in crate::report) fn column(values: &[f64]) -> Vec<String> {
    let largest = values.iter().filter(|x| x.is_finite()).fold(0.0, |a: f64, x| a.max(x.abs()));
    if largest == 0.0 || !(1e-3..1e9).contains(&largest) {
        return values.iter().map(|x| number(*x)).collect();
    }
    let decimals = decimals(largest, 4);
    values.iter().map(|x| not_finite(*x).map_or_else(|| fixed(*x, decimals), str::to_owned)).collect()
}

/// A share as percent: `71 %`, `1.25 %`, `99.7 %`.
pub(in crate::report) fn percent(share: f64) -> String {
    if let Some(word) = not_finite(share) {
        return word.to_owned();
    }
    let x = share * 100.0;
    let size = x.abs();
    let text = match size {
        _ if x > 0.0 && x < 0.01 => "below 0.01".to_owned(),
        _ if size < 1.0 => trim(&fixed(x, 2)),
        _ if size < 10.0 => trim(&fixed(x, 1)),
        _ if size > 99.0 && size < 100.0 => trim(&fixed(x, 2)),
        _ => fixed(x, 0),
    };
    format!("{text}{NO_BREAK}%")
}

/// A probability with two significant digits: `0.0050`, `0.31`, `2.0e-6`.
pub(in crate::report) fn probability(p: f64) -> String {
    match not_finite(p) {
        Some(word) => word.to_owned(),
        None if p == 0.0 || p == 1.0 => fixed(p, 0),
        None if p.abs() < 1e-4 => format!("{p:.1e}"),
        None => fixed(p, decimals(p.abs(), 2)),
    }
}

/// A number with a fixed number of decimals: `0.340`.
pub(in crate::report) fn places(x: f64, decimals: usize) -> String {
    not_finite(x).map_or_else(|| fixed(x, decimals), str::to_owned)
}

/// A ratio in decibels: `28.65 dB`.
pub(in crate::report) fn decibels(x: f64) -> String {
    format!("{}{NO_BREAK}dB", places(x, 2))
}

/// A difference in decibels with its sign: `+0.23 dB`.
pub(in crate::report) fn gain(x: f64) -> String {
    let sign = if x >= 0.005 { "+" } else { "" };
    format!("{sign}{}", decibels(x))
}

/// A count with its noun: `1 row`, `1,200 rows`.
pub(in crate::report) fn counted(n: u64, noun: &str) -> String {
    format!("{}{NO_BREAK}{noun}{}", count(n), if n == 1 { "" } else { "s" })
}

fn not_finite(x: f64) -> Option<&'static str> {
    match x {
        _ if x.is_nan() => Some("n/a"),
        f64::INFINITY => Some("∞"),
        f64::NEG_INFINITY => Some("−∞"),
        _ => None,
    }
}

/// Decimals needed to show `digits` significant digits of a number of this size.
fn decimals(size: f64, digits: i32) -> usize {
    let magnitude = if size == 0.0 { 0 } else { size.log10().floor() as i32 };
    (digits - 1 - magnitude).clamp(0, 12) as usize
}

fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", x.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let zero = text.bytes().all(|b| b == b'0' || b == b'.');
    let sign = if x < 0.0 && !zero { "−" } else { "" };
    match rest {
        Some(rest) => format!("{sign}{}.{rest}", group(whole)),
        None => format!("{sign}{}", group(whole)),
    }
}

fn scientific(x: f64) -> String {
    let text = format!("{:.3e}", x.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}{}e{exponent}", if x < 0.0 { "−" } else { "" }, trim(mantissa)).replace("e-", "e−")
}

fn trim(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

fn group(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_for_readers() {
        for (x, expected) in [
            (3.41, "3.41"),
            (1234.56, "1,235"),
            (0.000_123_456, "0.0001235"),
            (2.5e-7, "2.5e−7"),
            (-1e12, "−1e12"),
            (0.0, "0"),
            (-0.0, "0"),
            (999.96, "1,000"),
            (f64::NAN, "n/a"),
            (f64::INFINITY, "∞"),
            (f64::NEG_INFINITY, "−∞"),
        ] {
            assert_eq!(number(x), expected);
        }
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "row"), "1\u{a0}row");
        assert_eq!(places(0.34, 3), "0.340");
    }

    #[test]
    fn decibels_have_two_places_and_a_gain_its_sign() {
        let plain = |text: String| text.replace(NO_BREAK, " ");
        assert_eq!(plain(decibels(28.6491)), "28.65 dB");
        assert_eq!(plain(decibels(f64::INFINITY)), "∞ dB");
        for (x, expected) in [(0.231, "+0.23 dB"), (-8.164, "−8.16 dB"), (0.001, "0.00 dB"), (f64::NAN, "n/a dB")] {
            assert_eq!(plain(gain(x)), expected);
        }
    }

    #[test]
    fn columns_share_their_decimals() {
        assert_eq!(column(&[87.2, 3.456, f64::NAN]), ["87.20", "3.46", "n/a"]);
        assert_eq!(column(&[]), Vec::<String>::new());
    }

    #[test]
    fn shares_and_probabilities() {
        let plain = |text: String| text.replace(NO_BREAK, " ");
        for (share, expected) in [
            (0.71, "71 %"),
            (0.01, "1 %"),
            (0.0125, "1.2 %"),
            (0.997, "99.7 %"),
            (1.0, "100 %"),
            (0.0, "0 %"),
            (1e-9, "below 0.01 %"),
            (-0.5, "−50 %"),
        ] {
            assert_eq!(plain(percent(share)), expected);
        }
        assert_eq!(probability(0.005), "0.0050");
        assert_eq!(probability(1.0), "1");
        assert_eq!(probability(2e-6), "2.0e-6");
    }
}
