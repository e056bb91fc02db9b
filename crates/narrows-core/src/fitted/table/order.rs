//! What the order of a table's rows says: columns that only rise, and rows that are points in time.
//!
//! A running number or a clock takes values that training never saw as soon as new rows arrive, and rows at even times
//! have patterns that a model of single rows cannot learn. Neither is an error, so both are notes.

use arrow::array::{Array, AsArray, Float64Array, TimestampMicrosecondArray};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType};

use crate::data::{Column, ColumnKind, Moment, Schema, Step, Table};
use crate::fitted::rising::{self, ENOUGH};

/// Rows are evenly timed if this share of the steps between them is equal to the usual one.
const EVEN: f64 = 0.95;

/// Notes on the order of the rows of a typed table.
pub(super) fn notes(table: &Table, schema: &Schema) -> Vec<String> {
    schema.columns.iter().filter_map(|column| note(table, column)).collect()
}

fn note(table: &Table, column: &Column) -> Option<String> {
    let array = table.column(&column.name)?;
    let name = &column.name;
    match column.kind {
        ColumnKind::Numeric if rising::rises(numbers(array.as_primitive_opt::<Float64Type>()?)) => Some(format!(
            "column `{name}` rises throughout: later rows lie beyond what was learnt and may all be flagged; \
             `ignore` leaves it out"
        )),
        ColumnKind::Datetime if array.len() >= ENOUGH && array.null_count() == 0 => {
            let step = even_step(array.as_primitive_opt::<TimestampMicrosecondType>()?)?;
            Some(format!(
                "rows are evenly timed, one every {step} by `{name}`: as a table each is learnt by itself; \
                 the kind `series` learns how they follow each other"
            ))
        }
        _ => None,
    }
}

fn numbers(array: &Float64Array) -> impl Iterator<Item = f64> {
    array.iter().map(|x| x.unwrap_or(f64::NAN))
}

/// The step between rows that follow each other evenly in time.
fn even_step(array: &TimestampMicrosecondArray) -> Option<Step> {
    let steps: Vec<f64> = array.values().windows(2).map(|pair| pair[1].saturating_sub(pair[0]) as f64).collect();
    if steps.iter().any(|step| *step <= 0.0) {
        return None;
    }
    let usual = Step::usual(steps.clone(), &[Moment::Instant(array.value(0))])?;
    let even = steps.iter().filter(|step| (**step - usual.units()).abs() <= 0.1 * usual.units()).count();
    (even as f64 >= EVEN * steps.len() as f64).then_some(usual)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::ArrayRef;

    use super::*;
    use crate::data::{conform, infer};

    fn check(column: &str, array: ArrayRef, expected: Option<&str>) {
        let table = Table::from_arrays(vec![(column.to_owned(), array)], "t.csv").unwrap();
        let schema = infer(&table).unwrap().schema;
        let (typed, _) = conform(table, &schema).unwrap();
        let found = notes(&typed, &schema);
        assert_eq!(found.first().map(|note| note.split(':').next().unwrap()), expected, "{found:?}");
    }

    fn cells(n: usize, of: impl Fn(usize) -> f64) -> ArrayRef {
        Arc::new((0..n).map(|row| Some(of(row))).collect::<Float64Array>())
    }

    #[test]
    fn a_column_that_only_rises_is_told_and_one_that_rows_are_sorted_by_is_not() {
        let told = Some("column `Time` rises throughout");
        check("Time", cells(60, |row| (row * row / 3) as f64), told);
        // Several rows in one second, as in logs.
        check("Time", cells(90, |row| (row / 3) as f64 + 0.5), told);
        check("Time", cells(60, |row| (row / 10) as f64), None);
        check("Time", cells(60, |row| ((row * 7) % 60) as f64), None);
        check("Time", cells(20, |row| (row * row) as f64), None);
    }

    #[test]
    fn rows_at_even_times_are_told() {
        let at = |minute: fn(i64) -> i64| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from((0..200).map(|i| minute(i) * 60_000_000).collect::<Vec<i64>>()))
        };
        check("ts", at(|i| 5 * i), Some("rows are evenly timed, one every 5 min by `ts`"));
        check("ts", at(|i| i + i * i % 7), None);
        check("ts", at(|i| 5 * (i / 2)), None);
    }
}
