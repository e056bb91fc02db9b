//! Output: tables in common formats, and files that are published atomically.
//!
//! [`TableWriter`] writes a table batch by batch and publishes its file at the end; [`RowWriter`] writes and flushes
//! rows one by one. Both use [`Sink`], which handles stdout, devices, files and memory; a file sink writes to a draft
//! beside its target ([`narrows_images::Draft`]), the only place where temporary files are created and renamed.

mod batch;
mod compressed;
mod delimited;
mod dictionaries;
mod ndjson;
mod npy;
mod plain;
mod rows;
mod sink;
mod table;
mod text;

pub use batch::{Columns, batch, counts};
pub use compressed::Compression;
pub(crate) use narrows_images::Draft;
pub use narrows_images::{resolved, sweep};
pub use rows::RowWriter;
pub use sink::{Sink, is_stream};
pub use table::TableWriter;

use std::path::Path;

use crate::data::Format;
use crate::error::{Error, Hint, Result};

/// The output formats with their names.
pub const FORMATS: &[(Format, &str)] = &[
    (Format::Csv, "csv"),
    (Format::Tsv, "tsv"),
    #[cfg(feature = "parquet")]
    (Format::Parquet, "parquet"),
    (Format::ArrowIpc, "arrow"),
    (Format::Ndjson, "ndjson"),
    (Format::Npy, "npy"),
];

/// The format given by a file extension; CSV without one.
///
/// # Errors
/// [`Error::Recipe`] for the extension of a format that cannot be written.
pub fn format_of(path: &Path) -> Result<Format> {
    match (Format::of_path(path), path.extension()) {
        // One object a line is not what the name of a JSON document promises.
        (Some(Format::Ndjson), Some(extension)) if extension.eq_ignore_ascii_case("json") => Err(unknown(path)),
        (Some(format), _) if is_written(format) => Ok(format),
        (None, None) => Ok(Format::Csv),
        _ => Err(unknown(path)),
    }
}

fn unknown(path: &Path) -> Error {
    let names: Vec<&str> = FORMATS.iter().map(|(_, name)| *name).collect();
    let names = names.join(", .");
    let message = format!("expected a file name ending in .{names}, got `{}`", path.display());
    Error::recipe("output", message).with_hint(Hint::of("with [format], any extension is accepted"))
}

fn is_written(format: Format) -> bool {
    FORMATS.iter().any(|(written, _)| *written == format)
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<Format>) {
        assert_eq!(format_of(Path::new(name)).ok(), expected, "{name}");
    }

    #[test]
    fn the_name_of_a_file_decides_its_format() {
        check("a.csv", Some(Format::Csv));
        check("a.parquet", Some(Format::Parquet));
        check("a.jsonl", Some(Format::Ndjson));
        check("a.tsv.gz", Some(Format::Tsv));
        check("/dev/null", Some(Format::Csv));
        check("codes.npy", Some(Format::Npy));
        check("a.npz", None);
        check("a.xlsx", None);
        check("a.json", None);
    }
}
