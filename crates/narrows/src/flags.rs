//! Flags shared by several verbs. A verb's own flags are in its file.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::data::Duplicates;
use narrows_core::{Compute, Error, Model, Roles};

use crate::address;
use crate::failure::Failure;
use crate::talk::Talk;
use crate::targets::Targets;

/// Flags accepted by every verb.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Common {
    /// Number of threads, by default all cores; results do not depend on it
    #[arg(long, global = true, value_name = "N", env = "NARROWS_THREADS", help_heading = "Global options")]
    threads: Option<usize>,
    /// Print only errors and warnings
    #[arg(short, long, global = true, help_heading = "Global options")]
    quiet: bool,
    /// Print details: after a fit also network, training, quality and generation
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = "Global options")]
    pub(crate) verbose: bool,
    /// Print results and errors as JSON instead of text
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
}

impl Common {
    /// How messages are written to stderr.
    pub(crate) fn talk(&self) -> Talk {
        match (self.json, self.quiet) {
            (true, _) => Talk::Json,
            (false, true) => Talk::Quiet,
            (false, false) => Talk::to_stderr(),
        }
    }

    /// Whether a summary of the result is printed anywhere.
    pub(crate) fn is_told(&self) -> bool {
        self.json || self.talk().is_heard()
    }

    /// The compute settings.
    pub(crate) fn compute(&self) -> Result<Compute, Failure> {
        Ok(match self.threads {
            Some(n) => Compute::with_threads(n)?,
            None => Compute::all_cores(),
        })
    }
}

/// Roles of columns.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct RoleArgs {
    /// Column that distinguishes normal rows from anomalies; never used as a feature
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Value of the label in normal rows, several separated by commas; only these are used for fitting. By default the
    /// evident value, such as `normal` or 0. For images: the folder of normal images
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    pub(crate) normal: Option<String>,
    /// Use only these columns, given by name or by pattern such as `x*`
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    columns: Vec<String>,
    /// Exclude these columns, given by name or by pattern
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Columns that identify a row: which rows of a large table are sampled then does not depend on their order, nor on
    /// how they lie in files; by default, the row number does
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    sample_key: Vec<String>,
    /// Column with the time; by default the only date column, else rows are assumed one step apart
    #[arg(long, alias = "time-column", value_name = "COLUMN", help_heading = "Series")]
    pub(crate) time: Option<String>,
    /// Column that identifies the series of each row; several columns identify it together
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',', help_heading = "Series")]
    pub(crate) id: Vec<String>,
    /// Time zone of times that have none of their own, such as Europe/Berlin or +01:00; by default UTC
    #[arg(long, value_name = "ZONE", help_heading = "Series")]
    pub(crate) timezone: Option<String>,
    /// What to do with rows of a series at the same time: `first`, `last`, `mean`, `error`; by default equal rows are
    /// one, and of a few others the first counts
    #[arg(long, value_name = "WHICH", value_parser = PossibleValuesParser::new(Duplicates::ALL.map(Duplicates::name)), hide_possible_values = true, help_heading = "Series")]
    pub(crate) duplicates: Option<String>,
}

impl RoleArgs {
    /// Converts to the library's type.
    pub(crate) fn roles(self) -> Result<Roles, Failure> {
        if self.normal.is_some() && self.label.is_none() {
            let message = "expected --label with it: the column whose value marks normal rows";
            return Err(Error::recipe("--normal", message).into());
        }
        Ok(Roles {
            label: self.label,
            normal: self.normal,
            columns: self.columns,
            ignore: self.ignore,
            time: self.time,
            id: self.id,
            timezone: self.timezone,
            duplicates: self.duplicates.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
            validation_rows: 0,
            sample_key: self.sample_key,
        })
    }

    /// The folders of normal images; an error if a flag for columns was given.
    pub(crate) fn folders(self) -> Result<Vec<String>, Failure> {
        let named = [
            ("--label", self.label.is_some()),
            ("--columns", !self.columns.is_empty()),
            ("--ignore", !self.ignore.is_empty()),
            ("--sample-key", !self.sample_key.is_empty()),
            ("--time", self.time.is_some()),
            ("--id", !self.id.is_empty()),
            ("--timezone", self.timezone.is_some()),
            ("--duplicates", self.duplicates.is_some()),
        ];
        match named.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::recipe(flag, "expected a table, got images, which have no columns").into()),
            None => Ok(self.normal.iter().flat_map(|names| names.split(',').map(str::to_owned)).collect()),
        }
    }
}

/// What to do with images of another size than those of the training.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct ResizeArg {
    /// Images only: resize images of another size than those of the training, if the model sees whole images; an error
    /// otherwise
    #[arg(long)]
    pub(crate) resize: bool,
}

/// The model file argument.
#[derive(Debug, ClapArgs)]
pub(crate) struct ModelArg {
    /// Model file written by `narrows fit`
    #[arg(value_name = "MODEL")]
    pub(crate) path: PathBuf,
}

impl ModelArg {
    /// Loads the model with the given compute settings. Failure to open it is a model-file error, not a data error.
    pub(crate) fn load(&self, common: &Common) -> Result<Model, Failure> {
        address::refuse(&[self.path.to_string_lossy()])?;
        Targets::default().reads([&self.path]).check_redirection("stdout")?;
        let model = Model::load(&self.path).map_err(|error| match error {
            Error::Read { path, source } => Error::model_file(path, format!("cannot be read: {source}")),
            error => error,
        })?;
        Ok(model.with_compute(&common.compute()?))
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
    use super::*;

    #[test]
    fn a_file_named_after_another_loses_its_extensions() {
        assert_eq!(with_extension("a/b.csv.gz".as_ref(), "narrows"), PathBuf::from("b.narrows"));
        assert_eq!(with_extension("b.v2.parquet".as_ref(), "html"), PathBuf::from("b.v2.html"));
    }
}
