//! Text from the data (column names, sources, cells) for display: shortened and made printable. Askama escapes it.

/// Characters of a name on the page; the tooltip has more.
const SHOWN: usize = 64;
/// Characters kept in a tooltip.
const KEPT: usize = 400;

/// Text from the data, short for the page and longer for the tooltip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct DisplayName {
    /// For the page.
    pub(in crate::report) short: String,
    /// For the tooltip.
    pub(in crate::report) full: String,
}

impl DisplayName {
    /// Shortens and cleans `text`; blank text becomes `(no name)`.
    pub(in crate::report) fn new(text: &str) -> DisplayName {
        if text.trim().is_empty() {
            return DisplayName {
                short: "(no name)".to_owned(),
                full: format!("a name of {} blanks", text.chars().count()),
            };
        }
        DisplayName { short: cut(text, SHOWN), full: cut(text, KEPT) }
    }
}

/// At most `most` characters of `text`, with control characters replaced by U+FFFD.
pub(in crate::report) fn cut(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// Part of a sentence: plain text, or code where the message has backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct TextSpan {
    pub(in crate::report) is_code: bool,
    pub(in crate::report) text: String,
}

/// Splits a sentence of at most `most` characters at its backticks; with an unpaired backtick it stays whole.
pub(in crate::report) fn prose(text: &str, most: usize) -> Vec<TextSpan> {
    let text = cut(text, most);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![TextSpan { is_code: false, text }];
    }
    let piece = |(i, part): (usize, &&str)| TextSpan { is_code: i % 2 == 1, text: (*part).to_owned() };
    parts.iter().enumerate().map(piece).filter(|piece| !piece.text.is_empty()).collect()
}

/// A word for a POSIX shell, quoted if needed.
pub(in crate::report) fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_empty_and_unprintable_names_stay_readable() {
        let long = DisplayName::new(&"ä".repeat(1000));
        assert_eq!(long.short.chars().count(), SHOWN + 1);
        assert_eq!(long.full.chars().count(), KEPT + 1);
        assert_eq!(DisplayName::new(" ").short, "(no name)");
        assert_eq!(DisplayName::new("a\0b\n").short, "a\u{fffd}b\u{fffd}");
        assert_eq!(DisplayName::new("amount").short, "amount");
    }

    #[test]
    fn backticks_become_code_only_in_pairs() {
        let rendered = |text: &str| {
            prose(text, 99)
                .into_iter()
                .map(|piece| if piece.is_code { format!("[{}]", piece.text) } else { piece.text })
                .collect::<String>()
        };
        assert_eq!(rendered("`amount` and `fee` have long tails"), "[amount] and [fee] have long tails");
        assert_eq!(rendered("an odd ` stays"), "an odd ` stays");
        assert_eq!(rendered(""), "");
    }

    #[test]
    fn shell_words_survive_quotes_and_blanks() {
        assert_eq!(shell("data/rows.csv"), "data/rows.csv");
        assert_eq!(shell("my file's.csv"), r"'my file'\''s.csv'");
        assert_eq!(shell(""), "''");
    }
}
