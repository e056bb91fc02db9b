//! Lines in front of the table in a text file: comments, titles, a declared separator.

use csv::StringRecord;

use super::contrast::{Look, find_header};
use super::delimiter::Delimiter;
use super::source::Header;

/// What comes before the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lead {
    /// Its length in bytes.
    pub(crate) bytes: usize,
    /// Its length in lines.
    pub(crate) lines: u64,
    /// The comments in it, without their mark.
    pub(super) comments: Vec<String>,
}

impl Lead {
    /// Comment lines at the start, and the separator of a line such as `sep=;`, which spreadsheets write.
    pub(super) fn find(prefix: &[u8], comment: Option<u8>) -> (Lead, Option<Delimiter>) {
        let mark = comment.unwrap_or(b'#');
        let (mut lead, mut separator) = (Lead::default(), None);
        let mut rest = prefix;
        while !rest.is_empty() {
            let length = line_length(rest);
            let line = rest[..length].trim_ascii();
            match line {
                [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', byte] if lead.lines == 0 => {
                    separator = Some(Delimiter::Byte(*byte));
                }
                [] => {}
                // `#,name,...` names a column of numbers.
                [first, second, ..] if *first == mark && (comment.is_some() || !b",;|\t".contains(second)) => {
                    lead.comments.push(String::from_utf8_lossy(&line[1..]).trim().to_owned());
                }
                [first] if *first == mark => lead.comments.push(String::new()),
                _ => break,
            }
            lead.bytes += length;
            lead.lines += 1;
            rest = &rest[length..];
        }
        // Blank lines alone are left to the parser, and so is a file of nothing else.
        let is_lead = separator.is_some() || !lead.comments.is_empty();
        if is_lead && !rest.is_empty() { (lead, separator) } else { (Lead::default(), None) }
    }

    /// Adds `records` lines that are not blank, and the blank ones before the next.
    pub(super) fn skip(&mut self, prefix: &[u8], records: usize) {
        let mut left = records;
        let mut rest = &prefix[self.bytes..];
        while !rest.is_empty() {
            let length = line_length(rest);
            let is_blank = rest[..length].trim_ascii().is_empty();
            if !is_blank {
                match left.checked_sub(1) {
                    Some(fewer) => left = fewer,
                    None => return,
                }
            }
            self.bytes += length;
            self.lines += 1;
            rest = &rest[length..];
        }
    }
}

/// The length of the first line with its terminator: `\n`, `\r\n` or `\r`.
fn line_length(text: &[u8]) -> usize {
    match text.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(end) if text[end..].starts_with(b"\r\n") => end + 2,
        Some(end) => end + 1,
        None => text.len(),
    }
}

/// How many records in front of an evident header have fewer fields than it, or only empty ones.
pub(super) fn titles(records: &[StringRecord], width: usize) -> usize {
    // A title that a spreadsheet has written is followed by empty cells.
    let is_title = |record: &StringRecord| record.iter().skip(1).all(|cell| Look::of(cell) == Look::Empty);
    let Some(start) = records.iter().position(|record| record.len() == width && !is_title(record)) else { return 0 };
    let is_one_line = |record: &StringRecord| !record.iter().any(|cell| cell.contains(['\n', '\r']));
    if start == 0 || width < 2 || !records[..start].iter().all(is_one_line) {
        return 0;
    }
    let verdict = find_header(&records[start..]);
    if verdict.header == Header::Present && verdict.is_evident { start } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, separator: Option<u8>) {
        let (lead, found) = Lead::find(text.as_bytes(), None);
        assert_eq!((&text[lead.bytes..], found), (expected, separator.map(Delimiter::Byte)), "{text}");
        let lines = text[..lead.bytes].replace("\r\n", "\n").replace('\r', "\n");
        assert_eq!(lead.lines as usize, lines.lines().count());
    }

    #[test]
    fn comments_and_declared_separators_come_before_the_table() {
        check("# made by x\n\n# t y\r\n1,2\n", "1,2\n", None);
        check("sep=;\na;b\n", "a;b\n", Some(b';'));
        check("\n\na,b\n", "\n\na,b\n", None);
        check("#,name\n1,x\n", "#,name\n1,x\n", None);
        check("# only\n", "# only\n", None);
        check("#a\r#b\r1,2\r", "1,2\r", None);
    }

    #[test]
    fn titles_are_passed_line_by_line() {
        let text = b"My report\n\nsecond\n\na,b\n1,2\n";
        let mut lead = Lead::default();
        lead.skip(text, 2);
        assert_eq!((&text[lead.bytes..], lead.lines), (&b"a,b\n1,2\n"[..], 4));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&text[..]);
        let records: Vec<StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(titles(&records, 2), 2);
        assert_eq!(titles(&records[2..], 2), 0);
        assert_eq!(titles(&records[3..], 2), 0);
        let padded = ["Report,,", "exported on Monday,,", ",,", "a,b,c", "1,2,3", "4,5,6"];
        let padded: Vec<StringRecord> = padded.iter().map(|line| line.split(',').collect()).collect();
        assert_eq!((titles(&padded, 3), titles(&padded[3..], 3), titles(&padded[4..], 3)), (3, 0, 0));
        // A header that leaves out the names of the rows is no title: what follows is no header.
        let rows: Vec<StringRecord> = ["x y", "a 1 2", "b 3 4"].iter().map(|line| line.split(' ').collect()).collect();
        assert_eq!(titles(&rows, 3), 0);
    }
}
