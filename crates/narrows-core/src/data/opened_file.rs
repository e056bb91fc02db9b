//! A file opened by its format, which its first bytes tell, or else its name.

use std::ops::Range;
use std::path::Path;

use super::batches::{Batches, Opening};
use super::columnar::Columnar;
use super::delimited::Delimited;
use super::encoding::utf16;
use super::input::{Input, InputSize};
use super::ndjson::Ndjson;
use super::numpy::Numpy;
use super::schema::Schema;
use super::source::{Format, Header, Source, file_and_part};
#[cfg(feature = "sqlite")]
use super::sqlite::Sqlite;
use super::storage::shown;
#[cfg(feature = "xlsx")]
use super::workbook::Workbook;
use crate::error::{Error, Place, Result};

/// Where a file begins and what of it is read.
#[derive(Default)]
pub(super) struct FileStart<'a> {
    /// The columns of the first file, for later ones.
    pub(super) expected: &'a [String],
    pub(super) first_row: u64,
    pub(super) units: Option<Range<usize>>,
}

/// Opens a file.
pub(super) fn open_file(
    path: &Path,
    source: &Source,
    header: Header,
    batch_rows: usize,
    wanted: Option<&Schema>,
    FileStart { expected, first_row, units }: FileStart<'_>,
) -> Result<OpenedFile> {
    let name = source.name_of(path);
    let (file, part) = file_and_part(path);
    let mut input = match &source.memory {
        Some(memory) if path.as_os_str() == "-" => Input::in_memory(memory)?,
        _ => Input::open(file)?,
    };
    let size = input.size().clone();
    if let (Some(encoding), None) = (utf16(&input.prefix), source.encoding) {
        input = input.decoded(encoding).map_err(|error| Error::read(shown(file), error))?;
    }
    let (format, note) = match source.format {
        Some(format) => (format, None),
        None => detected(file, &name, &input.prefix)?,
    };
    if let (Some(part), false) = (part, matches!(format, Format::Xlsx | Format::Sqlite)) {
        let message = format!("expected a workbook or a database before `#{part}`, got {format}");
        return Err(Error::data(Place::source(name), message));
    }
    let opening = Opening { source, format, name, header, batch_rows, wanted, expected, first_row, units };
    let batches: Box<dyn Batches> = match format {
        Format::Csv | Format::Tsv => Box::new(Delimited::open(file, input, &opening)?),
        Format::Parquet => Box::new(Columnar::parquet(file, input, &opening)?),
        Format::ArrowIpc => Box::new(Columnar::ipc(file, input, &opening)?),
        Format::Ndjson => Box::new(Ndjson::open(file, input, &opening)?),
        Format::Npy => Box::new(Numpy::npy(file, input, &opening)?),
        Format::Npz => Box::new(Numpy::npz(file, input, &opening)?),
        #[cfg(feature = "xlsx")]
        Format::Xlsx => Box::new(Workbook::open(file, part, input, &opening)?),
        #[cfg(not(feature = "xlsx"))]
        Format::Xlsx => return Err(not_built(&opening, "xlsx", "save the sheet as CSV")),
        #[cfg(feature = "sqlite")]
        Format::Sqlite => Box::new(Sqlite::open(file, part, &opening)?),
        #[cfg(not(feature = "sqlite"))]
        Format::Sqlite => return Err(not_built(&opening, "sqlite", "export the table as CSV")),
    };
    Ok(OpenedFile { batches, note, size, format })
}

/// An opened file, with a note if it is not what its name says.
pub(super) struct OpenedFile {
    pub(super) batches: Box<dyn Batches>,
    note: Option<String>,
    pub(super) size: InputSize,
    format: Format,
}

impl OpenedFile {
    /// Whether its columns have types.
    pub(super) fn has_types(&self) -> bool {
        matches!(self.format, Format::Parquet | Format::ArrowIpc)
    }

    /// Whether columns that are not wanted are left out.
    pub(super) fn may_leave_out(&self) -> bool {
        matches!(self.format, Format::Parquet | Format::ArrowIpc | Format::Ndjson)
    }

    pub(super) fn notes(&self) -> Vec<String> {
        self.note.iter().chain(self.batches.notes()).cloned().collect()
    }
}

#[cfg(not(all(feature = "xlsx", feature = "sqlite")))]
fn not_built(opening: &Opening, feature: &str, instead: &str) -> Error {
    let message = format!("expected a format that this build reads, got {}", opening.format);
    let hint = format!("build with the cargo feature `{feature}`, or {instead}");
    Error::data(Place::source(&opening.name), message).with_hint(hint)
}

/// The format by the first bytes if they tell, else by the name; and a note if the name says something else.
fn detected(path: &Path, name: &str, prefix: &[u8]) -> Result<(Format, Option<String>)> {
    let named = Format::of_path(path);
    let is_text = !prefix.contains(&0);
    let found = match (named, Format::of_magic(prefix)) {
        (Some(Format::Npz | Format::Xlsx) | None, Some(Format::Npz))
            if path.extension().is_some() && named != Some(Format::Npz) =>
        {
            return Err(Error::data(
                Place::source(name),
                "expected a table, got an archive or document of another kind",
            )
            .with_hint("unpack it, or save what it holds as CSV"));
        }
        // Text may begin like a binary file.
        (Some(named), Some(_)) if named.is_text() && is_text => named,
        (_, Some(found)) => found,
        // Reports called `.xls` are often text.
        (Some(Format::Xlsx | Format::Sqlite), None) if is_text && !prefix.is_empty() => Format::of_bytes(prefix),
        (Some(named), None) => named,
        (None, None) => Format::of_bytes(prefix),
    };
    let note = named.filter(|named| *named != found && !(named.is_text() && found.is_text()));
    Ok((found, note.map(|named| format!("{name}: by its content the file is {found}, not {named}"))))
}
