//! The distribution of the training rows in each column, in original units and of bounded size: what later data are
//! compared with.

mod grid;
mod levels;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use serde::{Deserialize, Serialize};

use crate::data::{Schema, Table};

pub use grid::QuantileGrid;
pub(crate) use grid::{GridCounts, Thinned};
pub use levels::LevelTally;

/// The distribution of each column in the training rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingDistribution {
    /// The columns that the network reads, in their order; of images, measures of them.
    pub columns: Vec<ColumnDistribution>,
}

/// The distribution of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnDistribution {
    /// The column.
    pub column: String,
    /// Training rows.
    pub rows: u64,
    /// Training rows without a value; infinite numbers are none.
    pub missing: u64,
    /// The values of the others.
    pub values: ColumnValues,
}

/// The values of a column, by its type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnValues {
    /// Numbers.
    Numbers(QuantileGrid),
    /// Categories, and truth values as `false` and `true`.
    Levels(LevelTally),
    /// Dates: time goes on, so that later ones are always others. Only missing cells are compared.
    Dates,
}

impl TrainingDistribution {
    /// Of these rows of a table with the types of `schema`.
    pub(crate) fn of(table: &Table, schema: &Schema, rows: &[u32]) -> TrainingDistribution {
        let of_column = |name: &str| {
            let array = table.column(name)?;
            let rows = rows.iter().map(|row| *row as usize);
            let values = match ColumnCells::of(array) {
                ColumnCells::Numbers(numbers) => ColumnDistribution::of_numbers(name, rows.map(numbers)),
                ColumnCells::Levels(levels) => {
                    let (n, mut tally, mut present) = (rows.len() as u64, LevelTally::default(), 0);
                    rows.filter_map(levels).for_each(|level| {
                        tally.add(&level);
                        present += 1;
                    });
                    let values = ColumnValues::Levels(tally.bounded());
                    ColumnDistribution { column: name.to_owned(), rows: n, missing: n - present, values }
                }
                ColumnCells::Others(is_present) => {
                    let (n, missing) = (rows.len() as u64, rows.filter(|row| !is_present(*row)).count() as u64);
                    ColumnDistribution { column: name.to_owned(), rows: n, missing, values: ColumnValues::Dates }
                }
            };
            Some(values)
        };
        TrainingDistribution { columns: schema.names().into_iter().filter_map(of_column).collect() }
    }

    /// Rejects what no training rows can have; for files.
    ///
    /// # Errors
    /// The inconsistency, as text.
    pub(crate) fn check(&self, knows: impl Fn(&str) -> bool) -> Result<(), String> {
        for column in &self.columns {
            let name = &column.column;
            let wrong = |what: String| Err(format!("the distribution of `{name}`: {what}"));
            if !knows(name) {
                return wrong("there is no such column".to_owned());
            }
            let Some(present) = column.rows.checked_sub(column.missing) else {
                return wrong(format!("expected at most {} missing cells, got {}", column.rows, column.missing));
            };
            let checked = match &column.values {
                ColumnValues::Numbers(grid) => grid.check(present),
                ColumnValues::Levels(levels) => levels.check(present),
                ColumnValues::Dates => Ok(()),
            };
            checked.or_else(wrong)?;
        }
        Ok(())
    }
}

impl ColumnDistribution {
    /// Of numbers; what is not finite is missing.
    pub(crate) fn of_numbers(column: &str, cells: impl Iterator<Item = Option<f64>>) -> ColumnDistribution {
        let mut rows = 0;
        let mut present: Vec<f64> = cells.inspect(|_| rows += 1).flatten().filter(|x| x.is_finite()).collect();
        present.sort_by(f64::total_cmp);
        ColumnDistribution {
            column: column.to_owned(),
            rows,
            missing: rows - present.len() as u64,
            values: ColumnValues::Numbers(QuantileGrid::of(&present)),
        }
    }
}

/// Reads a cell by its row; `None` if it is missing.
type Reading<'a, T> = Box<dyn Fn(usize) -> Option<T> + 'a>;

/// The cells of a typed column.
pub(crate) enum ColumnCells<'a> {
    Numbers(Reading<'a, f64>),
    Levels(Reading<'a, String>),
    /// Whether there is a cell.
    Others(Box<dyn Fn(usize) -> bool + 'a>),
}

impl ColumnCells<'_> {
    pub(crate) fn of(array: &ArrayRef) -> ColumnCells<'_> {
        if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
            return ColumnCells::Numbers(Box::new(|row| numbers.is_valid(row).then(|| numbers.value(row))));
        }
        if let Some(flags) = array.as_boolean_opt() {
            return ColumnCells::Levels(Box::new(|row| flags.is_valid(row).then(|| flags.value(row).to_string())));
        }
        if let Some(words) = array.as_string_opt::<i32>() {
            return ColumnCells::Levels(Box::new(|row| words.is_valid(row).then(|| words.value(row).to_owned())));
        }
        ColumnCells::Others(Box::new(|row| array.is_valid(row)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, StringArray};

    use super::*;
    use crate::data::infer;

    #[test]
    fn each_type_has_its_form_and_only_the_rows_asked_for_count() {
        let columns: Vec<(String, ArrayRef)> = vec![
            ("x".to_owned(), Arc::new(arrow::array::Float64Array::from(vec![Some(3.0), None, Some(1.0), Some(9.0)]))),
            ("ok".to_owned(), Arc::new(BooleanArray::from(vec![true, false, true, true]))),
            ("plan".to_owned(), Arc::new(StringArray::from(vec!["a", "b", "a", "c"]))),
        ];
        let table = Table::from_arrays(columns, "t.csv").unwrap();
        let schema = infer(&table).unwrap().schema;
        let found = TrainingDistribution::of(&table, &schema, &[0, 1, 2]);
        let by_name = |name: &str| found.columns.iter().find(|column| column.column == name).unwrap();
        assert_eq!((by_name("x").rows, by_name("x").missing), (3, 1));
        let ColumnValues::Numbers(grid) = &by_name("x").values else { panic!("numbers") };
        assert_eq!(grid.values, [1.0, 3.0]);
        let ColumnValues::Levels(levels) = &by_name("plan").values else { panic!("levels") };
        assert_eq!((levels.count("a"), levels.count("b"), levels.count("c")), (2, 1, 0));
        let knows = |name: &str| schema.get(name).is_some();
        assert!(found.check(knows).is_ok() && found.check(|_| false).is_err());
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<TrainingDistribution>(&text).unwrap(), found);
        let forged = text.replace("\"missing\":1", "\"missing\":4");
        let forged: TrainingDistribution = serde_json::from_str(&forged).unwrap();
        assert!(forged.check(knows).unwrap_err().contains("expected at most 3 missing cells, got 4"));
    }
}
