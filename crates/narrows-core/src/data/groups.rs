//! The rows of each series of a table, by the columns that identify a series.

use std::collections::HashMap;

use arrow::array::{Array, StringArray};

use super::form::Form;
use super::moment::Moment;
use super::series::n_rows;
use super::table::Table;
use crate::error::{Error, Place, Result};

/// Stands between the parts of an id of several columns.
const BETWEEN_IDS: &str = " / ";

/// The rows of one series, in file order.
pub(super) struct Group {
    pub(super) id: String,
    pub(super) rows: Vec<u32>,
}

/// The rows of each series; several id columns identify a series together.
pub(super) fn groups(table: &Table, columns: &[String]) -> Result<Vec<Group>> {
    let rows = 0..n_rows(table)?;
    if columns.is_empty() {
        let only = Group { id: String::new(), rows: rows.collect() };
        return Ok(if only.rows.is_empty() { Vec::new() } else { vec![only] });
    }
    let ids: Vec<StringArray> = columns.iter().map(|column| ids(table, column)).collect::<Result<_>>()?;
    let (mut groups, mut places): (Vec<Group>, HashMap<Vec<&str>, usize>) = (Vec::new(), HashMap::new());
    for row in rows {
        if let Some((column, _)) = columns.iter().zip(&ids).find(|(_, ids)| ids.is_null(row as usize)) {
            let place = Place::cell(column, table.first_row() + u64::from(row)).of(table.source());
            let error = Error::data(place, "expected which series the row is of, got nothing");
            return Err(error.with_hint("give an id in every row, or remove the row"));
        }
        let id: Vec<&str> = ids.iter().map(|ids| ids.value(row as usize)).collect();
        let place = match places.get(&id) {
            Some(place) => *place,
            None => {
                groups.push(Group { id: id.join(BETWEEN_IDS), rows: Vec::new() });
                places.insert(id, groups.len() - 1);
                groups.len() - 1
            }
        };
        groups[place].rows.push(row);
    }
    Ok(groups)
}

/// The ids as text, as in the file where the column's type allows.
fn ids(table: &Table, column: &str) -> Result<StringArray> {
    Ok(match Form::of(table.expect_column(column)?, &Place::column(column).of(table.source()))? {
        Form::Words(words) => words,
        Form::Numbers(array) => array.iter().map(|id| id.map(|id| id.to_string())).collect(),
        Form::Flags(array) => array.iter().map(|id| id.map(|id| id.to_string())).collect(),
        Form::Moments(array) => array.iter().map(|id| id.map(|id| Moment::Instant(id).to_string())).collect(),
    })
}
