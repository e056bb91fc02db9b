//! What the user says about columns: their types, the format of dates, and words that mean missing.

use glob::Pattern;
use serde::{Deserialize, Serialize};

use super::date_format::DateFormat;
use super::schema::{ColumnKind, unknown_column};
use crate::error::{Error, Result};

/// Types of columns where they should not be inferred. Columns are given by name or by a pattern with `*` and `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnTypes {
    /// Columns of categories, also if they hold numbers.
    pub categorical: Vec<String>,
    /// Columns of numbers; other cells are missing.
    pub numeric: Vec<String>,
    /// Columns of text, which are no features.
    pub text: Vec<String>,
    /// Columns of dates; other cells are missing.
    pub date: Vec<String>,
    /// How dates are written: a pattern of `strftime` such as `%d.%m.%Y %H:%M`, or a word such as `day-first` or
    /// `epoch-ms`; for one column as `COLUMN=FORMAT`, for all columns of dates otherwise.
    pub date_format: Vec<String>,
    /// Words that mean missing in every column, beside the usual ones.
    pub missing: Vec<String>,
}

/// What is said about one column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ColumnOptions {
    pub(super) kind: Option<ColumnKind>,
    /// The format of its dates, if they are dates.
    pub(super) date: Option<DateFormat>,
    /// Whether the format is given for this column.
    pub(super) is_date: bool,
    pub(super) missing: Vec<String>,
}

impl ColumnTypes {
    /// Adds what others say.
    pub fn add(&mut self, others: &ColumnTypes) {
        let ColumnTypes { categorical, numeric, text, date, date_format, missing } = others;
        self.categorical.extend_from_slice(categorical);
        self.numeric.extend_from_slice(numeric);
        self.text.extend_from_slice(text);
        self.date.extend_from_slice(date);
        // The first that fits a column is taken.
        self.date_format.splice(0..0, date_format.iter().cloned());
        self.missing.extend_from_slice(missing);
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == ColumnTypes::default()
    }

    /// The lists of columns, with their kind and the name of the list.
    fn lists(&self) -> [(&[String], ColumnKind, &'static str); 4] {
        [
            (&self.categorical, ColumnKind::Category, "categorical"),
            (&self.numeric, ColumnKind::Numeric, "numeric"),
            (&self.text, ColumnKind::Text, "text"),
            (&self.date, ColumnKind::Datetime, "date"),
        ]
    }

    /// Checks what can be checked without data.
    ///
    /// # Errors
    /// [`Error::Recipe`] for an invalid format of dates.
    pub fn check(&self) -> Result<()> {
        self.date_format.iter().try_for_each(|text| split(text).1.parse::<DateFormat>().map(drop))
    }

    /// Checks that every pattern matches a column, and no column has two types.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a pattern without a column, [`Error::Recipe`] for a column with two types.
    pub(crate) fn check_columns(&self, names: &[&str]) -> Result<()> {
        let formats = self.date_format.iter().filter_map(|text| split(text).0);
        let patterns = self.lists().into_iter().flat_map(|(list, ..)| list).map(String::as_str).chain(formats);
        for pattern in patterns {
            if !names.iter().any(|name| is_match(pattern, name)) {
                return Err(unknown_column(pattern, names));
            }
        }
        for name in names {
            let lists = self.lists();
            let mut of_column = lists.iter().filter(|(list, ..)| list.iter().any(|pattern| is_match(pattern, name)));
            if let (Some((.., one)), Some((.., other))) = (of_column.next(), of_column.next()) {
                let message = format!("column `{name}` is given two types, {one} and {other}");
                return Err(Error::recipe(format!("types.{other}"), message));
            }
        }
        Ok(())
    }

    /// What is said about a column. Invalid formats have been refused by [`check`](ColumnTypes::check).
    pub(super) fn of(&self, name: &str) -> ColumnOptions {
        let listed = |list: &[String]| list.iter().any(|pattern| is_match(pattern, name));
        let kind = self.lists().into_iter().find(|(list, ..)| listed(list)).map(|(_, kind, _)| kind);
        let formats = self.date_format.iter().map(|text| split(text));
        let own = formats.clone().find(|(column, _)| column.is_some_and(|pattern| is_match(pattern, name)));
        let date = own.or_else(|| formats.clone().find(|(column, _)| column.is_none()));
        ColumnOptions {
            kind,
            date: date.and_then(|(_, format)| format.parse().ok()),
            is_date: own.is_some() || kind == Some(ColumnKind::Datetime),
            missing: self.missing.clone(),
        }
    }
}

/// `COLUMN=FORMAT` or `FORMAT`.
fn split(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        Some((column, format)) if !column.contains('%') => (Some(column.trim()), format),
        _ => (None, text),
    }
}

fn is_match(pattern: &str, name: &str) -> bool {
    pattern == name || (pattern.contains(['*', '?', '[']) && Pattern::new(pattern).is_ok_and(|p| p.matches(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> ColumnTypes {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        ColumnTypes {
            categorical: words(&["zip", "code_*"]),
            numeric: words(&["x"]),
            date_format: words(&["day=%d.%m.%y", "month-first"]),
            missing: words(&["Bad Input"]),
            ..ColumnTypes::default()
        }
    }

    #[test]
    fn columns_are_named_or_match_a_pattern() {
        let types = types();
        types.check().unwrap();
        assert_eq!(types.of("zip").kind, Some(ColumnKind::Category));
        assert_eq!(types.of("code_7").kind, Some(ColumnKind::Category));
        assert_eq!((types.of("y").kind, types.of("y").missing), (None, vec!["Bad Input".to_owned()]));
        assert_eq!(types.of("y").date, Some(DateFormat::MonthFirst));
        let day = types.of("day");
        assert_eq!((day.date, day.is_date), (Some(DateFormat::Pattern("%d.%m.%y".to_owned())), true));
    }

    #[test]
    fn wrong_names_formats_and_double_types_are_refused() {
        let types = types();
        types.check_columns(&["zip", "code_1", "x", "day"]).unwrap();
        assert_eq!(types.check_columns(&["zip", "x", "day"]).unwrap_err().to_string(), "there is no column `code_*`");
        let double = ColumnTypes { text: vec!["x".to_owned()], ..types.clone() };
        let error = double.check_columns(&["zip", "code_1", "x", "day"]).unwrap_err();
        assert_eq!(error.to_string(), "types.text: column `x` is given two types, numeric and text");
        let wrong = ColumnTypes { date_format: vec!["dd.mm.yyyy".to_owned()], ..ColumnTypes::default() };
        assert!(wrong.check().is_err());
    }
}
