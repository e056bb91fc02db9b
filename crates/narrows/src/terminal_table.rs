//! A table for people: aligned columns, short numbers, anomalies in colour.

use std::io::Write;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use narrows_core::Error;
use narrows_core::output::Sink;

use crate::escape::{inked, visible_line};
use crate::failure::Failure;
use crate::pipeline::BatchWriter;
use crate::talk::Ink;

/// Widest column but the last one, in cells of the terminal.
const WIDEST: usize = 40;
/// Colour of anomalies.
const RED: u8 = 31;

/// Writes batches as one table, with the widths of the first one.
pub(crate) struct TerminalTable {
    out: Sink<'static>,
    ink: Ink,
    /// Of each column; empty before the first batch.
    widths: Vec<usize>,
}

impl TerminalTable {
    /// A table on the standard output.
    pub(crate) fn stdout() -> TerminalTable {
        TerminalTable::to(Sink::stdout(), Ink::for_stdout())
    }

    fn to(out: Sink<'static>, ink: Ink) -> TerminalTable {
        TerminalTable { out, ink, widths: Vec::new() }
    }

    /// Writes what is left.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        Ok(self.out.finish()?)
    }

    fn text(&mut self, batch: &RecordBatch) -> String {
        let columns: Vec<ShownColumn> = batch
            .schema()
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(f, array)| ShownColumn::of(f.name(), array))
            .collect();
        let anomalies = batch.column_by_name("is_anomaly").and_then(|array| array.as_boolean_opt()).cloned();
        let mut text = String::new();
        if self.widths.is_empty() {
            self.widths = columns.iter().map(ShownColumn::width).collect();
            let head: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            text.push_str(&self.line(&columns, &head));
        }
        for row in 0..batch.num_rows() {
            let cells: Vec<&str> = columns.iter().map(|column| column.cells[row].as_str()).collect();
            let line = self.line(&columns, &cells);
            let is_anomaly = anomalies.as_ref().is_some_and(|flags| flags.is_valid(row) && flags.value(row));
            text.push_str(&if is_anomaly { self.ink.paint(RED, line.trim_end_matches('\n')) + "\n" } else { line });
        }
        text
    }

    fn line(&self, columns: &[ShownColumn], cells: &[&str]) -> String {
        let last = cells.len() - 1;
        let mut line = String::new();
        for (i, (cell, column)) in cells.iter().zip(columns).enumerate() {
            let width = self.widths[i];
            let cell =
                if i == last { (*cell).to_owned() } else { console::truncate_str(cell, width, "…").into_owned() };
            let pad = " ".repeat(width.saturating_sub(console::measure_text_width(&cell)));
            let gap = if i > 0 { "  " } else { "" };
            line.push_str(&if column.is_number { format!("{gap}{pad}{cell}") } else { format!("{gap}{cell}{pad}") });
        }
        line.truncate(line.trim_end().len());
        line + "\n"
    }
}

impl BatchWriter for TerminalTable {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let text = inked(&self.text(batch));
        let written = self.out.write_all(text.as_bytes());
        Ok(written.map_err(|error| Error::write(self.out.name(), error))?)
    }
}

/// A column as text.
struct ShownColumn {
    name: String,
    cells: Vec<String>,
    is_number: bool,
}

impl ShownColumn {
    fn of(name: &str, array: &ArrayRef) -> ShownColumn {
        let cells: Vec<String> = (0..array.len()).map(|row| cell(array, row)).collect();
        ShownColumn { name: visible_line(name).into_owned(), cells, is_number: array.data_type().is_numeric() }
    }

    fn width(&self) -> usize {
        let cells = self.cells.iter().chain([&self.name]);
        cells.map(|cell| console::measure_text_width(cell)).max().unwrap_or(0).min(WIDEST)
    }
}

/// A cell: numbers with four significant digits, decisions as yes and no, nothing for what is missing.
fn cell(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return String::new();
    }
    match array.data_type() {
        DataType::Float64 => short(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => short(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Boolean => if array.as_boolean().value(row) { "yes" } else { "no" }.to_owned(),
        _ => ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())
            .map_or_else(|_| String::new(), |formatter| visible_line(&formatter.value(row).to_string()).into_owned()),
    }
}

/// A number with four significant digits.
fn short(x: f64) -> String {
    let magnitude = if x == 0.0 || !x.is_finite() { 0.0 } else { x.abs().log10().floor() };
    if (-4.0..7.0).contains(&magnitude) {
        format!("{x:.*}", (3.0 - magnitude).clamp(0.0, 7.0) as usize)
    } else {
        format!("{x:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use arrow::array::{BooleanArray, Float64Array, StringArray, UInt64Array};
    use narrows_core::output::batch;

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn check(ink: Ink, expected: &str) {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("row", Arc::new(UInt64Array::from(vec![7, 12]))),
            ("score", Arc::new(Float64Array::from(vec![Some(12.3456), None]))),
            ("is_anomaly", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("name", Arc::new(StringArray::from(vec!["a\u{1b}[2Jb", "日本"]))),
            ("reason_1", Arc::new(StringArray::from(vec![Some("`x`: expected about 1, got 2"), None]))),
        ];
        let memory = Captured::default();
        let mut table = TerminalTable::to(Sink::new(memory.clone(), "memory"), ink);
        let rows = batch(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect());
        table.write(&rows).unwrap();
        table.write(&rows.slice(0, 0)).unwrap();
        table.finish().unwrap();
        assert_eq!(String::from_utf8(memory.0.lock().unwrap().clone()).unwrap(), expected);
    }

    #[test]
    fn columns_are_aligned_and_control_characters_are_not_obeyed() {
        let head = "row  score  is_anomaly  name         reason_1\n";
        let first = "  7  12.35  yes         a\\u{1b}[2Jb  `x`: expected about 1, got 2";
        let last = " 12                     日本\n";
        check(Ink::Plain, &format!("{head}{first}\n{last}"));
        check(Ink::Coloured, &format!("{head}\u{1b}[31m{first}\u{1b}[0m\n{last}"));
    }

    #[test]
    fn numbers_have_four_digits() {
        for (x, text) in
            [(0.00012345, "0.0001234"), (1.0, "1.000"), (98765.4, "98765"), (1e9, "1.000e9"), (0.0, "0.000")]
        {
            assert_eq!(short(x), text);
        }
    }
}
