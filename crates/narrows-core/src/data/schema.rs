//! The semantic kinds of columns, independent of how a file stores them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cell_format::CellFormat;
use super::token::{self, Instant};
use crate::error::{Error, Result, nearest};

/// The kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers, including 0 and 1.
    Numeric,
    /// True or false.
    Boolean,
    /// One of a small set of names.
    Category,
    /// A date with or without time; without a zone it is read as UTC.
    Datetime,
    /// Free or id-like text: stored, but never a feature.
    Text,
}

impl ColumnKind {
    /// Description of the cells for messages, as in "expected numbers".
    pub fn describe(self) -> &'static str {
        match self {
            ColumnKind::Numeric => "numbers",
            ColumnKind::Boolean => "true or false",
            ColumnKind::Category => "category names",
            ColumnKind::Datetime => "dates",
            ColumnKind::Text => "text",
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ColumnKind::Numeric => "numeric",
            ColumnKind::Boolean => "boolean",
            ColumnKind::Category => "category",
            ColumnKind::Datetime => "datetime",
            ColumnKind::Text => "text",
        })
    }
}

/// A column: its name, its kind, and how its cells are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name in the file.
    pub name: String,
    /// The kind.
    pub kind: ColumnKind,
    /// How its cells are written, if not as plain numbers, ISO dates or names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<CellFormat>,
    /// Words that mean missing in this column, beside the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl Column {
    /// A column whose cells are written plainly.
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Column {
        Column { name: name.into(), kind, format: None, missing: Vec::new() }
    }

    /// Whether the text means missing in this column. `text` is trimmed.
    pub(crate) fn is_missing(&self, text: &str) -> bool {
        token::is_missing(text) || self.missing.iter().any(|word| word.eq_ignore_ascii_case(text))
    }

    /// The numbers that mean missing in this column, such as -9999.
    pub(crate) fn missing_numbers(&self) -> Vec<f64> {
        self.missing.iter().filter_map(|word| self.number(word)).collect()
    }

    /// The number in a text, NaN for `nan`; `None` if it is not written as in this column. `text` is trimmed.
    pub(crate) fn number(&self, text: &str) -> Option<f64> {
        match self.format.as_ref().and_then(CellFormat::number) {
            Some(format) => format.read(text),
            None => token::number(text),
        }
    }

    /// The date in a text; `None` if it is not written as in this column. `text` is trimmed.
    pub(crate) fn instant(&self, text: &str) -> Option<Instant> {
        match self.format.as_ref().and_then(CellFormat::date) {
            Some(format) => format.read(text),
            None => token::instant(text),
        }
    }

    /// Description of its cells, as in "expected numbers with decimal comma".
    pub(crate) fn describe(&self) -> String {
        match &self.format {
            Some(CellFormat::Number(format)) => format!("numbers with {format}"),
            Some(CellFormat::Date(format)) => format!("dates written {format}"),
            Some(CellFormat::Code) | None => self.kind.describe().to_owned(),
        }
    }
}

/// The columns of a table, in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The columns.
    pub columns: Vec<Column>,
}

impl Schema {
    /// The column called `name`.
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether a column of a file with this name may be one of these: blanks around names do not count.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.wanted(name).is_some()
    }

    /// The column that a column of a file with this name may be.
    pub(super) fn wanted(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.trim() == name.trim())
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// The schema of these columns, in this order.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for an unknown name, with similar names as a hint.
    pub fn select<S: AsRef<str>>(&self, names: &[S]) -> Result<Schema> {
        let pick = |name: &S| match self.get(name.as_ref()) {
            Some(column) => Ok(column.clone()),
            None => Err(unknown_column(name.as_ref(), &self.names())),
        };
        Ok(Schema { columns: names.iter().map(pick).collect::<Result<_>>()? })
    }

    /// The schema without these columns; unknown names are ignored.
    #[must_use]
    pub fn without<S: AsRef<str>>(&self, names: &[S]) -> Schema {
        let kept = |column: &&Column| !names.iter().any(|name| name.as_ref() == column.name);
        Schema { columns: self.columns.iter().filter(kept).cloned().collect() }
    }
}

/// The error for an unknown column.
pub(crate) fn unknown_column(name: &str, known: &[&str]) -> Error {
    let error = Error::mismatch(format!("there is no column `{name}`"));
    let near = nearest(name, known.iter().copied());
    if near.is_empty() {
        error.with_hint(format!("the columns are {}", listed(known)))
    } else {
        error.with_hint(format!("did you mean {}?", listed(&near)))
    }
}

/// Comma-separated names in backticks, the first twelve of them.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().saturating_sub(12) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(names: &[&str]) -> Schema {
        let column = |name: &&str| Column::new(*name, ColumnKind::Numeric);
        Schema { columns: names.iter().map(column).collect() }
    }

    #[test]
    fn a_schema_goes_through_json_unchanged() {
        let schema = schema(&["amount", "time"]);
        let text = serde_json::to_string(&schema).unwrap();
        assert_eq!(text, r#"{"columns":[{"name":"amount","kind":"numeric"},{"name":"time","kind":"numeric"}]}"#);
        assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), schema);
    }

    #[test]
    fn a_schema_of_an_older_version_is_written_plainly() {
        let column: Column = serde_json::from_str(r#"{"name":"x","kind":"numeric"}"#).unwrap();
        assert_eq!(column, Column::new("x", ColumnKind::Numeric));
        let format = r#"{"name":"x","kind":"numeric","format":{"number":{"decimal":"comma"}},"missing":["off"]}"#;
        let column: Column = serde_json::from_str(format).unwrap();
        assert_eq!((column.number("1,5"), column.number("1.5"), column.is_missing("OFF")), (Some(1.5), None, true));
        assert_eq!(serde_json::to_string(&column).unwrap(), format);
        assert_eq!(column.describe(), "numbers with decimal comma");
    }

    #[test]
    fn an_unknown_column_is_refused_with_near_names() {
        let error = schema(&["amount", "time"]).select(&["amuont"]).unwrap_err();
        assert_eq!(error.to_string(), "there is no column `amuont`");
        assert_eq!(error.hint_text().as_deref(), Some("did you mean `amount`?"));
        assert_eq!(schema(&["a", "b"]).without(&["a"]).names(), ["b"]);
    }

    #[test]
    fn long_lists_of_names_are_cut() {
        let names: Vec<String> = (0..20).map(|i| format!("c{i}")).collect();
        assert!(listed(&names).ends_with("`c11` and 8 more"));
    }
}
