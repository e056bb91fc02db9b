//! A Markdown document. Text of the data is escaped on its way in, so that no column name becomes a heading, a cell, a link
//! or HTML, whoever renders it.

use crate::report::html::text::{TextSpan, cut, prose};

/// Characters of a name.
const NAME: usize = 120;
/// Characters of a sentence.
const SENTENCE: usize = 1000;

/// A document in the making, block by block.
#[derive(Debug, Default)]
pub(super) struct MarkdownDocument {
    text: String,
}

impl MarkdownDocument {
    /// Opens with text that stands as it is, such as a front matter.
    pub(super) fn opening(text: String) -> MarkdownDocument {
        MarkdownDocument { text }
    }

    /// The title; escaped already.
    pub(super) fn title(&mut self, title: &str) {
        self.block(&format!("# {title}"));
    }

    /// Opens a section.
    pub(super) fn section(&mut self, title: &'static str) {
        self.block(&format!("## {title}"));
    }

    /// Opens a part of a section.
    pub(super) fn part(&mut self, title: &'static str) {
        self.block(&format!("### {title}"));
    }

    /// A paragraph; escaped already.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.block(&inert(text));
    }

    /// A list, if there is something in it; escaped already.
    pub(super) fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let items: Vec<String> = items.into_iter().map(|item| format!("- {}", inert(&item))).collect();
        if !items.is_empty() {
            self.block(&items.join("\n"));
        }
    }

    /// A table, if it has rows; cells are escaped already.
    pub(super) fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let line = |cells: Vec<&str>| format!("| {} |", cells.join(" | "));
        let mut lines = vec![line(head.to_vec()), line(vec!["---"; head.len()])];
        lines.extend(rows.into_iter().map(|row| line(row.iter().map(String::as_str).collect())));
        if lines.len() > 2 {
            self.block(&lines.join("\n"));
        }
    }

    /// A block of code as it is: its fence is longer than any in it.
    pub(super) fn code(&mut self, language: &'static str, code: &str) {
        let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.block(&format!("{fence}{language}\n{}\n{fence}", code.trim_end()));
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn block(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
        self.text.push('\n');
    }
}

/// A name of the data, as code where that is possible.
pub(super) fn name(text: &str) -> String {
    if text.trim().is_empty() {
        return format!("(a name of {} blanks)", text.chars().count());
    }
    code_span(&cut(text, NAME))
}

/// A sentence with names in backticks.
pub(super) fn sentence(text: &str) -> String {
    let part = |TextSpan { is_code, text }: &TextSpan| if *is_code { code_span(text) } else { escaped(text) };
    prose(text, SENTENCE).iter().map(part).collect()
}

/// Text as code, or escaped if code spans cannot hold it in a table cell: renderers differ in what they make of a bar or a
/// backslash there.
fn code_span(text: &str) -> String {
    let is_plain = !text.contains(['`', '|', '\\']) && text.trim() == text && !text.is_empty();
    if is_plain { format!("`{text}`") } else { escaped(text) }
}

/// Text without any meaning in Markdown or HTML within a line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = '\0';
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A backslash does not keep every renderer from ending a cell here.
            '|' => out.push_str("&#124;"),
            // Addresses would become links.
            '@' => out.push_str("&#64;"),
            '/' if before == ':' => out.push_str("&#47;"),
            '.' if before.eq_ignore_ascii_case(&'w') => out.push_str("&#46;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '#' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// A line that opens no list, quotation, rule or heading.
fn inert(text: &str) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[digits..].chars().next() {
        Some(c @ ('.' | ')')) if digits > 0 => format!("{}\\{c}{}", &text[..digits], &text[digits + 1..]),
        Some(c @ ('-' | '+' | '=' | ':')) if digits == 0 => format!("\\{c}{}", &text[1..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_unless_code_cannot_hold_them() {
        for (text, expected) in [
            ("amount", "`amount`"),
            ("<script>", "`<script>`"),
            ("---", "`---`"),
            ("a|b", "a&#124;b"),
            ("a`b", "a\\`b"),
            ("a\\", "a\\\\"),
            ("a\n# b", "`a\u{fffd}# b`"),
            ("|<b>", "&#124;&lt;b&gt;"),
            ("  ", "(a name of 2 blanks)"),
            (" x", " x"),
        ] {
            assert_eq!(name(text), expected);
        }
    }

    #[test]
    fn sentences_keep_their_names_and_lose_all_markup() {
        for (text, expected) in [
            ("`amount` has a long tail", "`amount` has a long tail"),
            ("`a|b` is *new* [x](http://y)", "a&#124;b is \\*new\\* \\[x\\](http:&#47;/y)"),
            ("an odd ` and <img>", "an odd \\` and &lt;img&gt;"),
            ("www.x.org, me@x.org", "www&#46;x.org, me&#64;x.org"),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }

    #[test]
    fn no_line_opens_a_block() {
        for (text, expected) in
            [("- x", "\\- x"), ("--- x", "\\--- x"), ("12. x", "12\\. x"), ("12 x", "12 x"), ("+1", "\\+1"), ("", "")]
        {
            assert_eq!(inert(text), expected);
        }
    }

    #[test]
    fn a_fence_is_longer_than_those_in_the_code() {
        let mut document = MarkdownDocument::default();
        document.code("toml", "a = \"\"\"\n````\nb\"\"\"\n");
        document.table(&["a", "b"], [vec!["1".to_owned(), "2".to_owned()]]);
        document.table(&["a"], []);
        document.list([]);
        let expected = "`````toml\na = \"\"\"\n````\nb\"\"\"\n`````\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n";
        assert_eq!(document.finish(), expected);
    }
}
