//! Dialect detection for delimited files: where the table starts, its delimiter and its header.
//!
//! The delimiter is the candidate that splits most lines into the same number of fields. Lines in front of the header
//! (comments, titles) and below it (units) are left out. Every choice is reported in a note and can be overridden.

use std::collections::HashSet;

use csv::StringRecord;

use super::alignment::{Alignment, common_width, date_times, lines_below};
use super::blanks::Blanks;
use super::contrast::{Look, find_header, typical_look};
use super::delimiter::Delimiter;
use super::preamble::{Lead, titles};
use super::source::Header;
use crate::error::Hint;

/// Candidates in order of preference for ties: a comma occurs within cells (decimal commas, prose) far more often than
/// the others.
const CANDIDATES: [u8; 4] = [b'\t', b';', b'|', b','];

/// Lines inspected.
const LINES: usize = 200;

/// Share of the lines that must agree on columns separated by blanks, which prose has too.
const PADDED: f64 = 0.95;

/// What is known before a file is inspected.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    pub(crate) delimiter: Option<Delimiter>,
    pub(crate) header: Header,
    /// Lines that start with this byte are comments.
    pub(crate) comment: Option<u8>,
    /// Names that a header is likely to contain.
    pub(crate) names: &'a [&'a str],
}

/// The dialect of a delimited file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: Delimiter,
    /// `Present` or `Absent`, no longer `Auto`.
    pub(crate) header: Header,
    /// Names taken from a comment line; the first line is data then.
    pub(crate) names: Option<Vec<String>>,
    /// What comes before the table.
    pub(crate) lead: Lead,
    /// Lines below the header that are not data.
    pub(crate) below: usize,
    pub(crate) alignment: Alignment,
    /// The choices with their reasons.
    pub(crate) notes: Vec<String>,
    /// What to do if a choice is likely to be wrong.
    pub(crate) hint: Option<Hint>,
}

/// Detects what `known` leaves open. `prefix` ends within a line unless `is_whole`.
pub(crate) fn dialect(prefix: &[u8], is_whole: bool, known: Known<'_>) -> Dialect {
    let (mut lead, separator) = Lead::find(prefix, known.comment);
    let body = Body { text: &prefix[lead.bytes..], is_whole, comment: known.comment };
    let delimiter = known.delimiter.or(separator).unwrap_or_else(|| body.best_delimiter());
    let mut records = body.records(delimiter);
    let mut notes = Vec::new();
    if !lead.comments.is_empty() {
        notes.push(format!("{} in front of the table left out", lines(lead.comments.len(), "comment ")));
    }
    let title_lines = match (known.header, common_width(&records)) {
        (Header::Auto | Header::Present, Some((width, _))) => titles(&records, width),
        _ => 0,
    };
    if title_lines > 0 {
        notes.push(format!("{} in front of the header left out", lines(title_lines, "")));
        lead.skip(prefix, title_lines);
        records.drain(..title_lines);
    }
    let alignment = Alignment::find(&records, delimiter, known.header);
    let records = alignment.apply(&records, alignment.row_names);
    let (header, reason, names) = decide(&known, &records, &lead.comments, delimiter);
    let first = match (header, &names) {
        (_, Some(_)) => "a comment line names the columns",
        (Header::Absent, _) => "the first line is data",
        _ => "the first line names the columns",
    };
    notes.insert(0, format!("fields are separated by {}; {first} ({reason})", delimiter.describe()));
    if alignment.row_names {
        notes.push("the first field of each line, for which the header has none, is read as a column".to_owned());
    }
    let below = if header == Header::Present { lines_below(&records) } else { 0 };
    if below > 0 {
        let cells = records[1].iter().filter(|cell| !cell.trim().is_empty()).take(3).collect::<Vec<_>>().join("`, `");
        notes.push(format!("{} below the header left out, as no data: `{cells}`", lines(below, "")));
    }
    let is_single = known.delimiter.is_none() && common_width(&records).is_some_and(|(width, _)| width <= 1);
    let hint = if is_single { body.other_delimiter() } else { None };
    Dialect { delimiter, header, names, lead, below, alignment, notes, hint }
}

