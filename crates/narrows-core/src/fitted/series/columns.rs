//! The time and id columns of series.

use crate::data::{self, Column, ColumnKind, Table, TimeColumns};
use crate::error::{Error, Hint, Result};
use crate::fitted::roles::{Roles, known};

/// The time and id columns: as named, else the only column of dates.
pub(super) fn special_columns(table: &Table, roles: &Roles) -> Result<(TimeColumns, Vec<String>)> {
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
        let inferred = data::infer(&table.select(&roles.features(&names)?)?)?;
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
pub(super) fn special_parts(table: &Table, columns: &TimeColumns) -> Result<Vec<(Column, String)>> {
    let mut parts = Vec::new();
    if let Some(time) = &columns.time {
        let kind = data::infer(&table.select(&[time])?)?.schema.columns[0].kind;
        // Text that is not a time is rejected by row when the column is parsed as dates.
        let kind = if kind == ColumnKind::Numeric { kind } else { ColumnKind::Datetime };
        parts.push((Column { name: time.clone(), kind }, "says when; never a feature".to_owned()));
    }
    for id in &columns.id {
        // As text, so that `7` and `007` are distinct ids.
        parts.push((text(id), "says which series; never a feature".to_owned()));
    }
    Ok(parts)
}

pub(super) fn numeric(name: &str) -> Column {
    Column { name: name.to_owned(), kind: ColumnKind::Numeric }
}

pub(super) fn text(name: &str) -> Column {
    Column { name: name.to_owned(), kind: ColumnKind::Text }
}
