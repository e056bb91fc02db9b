//! What separates the fields of a text table.

use std::fmt;
use std::str::FromStr;

/// What separates the fields of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delimiter {
    /// One character; two in a row enclose an empty field.
    Byte(u8),
    /// Blanks and tabs, of which a run counts as one; those at either end of a line do not count.
    Whitespace,
    /// Two or more blanks, or a tab: columns padded with blanks, whose cells may contain single ones.
    Padding,
}

impl Delimiter {
    /// The byte that separates fields once runs of blanks are replaced.
    pub(super) fn byte(self) -> u8 {
        match self {
            Delimiter::Byte(byte) => byte,
            Delimiter::Whitespace | Delimiter::Padding => b'\t',
        }
    }

    /// The number of blanks that separate fields; `None` if single characters do.
    pub(super) fn least_blanks(self) -> Option<usize> {
        match self {
            Delimiter::Byte(_) => None,
            Delimiter::Whitespace => Some(1),
            Delimiter::Padding => Some(2),
        }
    }

    /// Description for notes, as in "fields are separated by commas".
    pub(super) fn describe(self) -> String {
        match self {
            Delimiter::Byte(b'\t') => "tabs".to_owned(),
            Delimiter::Byte(b';') => "semicolons".to_owned(),
            Delimiter::Byte(b'|') => "bars".to_owned(),
            Delimiter::Byte(b',') => "commas".to_owned(),
            Delimiter::Byte(byte) => format!("`{}`", char::from(byte).escape_default()),
            Delimiter::Whitespace => "blanks, of which a run counts as one".to_owned(),
            Delimiter::Padding => "two or more blanks".to_owned(),
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delimiter::Byte(b'\t') => f.write_str("tab"),
            Delimiter::Byte(byte) => write!(f, "{}", char::from(*byte)),
            Delimiter::Whitespace => f.write_str("whitespace"),
            Delimiter::Padding => f.write_str("padding"),
        }
    }
}

impl FromStr for Delimiter {
    type Err = String;

    /// A blank means a run of blanks, since single ones hardly ever separate fields that may be empty.
    fn from_str(text: &str) -> Result<Delimiter, String> {
        match (text, text.as_bytes()) {
            ("tab" | "\\t", _) => Ok(Delimiter::Byte(b'\t')),
            ("whitespace" | " " | "\\s+", _) => Ok(Delimiter::Whitespace),
            ("padding", _) => Ok(Delimiter::Padding),
            (_, [byte]) if !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Delimiter::Byte(*byte)),
            _ => Err(format!("expected one ASCII character, `tab`, `whitespace` or `padding`, got `{text}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_one_character_or_a_word() {
        for (text, delimiter) in [
            (";", Delimiter::Byte(b';')),
            ("\\t", Delimiter::Byte(b'\t')),
            ("tab", Delimiter::Byte(b'\t')),
            (" ", Delimiter::Whitespace),
            ("whitespace", Delimiter::Whitespace),
        ] {
            assert_eq!(text.parse(), Ok(delimiter));
            assert_eq!(delimiter.to_string().parse(), Ok(delimiter));
        }
        for text in [";;", "§", "", "\""] {
            assert!(text.parse::<Delimiter>().is_err(), "{text}");
        }
    }
}
