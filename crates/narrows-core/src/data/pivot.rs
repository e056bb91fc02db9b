//! A table of one measurement per row, pivoted to one column per sensor.
//!
//! `ts, device, sensor, value` becomes `ts, device` and a column for each sensor; rows are keyed by all other columns and
//! keep the order of their first appearance.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringArray, UInt32Array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::files::Files;
use super::schema::{Schema, listed, unknown_column};
use super::table::Table;
use super::token;
use crate::error::{Error, Hint, Place, Result};

/// CellTexts of a pivoted table, which bounds memory.
const MOST_CELLS: u64 = 250_000_000;

/// Usual names of the column of names.
const NAMES: [&str; 11] = [
    "sensor",
    "sensor_id",
    "sensor_name",
    "metric",
    "metric_name",
    "variable",
    "tag",
    "tag_name",
    "channel",
    "parameter",
    "signal",
];

/// Usual names of the column of values.
const VALUES: [&str; 5] = ["value", "reading", "val", "sensor_value", "metric_value"];

/// No value.
const NONE: u32 = u32::MAX;

/// The columns of a table of one measurement per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pivot {
    /// The column whose cells become the names of columns.
    pub names: String,
    /// The column whose cells become theirs.
    pub values: String,
}

impl FromStr for Pivot {
    type Err = String;

    fn from_str(text: &str) -> Result<Pivot, String> {
        match text.split_once('=') {
            Some((names, values)) if !names.is_empty() && !values.is_empty() && names != values => {
                Ok(Pivot { names: names.to_owned(), values: values.to_owned() })
            }
            _ => Err(format!(
                "expected the column of names and the column of values, such as sensor=value, got `{text}`"
            )),
        }
    }
}

impl Pivot {
    /// Advice for columns that look like measurements one by one.
    pub(super) fn advice(columns: &[String]) -> Option<Hint> {
        let find = |words: &[&str]| columns.iter().find(|column| words.contains(&plain(column).as_str()));
        let (names, values) = (find(&NAMES)?, find(&VALUES)?);
        Some(Hint::of(&format!(
            "one measurement per row? [pivot={names}={values}] makes a column of each value of `{names}`"
        )))
    }
}

impl Pivot {
    /// Advice for a table whose cells hold the names of columns that it lacks.
    pub(super) fn advice_for(table: &Table, missing: &[&str]) -> Option<Hint> {
        let holds = |array: &ArrayRef| {
            let words = array.as_string_opt::<i32>()?;
            let cells: HashSet<&str> = words.iter().flatten().map(str::trim).collect();
            Some(missing.iter().filter(|name| cells.contains(**name)).count() * 2 > missing.len())
        };
        let names = table.names().into_iter().find(|name| table.column(name).and_then(holds) == Some(true))?;
        let values = table.names().into_iter().find(|name| VALUES.contains(&plain(name).as_str())).unwrap_or("VALUES");
        Some(Hint::of(&format!(
            "they are cells of `{names}`: one measurement per row is read with [pivot={names}={values}]"
        )))
    }
}

fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace([' ', '-'], "_")
}

/// Rows being pivoted.
pub(super) struct Melted {
    pivot: Pivot,
    keys: Vec<String>,
    rows: HashMap<Vec<u8>, u32>,
    /// The first row of each key, without names and values.
    firsts: Vec<Table>,
    sensors: HashMap<String, usize>,
    columns: Vec<Sensor>,
    /// All values, and the number of those before each part.
    values: Vec<(usize, ArrayRef)>,
    n_values: usize,
    n_cells: u64,
    repeats: Repeats,
}

struct Sensor {
    name: String,
    /// The value of each row.
    places: Vec<u32>,
    /// Sums and counts of rows with several values.
    sums: HashMap<u32, (f64, u32)>,
}

/// Values for a cell that has one.
#[derive(Default)]
struct Repeats {
    equal: u64,
    averaged: u64,
    first: Option<String>,
    unnamed: u64,
}

impl Melted {
    pub(super) fn new(pivot: &Pivot, columns: &[String]) -> Result<Melted> {
        let known: Vec<&str> = columns.iter().map(String::as_str).collect();
        if let Some(name) = [&pivot.names, &pivot.values].into_iter().find(|name| !columns.contains(name)) {
            return Err(unknown_column(name, &known));
        }
        let keys = columns.iter().filter(|name| **name != pivot.names && **name != pivot.values).cloned().collect();
        Ok(Melted {
            pivot: pivot.clone(),
            keys,
            rows: HashMap::new(),
            firsts: Vec::new(),
            sensors: HashMap::new(),
            columns: Vec::new(),
            values: Vec::new(),
            n_values: 0,
            n_cells: 0,
            repeats: Repeats::default(),
        })
    }

