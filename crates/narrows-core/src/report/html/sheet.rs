//! A contact sheet: an image that stands in the page itself, as base64.

/// Letters of the largest sheet that a page takes: one of a few rows in colour has some millions.
const MOST: usize = 8 << 20;
/// What every PNG file begins with.
const PNG: &str = "iVBORw0KGgo";

/// A sheet that may stand in the page.
pub(super) struct Sheet {
    /// A PNG file.
    pub(super) base64: String,
    /// What it shows, for who cannot see it.
    pub(super) words: String,
}

impl Sheet {
    /// None where there is no sheet, where it is too large, or where it is something else than a PNG file.
    pub(super) fn new(base64: &str, words: impl Into<String>) -> Option<Sheet> {
        let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
        let may_stand = base64.len() <= MOST && base64.starts_with(PNG) && base64.bytes().all(is_base64);
        may_stand.then(|| Sheet { base64: base64.to_owned(), words: words.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_png_of_bounded_size_may_stand_in_the_page() {
        let check = |base64: &str, expected: bool| assert_eq!(Sheet::new(base64, "").is_some(), expected);
        check(&format!("{PNG}AAAA=="), true);
        check("", false);
        check("PHN2Zz48L3N2Zz4=", false);
        check(&format!("{PNG}\"><script>"), false);
        check(&format!("{PNG}{}", "A".repeat(MOST)), false);
    }
}
