//! Schema inference: the kind of each column, and which columns are not features.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cell_format::CellFormat;
use super::column_reading::ColumnReading;
use super::column_types::ColumnTypes;
use super::form::Form;
use super::profile::Profile;
use super::schema::{Schema, listed};
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
    /// Text, as the user says.
    AsAsked,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DropReason::Constant => "all cells are equal",
            DropReason::AllMissing => "all cells are missing",
            DropReason::Identifier => "row identifier",
            DropReason::FreeText => "free text",
            DropReason::NotNumeric => "not numeric, as points of series have to be",
            DropReason::AsAsked => "text, as asked",
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
    /// Columns whose cells look like numbers or dates, but cannot be read as such.
    pub unread: Vec<String>,
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
    types: ColumnTypes,
    profiles: Vec<(String, Profile)>,
    /// Whether the files have semicolons between fields, which is usual with decimal commas.
    has_semicolons: bool,
}

impl Inference {
    /// An inference that follows what is said about columns.
    pub fn with_types(types: ColumnTypes) -> Inference {
        Inference { types, ..Inference::default() }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] if the columns differ from the previous ones; [`crate::Error::Data`] if a column changes its
    /// type or is nested.
    pub fn push(&mut self, table: &Table) -> Result<()> {
        if self.profiles.is_empty() {
            let profile = |name: &str| (name.to_owned(), Profile::new(name, self.types.of(name)));
            self.profiles = table.names().into_iter().map(profile).collect();
            self.has_semicolons = table.has_semicolons();
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
    /// [`crate::Error::Data`] if a column given as numbers or dates holds none.
    pub fn finish(self) -> Result<Inferred> {
        let mut inferred =
            Inferred { schema: Schema::default(), dropped: Vec::new(), notes: Vec::new(), unread: Vec::new() };
        let is_comma = self.has_decimal_commas();
        let (mut formats, mut few): (Vec<(String, Vec<String>)>, Vec<String>) = (Vec::new(), Vec::new());
        for (name, profile) in &self.profiles {
            let ColumnReading { column, reason, notes, is_lost, is_few } = ColumnReading::of(profile, is_comma)?;
            if let Some(format) = column.format.as_ref().filter(|format| **format != CellFormat::Code) {
                let words = format!("{} written {format}", column.kind.describe());
                match formats.iter_mut().find(|(known, _)| *known == words) {
                    Some((_, columns)) => columns.push(name.clone()),
                    None => formats.push((words, vec![name.clone()])),
                }
            }
            if is_few && reason.is_none() {
                few.push(name.clone());
            }
            if is_lost {
                inferred.unread.push(name.clone());
            }
            inferred.schema.columns.push(column);
            inferred.dropped.extend(reason.map(|reason| Dropped { column: name.clone(), reason }));
            inferred.notes.extend(notes);
        }
        let told = formats.into_iter().map(|(words, columns)| format!("{words}: {}", listed(&columns)));
        inferred.notes.splice(0..0, told);
        if !few.is_empty() {
            inferred.notes.push(format!(
                "few distinct whole numbers, read as numbers but perhaps codes, which types.categorical makes categories: {}",
                listed(&few)
            ));
        }
        Ok(inferred)
    }

    /// Whether numbers that could be written with a decimal comma are: by the other columns, else by the delimiter.
    fn has_decimal_commas(&self) -> bool {
        let mut commas = 0;
        let mut points = 0;
        for (_, profile) in &self.profiles {
            // A column of names tells nothing.
            if 2 * profile.written.cells() >= profile.known() {
                let (comma, point) = profile.written.decimals();
                commas += comma;
                points += point;
            }
        }
        if commas == points { self.has_semicolons } else { commas > points }
    }
}

/// Infers the kinds of all columns, and which are not features.
///
/// # Errors
/// [`crate::Error::Data`] if a column is nested.
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
    infer_as(table, &ColumnTypes::default())
}

/// The same, following what is said about columns.
///
/// # Errors
/// [`crate::Error::Data`] if a column is nested, or one given as numbers or dates holds none.
///
/// ```
/// use narrows_core::data::{ColumnKind, ColumnTypes, Table, infer_as};
/// let table = Table::from_columns(vec![("zip", vec![10115.0, 80331.0, 10115.0])])?;
/// let types = ColumnTypes { categorical: vec!["zip".to_owned()], ..ColumnTypes::default() };
/// assert_eq!(infer_as(&table, &types)?.schema.columns[0].kind, ColumnKind::Category);
/// # Ok::<(), narrows_core::Error>(())
/// ```
pub fn infer_as(table: &Table, types: &ColumnTypes) -> Result<Inferred> {
    let mut inference = Inference::with_types(types.clone());
    inference.push(table)?;
    inference.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;
    use crate::data::{ColumnKind, Source};
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
        assert_eq!(kinds, [Numeric, Category, Numeric, Numeric]);
        assert_eq!(inferred.dropped, [Dropped { column: "fixed".to_owned(), reason: DropReason::Constant }]);
        assert_eq!(inferred.features(), ["amount", "colour", "price"]);
        assert_eq!(inferred.notes, ["numbers written decimal comma: `price`"]);
    }