    /// Adds rows of one measurement each.
    pub(super) fn push(&mut self, table: &Table) -> Result<()> {
        let keys = self
            .keys
            .iter()
            .map(|name| CellTexts::of(table.expect_column(name)?, table))
            .collect::<Result<Vec<_>>>()?;
        let names = CellTexts::of(table.expect_column(&self.pivot.names)?, table)?;
        self.values.push((self.n_values, table.expect_column(&self.pivot.values)?.clone()));
        let mut new = Vec::new();
        let mut key = Vec::new();
        for row in 0..table.n_rows() {
            let name = names.get(row);
            let place = (self.n_values + row) as u32;
            if token::is_missing(name.trim()) {
                self.repeats.unnamed += 1;
                continue;
            }
            key.clear();
            for cell in &keys {
                let cell = cell.get(row);
                key.extend_from_slice(&(cell.len() as u64).to_le_bytes());
                key.extend_from_slice(cell.as_bytes());
            }
            let next = self.rows.len() as u32;
            let target = match self.rows.get(&key) {
                Some(target) => *target,
                None => {
                    self.rows.insert(key.clone(), next);
                    new.push(row as u32);
                    next
                }
            };
            self.put(name.trim(), target, place, table.row_number(row))?;
        }
        self.n_values += table.n_rows();
        if self.n_values >= NONE as usize {
            return Err(Error::data(Place::source(table.source()), "more than 4 billion rows cannot be pivoted"));
        }
        self.firsts.push(table.without(&[&self.pivot.names, &self.pivot.values]).numbered().take(&new));
        Ok(())
    }

    fn put(&mut self, name: &str, target: u32, place: u32, row: u64) -> Result<()> {
        let sensor = match self.sensors.get(name) {
            Some(sensor) => *sensor,
            None => {
                self.sensors.insert(name.to_owned(), self.columns.len());
                self.columns.push(Sensor { name: name.to_owned(), places: Vec::new(), sums: HashMap::new() });
                self.columns.len() - 1
            }
        };
        let places = &mut self.columns[sensor].places;
        if places.len() <= target as usize {
            self.n_cells += (target as usize + 1 - places.len()) as u64;
            places.resize(target as usize + 1, NONE);
        }
        if self.n_cells > MOST_CELLS {
            let message = format!(
                "pivoted, the table would have over {MOST_CELLS} cells: {} rows and {} columns so far",
                self.rows.len(),
                self.columns.len()
            );
            let error = Error::data(Place::column(&self.pivot.names), message);
            return Err(error.with_hint("is it the column of names? Other columns than names and values key the rows"));
        }
        let before = std::mem::replace(&mut places[target as usize], place);
        if before != NONE { self.repeat(sensor, target, (before, place), row) } else { Ok(()) }
    }

    /// Unites two values of one cell: one of them if they are equal or the other is missing, else their mean.
    fn repeat(&mut self, sensor: usize, target: u32, (before, place): (u32, u32), row: u64) -> Result<()> {
        let (old, new) = (self.value(before), self.value(place));
        let is_known = |cell: &str| !token::is_missing(cell.trim());
        let sums = &mut self.columns[sensor].sums;
        let keep = |places: &mut Vec<u32>| places[target as usize] = before;
        if !is_known(&new) || (old == new && !sums.contains_key(&target)) {
            keep(&mut self.columns[sensor].places);
            self.repeats.equal += 1;
            return Ok(());
        }
        if !is_known(&old) {
            return Ok(());
        }
        let name = &self.columns[sensor].name;
        let (Some(x), Some(y)) = (token::number(old.trim()), token::number(new.trim())) else {
            let message = format!("a second value for the same row and `{name}`: expected `{old}`, got `{new}`");
            let error = Error::data(Place::cell(&self.pivot.values, row), message);
            return Err(error.with_hint("a column that tells the two apart would key the rows as well"));
        };
        self.repeats.averaged += 1;
        self.repeats.first.get_or_insert_with(|| format!("row {row}: `{name}` is `{old}` and `{new}`"));
        let (sum, n) = self.columns[sensor].sums.entry(target).or_insert((x, 1));
        *sum += y;
        *n += 1;
        keep(&mut self.columns[sensor].places);
        Ok(())
    }

