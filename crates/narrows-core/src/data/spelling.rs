//! How a file writes the cells of a column: its Arrow type, or in a text table the pattern of its dates, the format of
//! its numbers and its words for true and false. What a model makes of a column is written back like that.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};
use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use super::date_format::DateFormat;
use super::number_format::{DecimalMark, NumberFormat};
use super::schema::{Column, ColumnKind};

/// Cells that a pattern has to fit.
const LOOKED_AT: usize = 1_000;
/// Ways to write a date that are tried, ISO 8601 first.
const PATTERNS: [&str; 26] = [
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S%.3f",
    "%Y-%m-%dT%H:%M:%S%.3f",
    "%Y-%m-%dT%H:%M:%S%.3fZ",
    "%Y-%m-%dT%H:%M:%S%.6f",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%d-%b-%Y",
    "%d %b %Y",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%H:%M:%S",
    "%H:%M",
];

/// How a file writes the cells of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Spelling {
    /// By its Arrow type, as text.
    Typed(String),
    /// Dates as text, in this pattern of `strftime`.
    Dates(String),
    /// Dates as numbers.
    Epoch(DateFormat),
    /// Numbers with marks, a currency or a unit.
    Numbers(NumberFormat),
    /// The words for false and for true.
    Flags([String; 2]),
    /// Plainly.
    Plain,
}

impl Spelling {
    /// Of the cells of `array`, which `column` describes.
    pub(crate) fn of(column: &Column, array: &ArrayRef) -> Spelling {
        let typed = || Spelling::Typed(array.data_type().to_string());
        let text = match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => cast(array, &DataType::Utf8).ok(),
            _ => None,
        };
        let Some(text) = text.as_ref().and_then(|text| text.as_string_opt::<i32>()) else { return typed() };
        match Spelling::of_text(column, text) {
            Spelling::Plain if *array.data_type() != DataType::Utf8 => typed(),
            spelling => spelling,
        }
    }

    fn of_text(column: &Column, text: &StringArray) -> Spelling {
        let cells = || {
            let step = text.len().div_ceil(LOOKED_AT).max(1);
            let known = (0..text.len()).step_by(step).filter(|row| text.is_valid(*row));
            known.map(|row| text.value(row).trim()).filter(|cell| !column.is_missing(cell))
        };
        match column.kind {
            ColumnKind::Datetime => {
                let format = column.format.as_ref().and_then(|format| format.date());
                let own = match format {
                    Some(
                        format @ (DateFormat::EpochS | DateFormat::EpochMs | DateFormat::EpochUs | DateFormat::EpochNs),
                    ) => {
                        return Spelling::Epoch(format.clone());
                    }
                    Some(DateFormat::Pattern(pattern)) => Some(pattern.as_str()),
                    _ => None,
                };
                let writes = |pattern: &&str| {
                    cells().all(|cell| {
                        column.instant(cell).is_some_and(|t| written(pattern, t.micros).as_deref() == Some(cell))
                    })
                };
                let pattern = own.into_iter().chain(PATTERNS).find(writes);
                pattern.map_or(Spelling::Plain, |pattern| Spelling::Dates(pattern.to_owned()))
            }
            ColumnKind::Numeric => match column.format.as_ref().and_then(|format| format.number()) {
                Some(format) if *format != NumberFormat::default() => Spelling::Numbers(format.clone()),
                _ => Spelling::Plain,
            },
            ColumnKind::Boolean => {
                let word =
                    |truth: bool| cells().find(|cell| super::token::flag(cell) == Some(truth)).map(str::to_owned);
                match (word(false), word(true)) {
                    (Some(no), Some(yes)) => Spelling::Flags([no, yes]),
                    _ => Spelling::Plain,
                }
            }
            ColumnKind::Category | ColumnKind::Text => Spelling::Plain,
        }
    }

    /// Typed cells as the file writes them; as they are where that is not possible.
    pub(crate) fn written(&self, cells: &ArrayRef) -> ArrayRef {
        let moments = cells.as_primitive_opt::<TimestampMicrosecondType>();
        let text: Option<StringArray> = match (self, moments) {
            (Spelling::Typed(kind), moments) => {
                let Ok(kind) = kind.parse::<DataType>() else { return cells.clone() };
                return typed(cells, moments, &kind).unwrap_or_else(|| cells.clone());
            }
            (Spelling::Dates(pattern), Some(moments)) => {
                Some(moments.iter().map(|t| t.and_then(|t| written(pattern, t))).collect())
            }
            (Spelling::Epoch(format), Some(moments)) => {
                let number = |t: i64| match format {
                    DateFormat::EpochS => t.div_euclid(1_000_000).to_string(),
                    DateFormat::EpochMs => t.div_euclid(1_000).to_string(),
                    DateFormat::EpochUs => t.to_string(),
                    _ => (i128::from(t) * 1_000).to_string(),
                };
                Some(moments.iter().map(|t| t.map(number)).collect())
            }
            (Spelling::Numbers(format), None) => cells
                .as_primitive_opt::<Float64Type>()
                .map(|numbers| numbers.iter().map(|x| x.map(|x| format.write(x))).collect()),
            (Spelling::Flags([no, yes]), None) => cells
                .as_boolean_opt()
                .map(|flags| flags.iter().map(|flag| flag.map(|flag| if flag { yes } else { no })).collect()),
            _ => None,
        };
        text.map_or_else(|| cells.clone(), |text| Arc::new(text))
    }
}

