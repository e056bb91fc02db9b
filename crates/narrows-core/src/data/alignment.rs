//! How the lines of a text table fit its header: names of rows, dates and times apart, lines of units.

use csv::StringRecord;

use super::contrast::{Look, find_header, is_date_like, typical_look};
use super::delimiter::Delimiter;
use super::source::Header;

/// Share of the lines that must agree.
const NEARLY_ALL: f64 = 0.95;

/// Lines of units and the like that may stand below a header.
const MOST_BELOW: usize = 3;

/// How the fields of a line belong to the fields of the header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Alignment {
    /// Every line starts with a name of its row, for which the header has no field.
    pub(crate) row_names: bool,
    /// The header ends with a delimiter, and the lines do not.
    pub(crate) header_ends_empty: bool,
    /// Fields that the next one is joined to with a blank: dates and their times of day.
    pub(crate) joins: Vec<usize>,
}

impl Alignment {
    /// Compares the first record with the others.
    pub(super) fn find(records: &[StringRecord], delimiter: Delimiter, header: Header) -> Alignment {
        let mut alignment = Alignment::default();
        let Some((first, rows)) = records.split_first() else { return alignment };
        let Some((width, share)) = common_width(rows) else { return alignment };
        let joins = if delimiter == Delimiter::Whitespace { date_times(rows) } else { Vec::new() };
        let is_data = header == Header::Absent || joins.iter().any(|i| is_date_time(first, *i));
        if is_data {
            alignment.joins = joins;
            return alignment;
        }
        let has = |word: &str| first.iter().any(|name| name.to_ascii_lowercase().contains(word));
        let are_named_apart = first.len() + 1 == width && has("date") && has("time") && !has("datetime");
        if share < NEARLY_ALL || first.len() == width {
            return alignment;
        }
        let joined = width - joins.len();
        if !joins.is_empty() && !are_named_apart && (first.len() == joined || first.len() + 1 == joined) {
            alignment.joins = joins;
        }
        let width = width - alignment.joins.len();
        let last_is_empty = |record: &StringRecord| record.len() < width || record[record.len() - 1].trim().is_empty();
        if first.len() + 1 == width && (width < 3 || !rows.iter().all(last_is_empty)) {
            let shifted: Vec<StringRecord> = alignment.apply(records, true);
            let verdict = find_header(&shifted);
            alignment.row_names =
                header == Header::Present || (verdict.header == Header::Present && verdict.is_evident);
        }
        alignment.header_ends_empty = first.len() == width + 1 && first[width].trim().is_empty();
        alignment
    }

    /// The records as they will be read; with `row_names`, a header with a field for the names of rows.
    pub(super) fn apply(&self, records: &[StringRecord], row_names: bool) -> Vec<StringRecord> {
        let header = records.iter().take(1).map(|first| {
            let shift = row_names.then_some("");
            let length = first.len() - usize::from(self.header_ends_empty);
            shift.into_iter().chain(first.iter().take(length)).collect()
        });
        let is_header = !self.joins.iter().any(|i| records.first().is_some_and(|first| is_date_time(first, *i)));
        match is_header {
            true => header.chain(records.iter().skip(1).map(|record| joined(record, &self.joins))).collect(),
            false => records.iter().map(|record| joined(record, &self.joins)).collect(),
        }
    }
}

/// The record with fields joined to the next ones.
fn joined(record: &StringRecord, joins: &[usize]) -> StringRecord {
    let mut fields: Vec<String> = Vec::with_capacity(record.len());
    for (i, field) in record.iter().enumerate() {
        match fields.last_mut() {
            Some(last) if i > 0 && joins.contains(&(i - 1)) => {
                last.push(' ');
                last.push_str(field);
            }
            _ => fields.push(field.to_owned()),
        }
    }
    fields.iter().collect()
}

/// The most common number of fields with its share; `None` without records.
pub(super) fn common_width(records: &[StringRecord]) -> Option<(usize, f64)> {
    let count = |width: usize| records.iter().filter(|record| record.len() == width).count();
    let widths = records.iter().map(StringRecord::len);
    let width = widths.max_by_key(|width| (count(*width), usize::MAX - width))?;
    Some((width, count(width) as f64 / records.len() as f64))
}

/// The fields that hold a date and are followed by a time of day in nearly all records.
pub(super) fn date_times(records: &[StringRecord]) -> Vec<usize> {
    let Some((width, _)) = common_width(records) else { return Vec::new() };
    let holds = |i: &usize| {
        let agreeing = records.iter().filter(|record| is_date_time(record, *i)).count();
        agreeing as f64 >= NEARLY_ALL * records.len() as f64
    };
    (0..width.saturating_sub(1)).filter(holds).collect()
}

