//! Sheets of workbooks: `.xlsx`, `.xlsm`, `.xlsb`, `.xls` and `.ods`, through the crate `calamine`.
//!
//! A sheet is read whole and as text, since its columns have no types, and then typed as delimited text is. Blank rows are
//! left out; the header is found as in delimited text.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayBuilder, ArrayRef, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use calamine::{Data, DataRef, Ods, Range, Reader, SheetType, SheetVisible, Xls, Xlsb, Xlsx};
use csv::StringRecord;

use super::alignment::lines_below;
use super::contrast::find_header;
use super::input::{Input, seekable};
use super::names::Names;
use super::reader::{Batches, Opening};
use super::schema::listed;
use super::source::Header;
use crate::error::{Error, Place, Result, nearest};

/// Cells of a sheet, with the empty ones between others, which bounds memory.
const MOST_CELLS: usize = 250_000_000;

/// Bytes of text of a sheet.
const MOST_TEXT: usize = 1 << 31;

/// Rows inspected for a header.
const LOOK: usize = 200;

/// A sheet in memory, returned in batches.
pub(crate) struct Workbook {
    batch: RecordBatch,
    notes: Vec<String>,
    warnings: Vec<String>,
    batch_rows: usize,
    next: usize,
}

impl Workbook {
    /// Reads the sheet called `part`, or the first visible one.
    pub(crate) fn open(path: &Path, part: Option<&str>, input: Input, opening: &Opening) -> Result<Workbook> {
        narrows_images::guarded(|| Workbook::read(path, part, input, opening)).unwrap_or_else(|panic| {
            let message = format!("expected a whole workbook, got a damaged one: {panic}");
            Err(Error::data(Place::source(&opening.name), message))
        })
    }

    fn read(path: &Path, part: Option<&str>, input: Input, opening: &Opening) -> Result<Workbook> {
        let wrong = |error: &dyn std::fmt::Display| {
            Error::data(Place::source(&opening.name), format!("expected a whole workbook, got an error: {error}"))
        };
        let mut file = BufReader::new(seekable(path, input, &opening.source.limits)?);
        let mut magic = [0; 8];
        file.read_exact(&mut magic).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(|error| wrong(&error))?;
        let spare = file.get_ref().try_clone().map_err(|error| wrong(&error))?;
        let mut cells = SheetCells::default();
        let (sheet, others) = if magic.starts_with(b"PK") {
            match Xlsx::new(file) {
                Ok(mut book) => {
                    let chosen = choose(&book, part, opening)?;
                    let mut reader = book.worksheet_cells_reader(&chosen.0).map_err(|error| wrong(&error))?;
                    while let Some(cell) = reader.next_cell().map_err(|error| wrong(&error))? {
                        cells.push_ref(cell.get_position(), cell.get_value()).map_err(|error| wrong(&error))?;
                    }
                    chosen
                }
                Err(error) => {
                    // Not the parts of `.xlsx`: `.ods` and `.xlsb` are archives as well.
                    let again = || {
                        let mut file = spare.try_clone()?;
                        file.seek(SeekFrom::Start(0))?;
                        Ok(BufReader::new(file))
                    };
                    let opened = |result: std::io::Result<BufReader<File>>| result.map_err(|error| wrong(&error));
                    match Ods::new(opened(again())?) {
                        Ok(mut book) => cells.read(&mut book, part, opening)?,
                        Err(_) => {
                            let mut book = Xlsb::new(opened(again())?).map_err(|_| wrong(&error))?;
                            cells.read(&mut book, part, opening)?
                        }
                    }
                }
            }
        } else {
            let mut book = Xls::new(file).map_err(|error| wrong(&error))?;
            cells.read(&mut book, part, opening)?
        };
        cells.into_workbook(&sheet, &others, opening)
    }
}

/// The name of the sheet to read, and those of the others.
fn choose<RS, B: Reader<RS>>(book: &B, part: Option<&str>, opening: &Opening) -> Result<(String, Vec<String>)>
where
    RS: Read + Seek,
{
    let sheets: Vec<_> = book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    let names: Vec<String> = sheets.iter().map(|sheet| sheet.name.clone()).collect();
    let chosen = match part {
        Some(part) => names.iter().find(|name| *name == part).cloned(),
        None => {
            let visible = sheets.iter().find(|sheet| sheet.visible == SheetVisible::Visible);
            visible.or(sheets.first()).map(|sheet| sheet.name.clone())
        }
    };
    let Some(chosen) = chosen else {
        let error = match part {
            Some(part) => Error::data(Place::source(&opening.name), format!("there is no sheet `{part}`")),
            None => Error::data(Place::source(&opening.name), "expected a workbook with a sheet, got one without"),
        };
        let near = part.map_or_else(Vec::new, |part| nearest(part, names.iter().map(String::as_str)));
        return Err(match near.is_empty() {
            true => error.with_hint(format!("the sheets are {}", listed(&names))),
            false => error.with_hint(format!("did you mean {}?", listed(&near))),
        });
    };
    Ok((chosen.clone(), names.into_iter().filter(|name| *name != chosen).collect()))
}

