//! Messages on stderr and their verbosity.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Style of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// Terminal: messages and a progress bar.
    Terminal,
    /// Not a terminal: plain lines.
    Lines,
    /// Errors only.
    Quiet,
    /// Errors only, as JSON.
    Json,
}

/// Whether text may be coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// With terminal escapes.
    Coloured,
    /// Plain text.
    Plain,
}

impl Talk {
    /// The style for the current stderr.
    pub(crate) fn to_stderr() -> Talk {
        if std::io::stderr().is_terminal() && !is_dumb() { Talk::Terminal } else { Talk::Lines }
    }

    /// Whether messages other than errors are printed.
    pub(crate) fn is_heard(self) -> bool {
        matches!(self, Talk::Terminal | Talk::Lines)
    }

    /// Prints one line to stderr.
    pub(crate) fn line(self, text: impl Display) {
        if self.is_heard() {
            // A closed stderr is ignored.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// Prints on stderr what was lost or changed while reading; not even --quiet hides it.
pub(crate) fn warn(text: &str) {
    let as_json = std::env::args_os().any(|arg| arg == "--json");
    let line = if as_json { serde_json::json!({ "warning": text }).to_string() } else { format!("warning: {text}") };
    // A closed stderr is ignored.
    let _ = writeln!(std::io::stderr(), "{line}");
}

impl Ink {
    /// Coloured if stdout is a colour terminal and NO_COLOR is not set.
    pub(crate) fn for_stdout() -> Ink {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if std::io::stdout().is_terminal() && !is_dumb() && !refused { Ink::Coloured } else { Ink::Plain }
    }

    /// `text` in an ANSI colour, such as 31 for red.
    pub(crate) fn paint(self, colour: u8, text: &str) -> String {
        match self {
            Ink::Coloured => format!("\x1b[{colour}m{text}\x1b[0m"),
            Ink::Plain => text.to_owned(),
        }
    }
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// A count with its noun: `1 row`, `12,000 rows`.
pub(crate) fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// An integer with thousands separators.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_and_agree_with_their_noun() {
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(0, "row"), "0 rows");
        assert_eq!(count(285_000, "row"), "285,000 rows");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(123), "123");
    }

    #[test]
    fn plain_ink_leaves_no_escapes() {
        assert_eq!(Ink::Plain.paint(31, "x"), "x");
        assert_eq!(Ink::Coloured.paint(31, "x"), "\x1b[31mx\x1b[0m");
    }
}
