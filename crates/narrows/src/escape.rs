//! Text that comes from data and goes to people: control characters never reach a terminal as they are.
//!
//! Column names, levels, ids and file names may hold anything, such as sequences that retitle a window or hide what
//! follows. Everything that is printed goes through here once, in `talk` or in `output`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::sync::OnceLock;

/// Whether a character is shown as an escape: controls other than tab and newline, and marks that reorder text.
fn is_hidden(c: char) -> bool {
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() && !matches!(c, '\n' | '\t') || reorders || ends_line
}

/// The text with hidden characters as escapes such as `\u{1b}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden, |c, out| out.extend(c.escape_default()))
}

/// One line of text: further line breaks are escapes too.
pub(crate) fn visible_line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_hidden(c) || c == '\n', |c, out| out.extend(c.escape_default()))
}

/// JSON in which hidden characters, which only texts can hold, are JSON's own escapes.
pub(crate) fn visible_json(text: &str) -> Cow<'_, str> {
    // None of them is beyond four digits.
    escaped(text, is_hidden, |c, out| write!(out, "\\u{:04x}", u32::from(c)).expect("written to memory"))
}

fn escaped(text: &str, is_hidden: impl Fn(char) -> bool, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) { escape(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Stands for the beginning of our own colour sequences until the text around them is escaped. No data can hold it, as
/// every process has another.
pub(crate) fn colour_mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| format!("\u{e000}{:016x}", RandomState::new().hash_one(0)))
}

/// Escapes a text, and turns colour marks into the sequences of a terminal.
pub(crate) fn inked(text: &str) -> String {
    visible(text).replace(colour_mark(), "\x1b[")
}

/// A writer that escapes text on its way to a terminal.
pub(crate) struct Visible<W> {
    inner: W,
    /// The beginning of a character whose end has not come.
    partial: Vec<u8>,
}

impl<W: Write> Visible<W> {
    pub(crate) fn new(inner: W) -> Visible<W> {
        Visible { inner, partial: Vec::new() }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.partial.extend_from_slice(bytes);
        let end = match std::str::from_utf8(&self.partial) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.partial.len(),
        };
        let rest = self.partial.split_off(end);
        let whole = std::mem::replace(&mut self.partial, rest);
        self.inner.write_all(visible(&String::from_utf8_lossy(&whole)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(visible("a\x1b]0;title\x07b\rc\u{9b}2J\u{202e}d"), "a\\u{1b}]0;title\\u{7}b\\rc\\u{9b}2J\\u{202e}d");
        assert_eq!(visible("tab\tline\nÄ 中 🙂"), "tab\tline\nÄ 中 🙂");
        assert_eq!(visible_line("a\nerror: b"), "a\\nerror: b");
        assert_eq!(visible_json("\"\u{9b}\u{7f}\"\n"), "\"\\u009b\\u007f\"\n");
    }

    #[test]
    fn our_own_colours_pass_and_those_of_the_data_do_not() {
        let painted = format!("{}31m\x1b[32m{}0m", colour_mark(), colour_mark());
        assert_eq!(inked(&painted), "\x1b[31m\\u{1b}[32m\x1b[0m");
    }

    #[test]
    fn a_character_may_come_in_pieces() {
        let mut out = Vec::new();
        let mut writer = Visible::new(&mut out);
        for byte in "é\x1b\u{9b}z".bytes() {
            assert_eq!(writer.write(&[byte]).unwrap(), 1);
        }
        writer.write_all(b"\xff").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "é\\u{1b}\\u{9b}z\u{fffd}");
    }
}