/// The cells of a sheet by column; blank rows are not counted.
#[derive(Default)]
struct SheetCells {
    columns: BTreeMap<u32, StringBuilder>,
    rows: usize,
    /// The number of the current row in the sheet.
    row: Option<u32>,
    blank: u64,
    errors: u64,
    text: usize,
}

impl SheetCells {
    fn read<RS, B>(&mut self, book: &mut B, part: Option<&str>, opening: &Opening) -> Result<(String, Vec<String>)>
    where
        RS: Read + Seek,
        B: Reader<RS>,
        B::Error: std::fmt::Display,
    {
        let wrong = |error: &dyn std::fmt::Display| {
            Error::data(Place::source(&opening.name), format!("expected a whole workbook, got an error: {error}"))
        };
        let chosen = choose(book, part, opening)?;
        let range: Range<Data> = book.worksheet_range(&chosen.0).map_err(|error| wrong(&error))?;
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, cell) in range.used_cells() {
            self.push((top + row as u32, left + column as u32), cell).map_err(|error| wrong(&error))?;
        }
        Ok(chosen)
    }

    fn push_ref(&mut self, place: (u32, u32), cell: &DataRef<'_>) -> Result<(), String> {
        match cell {
            DataRef::SharedString(text) => self.append(place, text),
            cell => self.push(place, &Data::from(cell.clone())),
        }
    }

    fn push(&mut self, place: (u32, u32), cell: &Data) -> Result<(), String> {
        match cell {
            Data::Empty => Ok(()),
            Data::Error(_) => {
                self.errors += 1;
                Ok(())
            }
            Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => self.append(place, text),
            Data::Int(x) => self.append(place, &x.to_string()),
            Data::Float(x) => self.append(place, &x.to_string()),
            Data::Bool(flag) => self.append(place, if *flag { "true" } else { "false" }),
            Data::DateTime(time) if time.is_duration() => self.append(place, &time.as_f64().to_string()),
            Data::DateTime(time) => {
                let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
                let clock = match milli {
                    0 => format!("{hour:02}:{minute:02}:{second:02}"),
                    _ => format!("{hour:02}:{minute:02}:{second:02}.{milli:03}"),
                };
                let is_midnight = (hour, minute, second, milli) == (0, 0, 0, 0);
                match time.as_f64() {
                    x if (0.0..1.0).contains(&x) => self.append(place, &clock),
                    _ if is_midnight => self.append(place, &format!("{year:04}-{month:02}-{day:02}")),
                    _ => self.append(place, &format!("{year:04}-{month:02}-{day:02} {clock}")),
                }
            }
        }
    }

    fn append(&mut self, (row, column): (u32, u32), text: &str) -> Result<(), String> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if self.row != Some(row) {
            match self.row {
                Some(before) if before > row => return Err("rows are not in order".to_owned()),
                Some(before) => self.blank += u64::from(row - before - 1),
                None => {}
            }
            self.row = Some(row);
            self.rows += 1;
        }
        self.text += text.len();
        let builder = self.columns.entry(column).or_default();
        if builder.len() >= self.rows {
            return Err(format!("two cells in one place, row {} and column {}", row + 1, column + 1));
        }
        builder.append_nulls(self.rows - 1 - builder.len());
        builder.append_value(text);
        if self.text > MOST_TEXT || self.rows.saturating_mul(self.columns.len()) > MOST_CELLS {
            return Err("the sheet is too large: save it as CSV".to_owned());
        }
        Ok(())
    }

    fn into_workbook(self, sheet: &str, others: &[String], opening: &Opening) -> Result<Workbook> {
        let (rows, blank, errors) = (self.rows, self.blank, self.errors);
        if rows == 0 {
            let error = Error::data(Place::source(&opening.name), format!("the sheet `{sheet}` is empty"));
            return Err(if others.is_empty() { error } else { error.with_hint(others_hint(opening, others)) });
        }
        let finished = |mut builder: StringBuilder| {
            builder.append_nulls(rows - builder.len());
            builder.finish()
        };
        let columns: Vec<StringArray> = self.columns.into_values().map(finished).collect();
        let head = SheetHead::find(&columns, rows, opening.header);
        let names = Names::of(&head.names);
        let mut notes = vec![format!("the sheet `{sheet}` is read; {}", head.told)];
        if !others.is_empty() {
            notes.push(format!("other sheets are not read: {}", listed(others)));
        }
        if blank > 0 {
            notes.push(format!("{blank} blank rows are left out"));
        }
        notes.extend(names.notes);
        let warnings = match errors {
            0 => Vec::new(),
            n => vec![format!("{}: {n} cells with errors such as #DIV/0! are read as missing", opening.name)],
        };
        let fields = names.names.iter().map(|name| Field::new(name, DataType::Utf8, true));
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        let arrays = columns.iter().map(|array| Arc::new(array.slice(head.start, rows - head.start)) as ArrayRef);
        let batch = RecordBatch::try_new(schema, arrays.collect()).expect("columns of equal length");
        let notes = notes.iter().map(|note| format!("{}: {note}", opening.name)).collect();
        Ok(Workbook { batch, notes, warnings, batch_rows: opening.batch_rows.max(1), next: 0 })
    }
}

