//! Converts input paths and flags to a table source.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::value_parser;
use narrows_core::Error;
use narrows_core::data::{Delimiter, Encoding, Format, Header, Pivot, ReadLimits, RowSample, Source};
use narrows_core::output::Compression;
use narrows_core::recipe::DataKind;

use crate::address;
use crate::failure::Failure;
use crate::tables_in;

/// The files to read.
#[derive(Debug, ClapArgs)]
pub(crate) struct InputArgs {
    /// Files, read as one table: CSV, TSV, Parquet, Arrow, NDJSON and JSON, NPY, NPZ, XLSX, optionally .gz or .zst;
    /// globs such as '*.csv' are expanded, a folder is the tables in it and below, `-` is stdin, `book.xlsx#Sheet2` names a
    /// sheet; also s3://, gs://, az:// and https:// addresses. For images: a folder, image files, IDX, NPY or NPZ
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<String>,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// Overrides of format detection.
#[derive(Debug, ClapArgs)]
struct ReadingArgs {
    /// Input format; detected by default from the extension, then from the first bytes
    #[arg(long, value_name = "FORMAT", value_parser = formats(), help_heading = "Input options")]
    input_format: Option<String>,
    /// Delimiter of a text table: one character, `tab`, `whitespace` (a run of blanks counts as one) or `padding` (two or
    /// more blanks); detected by default
    #[arg(long, value_name = "CHAR", help_heading = "Input options")]
    delimiter: Option<String>,
    /// Whether the first line of a text table holds the column names
    #[arg(long, value_name = "WHETHER", value_parser = PossibleValuesParser::new(["auto", "present", "absent"]), help_heading = "Input options")]
    header: Option<String>,
    /// Leave out lines of a text table that start with this character; by default, those with `#` above the table
    #[arg(long, value_name = "CHAR", help_heading = "Input options")]
    comment: Option<String>,
    /// Encoding of a text table, such as windows-1252, shift_jis or gbk; detected by default among UTF-8, UTF-16 and
    /// windows-1252
    #[arg(long, value_name = "NAME", help_heading = "Input options")]
    encoding: Option<Encoding>,
    /// Tables of one measurement per row: make a column of each value of NAMES, with the cells of VALUES; all other
    /// columns together identify a row
    #[arg(long, value_name = "NAMES=VALUES", help_heading = "Input options")]
    pivot: Option<Pivot>,
    /// Read only the rows for which this is true, such as "amount > 0 and country in ('DE', 'FR')"; row numbers stay those
    /// of the input
    ///
    /// Comparisons (= != < <= > >=), `in (..)`, `between .. and ..` and `is null`, joined by `and`, `or`, `not` and
    /// parentheses. Columns are plain or in double quotes or backticks, texts in single quotes, dates as '2024-01-31'. A
    /// comparison with a missing cell is neither true nor false. The filter comes before --limit and --sample. Row groups
    /// of Parquet files and folders such as country=DE/ in which no row can match are not read.
    #[arg(long = "where", value_name = "EXPRESSION", help_heading = "Input options")]
    filter: Option<String>,
    /// Read only the first N rows
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..), help_heading = "Input options")]
    limit: Option<u64>,
    /// Read only N rows, chosen at random but always the same, in their order; row numbers stay those of the input
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..), help_heading = "Input options")]
    sample: Option<u64>,
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
            Some(text) => Some(text.parse().map_err(|message: String| Error::recipe("--delimiter", message))?),
            None => source.delimiter,
        };
        let comment = match self.reading.comment.as_deref().map(str::as_bytes) {
            Some([byte]) => Some(*byte),
            Some(_) => return Err(Error::recipe("--comment", "expected one ASCII character, such as #").into()),
            None => source.comment,
        };
        let header = match self.reading.header.as_deref() {
            Some("present") => Header::Present,
            Some("absent") => Header::Absent,
            _ => source.header,
        };
        let ReadingArgs { encoding, limit, sample, .. } = self.reading;
        let pivot = self.reading.pivot.clone();
        let filter = self.reading.filter.as_deref().map(str::parse).transpose()?;
        let sample = sample.map(|rows| RowSample { rows, seed: 0 });
        let ReadLimits { max_line_bytes, max_ratio } = source.limits;
        let limits = ReadLimits {
            max_line_bytes: self.reading.max_line_bytes.unwrap_or(max_line_bytes).max(1),
            max_ratio: self.reading.max_ratio.unwrap_or(max_ratio),
        };
        Ok(Source { format, delimiter, header, comment, encoding, pivot, filter, limit, sample, limits, ..source })
    }

    /// The source of a table; an error for images.
    pub(crate) fn table(&self) -> Result<Source, Failure> {
        address::refuse(&self.inputs)?;
        if DataKind::of_inputs(&self.inputs) == Some(DataKind::Images) {
            return Err(match self.inputs.iter().find(|input| Path::new(input).is_dir()) {
                Some(folder) => folder_of_tables(folder),
                None => Error::mismatch(format!(
                    "expected a table, as the model was fitted to, got images: `{}`",
                    self.name()
                )),
            }
            .into());
        }
        self.source()
    }

    /// The single file, or stdin, to read line by line.
    pub(crate) fn stream(&self) -> Result<Stream, Failure> {
        let Source { paths, format, delimiter, header, pivot, filter, limit, sample, .. } = self.source()?;
        let given = [
            ("--pivot", pivot.is_some()),
            ("--where", filter.is_some()),
            ("--limit", limit.is_some()),
            ("--sample", sample.is_some()),
        ];
        if let Some((flag, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(Error::recipe(flag, "not possible with --follow, which reads row by row").into());
        }
        let [path] = &paths[..] else {
            let message = format!("expected one file, or `-`, with --follow, got {}", paths.len());
            return Err(Error::recipe("INPUT", message).into());
        };
        address::refuse_all(&[path.to_string_lossy()], "only a file on disk or a pipe is followed")?;
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
            Some(Format::Tsv) => StreamForm::Delimited(delimiter.or(Some(Delimiter::Byte(b'\t')))),
            Some(_) => {
                let message = "expected ndjson, csv or tsv with --follow, got a format that cannot be streamed";
                return Err(Error::recipe("--input-format", message).into());
            }
        };
        Ok(Stream { path: path.clone(), form })
    }

    /// An error if a flag for tables was given: for images.
    pub(crate) fn check_images(&self) -> Result<(), Failure> {
        let ReadingArgs { input_format, delimiter, header, comment, encoding, pivot, filter, limit, sample, .. } =
            &self.reading;
        let given = [
            ("--input-format", input_format.is_some()),
            ("--delimiter", delimiter.is_some()),
            ("--header", header.is_some()),
            ("--comment", comment.is_some()),
            ("--encoding", encoding.is_some()),
            ("--pivot", pivot.is_some()),
            ("--where", filter.is_some()),
            ("--limit", limit.is_some()),
            ("--sample", sample.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::recipe(flag, "expected a table, got images").into()),
            None => Ok(()),
        }
    }

    /// The inputs as typed.
    pub(crate) fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// The filter as typed.
    pub(crate) fn filter(&self) -> Option<&str> {
        self.reading.filter.as_deref()
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
    let message = format!("expected a table, as the model was fitted to, got images: `{folder}` is a folder");
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
    Delimited(Option<Delimiter>),
    /// One of these, by the first line.
    Detected,
}

/// The names of formats; `json` is another for NDJSON.
fn formats() -> PossibleValuesParser {
    let value = |(format, name)| {
        let value = PossibleValue::new(name);
        if format == Format::Ndjson { value.aliases(["json", "jsonl"]) } else { value }
    };
    PossibleValuesParser::new(Format::ALL.map(value))
}

/// Parses a format name; errors name `flag`.
pub(crate) fn format(name: &str, flag: &str) -> Result<Format, Failure> {
    name.parse().map_err(|message: String| Error::recipe(flag, message).into())
}
