//! The flags that several verbs share. A verb's own flags stand in its file.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use narrows_core::{Compute, Error, Model, Roles};

use crate::failure::Failure;
use crate::talk::Talk;

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

    /// Where to compute.
    pub(crate) fn compute(&self) -> Result<Compute, Failure> {
        Ok(match self.threads {
            Some(n) => Compute::with_threads(n)?,
            None => Compute::all_cores(),
        })
    }
}

/// Which columns play which part.
#[derive(Debug, Clone, ClapArgs)]
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
    /// The model, computing as asked. One that cannot be opened is a bad model file, not bad data.
    pub(crate) fn load(&self, common: &Common) -> Result<Model, Failure> {
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