fn others_hint(opening: &Opening, others: &[String]) -> String {
    let file = opening.name.split('#').next().unwrap_or_default();
    format!("name another: {}", listed(&others.iter().map(|sheet| format!("{file}#{sheet}")).collect::<Vec<_>>()))
}

/// Where the data of a sheet starts, and the names of its columns.
struct SheetHead {
    start: usize,
    names: Vec<String>,
    told: String,
}

impl SheetHead {
    fn find(columns: &[StringArray], rows: usize, header: Header) -> SheetHead {
        let cell = |array: &StringArray, row: usize| {
            if array.is_null(row) { String::new() } else { array.value(row).to_owned() }
        };
        let record = |row: usize| -> StringRecord { columns.iter().map(|array| cell(array, row)).collect() };
        let records: Vec<StringRecord> = (0..rows.min(LOOK)).map(record).collect();
        let filled = |record: &StringRecord| record.iter().filter(|cell| !cell.is_empty()).count();
        // A title stands alone in its row.
        let titles = records.iter().take_while(|record| columns.len() > 1 && filled(record) == 1).count();
        let below_titles = records.get(titles..).filter(|rest| header != Header::Absent && !rest.is_empty());
        let titles = match below_titles.map(find_header) {
            Some(verdict) if verdict.is_evident => titles,
            _ => 0,
        };
        let records = &records[titles..];
        let (found, reason) = match header {
            Header::Auto => {
                let verdict = find_header(records);
                (verdict.header, verdict.reason)
            }
            given => (given, "as given"),
        };
        let skipped = if titles > 0 { format!("; {titles} rows above the table left out") } else { String::new() };
        if found == Header::Absent {
            let names = (0..columns.len()).map(|i| format!("column_{i}")).collect();
            return SheetHead { start: titles, names, told: format!("the first row is data ({reason}){skipped}") };
        }
        let below = lines_below(records);
        let under = if below > 0 { format!("; {below} rows below the header left out") } else { String::new() };
        let told = format!("the first row names the columns ({reason}){skipped}{under}");
        SheetHead { start: titles + 1 + below, names: records[0].iter().map(str::to_owned).collect(), told }
    }
}

impl Batches for Workbook {
    fn schema(&self) -> SchemaRef {
        self.batch.schema()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn next_batch(&mut self) -> Option<Result<RecordBatch>> {
        let rows = self.batch_rows.min(self.batch.num_rows() - self.next);
        let batch = self.batch.slice(self.next, rows);
        self.next += rows;
        (rows > 0).then_some(Ok(batch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Reader as TableReader, Source};

    fn open(spec: &str) -> Result<TableReader> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/sheets/");
        Source::parse(&[format!("{folder}{spec}")])?.open(2, None)
    }

    fn check(spec: &str, expected: &str) {
        let mut reader = open(spec).unwrap();
        let table = reader.read_all().unwrap();
        let cell = |array: &ArrayRef, row: usize| arrow::util::display::array_value_to_string(array, row).unwrap();
        let row = |row: usize| table.batch().columns().iter().map(|a| cell(a, row)).collect::<Vec<_>>().join(",");
        let rows: Vec<String> = (0..table.n_rows()).map(row).collect();
        assert_eq!(format!("{} {}", table.names().join(","), rows.join(" ")), expected, "{spec}");
    }

    #[test]
    fn the_first_sheet_is_read_with_dates_numbers_and_truth() {
        let expected = "when,n,ok,word 2024-01-31,1.5,true,x 2024-02-01 06:30:00,2,false,y 2024-02-02,,true,0007";
        for file in ["book.xlsx", "book.ods"] {
            check(file, expected);
        }
        let mut reader = open("book.xlsx").unwrap();
        reader.read_all().unwrap();
        let told = reader.notes().join("\n");
        assert!(told.contains("the sheet `Data` is read; the first row names the columns"), "{told}");
        assert!(told.contains("1 rows above the table left out") && told.contains("not read: `Other`"), "{told}");
        assert!(reader.warnings()[0].contains("1 cells with errors such as #DIV/0!"), "{:?}", reader.warnings());
    }

    #[test]
    fn a_sheet_can_be_named() {
        check("book.xlsx#Other", "a,b 1,2 3,4");
        let error = open("book.xlsx#Othr").err().unwrap();
        assert!(error.to_string().contains("there is no sheet `Othr`"), "{error}");
        assert_eq!(error.hint_text().unwrap(), "did you mean `Other`?");
    }
}
