//! The time and id columns of series.

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;

use crate::data::{
    self, CellFormat, Column, ColumnKind, ColumnTypes, DateFormat, KNOWN_DATES, Schema, Table, TimeColumns,
};
use crate::error::{Error, Hint, Place, Result};
use crate::fitted::roles::{Roles, known};

const DAY: i64 = 86_400_000_000;
/// Rows looked at for days without a time of day.
const LOOK: usize = 200;

/// The time and id columns: as named, else the only column of dates.
pub(super) fn special_columns(table: &Table, roles: &Roles, types: &ColumnTypes) -> Result<(TimeColumns, Vec<String>)> {
    let names = table.names();
    roles.time.iter().chain(&roles.id).try_for_each(|name| known(name, &names))?;
    roles.timezone.iter().try_for_each(|name| data::time_zone(name).map(drop))?;
    let mut columns = TimeColumns {
        time: roles.time.clone(),
        id: roles.id.clone(),
        channels: Vec::new(),
        timezone: roles.timezone.clone(),
        duplicates: roles.duplicates,
    };
    let mut notes = Vec::new();
    if columns.time.is_none() {
        let inferred = data::infer_as(&table.select(&roles.features(&names)?)?, types)?;
        let is_date = |column: &&Column| column.kind == ColumnKind::Datetime && !is_time_of_day(column);
        let dates: Vec<&str> = inferred.schema.columns.iter().filter(is_date).map(|c| c.name.as_str()).collect();
        match dates[..] {
            [] => notes.push("no column of times: rows follow each other one step apart".to_owned()),
            [only] => {
                notes.push(format!("column `{only}` is the time, the only one with dates"));
                columns.time = Some(only.to_owned());
            }
            _ => {
                let message = format!("expected one column of dates, got {}: `{}`", dates.len(), dates.join("`, `"));
                return Err(Error::mismatch(message).with_hint(Hint::of("name the column of times with [time]")));
            }
        }
    }
    Ok((columns, notes))
}

/// The special columns, typed, with their role.
pub(super) fn special_parts(
    table: &Table,
    columns: &TimeColumns,
    types: &ColumnTypes,
) -> Result<Vec<(Column, String)>> {
    let mut parts = Vec::new();
    if let Some(time) = &columns.time {
        let column = time_column(table, time, types)?;
        if columns.id.is_empty() {
            check_days(table, &column, types)?;
        }
        parts.push((column, "says when; never a feature".to_owned()));
    }
    for id in &columns.id {
        // As text, so that `7` and `007` are distinct ids.
        parts.push((text(id), "says which series; never a feature".to_owned()));
    }
    Ok(parts)
}

/// The column of times: dates in any format, or numbers.
fn time_column(table: &Table, name: &str, types: &ColumnTypes) -> Result<Column> {
    let inferred = data::infer_as(&table.select(&[name])?, types)?;
    let column = inferred.schema.columns.into_iter().next().expect("one column");
    // Every row needs its time, so a word in its place is no missing time.
    let column = Column { missing: types.missing.clone(), ..column };
    match column.kind {
        ColumnKind::Numeric => Ok(column),
        ColumnKind::Datetime if is_time_of_day(&column) => {
            let message = "expected dates, got times of day without a date";
            let error = Error::data(Place::column(name).of(table.source()), message);
            Err(error.with_hint(Hint::of("join the columns of date and time of day in one, and name it with [time]")))
        }
        ColumnKind::Datetime => Ok(column),
        // Missing times are refused by row.
        _ if inferred.dropped.iter().any(|dropped| dropped.reason == data::DropReason::AllMissing) => {
            Ok(Column::new(name, ColumnKind::Datetime))
        }
        kind => {
            let message = format!("expected dates or numbers, got {}", kind.describe());
            let message = inferred.notes.first().map_or(message.clone(), |note| format!("{message}: {note}"));
            let error = Error::data(Place::column(name).of(table.source()), message);
            Err(error.with_hint(Hint::of(KNOWN_DATES)))
        }
    }
}

