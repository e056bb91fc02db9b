//! Words that come from the data: column names, sources, cells. Foreign, of any length, in any script.
//!
//! Askama escapes them; here they are made short and printable.

/// Characters shown of a name; the rest is in its tooltip.
const SHOWN: usize = 64;
/// Characters kept in a tooltip.
const KEPT: usize = 400;

/// A foreign word, short for the page and longer for its tooltip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    /// For the page.
    pub(super) short: String,
    /// For the tooltip; the same as `short` where that is all.
    pub(super) full: String,
}

impl Label {
    /// Shortens and cleans `text`; an empty one is called `(no name)`.
    pub(super) fn new(text: &str) -> Label {
        if text.trim().is_empty() {
            return Label { short: "(no name)".to_owned(), full: format!("a name of {} blanks", text.chars().count()) };
        }
        Label { short: cut(text, SHOWN), full: cut(text, KEPT) }
    }
}

/// At most `most` characters of `text`, with control characters made visible.
pub(super) fn cut(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// A piece of a sentence; names stand between backticks in our messages and are set as code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) is_code: bool,
    pub(super) text: String,
}

/// A sentence of at most `most` characters, cut at its backticks; one without a partner is left as it is.
pub(super) fn prose(text: &str, most: usize) -> Vec<Piece> {
    let text = cut(text, most);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![Piece { is_code: false, text }];
    }
    let piece = |(i, part): (usize, &&str)| Piece { is_code: i % 2 == 1, text: (*part).to_owned() };
    parts.iter().enumerate().map(piece).filter(|piece| !piece.text.is_empty()).collect()
}

/// A word for a POSIX shell, quoted where it has to be.
pub(super) fn shell(text: &str) -> String {
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
        let long = Label::new(&"ä".repeat(1000));
        assert_eq!(long.short.chars().count(), SHOWN + 1);
        assert_eq!(long.full.chars().count(), KEPT + 1);
        assert_eq!(Label::new(" ").short, "(no name)");
        assert_eq!(Label::new("a\0b\n").short, "a\u{fffd}b\u{fffd}");
        assert_eq!(Label::new("amount").short, "amount");
    }

    #[test]
    fn backticks_become_code_only_in_pairs() {
        let told = |text: &str| {
            prose(text, 99)
                .into_iter()
                .map(|piece| if piece.is_code { format!("[{}]", piece.text) } else { piece.text })
                .collect::<String>()
        };
        assert_eq!(told("`amount` and `fee` have long tails"), "[amount] and [fee] have long tails");
        assert_eq!(told("an odd ` stays"), "an odd ` stays");
        assert_eq!(told(""), "");
    }

    #[test]
    fn shell_words_survive_quotes_and_blanks() {
        assert_eq!(shell("data/rows.csv"), "data/rows.csv");
        assert_eq!(shell("my file's.csv"), r"'my file'\''s.csv'");
        assert_eq!(shell(""), "''");
    }
}
