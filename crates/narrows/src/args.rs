//! What was typed: the verbs, and the flags that several of them share. A verb's own flags stand in its file.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use narrows_core::file::{Model, Whole};
use narrows_core::{Error, Fitted, Roles, Threads};

use crate::failure::Failure;
use crate::talk::Talk;
use crate::verbs;

/// Finds anomalies, restores images, compresses and generates with autoencoders, on tables, series and images.
///
/// Example:
///   narrows demo
///   narrows fit train.csv -o m.narrows
///   narrows score m.narrows new.csv -o scores.csv --explain 3
#[derive(Debug, Parser)]
#[command(name = "narrows", version, verbatim_doc_comment, max_term_width = 110)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Demo(verbs::demo::Demo),
    Fit(Box<verbs::fit::Fit>),
    Tune(Box<verbs::tune::Tune>),
    Score(verbs::score::Score),
    Evaluate(verbs::evaluate::Evaluate),
    Explain(verbs::explain::Explain),
    Reconstruct(verbs::reconstruct::Reconstruct),
    Restore(verbs::restore::Restore),
    Encode(verbs::encode::Encode),
    Decode(verbs::decode::Decode),
    Generate(verbs::generate::Generate),
    Compress(verbs::compress::Compress),
    Decompress(verbs::decompress::Decompress),
    Export(verbs::export::Export),
    Inspect(verbs::inspect::Inspect),
    Report(verbs::report::Report),
    Completions(verbs::completions::Completions),
    Man(verbs::man::Man),
}

/// Flags of every verb.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Common {
    /// Threads to compute with; all of the machine's where not given. Results do not depend on it
    #[arg(long, global = true, value_name = "N", env = "NARROWS_THREADS", help_heading = "Everywhere")]
    threads: Option<usize>,
    /// Say nothing but errors
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    quiet: bool,
    /// Print JSON instead of text: the result where a verb prints one, and errors
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
}

impl Common {
    /// How to speak on stderr.
    pub(crate) fn talk(&self) -> Talk {
        match (self.json, self.quiet) {
            (true, _) => Talk::Json,
            (false, true) => Talk::Quiet,
            (false, false) => Talk::to_stderr(),
        }
    }

    /// Whether anybody hears what is told of a result.
    pub(crate) fn is_told(&self) -> bool {
        self.json || self.talk().is_heard()
    }

    /// The threads to compute with.
    pub(crate) fn threads(&self) -> Result<Threads, Failure> {
        let n = match self.threads {
            Some(n) => n,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        match n {
            1..=1024 => Ok(Threads::new(n)),
            n => Err(Error::recipe("--threads", format!("expected a number from 1 to 1024, got {n}")).into()),
        }
    }
}

/// Which columns play which part.
#[derive(Debug, ClapArgs)]
pub(crate) struct RoleArgs {
    /// Column that tells normal rows from others; never a feature
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Value of the label in normal rows; only these are fitted on. Of images: the folder of the normal ones
    #[arg(long, value_name = "VALUE")]
    pub(crate) normal: Option<String>,
    /// Use only these columns, by name or pattern such as `x*`
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    columns: Vec<String>,
    /// Leave these columns out, by name or pattern
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Column that says when; else the only column of dates, else rows follow each other one step apart
    #[arg(long, value_name = "COLUMN", help_heading = "Series")]
    pub(crate) time: Option<String>,
    /// Column that says which series a row belongs to
    #[arg(long, value_name = "COLUMN", help_heading = "Series")]
    pub(crate) id: Option<String>,
}

impl RoleArgs {
    /// The same in the library's words.
    pub(crate) fn roles(self) -> Result<Roles, Failure> {
        if self.normal.is_some() && self.label.is_none() {
            let message = "expected --label with it: the column whose value tells normal rows";
            return Err(Error::recipe("--normal", message).into());
        }
        Ok(Roles {
            label: self.label,
            normal: self.normal,
            columns: self.columns,
            ignore: self.ignore,
            time: self.time,
            id: self.id,
        })
    }

    /// Refuses columns where there are none, and gives the folders of normal images.
    pub(crate) fn folders(self) -> Result<Vec<String>, Failure> {
        let named = [
            ("--label", self.label.is_some()),
            ("--columns", !self.columns.is_empty()),
            ("--ignore", !self.ignore.is_empty()),
            ("--time", self.time.is_some()),
            ("--id", self.id.is_some()),
        ];
        match named.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::recipe(flag, "expected a table, got images, which have no columns").into()),
            None => Ok(self.normal.iter().flat_map(|names| names.split(',').map(str::to_owned)).collect()),
        }
    }
}

/// The model file that a verb uses.
#[derive(Debug, ClapArgs)]
pub(crate) struct ModelArg {
    /// Model file made by `narrows fit`
    #[arg(value_name = "MODEL")]
    pub(crate) path: PathBuf,
}

impl ModelArg {
    /// The model, which must have a code.
    pub(crate) fn load(&self) -> Result<Fitted, Failure> {
        Ok(self.load_any()?.fitted()?)
    }

    /// The model, which must have all its parts.
    pub(crate) fn load_whole(&self) -> Result<Whole, Failure> {
        Ok(self.load_any()?.whole()?)
    }

    /// The model, of any kind. One that cannot be opened is a bad model file, not bad data.
    pub(crate) fn load_any(&self) -> Result<Model, Failure> {
        Ok(narrows_core::file::load_any(&self.path).map_err(|error| match error {
            Error::Read { path, source } => Error::model_file(path, format!("cannot be read: {source}")),
            error => error,
        })?)
    }
}

/// `path` with its extension, `.gz` or `.zst` included, replaced.
pub(crate) fn with_extension(path: &std::path::Path, extension: &str) -> PathBuf {
    let mut stem = PathBuf::from(path.file_name().unwrap_or_default());
    if matches!(stem.extension().and_then(|e| e.to_str()), Some("gz" | "zst" | "zstd")) {
        stem.set_extension("");
    }
    stem.set_extension(extension);
    stem
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn flags_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_verb_opens_its_help_with_an_example() {
        let mut command = Args::command();
        command.build();
        for verb in command.get_subcommands_mut().filter(|verb| verb.get_name() != "help") {
            let help = verb.render_long_help().to_string();
            assert!(help.starts_with("Example"), "{}: {help}", verb.get_name());
        }
    }

    #[test]
    fn a_file_named_after_another_loses_its_extensions() {
        assert_eq!(with_extension("a/b.csv.gz".as_ref(), "narrows"), PathBuf::from("b.narrows"));
        assert_eq!(with_extension("b.v2.parquet".as_ref(), "html"), PathBuf::from("b.v2.html"));
    }
}