fn lines(n: usize, kind: &str) -> String {
    if n == 1 { format!("1 {kind}line") } else { format!("{n} {kind}lines") }
}

/// The header, the reason, and names from a comment.
fn decide(
    known: &Known<'_>,
    records: &[StringRecord],
    comments: &[String],
    delimiter: Delimiter,
) -> (Header, &'static str, Option<Vec<String>>) {
    let verdict = find_header(records);
    let holds = |name: &&&str| records.first().is_some_and(|first| first.iter().any(|cell| cell.trim() == **name));
    let found = known.names.iter().filter(holds).count();
    let is_expected = found > 0 && found * 2 >= known.names.len().min(records.first().map_or(0, StringRecord::len));
    match known.header {
        Header::Absent => return (Header::Absent, "as given", None),
        Header::Present if verdict.header == Header::Present || comments.is_empty() => {
            return (Header::Present, "as given", None);
        }
        Header::Auto if is_expected => return (Header::Present, "it contains the expected names", None),
        Header::Auto if verdict.header == Header::Present && (verdict.is_evident || comments.is_empty()) => {
            return (Header::Present, verdict.reason, None);
        }
        _ => {}
    }
    // What `numpy.savetxt` and many instruments write: the names behind the mark of a comment.
    let width = records.first().map_or(0, StringRecord::len);
    let names = comments.last().and_then(|line| {
        let split = |delimiter: Delimiter| {
            let text = format!("{line}\n");
            let body = Body { text: text.as_bytes(), is_whole: true, comment: None };
            body.records(delimiter).into_iter().next().filter(|names| names.len() == width)
        };
        let names = [delimiter, Delimiter::Whitespace].into_iter().find_map(split)?;
        let with_names: Vec<StringRecord> = std::iter::once(names.clone()).chain(records.iter().cloned()).collect();
        find_header(&with_names).is_evident.then(|| names.iter().map(str::to_owned).collect())
    });
    match names {
        Some(names) => (Header::Absent, "the line before the first data", Some(names)),
        None => (if known.header == Header::Present { Header::Present } else { verdict.header }, verdict.reason, None),
    }
}

/// The text of a table, from its first line.
struct Body<'a> {
    text: &'a [u8],
    is_whole: bool,
    comment: Option<u8>,
}