    /// A table of text columns, two cells each unless said otherwise.
    fn written(columns: &[(&str, &[&str])]) -> Table {
        let column = |(name, cells): &(&str, &[&str])| {
            ((*name).to_owned(), Arc::new(StringArray::from(cells.to_vec())) as ArrayRef)
        };
        Table::from_arrays(columns.iter().map(column).collect(), "t.csv").unwrap()
    }

    #[test]
    fn a_file_has_one_decimal_mark_where_a_column_alone_does_not_tell() {
        let formats = |table: &Table| {
            let inferred = infer(table).unwrap();
            let formats = inferred.schema.columns.iter().map(|column| column.format.as_ref().map(ToString::to_string));
            (formats.map(Option::unwrap_or_default).collect::<Vec<_>>(), inferred.notes.len())
        };
        let (both, notes) = formats(&written(&[("a", &["1,5", "2,5"]), ("b", &["1,234", "2,345"])]));
        assert_eq!((both, notes), (vec!["decimal comma".to_owned(), "decimal comma".to_owned()], 2));
        let (both, _) = formats(&written(&[("a", &["1.5", "2.5"]), ("b", &["1,234", "2,345"])]));
        assert_eq!(both, ["", "decimal point, thousands separated by commas"]);
        let (both, _) = formats(&written(&[("a", &["1,5", "2,5"]), ("b", &["1.234", "2.345"])]));
        assert_eq!(both, ["decimal comma", "decimal comma, thousands separated by points"]);
        let (both, notes) = formats(&written(&[("a", &["1.5", "2.5"]), ("b", &["1.234", "2.345"])]));
        assert_eq!((both, notes), (vec![String::new(), String::new()], 0));
        let whole =
            written(&[("a", &["1,5", "2,5", "3,5"]), ("b", &["1", "1", "1"]), ("zip", &["01067", "10115", "01067"])]);
        assert_eq!(formats(&whole).0, ["decimal comma", "decimal comma", "codes"]);
        assert_eq!(infer(&whole).unwrap().dropped[0].column, "b");
    }

    #[test]
    fn semicolons_between_fields_go_with_decimal_commas() {
        let folder = tempfile::tempdir().unwrap();
        let format = |text: &str| {
            let path = folder.path().join("t.csv");
            std::fs::write(&path, text).unwrap();
            let table =
                Source::parse(&[path.display().to_string()]).unwrap().open(2, None).unwrap().read_all().unwrap();
            let inferred = infer(&table.select(&["x"]).unwrap()).unwrap();
            (inferred.schema.columns[0].format.as_ref().unwrap().to_string(), inferred.notes.join("; "))
        };
        let (comma, notes) = format("x;y\n1,234;a\n2,345;b\n3,456;a\n");
        assert_eq!(comma, "decimal comma");
        assert!(notes.contains("`1,234` has two meanings; read as 1.234"), "{notes}");
        let (point, notes) = format("x,y\n\"1,234\",a\n\"2,345\",b\n");
        assert_eq!(point, "decimal point, thousands separated by commas");
        assert!(notes.contains("`1,234` has two meanings; read as 1234"), "{notes}");
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
