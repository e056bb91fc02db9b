//! Writes results to stdout or to a file in the format given by its name; files are replaced atomically.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::Error;
use narrows_core::data::Format;
use narrows_core::output::{Compression, FORMATS, RowWriter, Sink, TableWriter, format_of};

use crate::closed::stdout_is_closed;
use crate::escape::{Visible, inked, visible_json};
use crate::failure::Failure;
use crate::interrupt::Unfinished;
use crate::talk::Talk;
use crate::targets::{ForceArg, Targets};
use crate::told::{self, Rest};

/// Flags for the output.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct OutputArgs {
    /// Output file, or address such as s3://bucket/key, replaced only once complete; stdout if omitted or `-`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Output format; by default chosen by the extension, CSV for stdout
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(FORMATS.iter().map(|(_, name)| *name)))]
    format: Option<String>,
    #[command(flatten)]
    pub(crate) force: ForceArg,
}

impl OutputArgs {
    /// The files of a run that writes here; its inputs are still to be added.
    pub(crate) fn targets(&self) -> Targets {
        Targets::new(self.force).writes("--output", self.file())
    }

    /// A table writer to the requested target, which is only created by [`TableWriter::finish`].
    pub(crate) fn writer(&self) -> Result<TableWriter<'static>, Failure> {
        let format = self.table_format()?;
        if self.file().is_none() && matches!(format, Format::Parquet | Format::ArrowIpc | Format::Npy) {
            refuse_terminal(&format.to_string())?;
        }
        Ok(TableWriter::to(sink(self.file())?, format)?)
    }

    /// The format of a table: as asked, else by the extension, else CSV.
    pub(crate) fn table_format(&self) -> Result<Format, Failure> {
        Ok(match (&self.format, self.file()) {
            (Some(name), _) => crate::input::format(name, "--format")?,
            (None, Some(path)) => format_of(path)?,
            (None, None) => Format::Csv,
        })
    }

    /// The format that was asked for.
    pub(crate) fn asked_format(&self) -> Result<Option<Format>, Failure> {
        self.format.as_deref().map(|name| crate::input::format(name, "--format")).transpose()
    }

    /// The same with another file, which may be there.
    pub(crate) fn to_file(&self, file: PathBuf) -> OutputArgs {
        OutputArgs { output: Some(file), format: self.format.clone(), force: ForceArg { force: true } }
    }

    /// Whether a format was asked for.
    pub(crate) fn has_format(&self) -> bool {
        self.format.is_some()
    }

    /// A writer that flushes every row, NDJSON by default. The file is truncated at once.
    pub(crate) fn row_writer(&self) -> Result<RowWriter<'static>, Failure> {
        let (target, format) = (self.file(), self.row_format()?);
        if !matches!(format, Format::Ndjson | Format::Csv | Format::Tsv) {
            let message = "expected ndjson, csv or tsv with --follow, got a format that cannot be streamed";
            return Err(Error::recipe("--format", message).into());
        }
        if let Some(path) = target.filter(|path| Compression::of_path(path) != Compression::None) {
            let message = format!("expected an uncompressed file with --follow, got `{}`", path.display());
            return Err(Error::recipe("--output", message).into());
        }
        Ok(match target {
            Some(path) => RowWriter::create(path, format)?,
            None => RowWriter::to(data_stdout()?, format)?,
        })
    }

    /// The format of rows that are written one by one: as asked, else by the extension, else NDJSON.
    pub(crate) fn row_format(&self) -> Result<Format, Failure> {
        Ok(match (&self.format, self.file()) {
            (Some(name), _) => crate::input::format(name, "--format")?,
            (None, Some(path)) if path.extension().is_some() => format_of(path)?,
            (None, _) => Format::Ndjson,
        })
    }

    /// The output folder for images.
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

    /// The file to write; `None` for stdout.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.as_os_str() != "-")
    }
}

/// A sink to `target`, by default stdout. Its temporary file is removed if the process is interrupted.
pub(crate) fn sink(target: Option<&Path>) -> Result<Sink<'static>, Failure> {
    let Some(target) = target else { return data_stdout() };
    let sink = Sink::create(target)?;
    Ok(match sink.draft().map(Unfinished::new) {
        Some(unfinished) => sink.with_guard(unfinished),
        None => sink,
    })
}

/// Stdout for data; on a terminal, text is escaped.
fn data_stdout() -> Result<Sink<'static>, Failure> {
    told::streamed();
    let stdout = stdout()?;
    Ok(match std::io::stdout().is_terminal() {
        true => Sink::new(Visible::new(std::io::stdout()), "stdout").read_as_written(),
        false => stdout,
    })
}

fn stdout() -> Result<Sink<'static>, Failure> {
    if stdout_is_closed() {
        return Err(Error::write("stdout", std::io::Error::other("it is closed")).into());
    }
    Ok(Sink::stdout())
}

/// Refuses to write bytes that are not text to a terminal.
pub(crate) fn refuse_terminal(what: &str) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        return Ok(());
    }
    let message = format!("expected a file or a pipe for {what}, got a terminal");
    Err(Error::recipe("--output", message).into())
}

/// A table writer to `target`, in the format given by its extension.
pub(crate) fn table(target: &Path) -> Result<TableWriter<'static>, Failure> {
    Ok(TableWriter::to(sink(Some(target))?, format_of(target)?)?)
}

/// Checks in advance that a target is writable; leaves nothing behind.
pub(crate) fn probe(target: &Path) -> Result<(), Failure> {
    sink(Some(target)).map(drop)
}

/// Writes a text to a file, or to stdout for `-`.
pub(crate) fn write_text(target: &Path, text: &str) -> Result<(), Failure> {
    put(sink((target.as_os_str() != "-").then_some(target))?, text)
}

fn put(mut sink: Sink<'_>, text: &str) -> Result<(), Failure> {
    let put = sink.write_all(text.as_bytes());
    put.map_err(|error| Error::write(sink.name(), error))?;
    Ok(sink.finish()?)
}

/// Prints a text for people to stdout, with a trailing newline.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    told::streamed();
    put(stdout()?, &format!("{}\n", inked(text)))
}

/// Prints a result to stdout as JSON, with the notes, the warnings and what was left out.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    put(stdout()?, &format!("{}\n", visible_json(&told::result(value))))
}

/// With `--json`, prints what a run without a result of its own has told: to stdout, or if the data went there, to stderr.
pub(crate) fn tell_rest(talk: Talk) -> Result<(), Failure> {
    match told::rest().filter(|_| talk == Talk::Json) {
        Some(Rest::Result(text)) if !stdout_is_closed() => put(stdout()?, &format!("{}\n", visible_json(&text))),
        Some(Rest::Result(text) | Rest::Beside(text)) => {
            // A closed stderr is ignored.
            let _ = writeln!(std::io::stderr(), "{}", visible_json(&text));
            Ok(())
        }
        None => Ok(()),
    }
}
