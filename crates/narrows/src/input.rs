//! Converts input paths and flags to a table source.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::Error;
use narrows_core::data::{Format, Header, ReadLimits, Source};
use narrows_core::output::Compression;
use narrows_core::recipe::DataKind;

use crate::address;
use crate::failure::Failure;
use crate::tables_in;

/// The files to read.
#[derive(Debug, ClapArgs)]
pub(crate) struct InputArgs {
    /// Files, read as one table: CSV, TSV, Parquet, Arrow, NDJSON, NPY, NPZ, optionally .gz or .zst; globs such as
    /// '*.csv' are expanded, `-` is stdin. For images: a folder, image files, IDX, NPY or NPZ
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<String>,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// Overrides of format detection.
#[derive(Debug, ClapArgs)]
struct ReadingArgs {
    /// Input format; detected by default from the extension, then from the first bytes
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(Format::ALL.map(|(_, name)| name)), help_heading = "Input options")]
    input_format: Option<String>,
    /// Delimiter of a text table, one character or `tab`; detected by default
    #[arg(long, value_name = "CHAR", help_heading = "Input options")]
    delimiter: Option<String>,
    /// Whether the first line of a text table holds the column names
    #[arg(long, value_name = "WHETHER", value_parser = PossibleValuesParser::new(["auto", "present", "absent"]), help_heading = "Input options")]
    header: Option<String>,
    /// Longest line or record of text to read, in bytes; 64 MiB by default
    #[arg(long, value_name = "BYTES", help_heading = "Input options")]
    max_line_bytes: Option<usize>,
    /// How many times its own size an input may unfold to in memory; 250 by default, and 256 MiB always
    #[arg(long, value_name = "RATIO", help_heading = "Input options")]
    max_ratio: Option<u64>,
}

impl InputArgs {
    /// The source, with all files checked to exist.
    pub(crate) fn source(&self) -> Result<Source, Failure> {
        address::refuse(&self.inputs)?;
        let source = Source::parse(&self.inputs)?;
        let format = match &self.reading.input_format {
            Some(name) => Some(format(name, "--input-format")?),
            None => source.format,
        };
        let delimiter = match &self.reading.delimiter {
            Some(text) => Some(delimiter(text)?),
            None => source.delimiter,
        };
        let header = match self.reading.header.as_deref() {
            Some("present") => Header::Present,
            Some("absent") => Header::Absent,
            _ => source.header,
        };
        let ReadLimits { max_line_bytes, max_ratio } = source.limits;
        let limits = ReadLimits {
            max_line_bytes: self.reading.max_line_bytes.unwrap_or(max_line_bytes).max(1),
            max_ratio: self.reading.max_ratio.unwrap_or(max_ratio),
        };
        Ok(Source { format, delimiter, header, limits, ..source })
    }

    /// The source of a table; an error for images.
    pub(crate) fn table(&self) -> Result<Source, Failure> {
        address::refuse(&self.inputs)?;
        if DataKind::of_inputs(&self.inputs) == Some(DataKind::Images) {
            return Err(match self.inputs.iter().find(|input| Path::new(input).is_dir()) {
                Some(folder) => folder_of_tables(folder),
                None => {
                    Error::mismatch(format!("the model was fitted to a table, and `{}` is read as images", self.name()))
                }
            }
            .into());
        }
        self.source()
    }

    /// The single file, or stdin, to read line by line.
    pub(crate) fn stream(&self) -> Result<Stream, Failure> {
        let Source { paths, format, delimiter, header, .. } = self.source()?;
        let [path] = &paths[..] else {
            let message = format!("expected one file, or `-`, with --follow, got {}", paths.len());
            return Err(Error::recipe("INPUT", message).into());
        };
        if Compression::of_path(path) != Compression::None {
            let message = format!("expected plain text with --follow, got `{}`", path.display());
            let hint = format!("zcat {} | narrows score MODEL - --follow", path.display());
            return Err(Error::recipe("INPUT", message).with_hint(hint).into());
        }
        if header == Header::Absent {
            let message = "expected a header line with --follow, got `absent`";
            return Err(Error::recipe("--header", message).into());
        }
        let form = match format.or_else(|| Format::of_path(path)) {
            None if delimiter.is_some() => StreamForm::Delimited(delimiter),
            None => StreamForm::Detected,
            Some(Format::Ndjson) => StreamForm::Ndjson,
            Some(Format::Csv) => StreamForm::Delimited(delimiter),
            Some(Format::Tsv) => StreamForm::Delimited(delimiter.or(Some(b'\t'))),
            Some(_) => {
                let message = "expected ndjson, csv or tsv with --follow, got a format that cannot be streamed";
                return Err(Error::recipe("--input-format", message).into());
            }
        };
        Ok(Stream { path: path.clone(), form })
    }

    /// The inputs as typed.
    pub(crate) fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// The inputs as typed, for messages.
    pub(crate) fn name(&self) -> String {
        self.inputs.join(", ")
    }

    /// The first input as typed.
    pub(crate) fn first(&self) -> &str {
        self.inputs.first().map_or("-", String::as_str)
    }
}

/// The error for a folder where a table is expected.
fn folder_of_tables(folder: &str) -> Error {
    let message = format!("`{folder}` is a folder, which is read as images, and the model was fitted to a table");
    Error::mismatch(message).with_hint(tables_in::hint(folder))
}

/// An input read line by line.
pub(crate) struct Stream {
    /// The file; `-` is stdin.
    pub(crate) path: PathBuf,
    /// The form of its lines.
    pub(crate) form: StreamForm,
}

/// The form of the lines of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamForm {
    /// An object each.
    Ndjson,
    /// A header line, then fields; without a delimiter, the one that the header is written with.
    Delimited(Option<u8>),
    /// One of these, by the first line.
    Detected,
}

/// Parses a format name; errors name `flag`.
pub(crate) fn format(name: &str, flag: &str) -> Result<Format, Failure> {
    name.parse().map_err(|message: String| Error::recipe(flag, message).into())
}

fn delimiter(text: &str) -> Result<u8, Failure> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, [byte]) => Ok(*byte),
        _ => Err(Error::recipe("--delimiter", format!("expected one ASCII character or `tab`, got `{text}`")).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_one_character_or_a_word() {
        assert_eq!(delimiter(";").unwrap(), b';');
        assert_eq!(delimiter("tab").unwrap(), b'\t');
        assert!(delimiter(";;").is_err());
        assert!(delimiter("§").is_err());
    }
}
