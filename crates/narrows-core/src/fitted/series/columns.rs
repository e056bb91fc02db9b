//! The time and id columns of series.

use crate::data::{self, CellFormat, Column, ColumnKind, ColumnTypes, DateFormat, KNOWN_DATES, Table, TimeColumns};
use crate::error::{Error, Hint, Place, Result};
use crate::fitted::roles::{Roles, known};

/// The time and id columns: as named, else the only column of dates.
pub(super) fn special_columns(
    table: &Table,
    roles: &Roles,
    types: &ColumnTypes,
) -> Result<(TimeColumns, Vec<String>)> {
    let names = table.names();
    roles.time.iter().chain(&roles.id).try_for_each(|name| known(name, &names))?;
    let mut columns = TimeColumns { time: roles.time.clone(), id: roles.id.clone(), channels: Vec::new() };
    let mut notes = Vec::new();
    if columns.time.is_none() {
        let inferred = data::infer_as(&table.select(&roles.features(&names)?)?, types)?;
        let is_date = |column: &&Column| column.kind == ColumnKind::Datetime;
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
        parts.push((time_column(table, time, types)?, "says when; never a feature".to_owned()));
    }
    if let Some(id) = &columns.id {
        // As text, so that `7` and `007` are distinct ids.
        parts.push((text(id), "says which series; never a feature".to_owned()));
    }
    Ok(parts)
}

/// The column of times: dates in any format, or numbers.
fn time_column(table: &Table, name: &str, types: &ColumnTypes) -> Result<Column> {
    let inferred = data::infer_as(&table.select(&[name])?, types)?;
    let column = inferred.schema.columns.into_iter().next().expect("one column");
    let is_time_of_day = |column: &Column| column.format == Some(CellFormat::Date(DateFormat::TimeOfDay));
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

pub(super) fn text(name: &str) -> Column {
    Column::new(name, ColumnKind::Text)
}
