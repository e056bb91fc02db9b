//! The way out: tables in the formats that others read, and files that appear whole or not at all.
//!
//! [`TableWriter`] writes a table batch by batch and lets its file appear at the end; [`RowWriter`] writes rows as they
//! come, for whoever waits for each. Both stand on [`Sink`], which knows stdout, devices, files and memory, and a sink's
//! file on a draft beside its target, the one place where a temporary file is made and renamed.

mod batch;
mod compressed;
mod delimited;
mod draft;
mod ndjson;
mod rows;
mod sink;
mod table;
mod text;

pub use batch::{Columns, batch};
pub use compressed::Compression;
pub(crate) use draft::Draft;
pub use rows::RowWriter;
pub use sink::Sink;
pub use table::TableWriter;

use std::path::Path;

use crate::data::Format;
use crate::error::{Error, Result};

/// The formats that tables are written in, with their names.
pub const FORMATS: &[(Format, &str)] = &[
    (Format::Csv, "csv"),
    (Format::Tsv, "tsv"),
    #[cfg(feature = "parquet")]
    (Format::Parquet, "parquet"),
    (Format::ArrowIpc, "arrow"),
    (Format::Ndjson, "ndjson"),
];

/// The format that a file's name says; CSV where it says nothing.
///
/// # Errors
/// [`Error::Recipe`] for an extension that is none of a written format.
pub fn format_of(path: &Path) -> Result<Format> {
    match (Format::of_path(path), path.extension()) {
        (Some(format), _) if is_written(format) => Ok(format),
        (None, None) => Ok(Format::Csv),
        _ => {
            let names: Vec<&str> = FORMATS.iter().map(|(_, name)| *name).collect();
            let names = names.join(", .");
            let message = format!("expected a file name ending in .{names}, got `{}`", path.display());
            Err(Error::recipe("output", message))
        }
    }
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
        check("a.npz", None);
        check("a.xlsx", None);
    }
}