    fn value(&self, place: u32) -> String {
        let part = self.values.partition_point(|(start, _)| *start <= place as usize) - 1;
        let (start, array) = &self.values[part];
        let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default());
        formatter.map_or_else(|_| String::new(), |formatter| formatter.value(place as usize - start).to_string())
    }

    /// The pivoted table; with `wanted`, its columns that no row has are added as missing. Tells `files` what happened.
    pub(super) fn finish(self, wanted: Option<&Schema>, files: &mut Files) -> Result<Table> {
        let firsts = match self.firsts.is_empty() {
            true => Table::new(arrow::array::RecordBatch::new_empty(files.schema.clone()), files.name(), 0)
                .without(&[&self.pivot.names, &self.pivot.values]),
            false => Table::concat(&self.firsts)?,
        };
        let (n_rows, source) = (self.rows.len(), firsts.source().to_owned());
        let parts: Vec<&dyn Array> = self.values.iter().map(|(_, array)| array.as_ref()).collect();
        let damaged =
            |error: arrow::error::ArrowError| Error::data(Place::column(&self.pivot.values), error.to_string());
        let mut columns: Vec<(String, ArrayRef)> =
            firsts.names().into_iter().map(str::to_owned).zip(firsts.batch().columns().iter().cloned()).collect();
        if let Some(sensor) = self.columns.iter().find(|sensor| self.keys.contains(&sensor.name)) {
            let message = format!("`{}` would be a column twice: as a key of rows and as a name", sensor.name);
            return Err(Error::data(Place::column(&self.pivot.names).of(source), message));
        }
        if !parts.is_empty() {
            let values = concat(&parts).map_err(damaged)?;
            for sensor in &self.columns {
                let place = |row: usize| sensor.places.get(row).copied().filter(|place| *place != NONE);
                let places: UInt32Array = (0..n_rows).map(place).collect();
                let array = take(&values, &places, None).map_err(damaged)?;
                let array = if sensor.sums.is_empty() { array } else { sensor.with_means(&array).map_err(damaged)? };
                columns.push((sensor.name.clone(), array));
            }
        }
        let names: Vec<&str> = self.columns.iter().map(|sensor| sensor.name.as_str()).collect();
        let Pivot { names: name, values: value } = &self.pivot;
        files.notes.push(format!(
            "{} rows of `{name}` and `{value}` became {n_rows} rows with {} columns: {}",
            self.n_values,
            names.len(),
            listed(&names)
        ));
        self.repeats.tell(name, &mut files.warnings);
        if let Some(wanted) = wanted {
            let is_key = |name: &str| self.keys.iter().any(|key| key == name);
            let absent: Vec<&str> = wanted.names().into_iter().filter(|w| !names.contains(w) && !is_key(w)).collect();
            let unknown: Vec<&str> = names.iter().copied().filter(|name| wanted.get(name).is_none()).collect();
            if !unknown.is_empty() {
                files.warnings.push(format!("values of `{name}` that the model does not know: {}", listed(&unknown)));
            }
            if !absent.is_empty() && absent.len() < wanted.columns.len() {
                files
                    .warnings
                    .push(format!("no row has these values of `{name}`, read as missing: {}", listed(&absent)));
                let none = || Arc::new(arrow::array::NullArray::new(n_rows)) as ArrayRef;
                columns.extend(absent.iter().map(|name| ((*name).to_owned(), none())));
            }
        }
        Ok(firsts.with_columns(columns))
    }
}

impl Repeats {
    fn tell(&self, name: &str, warnings: &mut Vec<String>) {
        if self.equal > 0 {
            warnings.push(format!("{} repeated measurements left out", self.equal));
        }
        if let (Some(first), n) = (&self.first, self.averaged) {
            warnings.push(format!("{n} further values for the same row averaged, first in {first}"));
        }
        if self.unnamed > 0 {
            warnings.push(format!("{} rows without a value in `{name}` left out", self.unnamed));
        }
    }
}

impl Sensor {
    /// The column with means where there are several values.
    fn with_means(&self, array: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
        let mean = |row: usize| self.sums.get(&(row as u32)).map(|(sum, n)| sum / f64::from(*n));
        if let Some(words) = array.as_string_opt::<i32>() {
            let cell =
                |(row, cell): (usize, Option<&str>)| mean(row).map(|x| x.to_string()).or(cell.map(str::to_owned));
            return Ok(Arc::new(words.iter().enumerate().map(cell).collect::<StringArray>()));
        }
        let numbers = cast(array, &DataType::Float64)?;
        let cells = numbers.as_primitive::<Float64Type>().iter().enumerate();
        Ok(Arc::new(cells.map(|(row, x)| mean(row).or(x)).collect::<Float64Array>()))
    }
}

