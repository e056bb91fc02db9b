//! From paths on the command line to a source of tables.

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows::Error;
use narrows::data::{Format, Header, Source};

use crate::failure::Failure;

/// The files to read.
#[derive(Debug, ClapArgs)]
pub(crate) struct InputArgs {
    /// Files to read as one table: CSV, TSV, Parquet, Arrow, NDJSON, NPY, NPZ, also .gz and .zst; `*` matches several,
    /// `-` is stdin
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<String>,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// How to read them, where looking at them is not enough.
#[derive(Debug, ClapArgs)]
struct ReadingArgs {
    /// Format of the input; else its extension decides, then its first bytes
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(Format::ALL.map(|(_, name)| name)), help_heading = "Reading")]
    input_format: Option<String>,
    /// Delimiter of a text table, one character or `tab`; else found by looking
    #[arg(long, value_name = "CHAR", help_heading = "Reading")]
    delimiter: Option<String>,
    /// Whether the first line of a text table names the columns
    #[arg(long, value_name = "WHETHER", value_parser = PossibleValuesParser::new(["auto", "present", "absent"]), help_heading = "Reading")]
    header: Option<String>,
}

impl InputArgs {
    /// The files, each of them there.
    pub(crate) fn source(&self) -> Result<Source, Failure> {
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
        Ok(Source { format, delimiter, header, ..source })
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

/// A format by its name; `flag` is named where it is wrong.
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
