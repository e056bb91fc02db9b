//! From raw cells to a schema: what each column is, and which are no features.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::form::Form;
use super::profile::Profile;
use super::schema::{Column, Schema};
use super::table::{Table, different_columns};
use crate::error::{Place, Result};

/// Why a column is no feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// Every cell is the same.
    Constant,
    /// No cell holds anything.
    AllMissing,
    /// A number that counts the rows, or text that is another in nearly every row.
    Identifier,
    /// Prose.
    FreeText,
    /// Text with too few rows for each of its values to be learnt.
    TooManyLevels,
    /// Not a number, where the points of a series are numbers.
    NotNumeric,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DropReason::Constant => "every cell is the same",
            DropReason::AllMissing => "every cell is missing",
            DropReason::Identifier => "it identifies rows",
            DropReason::FreeText => "it is free text",
            DropReason::NotNumeric => "it holds no numbers, and points of a series are numbers",
            DropReason::TooManyLevels => "it has too many different values for its number of rows",
        })
    }
}

/// A column that is no feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Its name.
    pub column: String,
    /// Why.
    pub reason: DropReason,
}

/// What was found out about a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// The kind of every column, in file order.
    pub schema: Schema,
    /// The columns that are no features.
    pub dropped: Vec<Dropped>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Inferred {
    /// The columns that are features, in file order.
    pub fn features(&self) -> Vec<String> {
        let is_dropped = |name: &str| self.dropped.iter().any(|dropped| dropped.column == name);
        let names = self.schema.columns.iter().map(|column| column.name.clone());
        names.filter(|name| !is_dropped(name)).collect()
    }
}

/// Looks at a table batch by batch, so that it never has to be in memory as a whole.
#[derive(Debug, Default)]
pub struct Inference {
    profiles: Vec<(String, Profile)>,
}

impl Inference {
    /// Looks at more rows.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] where the columns are others than before; [`crate::Error::Data`] where one changes its type or
    /// has a nested one.
    pub fn push(&mut self, table: &Table) -> Result<()> {
        if self.profiles.is_empty() {
            self.profiles = table.names().into_iter().map(|name| (name.to_owned(), Profile::new(name))).collect();
        }
        let expected: Vec<&str> = self.profiles.iter().map(|(name, _)| name.as_str()).collect();
        let got = table.names();
        if got.len() != expected.len() || !got.iter().all(|name| expected.contains(name)) {
            return Err(different_columns(&expected, &got, table.source()));
        }
        let look = |(name, profile): &mut (String, Profile)| {
            let form = Form::of(table.expect_column(name)?, &Place::column(name.as_str()).of(table.source()))?;
            profile.push(&form, table.source(), table.first_row())
        };
        // The first column in file order that fails is the one that is told, whatever the threads did.
        let results: Vec<Result<()>> = self.profiles.par_iter_mut().map(look).collect();
        results.into_iter().collect()
    }

    /// Decides.
    ///
    /// # Errors
    /// [`crate::Error::Data`] where a column is numbers or dates but for a few cells.
    pub fn finish(self) -> Result<Inferred> {
        let mut inferred = Inferred { schema: Schema::default(), dropped: Vec::new(), notes: Vec::new() };
        for (name, profile) in &self.profiles {
            let (kind, reason) = profile.finish()?;
            inferred.schema.columns.push(Column { name: name.clone(), kind });
            inferred.dropped.extend(reason.map(|reason| Dropped { column: name.clone(), reason }));
            inferred.notes.extend(profile.note());
        }
        Ok(inferred)
    }
}

/// The kinds of all columns, and which are no features, from the rows given.
///
/// # Errors
/// [`crate::Error::Data`] where a column is numbers or dates but for a few cells: better mended than taken for names.
///
/// ```
/// use narrows_core::data::{ColumnKind, Table, infer};
/// let table = Table::from_columns(vec![("x", vec![1.0, 2.0, 4.0]), ("same", vec![7.0; 3])])?;
/// let inferred = infer(&table)?;
/// assert_eq!(inferred.schema.columns[0].kind, ColumnKind::Numeric);
/// assert_eq!(inferred.features(), ["x"]);
/// # Ok::<(), narrows_core::Error>(())
/// ```
pub fn infer(table: &Table) -> Result<Inferred> {
    let mut inference = Inference::default();
    inference.push(table)?;
    inference.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;
    use crate::data::ColumnKind;
    use crate::error::Error;

    fn table() -> Table {
        let words = |cells: [&'static str; 3]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
        Table::from_arrays(
            vec![
                ("amount".to_owned(), words(["1", "2.5", "NA"])),
                ("colour".to_owned(), words(["red", "blue", "red"])),
                ("fixed".to_owned(), Arc::new(Int64Array::from(vec![3, 3, 3])) as ArrayRef),
                ("price".to_owned(), words(["1,5", "2,5", "3,0"])),
            ],
            "t.csv",
        )
        .unwrap()
    }

    #[test]
    fn kinds_features_and_notes_come_in_file_order() {
        let inferred = infer(&table()).unwrap();
        let kinds: Vec<ColumnKind> = inferred.schema.columns.iter().map(|column| column.kind).collect();
        use ColumnKind::{Category, Numeric};
        assert_eq!(kinds, [Numeric, Category, Numeric, Category]);
        assert_eq!(inferred.dropped, [Dropped { column: "fixed".to_owned(), reason: DropReason::Constant }]);
        assert_eq!(inferred.features(), ["amount", "colour", "price"]);
        assert!(inferred.notes[0].contains("`price` looks like numbers with commas"));
    }

    #[test]
    fn batches_tell_the_same_as_the_whole() {
        let mut inference = Inference::default();
        for row in 0..3 {
            inference.push(&table().slice(row, 1)).unwrap();
        }
        assert_eq!(inference.finish().unwrap(), infer(&table()).unwrap());
        let mut inference = Inference::default();
        inference.push(&table()).unwrap();
        assert!(matches!(inference.push(&table().without(&["colour"])), Err(Error::Mismatch { .. })));
    }
}
