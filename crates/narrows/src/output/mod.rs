//! Where results go: a table to stdout or a file, in the format its name says, whole or not at all.

mod compressed;
mod delimited;
mod ndjson;
mod sink;
mod stream;
mod table;

pub(crate) use sink::Sink;
pub(crate) use stream::RowWriter;
pub(crate) use table::TableWriter;

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::Error;
use narrows_core::data::Format;

use crate::failure::Failure;

/// The formats that tables are written in.
const WRITTEN: [&str; 5] = ["csv", "tsv", "parquet", "arrow", "ndjson"];

/// Where a table goes.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// File to write, replaced only when all is written; `-` or nothing is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Format of the output; else its extension decides, and stdout gets CSV
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(WRITTEN))]
    format: Option<String>,
}

impl OutputArgs {
    /// A writer of tables to where the user said. Nothing is at the target before [`TableWriter::finish`].
    pub(crate) fn writer(&self) -> Result<TableWriter, Failure> {
        let target = self.file();
        let format = match (&self.format, target) {
            (Some(name), _) => crate::input::format(name, "--format")?,
            (None, Some(path)) => format_of(path)?,
            (None, None) => Format::Csv,
        };
        TableWriter::open(Sink::open(target)?, target, format)
    }

    /// A writer of rows as they come, NDJSON where nothing else is said. The file is emptied at once, so that it must not
    /// be `input`.
    pub(crate) fn row_writer(&self, input: &Path) -> Result<RowWriter, Failure> {
        let target = self.file();
        let format = match (&self.format, target) {
            (Some(name), _) => crate::input::format(name, "--format")?,
            (None, Some(path)) if path.extension().is_some() => format_of(path)?,
            (None, _) => Format::Ndjson,
        };
        if !matches!(format, Format::Ndjson | Format::Csv | Format::Tsv) {
            let message = "expected ndjson, csv or tsv with --follow, got a format that is written as a whole";
            return Err(Error::recipe("--format", message).into());
        }
        if let Some(path) = target {
            if crate::input::is_compressed(path) {
                let message = format!("expected a name without compression with --follow, got `{}`", path.display());
                return Err(Error::recipe("--output", message).into());
            }
            let full = |path: &Path| path.canonicalize().ok();
            if full(path).is_some_and(|path| Some(path) == full(input)) {
                let message = format!("expected another file than the input, got `{}`", path.display());
                return Err(Error::recipe("--output", message).into());
            }
        }
        RowWriter::open(target, format)
    }

    /// The folder that images go to.
    pub(crate) fn folder(&self, what: &str) -> Result<&Path, Failure> {
        let target = self
            .file()
            .ok_or_else(|| Error::recipe("--output", format!("expected a folder for {what}, got nothing")))?;
        if Format::of_path(target).is_some() && !target.is_dir() {
            let message = format!("expected a folder for {what}, got the name of a table, `{}`", target.display());
            return Err(Error::recipe("--output", message).into());
        }
        Ok(target)
    }

    fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.as_os_str() != "-")
    }
}

fn format_of(path: &Path) -> Result<Format, Failure> {
    let wrong = |got: String| {
        let message = format!("expected a file name ending in .{}, got {got}", WRITTEN.join(", ."));
        Error::recipe("--output", message).with_hint("any name will do with --format")
    };
    match (Format::of_path(path), path.extension()) {
        (Some(Format::Npy | Format::Npz), _) => Err(wrong(format!("`{}`", path.display())).into()),
        (Some(format), _) => Ok(format),
        (None, None) => Ok(Format::Csv),
        (None, Some(_)) => Err(wrong(format!("`{}`", path.display())).into()),
    }
}

/// Writes a whole text, such as a page, to a file or, for `-`, to stdout.
pub(crate) fn write_text(target: &Path, text: &str) -> Result<(), Failure> {
    let mut sink = Sink::open((target.as_os_str() != "-").then_some(target))?;
    sink.write_all(text.as_bytes())?;
    sink.finish()
}

/// Prints a text on stdout, with a line's end.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    write_text(Path::new("-"), &format!("{text}\n"))
}

/// Prints a value as JSON on stdout.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).expect("plain data with text keys");
    print(&text)
}

#[cfg(test)]
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
