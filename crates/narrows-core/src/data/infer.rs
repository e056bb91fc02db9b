//! Schema inference: the kind of each column, and which columns are not features.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::form::Form;
use super::profile::Profile;
use super::schema::{Column, Schema};
use super::table::{Table, different_columns};
use crate::error::{Place, Result};

/// Why a column is not a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// All cells are equal.
    Constant,
    /// All cells are missing.
    AllMissing,
    /// A row counter, or text that is different in nearly every row.
    Identifier,
    /// Free text.
    FreeText,
    /// Text with too few rows per distinct value.
    TooManyLevels,
    /// Not numeric, which points of series have to be.
    NotNumeric,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DropReason::Constant => "all cells are equal",
            DropReason::AllMissing => "all cells are missing",
            DropReason::Identifier => "row identifier",
            DropReason::FreeText => "free text",
            DropReason::NotNumeric => "not numeric, as points of series have to be",
            DropReason::TooManyLevels => "too many distinct values for the number of rows",
        })
    }
}

/// A column that is not a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Its name.
    pub column: String,
    /// The reason.
    pub reason: DropReason,
}

/// The inferred properties of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// The kind of every column, in file order.
    pub schema: Schema,
    /// The columns that are not features.
    pub dropped: Vec<Dropped>,
    /// Notes for the user.
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

/// Profiles a table batch by batch in bounded memory.
#[derive(Debug, Default)]
pub struct Inference {
    profiles: Vec<(String, Profile)>,
}

impl Inference {
    /// Adds rows.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] if the columns differ from the previous ones; [`crate::Error::Data`] if a column changes its
    /// type or is nested.
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
        // The first failing column in file order is reported, independent of thread scheduling.
        let results: Vec<Result<()>> = self.profiles.par_iter_mut().map(look).collect();
        results.into_iter().collect()
    }

    /// Infers the schema.
    ///
    /// # Errors
    /// [`crate::Error::Data`] if nearly all cells of a column are numbers or dates, but not all.
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

/// Infers the kinds of all columns, and which are not features.
///
/// # Errors
/// [`crate::Error::Data`] if nearly all cells of a column are numbers or dates: likely errors rather than categories.
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
