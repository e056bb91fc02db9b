//! Messages on stderr and their verbosity.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use crate::escape::{colour_mark, visible_line};
use crate::told;

static CURRENT: OnceLock<Talk> = OnceLock::new();

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

    /// Makes this the style of the process.
    pub(crate) fn keep(self) {
        let _ = CURRENT.set(self);
    }

    /// The style of the process, for places that are not given one.
    pub(crate) fn current() -> Talk {
        CURRENT.get().copied().unwrap_or(Talk::Quiet)
    }

    /// Whether messages other than errors are printed.
    pub(crate) fn is_heard(self) -> bool {
        matches!(self, Talk::Terminal | Talk::Lines)
    }

    /// Prints one line to stderr, after empty lines if the text begins with some.
    pub(crate) fn line(self, text: impl Display) {
        if self.is_heard() {
            put(&text.to_string());
        }
    }

    /// Tells something about the data, once.
    pub(crate) fn note(self, text: impl Display) {
        let text = text.to_string();
        if told::note(&text) {
            self.line(format_args!("note: {text}"));
        }
    }

    /// Warns, once, of what was lost or changed or may mislead, also with `--quiet`.
    pub(crate) fn warn(self, text: impl Display) {
        let text = text.to_string();
        if told::warning(&text) {
            self.loss(format_args!("warning: {text}"));
        }
    }

    /// Prints one line about a loss, also with `--quiet`; `told` has it for JSON.
    pub(crate) fn loss(self, text: impl Display) {
        if self != Talk::Json {
            put(&text.to_string());
        }
    }
}

fn put(text: &str) {
    let line = text.trim_start_matches('\n');
    let empty = &text[..text.len() - line.len()];
    // A closed stderr is ignored.
    let _ = writeln!(std::io::stderr(), "{empty}{}", visible_line(line));
}

impl Ink {
    /// Coloured if stdout is a colour terminal and NO_COLOR is not set.
    pub(crate) fn for_stdout() -> Ink {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if std::io::stdout().is_terminal() && !is_dumb() && !refused { Ink::Coloured } else { Ink::Plain }
    }

    /// `text` in an ANSI colour, such as 31 for red; for [`inked`](crate::escape::inked).
    pub(crate) fn paint(self, colour: u8, text: &str) -> String {
        match self {
            Ink::Coloured => format!("{0}{colour}m{text}{0}0m", colour_mark()),
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
        assert_eq!(crate::escape::inked(&Ink::Coloured.paint(31, "x")), "\x1b[31mx\x1b[0m");
    }
}
