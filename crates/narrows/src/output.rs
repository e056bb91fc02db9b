//! Where results go: a table to stdout or a file, in the format its name says, whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::Error;
use narrows_core::data::Format;
use narrows_core::output::{Compression, FORMATS, RowWriter, Sink, TableWriter};

use crate::failure::Failure;
use crate::interrupt::Unfinished;

/// Where a table goes.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// File to write, replaced only when all is written; `-` or nothing is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Format of the output; else its extension decides, and stdout gets CSV
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(FORMATS.iter().map(|(_, name)| *name)))]
    format: Option<String>,
}

impl OutputArgs {
    /// A writer of tables to where the user said. Nothing is at the target before [`TableWriter::finish`].
    pub(crate) fn writer(&self) -> Result<TableWriter<'static>, Failure> {
        let target = self.file();
        let format = match (&self.format, target) {
            (Some(name), _) => crate::input::format(name, "--format")?,
            (None, Some(path)) => format_of(path)?,
            (None, None) => Format::Csv,
        };
        Ok(TableWriter::to(sink(target)?, format)?)
    }

    /// A writer of rows as they come, NDJSON where nothing else is said. The file is emptied at once, so that it must not
    /// be `input`.
    pub(crate) fn row_writer(&self, input: &Path) -> Result<RowWriter<'static>, Failure> {
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
            if Compression::of_path(path) != Compression::None {
                let message = format!("expected a name without compression with --follow, got `{}`", path.display());
                return Err(Error::recipe("--output", message).into());
            }
            let full = |path: &Path| path.canonicalize().ok();
            if full(path).is_some_and(|path| Some(path) == full(input)) {
                let message = format!("expected another file than the input, got `{}`", path.display());
                return Err(Error::recipe("--output", message).into());
            }
        }
        Ok(match target {
            Some(path) => RowWriter::create(path, format)?,
            None => RowWriter::stdout(format)?,
        })
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
    let flagged = |error: Error| match error {
        Error::Recipe { message, .. } => Error::recipe("--output", message).with_hint("any name will do with --format"),
        error => error,
    };
    Ok(narrows_core::output::format_of(path).map_err(flagged)?)
}

/// A sink to `target`, or to stdout where there is none. Its unfinished file is removed should the process be stopped.
pub(crate) fn sink(target: Option<&Path>) -> Result<Sink<'static>, Failure> {
    let Some(target) = target else { return Ok(Sink::stdout()) };
    let sink = Sink::create(target)?;
    Ok(match sink.draft().map(Unfinished::new) {
        Some(unfinished) => sink.with_guard(unfinished),
        None => sink,
    })
}

/// A writer of a table to the file `target`, in the format its name says.
pub(crate) fn table(target: &Path) -> Result<TableWriter<'static>, Failure> {
    Ok(TableWriter::to(sink(Some(target))?, format_of(target)?)?)
}

/// Refuses a target that cannot be written to, before the work; nothing is left there.
pub(crate) fn probe(target: &Path) -> Result<(), Failure> {
    sink(Some(target)).map(drop)
}

/// Writes a whole text, such as a page, to a file or, for `-`, to stdout.
pub(crate) fn write_text(target: &Path, text: &str) -> Result<(), Failure> {
    let mut sink = sink((target.as_os_str() != "-").then_some(target))?;
    let put = sink.write_all(text.as_bytes());
    put.map_err(|error| Error::write(sink.name(), error))?;
    Ok(sink.finish()?)
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
