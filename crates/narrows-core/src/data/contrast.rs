//! Whether the first line of a text table names its columns: decided by contrast with the lines below.
//!
//! Every column votes. Text above numbers, dates or words of truth is a name; a value like those below it is data. Names
//! may look like values (`Na`, `No`, years, wavelengths), so a cell is compared with its own column, and numbers are
//! taken for names if they form a sequence that the lines below do not.

use csv::StringRecord;

use super::source::Header;
use super::token;

/// Lines below the first whose numbers are compared with it.
const COMPARED: usize = 50;

/// What a cell is by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Empty,
    Missing,
    Number,
    Moment,
    Flag,
    Word,
}

impl Look {
    pub(super) fn of(cell: &str) -> Look {
        let cell = cell.trim();
        let has_digit = cell.bytes().any(|byte| byte.is_ascii_digit());
        if cell.is_empty() {
            Look::Empty
        } else if token::is_missing(cell) {
            Look::Missing
        } else if has_digit && is_number(cell) {
            Look::Number
        } else if has_digit && (token::moment(cell).is_some() || is_date_like(cell)) {
            Look::Moment
        } else if cell.len() > 1 && token::flag(cell).is_some() {
            Look::Flag
        } else {
            Look::Word
        }
    }
}

/// A number, also with a decimal comma, thousands separators, or a sign or unit at an end of it.
fn is_number(cell: &str) -> bool {
    token::number(cell).is_some() || {
        let bare = cell.trim_matches(['%', '$', '€', '£', '<', '>', '~', '+', '-', ' ']);
        let starts = bare.starts_with(|c: char| c.is_ascii_digit());
        starts
            && bare.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.' | b'\''))
            && bare.ends_with(|c: char| c.is_ascii_digit())
    }
}

/// Digits in groups, as in `31.01.2025 14:05`.
pub(super) fn is_date_like(cell: &str) -> bool {
    let separators = cell.bytes().filter(|byte| matches!(byte, b'/' | b':' | b'-' | b'.')).count();
    let allowed =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'/' | b':' | b'-' | b'.' | b' ' | b'T' | b'Z' | b'+');
    (separators >= 2 || cell.contains(':'))
        && cell.len() >= 4
        && cell.starts_with(|c: char| c.is_ascii_digit())
        && cell.bytes().all(allowed)
}

/// The decision with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeaderVerdict {
    /// `Present` or `Absent`.
    pub(super) header: Header,
    pub(super) reason: &'static str,
    /// Text stands above values in some column.
    pub(super) is_evident: bool,
}

/// Decides whether the first of the records names the columns.
pub(super) fn find_header(records: &[StringRecord]) -> HeaderVerdict {
    let plain = |header, reason| HeaderVerdict { header, reason, is_evident: false };
    let Some((first, later)) = records.split_first() else {
        return plain(Header::Present, "there is only one line");
    };
    let counts_up = first.len() > 1 && first.iter().enumerate().all(|(i, cell)| cell.trim() == i.to_string());
    if counts_up && later.iter().any(|record| record.iter().ne(first.iter())) {
        return plain(Header::Present, "it numbers the columns from 0");
    }
    if later.is_empty() {
        let is_value = |cell: &str| !matches!(Look::of(cell), Look::Empty | Look::Word);
        return match first.iter().any(is_value) {
            true => plain(Header::Absent, "it contains values"),
            false => plain(Header::Present, "it contains no values"),
        };
    }
    let votes = Votes::count(first, later);
    if votes.values == 0 && votes.missing == 0 {
        return match votes.names {
            0 => unlike_text(first, later),
            _ => HeaderVerdict {
                header: Header::Present,
                reason: "it contains no values, later lines do",
                is_evident: true,
            },
        };
    }
    let is_sequence = votes.values > 0 && numbers_are_names(first, later, votes.names > 0);
    if is_sequence || votes.names > votes.values {
        let reason = match votes.values {
            0 => "it contains no values, later lines do",
            _ if is_sequence => "its numbers are a sequence unlike those of later lines",
            _ => "most of its cells are unlike those of later lines",
        };
        return HeaderVerdict { header: Header::Present, reason, is_evident: true };
    }
    plain(Header::Absent, "it contains values")
}

/// How many columns take the first cell for what.
#[derive(Debug, Default)]
struct Votes {
    names: usize,
    values: usize,
    /// Missing cells, which are values unless another column has a name.
    missing: usize,
}

