//! How the cells of a column are written, if not plainly.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::date_format::DateFormat;
use super::number_format::NumberFormat;

/// How the cells of a column are written, if not as plain numbers, ISO dates or names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellFormat {
    /// Numbers with a decimal comma, thousands separators, a currency or a unit.
    Number(NumberFormat),
    /// Dates other than ISO 8601.
    Date(DateFormat),
    /// Names that may be written as numbers: codes and postal codes.
    Code,
}

impl CellFormat {
    /// The format of numbers.
    pub(crate) fn number(&self) -> Option<&NumberFormat> {
        if let CellFormat::Number(format) = self { Some(format) } else { None }
    }

    /// The format of dates.
    pub(crate) fn date(&self) -> Option<&DateFormat> {
        if let CellFormat::Date(format) = self { Some(format) } else { None }
    }
}

impl fmt::Display for CellFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CellFormat::Number(format) => format.fmt(f),
            CellFormat::Date(format) => format.fmt(f),
            CellFormat::Code => f.write_str("codes"),
        }
    }
}