/// A column as text.
enum CellTexts<'a> {
    Words(&'a StringArray),
    Other(ArrayFormatter<'a>),
}

impl CellTexts<'_> {
    fn of<'a>(array: &'a ArrayRef, table: &Table) -> Result<CellTexts<'a>> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new();
        match array.as_string_opt::<i32>() {
            Some(words) => Ok(CellTexts::Words(words)),
            None => ArrayFormatter::try_new(array.as_ref(), &OPTIONS)
                .map(CellTexts::Other)
                .map_err(|error| Error::data(Place::source(table.source()), error.to_string())),
        }
    }

    fn get(&self, row: usize) -> std::borrow::Cow<'_, str> {
        match self {
            CellTexts::Words(words) if words.is_null(row) => "".into(),
            CellTexts::Words(words) => words.value(row).into(),
            CellTexts::Other(formatter) => formatter.value(row).to_string().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Column, ColumnKind, Reader, Source};

    fn open(text: &str, wanted: Option<&Schema>) -> Result<Reader> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        let source = Source::parse(&[path.display().to_string()])?;
        Source { pivot: Some("sensor=value".parse().unwrap()), ..source }.open(2, wanted)
    }

    fn shown(reader: &mut Reader) -> String {
        let table = reader.read_all().unwrap();
        let row = |row: usize| {
            let cell = |array: &ArrayRef| arrow::util::display::array_value_to_string(array, row).unwrap();
            format!(
                "{}:{}",
                table.row_number(row),
                table.batch().columns().iter().map(cell).collect::<Vec<_>>().join(",")
            )
        };
        let rows: Vec<String> = (0..table.n_rows()).map(row).collect();
        format!("{} {}", table.names().join(","), rows.join(" "))
    }

    #[test]
    fn measurements_become_rows_by_all_other_columns() {
        let mut reader = open("ts,sensor,value,unit\n1,a,5,x\n1,b,6,x\n2,b,7,x\n3,c,8,x\n2,a,,x\n", None).unwrap();
        assert_eq!(shown(&mut reader), "ts,unit,a,b,c 0:1,x,5,6, 2:2,x,,7, 3:3,x,,,8");
        assert!(reader.notes().last().unwrap().contains("5 rows of `sensor` and `value` became 3 rows with 3 columns"));
        assert!(reader.warnings().is_empty());
    }

    #[test]
    fn repeated_measurements_are_averaged_and_told() {
        let mut reader = open("ts,sensor,value\n1,a,5\n1,a,5\n1,b,1\n1,b,2\n1,b,6\n1,,7\n2,a,\n2,a,3\n", None).unwrap();
        assert_eq!(shown(&mut reader), "ts,a,b 0:1,5,3 6:2,3,");
        assert_eq!(
            reader.warnings(),
            [
                "1 repeated measurements left out",
                "2 further values for the same row averaged, first in row 3: `b` is `1` and `2`",
                "1 rows without a value in `sensor` left out",
            ]
        );
        let error = open("ts,sensor,value\n1,a,on\n1,a,off\n", None).err().unwrap().to_string();
        assert_eq!(error, "column `value`, row 1: a second value for the same row and `a`: expected `on`, got `off`");
    }

    #[test]
    fn sensors_that_a_model_lacks_or_waits_for_are_told() {
        let column = |name: &str| Column::new(name, ColumnKind::Numeric);
        let wanted = Schema { columns: vec![column("a"), column("z")] };
        let mut reader = open("ts,sensor,value\n1,a,5\n1,b,6\n", Some(&wanted)).unwrap();
        assert_eq!(shown(&mut reader), "ts,a,b,z 0:1,5,6,");
        assert_eq!(
            reader.warnings(),
            [
                "values of `sensor` that the model does not know: `b`",
                "no row has these values of `sensor`, read as missing: `z`",
            ]
        );
    }

    #[test]
    fn columns_have_to_exist_and_not_to_collide() {
        assert!(open("ts,sensor,v\n1,a,5\n", None).err().unwrap().to_string().contains("there is no column `value`"));
        let error = open("ts,sensor,value\n1,ts,5\n", None).err().unwrap().to_string();
        assert!(error.contains("`ts` would be a column twice"), "{error}");
        assert!("sensor".parse::<Pivot>().is_err());
        let words = |cells: [&'static str; 2]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
        let melted = vec![("sensor".to_owned(), words(["a", "b"])), ("value".to_owned(), words(["1", "2"]))];
        let melted = Table::from_arrays(melted, "t").unwrap();
        assert!(Pivot::advice_for(&melted, &["a", "b"]).unwrap().to_string().contains("pivot=sensor=value"));
        assert!(Pivot::advice_for(&melted, &["c", "d"]).is_none());
        let columns = ["ts", "Sensor", "Value"].map(str::to_owned);
        assert!(Pivot::advice(&columns).unwrap().to_string().contains("pivot=Sensor=Value"));
    }
}