impl Votes {
    fn count(first: &StringRecord, later: &[StringRecord]) -> Votes {
        let mut votes = Votes::default();
        for (i, cell) in first.iter().enumerate() {
            let (look, column) = (Look::of(cell), typical_look(later, i));
            let recurs = || later.iter().any(|record| record.iter().any(|other| other.trim() == cell.trim()));
            match (look, column) {
                // An index is written without a name; a missing cell is not the only one of its column.
                (Look::Empty, Look::Number | Look::Moment) if is_filled(later, i) => votes.names += 1,
                (Look::Empty, _) => {}
                (Look::Missing, Look::Word | Look::Empty) => votes.missing += 1,
                // Chemical symbols and the like: `Na` is not how a missing cell is written, unless it is below.
                (Look::Missing, _) if !is_usual(cell.trim()) && !recurs() => votes.names += 1,
                (Look::Missing, _) => votes.missing += 1,
                (Look::Word, Look::Word | Look::Empty) => {}
                (Look::Word, _) => votes.names += 1,
                (Look::Flag, Look::Number | Look::Moment) => votes.names += 1,
                (Look::Moment, Look::Number) => votes.names += 1,
                _ => votes.values += 1,
            }
        }
        votes
    }
}

/// Whether several records have a cell in a column, and none lacks it.
fn is_filled(records: &[StringRecord], column: usize) -> bool {
    let is_filled = |record: &StringRecord| record.get(column).is_some_and(|cell| Look::of(cell) != Look::Empty);
    records.len() > 1 && records.iter().all(is_filled)
}

/// The missing tokens that programs write.
fn is_usual(cell: &str) -> bool {
    ["NA", "NaN", "nan", "NAN", "null", "NULL", "None", "N/A", "n/a", "#N/A", "<NA>", "?", "??"].contains(&cell)
}

/// What most known cells of a column are; `Word` if they are of no single kind, `Empty` without any.
pub(super) fn typical_look(records: &[StringRecord], column: usize) -> Look {
    let mut counts = [0usize; 6];
    for record in records {
        counts[Look::of(record.get(column).unwrap_or_default()) as usize] += 1;
    }
    let known: usize = counts[Look::Number as usize..].iter().sum();
    if known == 0 {
        return Look::Empty;
    }
    let kinds = [Look::Number, Look::Moment, Look::Flag];
    kinds.into_iter().find(|look| counts[*look as usize] * 2 > known).unwrap_or(Look::Word)
}

/// All text: names are unique, categories recur.
fn unlike_text(first: &StringRecord, later: &[StringRecord]) -> HeaderVerdict {
    let plain = |header, reason| HeaderVerdict { header, reason, is_evident: false };
    let holds_value = |record: &StringRecord| {
        record.iter().any(|cell| matches!(Look::of(cell), Look::Number | Look::Moment | Look::Flag))
    };
    let recurs = |(i, cell): (usize, &str)| {
        !cell.trim().is_empty() && later.iter().any(|record| record.get(i).is_some_and(|other| other == cell))
    };
    if first.iter().enumerate().any(recurs) {
        return plain(Header::Absent, "its text recurs in later lines");
    }
    if later.iter().any(holds_value) {
        return plain(Header::Present, "it contains no values, later lines do");
    }
    plain(Header::Present, "all columns are text, and its text does not recur")
}

/// Whether the numbers in the first line are names of columns.
fn numbers_are_names(first: &StringRecord, later: &[StringRecord], has_names: bool) -> bool {
    let places: Vec<usize> = (0..first.len())
        .filter(|i| Look::of(&first[*i]) == Look::Number && typical_look(later, *i) == Look::Number)
        .collect();
    let numbers = |record: &StringRecord| -> Option<Vec<f64>> {
        places.iter().map(|i| token::number(record.get(*i)?.trim())).collect()
    };
    let values = (0..first.len()).filter(|i| matches!(Look::of(&first[*i]), Look::Number | Look::Flag)).count();
    let is_plain = |i: &usize| first[*i].trim().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let Some(given) = numbers(first) else { return false };
    if places.is_empty() || values > places.len() || !places.iter().all(is_plain) {
        return false;
    }
    let compared: Vec<Vec<f64>> = later.iter().take(COMPARED).filter_map(numbers).collect();
    let is_rare =
        |holds: &dyn Fn(&[f64]) -> bool| compared.iter().filter(|row| holds(row)).count() * 10 <= compared.len();
    let are_years = |row: &[f64]| {
        row.iter().all(|x| x.fract() == 0.0 && (1900.0..=2100.0).contains(x))
            && (row.windows(2).all(|pair| pair[0] < pair[1]) || row.windows(2).all(|pair| pair[0] > pair[1]))
    };
    if (given.len() >= 2 || has_names) && are_years(&given) && is_rare(&are_years) {
        return true;
    }
    let by_ones = |row: &[f64]| row.windows(2).all(|pair| pair[1] - pair[0] == 1.0);
    let enough = if has_names { 2 } else { 3 };
    if given.len() >= enough && (given[0] == 0.0 || given[0] == 1.0) && by_ones(&given) && is_rare(&by_ones) {
        return true;
    }
    if given.len() >= 4 && is_progression(&given) && is_rare(&is_progression) {
        return true;
    }
    has_names && compared.len() >= 10 && (0..places.len()).all(|i| is_outside(given[i], &compared, i))
}

