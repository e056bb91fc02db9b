//! Dialect detection for delimited files: delimiter and header.
//!
//! The delimiter is the candidate that splits most lines into the same number of fields; the first
//! line is a header if it contains no values and later lines do. The choice is reported in a note and can be overridden.

use std::collections::HashSet;

use csv::StringRecord;

use super::source::Header;
use super::token;

/// Candidates in order of preference for ties: a comma occurs within cells (decimal
/// commas, prose) far more often than the others.
const DELIMITERS: [(u8, &str); 4] = [(b'\t', "tabs"), (b';', "semicolons"), (b'|', "bars"), (b',', "commas")];

/// Lines inspected.
const LINES: usize = 200;

/// The dialect of a delimited file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// `Present` or `Absent`, no longer `Auto`.
    pub(crate) header: Header,
    /// The choice with its reason.
    pub(crate) note: String,
}

/// Detects what `delimiter` and `header` leave open. `prefix` ends within a line unless `is_whole`.
pub(crate) fn dialect(prefix: &[u8], is_whole: bool, delimiter: Option<u8>, header: Header) -> Dialect {
    let delimiter = delimiter.unwrap_or_else(|| best_delimiter(prefix, is_whole));
    let named = DELIMITERS.iter().find(|(byte, _)| *byte == delimiter);
    let cut = named.map_or_else(|| format!("`{}`", delimiter as char), |(_, name)| (*name).to_owned());
    let (header, reason) = match header {
        Header::Auto => find_header(&records(prefix, is_whole, delimiter)),
        given => (given, "as given"),
    };
    let first = match header {
        Header::Absent => "the first line is data",
        _ => "the first line names the columns",
    };
    Dialect { delimiter, header, note: format!("fields are separated by {cut}; {first} ({reason})") }
}

fn records(prefix: &[u8], is_whole: bool, delimiter: u8) -> Vec<StringRecord> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(prefix);
    let mut records = Vec::new();
    for record in reader.byte_records().take(LINES) {
        let Ok(record) = record else { break };
        records.push(StringRecord::from_byte_record_lossy(record));
    }
    // The last line of a prefix may be truncated.
    if !is_whole && records.len() > 1 && records.len() < LINES {
        records.pop();
    }
    records
}

fn best_delimiter(prefix: &[u8], is_whole: bool) -> u8 {
    let mut best = (0.0, b',');
    for (delimiter, _) in DELIMITERS {
        let widths: Vec<usize> = records(prefix, is_whole, delimiter).iter().map(StringRecord::len).collect();
        let share = |width: usize| widths.iter().filter(|other| **other == width).count() as f64 / widths.len() as f64;
        let distinct: HashSet<usize> = widths.iter().copied().filter(|width| *width > 1).collect();
        let agreement = distinct.into_iter().map(share).fold(0.0, f64::max);
        if agreement > best.0 {
            best = (agreement, delimiter);
        }
    }
    best.1
}

fn find_header(records: &[StringRecord]) -> (Header, &'static str) {
    let Some((first, later)) = records.split_first() else { return (Header::Present, "there is only one line") };
    let counts_up = first.len() > 1 && first.iter().enumerate().all(|(i, cell)| cell.trim() == i.to_string());
    if counts_up && later.iter().any(|record| record.iter().ne(first.iter())) {
        return (Header::Present, "it numbers the columns from 0");
    }
    if first.iter().any(is_value) {
        return (Header::Absent, "it contains values");
    }
    if later.is_empty() {
        return (Header::Present, "it contains no values");
    }
    let holds_value =
        |record: &StringRecord| record.iter().any(|cell| is_value(cell) && !token::is_missing(cell.trim()));
    if later.iter().any(holds_value) {
        return (Header::Present, "it contains no values, later lines do");
    }
    // All text: names are unique, categories recur.
    let recurs = |(i, cell): (usize, &str)| {
        !cell.trim().is_empty() && later.iter().any(|record| record.get(i).is_some_and(|other| other == cell))
    };
    if first.iter().enumerate().any(recurs) {
        return (Header::Absent, "its text recurs in later lines");
    }
    (Header::Present, "all columns are text, and its text does not recur")
}

/// Whether a cell is certainly data: a number, date, boolean or missing token.
fn is_value(cell: &str) -> bool {
    let cell = cell.trim();
    let is_word_of_truth = cell.len() > 1 && token::flag(cell).is_some();
    !cell.is_empty()
        && (token::number(cell).is_some()
            || is_word_of_truth
            || token::moment(cell).is_some()
            || token::is_missing(cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, delimiter: u8, header: Header) {
        let dialect = dialect(text.as_bytes(), true, None, Header::Auto);
        assert_eq!(
            (dialect.delimiter as char, dialect.header),
            (delimiter as char, header),
            "{text}\n{}",
            dialect.note
        );
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
    }

    #[test]
    fn a_header_holds_no_values() {
        check("1,2\n3,4\n", b',', Header::Absent);
        check("0,tcp,SF\n0,udp,SF\n", b',', Header::Absent);
        check("0,1,2\n5,6,7\n", b',', Header::Present);
        check("tcp,red\nudp,red\ntcp,blue\n", b',', Header::Absent);
        check("proto,colour\nudp,red\ntcp,blue\n", b',', Header::Present);
        check(",a\n0,1.5\n", b',', Header::Present);
        check("day,n\n2024-01-01,x\n", b',', Header::Present);
        check("a,b\n", b',', Header::Present);
        check("t,y\n1,2\n", b',', Header::Present);
        check("NA,x\n1,y\n", b',', Header::Absent);
    }

    #[test]
    fn what_is_told_is_not_guessed() {
        let told = dialect(b"1 2\n3 4\n", true, Some(b' '), Header::Present);
        assert_eq!((told.delimiter, told.header), (b' ', Header::Present));
        assert_eq!(told.note, "fields are separated by ` `; the first line names the columns (as given)");
    }
}