impl Body<'_> {
    fn records(&self, delimiter: Delimiter) -> Vec<StringRecord> {
        let mut builder = csv::ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(delimiter.byte()).comment(self.comment);
        let lossy = StringRecord::from_byte_record_lossy;
        let mut records: Vec<StringRecord> = match delimiter.least_blanks() {
            None => builder.from_reader(self.text).byte_records().take(LINES).flatten().map(lossy).collect(),
            Some(least) => {
                let blanks = Blanks::new(self.text, least);
                builder.from_reader(blanks).byte_records().take(LINES).flatten().map(lossy).collect()
            }
        };
        // The last line of a prefix may be truncated.
        if !self.is_whole && records.len() > 1 && records.len() < LINES {
            records.pop();
        }
        records
    }

    fn best_delimiter(&self) -> Delimiter {
        let mut best = (0.0, b',');
        for delimiter in CANDIDATES {
            let widths: Vec<usize> = self.records(Delimiter::Byte(delimiter)).iter().map(StringRecord::len).collect();
            let share =
                |width: usize| widths.iter().filter(|other| **other == width).count() as f64 / widths.len() as f64;
            let distinct: HashSet<usize> = widths.iter().copied().filter(|width| *width > 1).collect();
            let agreement = distinct.into_iter().map(share).fold(0.0, f64::max);
            if agreement > best.0 {
                best = (agreement, delimiter);
            }
        }
        let padded =
            [Delimiter::Whitespace, Delimiter::Padding].into_iter().find(|blanks| self.is_padded(*blanks, best));
        padded.unwrap_or(Delimiter::Byte(best.1))
    }

    /// Whether blanks separate columns, some of which hold values, and the best single character does not.
    fn is_padded(&self, blanks: Delimiter, (agreement, other): (f64, u8)) -> bool {
        let may_be = agreement < 0.9 || other == b',' || other == b'\t';
        if !may_be || !self.text.iter().any(|byte| matches!(byte, b' ' | b'\t')) {
            return false;
        }
        let records = self.records(blanks);
        let Some((first, rows)) = records.split_first() else { return false };
        let Some((width, share)) = common_width(rows) else { return false };
        let joins = if blanks == Delimiter::Whitespace { date_times(rows).len() } else { 0 };
        let is_value = |i: &usize| matches!(typical_look(rows, *i), Look::Number | Look::Moment | Look::Flag);
        let values = (0..width).filter(is_value).count();
        let columns = width - joins;
        let fits_header = [width, columns, columns.saturating_sub(1)].contains(&first.len());
        // A number with its unit is one cell.
        let is_pair = blanks == Delimiter::Whitespace && columns == 2 && (values < 2 || first.len() < 2);
        if columns < 2 || share < PADDED || values == 0 || !fits_header || is_pair {
            return false;
        }
        match other {
            _ if agreement == 0.0 => true,
            b',' if decimal_commas(rows) => true,
            b'\t' if self.tabs_are_padding(columns) => true,
            _ => agreement < 0.9 && share > agreement + 0.1,
        }
    }

    /// Whether tabs leave columns without any text, and `columns` with some.
    fn tabs_are_padding(&self, columns: usize) -> bool {
        let records = self.records(Delimiter::Byte(b'\t'));
        let width = records.iter().map(StringRecord::len).max().unwrap_or(0);
        let is_filled =
            |i: &usize| records.iter().any(|record| record.get(*i).is_some_and(|cell| !cell.trim().is_empty()));
        let filled = (0..width).filter(is_filled).count();
        filled < width && filled == columns && records.iter().all(|record| record.len() == width)
    }

    /// For lines of one field: a character that cuts them alike.
    fn other_delimiter(&self) -> Option<Hint> {
        let records = self.records(Delimiter::Byte(b','));
        let rows = records.get(1..).filter(|rows| !rows.is_empty())?;
        if typical_look(rows, 0) != Look::Word {
            return None;
        }
        let alike = |byte: u8| {
            let counts = rows.iter().map(|row| row.as_slice().bytes().filter(|other| *other == byte).count());
            let counts: Vec<usize> = counts.collect();
            counts.iter().filter(|count| **count == counts[0] && **count > 0).count() as f64
                >= PADDED * counts.len() as f64
        };
        let candidate = b":^~!&*=/".iter().copied().find(|byte| alike(*byte));
        let runs = |row: &StringRecord| row.as_slice().split_whitespace().count() >= 3;
        match candidate {
            Some(byte) => {
                let byte = char::from(byte);
                Some(Hint::of(&format!("each line is one field; if `{byte}` separates them, [delimiter={byte}]")))
            }
            None if rows.iter().filter(|row| runs(row)).count() * 2 > rows.len() => {
                Some(Hint::of("each line is one field; if blanks separate them, [delimiter=whitespace]"))
            }
            None => None,
        }
    }
}