impl NumberFormat {
    /// A number as this format writes it, without separators of thousands.
    fn write(&self, x: f64) -> String {
        let plain = x.abs().to_string();
        let marked = if self.decimal == DecimalMark::Comma { plain.replace('.', ",") } else { plain };
        let sign = if x < 0.0 { "-" } else { "" };
        let space = if self.suffix.chars().next().is_some_and(char::is_alphanumeric) { " " } else { "" };
        format!("{sign}{}{marked}{space}{}", self.prefix, self.suffix)
    }
}

fn written(pattern: &str, micros: i64) -> Option<String> {
    let moment = Offset::UTC.to_datetime(Timestamp::from_microsecond(micros).ok()?);
    strtime::format(pattern, moment).ok()
}

/// Cells cast to a type; dates are local in a type with a zone as they are in one without.
fn typed(cells: &ArrayRef, moments: Option<&TimestampMicrosecondArray>, kind: &DataType) -> Option<ArrayRef> {
    match (moments, kind) {
        (Some(moments), DataType::Timestamp(_, Some(zone))) => {
            let zoned: ArrayRef = Arc::new(moments.clone().with_timezone(zone.clone()));
            cast(&zoned, kind).ok()
        }
        (Some(_), DataType::Time32(_) | DataType::Time64(_)) => {
            let time = cast(cells, &DataType::Time64(TimeUnit::Microsecond)).ok()?;
            cast(&time, kind).ok()
        }
        _ => cast(cells, kind).ok(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Float64Array, Int32Array};

    use super::*;
    use crate::data::CellFormat;

    fn words(cells: &[&str]) -> ArrayRef {
        Arc::new(cells.iter().map(|cell| Some(*cell)).collect::<StringArray>())
    }

    fn check(kind: ColumnKind, format: Option<CellFormat>, cells: &[&str], typed: ArrayRef, expected: &[&str]) {
        let column = Column { format, ..Column::new("x", kind) };
        let spelling = Spelling::of(&column, &words(cells));
        let text = serde_json::to_string(&spelling).unwrap();
        assert_eq!(serde_json::from_str::<Spelling>(&text).unwrap(), spelling);
        let got = spelling.written(&typed);
        assert_eq!(got.as_string::<i32>(), words(expected).as_string::<i32>(), "{spelling:?}");
    }

    #[test]
    fn cells_are_written_as_the_file_writes_them() {
        let moments = |t: &[i64]| Arc::new(TimestampMicrosecondArray::from(t.to_vec())) as ArrayRef;
        let (day, hour) = (86_400_000_000, 3_600_000_000);
        let dates =
            |cells, format, t: &[i64], expected| check(ColumnKind::Datetime, format, cells, moments(t), expected);
        dates(&["2024-01-31", "2024-02-01"], None, &[day], &["1970-01-02"]);
        dates(&["2024-01-31 10:00:00"], None, &[day + hour], &["1970-01-02 01:00:00"]);
        dates(&["2024-01-31T10:00:00Z"], None, &[day], &["1970-01-02T00:00:00Z"]);
        dates(&["31.01.2024"], Some(CellFormat::Date(DateFormat::DayFirst)), &[day], &["02.01.1970"]);
        dates(&["1700000000"], Some(CellFormat::Date(DateFormat::EpochS)), &[day], &["86400"]);
        let euros = NumberFormat { decimal: DecimalMark::Comma, suffix: "€".to_owned(), ..NumberFormat::default() };
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![-1234.5, 0.25]));
        check(ColumnKind::Numeric, Some(CellFormat::Number(euros.clone())), &["1,5€"], numbers, &["-1234,5€", "0,25€"]);
        assert_eq!((euros.read("-1234,5€"), euros.read("0,25€")), (Some(-1234.5), Some(0.25)));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
        check(ColumnKind::Boolean, None, &["False", "True"], flags, &["True", "False"]);
    }

    #[test]
    fn cells_of_a_file_with_types_keep_them() {
        let column = Column::new("x", ColumnKind::Numeric);
        let spelling = Spelling::of(&column, &(Arc::new(Int32Array::from(vec![1])) as ArrayRef));
        let got = spelling.written(&(Arc::new(Float64Array::from(vec![Some(3.0), None])) as ArrayRef));
        assert_eq!(got.as_ref(), &Int32Array::from(vec![Some(3), None]));
        let zone = DataType::Timestamp(TimeUnit::Millisecond, Some("+02:00".into()));
        let moments: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![5_000_000]));
        let got = Spelling::Typed(zone.to_string()).written(&moments);
        assert_eq!(got.data_type(), &zone);
        assert_eq!(cast(&got, &DataType::Int64).unwrap().as_primitive::<arrow::datatypes::Int64Type>().value(0), 5_000);
    }
}