fn is_time_of_day(column: &Column) -> bool {
    column.format == Some(CellFormat::Date(DateFormat::TimeOfDay))
}

/// Refuses days that occur several times while another column holds the time of day.
fn check_days(table: &Table, time: &Column, types: &ColumnTypes) -> Result<()> {
    if time.kind != ColumnKind::Datetime {
        return Ok(());
    }
    let rows = table.slice(0, table.n_rows().min(LOOK));
    let (days, _) = data::conform(rows.select(&[&time.name])?, &Schema { columns: vec![time.clone()] })?;
    let days: Vec<i64> =
        days.expect_column(&time.name)?.as_primitive::<TimestampMicrosecondType>().iter().flatten().collect();
    if days.iter().any(|t| t.rem_euclid(DAY) != 0) || days.windows(2).all(|pair| pair[0] != pair[1]) {
        return Ok(());
    }
    let inferred = data::infer_as(&rows, types)?;
    let Some(clock) = inferred.schema.columns.iter().find(|column| is_time_of_day(column)) else { return Ok(()) };
    let message = format!("expected times, got days without a time of day, which is in column `{}`", clock.name);
    let error = Error::data(Place::column(&time.name).of(table.source()), message);
    Err(error.with_hint(Hint::of("join both in one column, such as `31/1/2025 17:24:00`, and name it with [time]")))
}

pub(super) fn text(name: &str) -> Column {
    Column::new(name, ColumnKind::Text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    fn check(columns: &[(&str, &dyn Fn(usize) -> String)], time: Option<&str>, expected: &str) {
        let array = |of: &dyn Fn(usize) -> String| Arc::new((0..30).map(|i| Some(of(i))).collect::<StringArray>());
        let columns = columns.iter().map(|(name, of)| ((*name).to_owned(), array(of) as ArrayRef));
        let table = Table::from_arrays(columns.collect(), "t.csv").unwrap();
        let roles = Roles { time: time.map(str::to_owned), ..Roles::default() };
        let types = ColumnTypes::default();
        let parts =
            special_columns(&table, &roles, &types).and_then(|(columns, _)| special_parts(&table, &columns, &types));
        let got = match parts {
            Ok(parts) => parts.iter().map(|(column, _)| format!("{}: {}", column.name, column.describe())).collect(),
            Err(error) => format!("{error} | {}", error.hint_text().unwrap_or_default()),
        };
        assert!(got.contains(expected), "{got}");
    }

    #[test]
    fn times_are_dates_in_any_known_format() {
        let hours =
            |i: usize| format!("1/{}/2015 {}:00:00 {}", i / 24 + 1, [12, 1, 2][i % 3], ["AM", "PM"][i / 12 % 2]);
        check(&[("at", &hours)], Some("at"), "at: dates written month first");
        check(&[("at", &hours), ("x", &|i| i.to_string())], None, "at: dates written month first");
        check(&[("at", &|i| format!("2024-01-{:02}", i + 1))], Some("at"), "at: dates");
        check(&[("at", &|i| i.to_string())], Some("at"), "at: numbers");
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_would_be() {
        let words = |i: usize| format!("day {}", i % 3);
        check(&[("at", &words)], Some("at"), "t.csv, column `at`: expected dates or numbers, got category names");
        check(
            &[("at", &words)],
            Some("at"),
            "| dates are read in ISO 8601 (2024-03-12T14:20:00Z), as 31.01.2025 14:05",
        );
        let clock = |i: usize| format!("17:{i:02}:00");
        check(&[("at", &clock)], Some("at"), "expected dates, got times of day without a date");
        let day = |i: usize| format!("{}/1/2007", i / 20 + 1);
        let message = "column `Date`: expected times, got days without a time of day, which is in column `Time`";
        check(&[("Date", &day), ("Time", &clock)], Some("Date"), message);
        check(&[("Date", &day), ("Time", &clock)], None, message);
        check(&[("Date", &|i| format!("{}/1/2007", i + 1)), ("Time", &clock)], None, "Date: dates written day first");
    }
}