/// Numbers with one step between them, other than 0.
fn is_progression(row: &[f64]) -> bool {
    let step = row[1] - row[0];
    step != 0.0 && row.windows(2).all(|pair| (pair[1] - pair[0] - step).abs() <= 1e-6 * step.abs())
}

/// Whether a whole number is beyond all others of its column, which neither rise nor fall throughout.
fn is_outside(x: f64, rows: &[Vec<f64>], column: usize) -> bool {
    let values = || rows.iter().map(|row| row[column]);
    let ordered = |falls: bool| rows.windows(2).all(|pair| (pair[0][column] >= pair[1][column]) == falls);
    x.fract() == 0.0 && !ordered(true) && !ordered(false) && (values().all(|y| y < x) || values().all(|y| y > x))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, header: Header) {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let records: Vec<StringRecord> = reader.records().map(Result::unwrap).collect();
        let verdict = find_header(&records);
        assert_eq!(verdict.header, header, "{text}\n{}", verdict.reason);
    }

    #[test]
    fn a_header_holds_no_values() {
        check("1,2\n3,4\n", Header::Absent);
        check("0,tcp,SF\n0,udp,SF\n", Header::Absent);
        check("0,1,2\n5,6,7\n", Header::Present);
        check("tcp,red\nudp,red\ntcp,blue\n", Header::Absent);
        check("proto,colour\nudp,red\ntcp,blue\n", Header::Present);
        check(",a\n0,1.5\n", Header::Present);
        check("day,n\n2024-01-01,x\n", Header::Present);
        check("a,b\n", Header::Present);
        check("t,y\n1,2\n", Header::Present);
        check("NA,x\n1,y\n", Header::Absent);
        check("?,2\n1,3\n2,4\n", Header::Absent);
    }

    #[test]
    fn names_may_look_like_missing_cells_or_words_of_truth() {
        check("RI,Na,Mg,Type\n1.52,13.6,4.49,1\n1.51,13.8,3.6,1\n", Header::Present);
        check("No,year,month\n1,2010,1\n2,2010,1\n", Header::Present);
        check("inf,none,yes\n1,2,3\n2,5,4\n", Header::Present);
        check("yes,no\nno,no\nyes,yes\n", Header::Absent);
    }

    #[test]
    fn years_and_sequences_above_other_numbers_are_names() {
        check("country,2019,2020,2021\nDE,1.5,2.5,3.5\nFR,7,8,8.5\n", Header::Present);
        check("2019,2020\n1.5,2.5\n7,8\n", Header::Present);
        check("400.0,402.5,405.0,407.5\n0.1,0.2,0.15,0.3\n0.2,0.1,0.3,0.2\n", Header::Present);
        check("2019,2020\n2020,2021\n2021,2022\n", Header::Absent);
        check("1,2,3,4\n5,6,7,8\n9,10,11,12\n", Header::Absent);
        check(",0,1,2\n0,5.5,6,1\n1,7,3,4.5\n", Header::Present);
        check(",0,1\n0,5.5,6\n1,7,3\n2,7,9\n", Header::Present);
        check("1,,3\n2,5,3\n3,6,2\n", Header::Absent);
        check("1,2,3,5\n5,6,7,8\n9,1,11,12\n", Header::Absent);
    }

    #[test]
    fn a_stray_word_in_the_first_line_of_data_does_not_make_it_a_header() {
        check("1,off,3.5\n2,7.5,3.6\n3,7.1,3.4\n", Header::Absent);
        check("5,n/a,x\n6,2,y\n", Header::Absent);
        let marker = "gene,kind,101\n".to_owned();
        let rows: String = (0..20).map(|i| format!("{},a,{}.5\n", i * 3, i % 4)).collect();
        check(&(marker + &rows), Header::Present);
    }
}
