//! A contact sheet: a PNG embedded in the page as base64.

/// Longest base64 that is embedded; a few rows in colour take some millions of characters.
const MAX_BASE64: usize = 8 << 20;
/// The PNG signature in base64.
const PNG: &str = "iVBORw0KGgo";

/// A validated sheet.
pub(super) struct SheetFigure {
    /// A PNG file.
    pub(super) base64: String,
    /// Caption and alternative text.
    pub(super) caption: String,
}

impl SheetFigure {
    /// `None` if the sheet is missing, too large or not a PNG file.
    pub(super) fn new(base64: &str, caption: impl Into<String>) -> Option<SheetFigure> {
        let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
        let is_valid = base64.len() <= MAX_BASE64 && base64.starts_with(PNG) && base64.bytes().all(is_base64);
        is_valid.then(|| SheetFigure { base64: base64.to_owned(), caption: caption.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_png_of_bounded_size_is_embedded() {
        let check = |base64: &str, expected: bool| assert_eq!(SheetFigure::new(base64, "").is_some(), expected);
        check(&format!("{PNG}AAAA=="), true);
        check("", false);
        check("PHN2Zz48L3N2Zz4=", false);
        check(&format!("{PNG}\"><script>"), false);
        check(&format!("{PNG}{}", "A".repeat(MAX_BASE64)), false);
    }
}