fn is_date_time(record: &StringRecord, i: usize) -> bool {
    let is_date = |cell: &str| !cell.contains(':') && is_date_like(cell);
    let is_time = |cell: &str| {
        let mut parts = cell.split(':');
        let is_short = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        parts.next().is_some_and(is_short)
            && parts.next().is_some_and(is_short)
            && parts.next().is_none_or(|seconds| seconds.split('.').next().is_some_and(is_short))
            && parts.next().is_none()
    };
    record.get(i).is_some_and(is_date) && record.get(i + 1).is_some_and(is_time)
}

/// How many records below the header are not data: units, a second header, or a ruled line.
pub(super) fn lines_below(records: &[StringRecord]) -> usize {
    let rows = records.get(1..).unwrap_or_default();
    let is_rule = |record: &StringRecord| {
        let drawn = |byte: u8| matches!(byte, b'-' | b'=' | b'+' | b':' | b' ');
        record.iter().any(|cell| cell.contains("--") || cell.contains("=="))
            && record.iter().all(|cell| cell.bytes().all(drawn))
    };
    let mut below = 0;
    while below < MOST_BELOW && rows.len() >= below + 3 {
        let (record, later) = (&rows[below], &rows[below + 1..]);
        let (mut names, mut values, mut typed, mut empty) = (0, 0, 0, 0);
        for (i, cell) in record.iter().enumerate() {
            let (look, column) = (Look::of(cell), typical_look(later, i));
            if !matches!(column, Look::Number | Look::Moment | Look::Flag) {
                continue;
            }
            let recurs = || later.iter().any(|other| other.get(i).is_some_and(|other| other.trim() == cell.trim()));
            typed += 1;
            names += usize::from(look == Look::Word && !recurs());
            values += usize::from(!matches!(look, Look::Word | Look::Empty));
            empty += usize::from(look == Look::Empty);
        }
        let is_second = names >= 2 && names * 2 >= typed && values == 0;
        let is_label = below > 0 && names == 1 && names + empty == typed;
        if !(is_second || is_label || is_rule(record)) {
            break;
        }
        below += 1;
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(lines: &[&str]) -> Vec<StringRecord> {
        lines.iter().map(|line| line.split(' ').map(|cell| cell.replace('_', " ")).collect()).collect()
    }

    fn check(lines: &[&str], header: Header, row_names: bool, joins: &[usize]) {
        let alignment = Alignment::find(&records(lines), Delimiter::Whitespace, header);
        assert_eq!((alignment.row_names, alignment.joins.as_slice()), (row_names, joins), "{lines:?}");
    }

    #[test]
    fn names_of_rows_have_no_field_in_the_header() {
        check(&["x y", "a 1 2", "b 3 4"], Header::Auto, true, &[]);
        check(&["1 2", "a 1 2", "b 3 4"], Header::Auto, false, &[]);
        check(&["x y", "1 2", "3 4"], Header::Auto, false, &[]);
        check(&["x y", "1 2 _", "3 4 _"], Header::Auto, false, &[]);
    }

    #[test]
    fn dates_and_times_are_one_cell_where_the_header_says_so() {
        check(&["date size", "1 2014-11-09 03:39:31 5", "2 2014-11-09 03:39:32 7"], Header::Auto, true, &[1]);
        check(&["when size", "2014-11-09 03:39 5", "2014-11-09 03:40 7"], Header::Auto, false, &[0]);
        check(&["date time size", "2014-11-09 03:39 5", "2014-11-09 03:40 7"], Header::Auto, false, &[]);
        check(&["date time size", "1 2014-11-09 03:39 5", "2 2014-11-09 03:40 7"], Header::Auto, true, &[]);
        check(&["2014-11-09 03:38 3", "2014-11-09 03:39 5", "2014-11-09 03:40 7"], Header::Auto, false, &[0]);
    }

    #[test]
    fn units_and_rules_below_the_header_are_counted() {
        assert_eq!(lines_below(&records(&["t v", "s m/s", "1 2", "3 4", "5 6"])), 1);
        assert_eq!(
            lines_below(&records(&["Price Close High", "Ticker A A", "Date _ _", "1 2 3", "3 4 5", "6 7 8"])),
            2
        );
        assert_eq!(lines_below(&records(&["t v", "--- ---", "1 2", "3 4"])), 1);
        assert_eq!(lines_below(&records(&["t v", "1 off", "3 4", "5 6"])), 0);
        assert_eq!(lines_below(&records(&["name kind", "a b", "c d", "e f"])), 0);
    }
}