/// Whether every comma is a decimal comma once blanks separate the fields.
fn decimal_commas(rows: &[StringRecord]) -> bool {
    let is_decimal = |cell: &str| {
        let parts = cell.trim_start_matches(['-', '+']).split_once(',');
        parts.is_some_and(|(whole, rest)| {
            [whole, rest].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        })
    };
    let mut with_comma = rows.iter().flat_map(StringRecord::iter).filter(|cell| cell.contains(',')).peekable();
    with_comma.peek().is_some() && with_comma.all(is_decimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniffed(text: &str) -> Dialect {
        dialect(text.as_bytes(), true, Known::default())
    }

    fn check(text: &str, delimiter: u8, header: Header) {
        check_shape(text, Delimiter::Byte(delimiter), header);
    }

    fn check_shape(text: &str, delimiter: Delimiter, header: Header) {
        let dialect = sniffed(text);
        assert_eq!((dialect.delimiter, dialect.header), (delimiter, header), "{text}\n{:?}", dialect.notes);
    }

    #[test]
    fn the_delimiter_is_the_one_that_cuts_lines_alike() {
        check("a,b\n1,2\n", b',', Header::Present);
        check("a;b\n1,5;2,5\n", b';', Header::Present);
        check("a\tb\n1\t2,3\n", b'\t', Header::Present);
        check("a|b\n1|2\n", b'|', Header::Present);
        check("a,b\n\"x;y\",2\n\"x;y\n;\",3\n", b',', Header::Present);
        check("a,b\n1,2\n3\n4,5\n6,7\n", b',', Header::Present);
        check("a\n1\n2\n", b',', Header::Present);
        check("sep=;\na;b\n1;2\n", b';', Header::Present);
    }

    #[test]
    fn columns_padded_with_blanks_are_seen() {
        let absent = |text: &str| check_shape(text, Delimiter::Whitespace, Header::Absent);
        let present = |text: &str| check_shape(text, Delimiter::Whitespace, Header::Present);
        absent("1 1 -0.0012 518.67  \n1 2 0.0023 518.70  \n2 1 0.0011 518.62  \n");
        present("   time      temp   press\n      0    21.443  0.9953\n      1    20.195  1.0056\n");
        present("       date   size\n1  2014-11-09 03:39:31  5281\n2  2014-11-09 03:39:31  7232\n");
        present("x y\n1,5 2,25\n3,0 4,75\n");
        present("a\t\tb\n1\t\t2\n10\t\t3\n");
        check_shape(
            "city        size\nNew York    8.4\nSan Marino  0.03\nRome        2.8\n",
            Delimiter::Padding,
            Header::Present,
        );
    }

    #[test]
    fn blanks_within_cells_are_no_delimiters() {
        check("time\n2024-01-01 00:00:00\n2024-01-01 00:00:01\n", b',', Header::Present);
        check("weight\n12 kg\n13 kg\n", b',', Header::Present);
        check("note\nall is well today\nnothing new\n", b',', Header::Present);
        check("t,x\n2024-01-01 00:00:00,1\n2024-01-01 00:00:01,2\n", b',', Header::Present);
        check("a b,c d\n1,2\n3,4\n", b',', Header::Present);
        check("a\tb\n1\t\n2\tx y\n", b'\t', Header::Present);
    }

    #[test]
    fn lines_around_the_header_are_left_out_and_told() {
        let dialect = sniffed("# made by x\nreport\n\nt,v\ns,m/s\n1,2\n3,4\n5,6\n");
        assert_eq!((dialect.lead.lines, dialect.below, dialect.header), (3, 1, Header::Present));
        assert_eq!(
            dialect.notes[1..],
            [
                "1 comment line in front of the table left out",
                "1 line in front of the header left out",
                "1 line below the header left out, as no data: `s`, `m/s`",
            ]
        );
        let named = sniffed("# t x\n1,2\n3,4\n");
        assert_eq!(named.names, Some(vec!["t".to_owned(), "x".to_owned()]));
        assert_eq!(sniffed("# made by us\nt,x\n1,2\n").names, None);
    }

    #[test]
    fn one_field_a_line_gets_advice() {
        let advice = |text: &str| sniffed(text).hint.map(|hint| hint.to_string());
        assert_eq!(advice("a:b\nx:y\nz:w\n").unwrap(), "each line is one field; if `:` separates them, `delimiter=:`");
        assert!(advice("a b c\nx y z\nu v w\n").unwrap().contains("whitespace"));
        assert_eq!(advice("t\n00:01\n00:02\n"), None);
        assert_eq!(advice("a,b\n1,2\n"), None);
    }

    #[test]
    fn what_is_told_is_not_guessed() {
        let known = Known { delimiter: Some(Delimiter::Byte(b' ')), header: Header::Present, ..Known::default() };
        let told = dialect(b"1 2\n3 4\n", true, known);
        assert_eq!((told.delimiter, told.header), (Delimiter::Byte(b' '), Header::Present));
        assert_eq!(told.notes, ["fields are separated by ` `; the first line names the columns (as given)"]);
        let named = dialect(b"1,2\n3,4\n", true, Known { names: &["2", "1"], ..Known::default() });
        assert_eq!(named.header, Header::Present);
    }
}
