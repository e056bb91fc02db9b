//! Work in shards: each writes a part to one folder, and whoever finds all parts there marks the folder as complete.
//!
//! ```text
//! FOLDER/_shards.json       what the parts are of; parts of other work are refused
//! FOLDER/part-0.parquet     a part, complete once it has this name
//! FOLDER/_SUCCESS           all parts are there
//! ```
//!
//! No shard waits for another or knows of it, so they may run on any machines that see the folder, which may be an address, in
//! any order, and again after a failure.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::Error;
use narrows_core::data::{Format, Shard, Source, is_stored, open_file, stored_names};
use narrows_core::output::{FORMATS, resolved};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::failure::Failure;
use crate::output::{self, OutputArgs};
use crate::talk::Talk;
use crate::targets::is_there;

/// What the parts in a folder are of.
const WORK: &str = "_shards.json";
/// The mark of a folder with all parts.
const SUCCESS: &str = "_SUCCESS";

/// The flag of verbs whose work can be divided.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct ShardArg {
    /// Do the I-th of N parts of the work, counted from 0, and write it to FOLDER/part-I.parquet
    ///
    /// The parts one after the other are the whole result; row numbers are those of the whole input. The input is divided
    /// by row groups of Parquet files, record batches of Arrow files, and other files whole. A part that is there already
    /// is left as it is, unless --force is given, so a run can be repeated until all parts are there; whoever writes the
    /// last one marks the folder with _SUCCESS. Parts need nothing of each other: run them with xargs, as a SLURM array or
    /// as an indexed job of Kubernetes.
    #[arg(long, value_name = "I/N", requires = "output")]
    shard: Option<Shard>,
}

/// What decides the content of parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ShardWork {
    version: String,
    verb: String,
    model: String,
    parts: u64,
    format: String,
    options: String,
    inputs: Vec<(String, u64)>,
}

/// The folder of a shard's part.
pub(crate) struct PartFolder {
    folder: PathBuf,
    shard: Shard,
    format: Format,
}

/// What a run is of, beside its source: the verb, the model file and the other options, as written.
pub(crate) struct ShardTask<'a> {
    pub(crate) verb: &'a str,
    pub(crate) model: &'a Path,
    pub(crate) options: String,
    /// Whether rows are read and written one by one.
    pub(crate) rows_are_independent: bool,
}

impl ShardArg {
    /// Whether the work is divided.
    pub(crate) fn is_given(self) -> bool {
        self.shard.is_some()
    }

    /// The folder for the part that is asked for, prepared; `None` if the work is not divided.
    pub(crate) fn folder(
        self,
        output: &OutputArgs,
        source: &Source,
        task: &ShardTask<'_>,
    ) -> Result<Option<PartFolder>, Failure> {
        let Some(shard) = self.shard else { return Ok(None) };
        if !task.rows_are_independent {
            let message = "expected a model of rows, got one of series, whose points depend on others";
            return Err(Error::recipe("--shard", message).with_hint("divide the series instead, with --where").into());
        }
        let Some(folder) = output.file() else {
            let message = "expected a folder for the parts with --shard, got stdout";
            return Err(Error::recipe("--output", message).into());
        };
        let source = Source { shard: Some(shard), ..source.clone() };
        source.check_shard()?;
        let parts = PartFolder { folder: folder.to_path_buf(), shard, format: part_format(output)? };
        parts.prepare(&source, task)?;
        Ok(Some(parts))
    }

    /// The source of which only this shard is read.
    pub(crate) fn of(self, source: Source) -> Source {
        Source { shard: self.shard, ..source }
    }

    /// An error if the work is to be divided: for what cannot be.
    pub(crate) fn refuse(self, what: &str) -> Result<(), Failure> {
        match self.shard {
            Some(_) => Err(Error::recipe("--shard", format!("expected a table to divide, got {what}")).into()),
            None => Ok(()),
        }
    }
}

impl PartFolder {
    /// The file of the part.
    pub(crate) fn part(&self) -> PathBuf {
        self.folder.join(self.name(self.shard.index()))
    }

    /// Whether the part is there already; `true` if so, which is told.
    pub(crate) fn is_done(&self, output: &OutputArgs, talk: Talk) -> Result<bool, Failure> {
        let part = self.part();
        if output.force.force || !is_there(&part)? {
            return Ok(false);
        }
        talk.line(format_args!("{}: the part is there already; --force writes it again", part.display()));
        self.finish()?;
        Ok(true)
    }

    /// Marks the folder if all parts are there.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let names: HashSet<String> = self.names()?.into_iter().collect();
        let mark = self.folder.join(SUCCESS);
        if (0..self.shard.count()).all(|i| names.contains(&self.name(i))) && !is_there(&mark)? {
            output::sink(Some(&mark))?.finish()?;
        }
        Ok(())
    }

    /// The names of what is in the folder.
    fn names(&self) -> Result<Vec<String>, Failure> {
        if is_stored(&self.folder) {
            return Ok(stored_names(&self.folder)?);
        }
        let unreadable = |error| Error::read(&self.folder, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(unreadable)? {
            names.extend(entry.map_err(unreadable)?.file_name().into_string());
        }
        Ok(names)
    }

    fn name(&self, index: u64) -> String {
        let width = self.shard.count().to_string().len();
        format!("part-{index:0width$}.{}", self.format)
    }

    /// Makes the folder and notes what its parts are of, or compares it with what they are of.
    fn prepare(&self, source: &Source, task: &ShardTask<'_>) -> Result<(), Failure> {
        let folder = &self.folder;
        if folder.exists() && !folder.is_dir() {
            let message = format!("expected a folder for the parts, got the file `{}`", folder.display());
            return Err(Error::recipe("--output", message).into());
        }
        let whole = resolved(folder);
        if let Some(inside) = source.paths.iter().find(|path| resolved(path).starts_with(&whole)) {
            let message = format!("expected a folder without inputs, got that of `{}`", inside.display());
            return Err(Error::recipe("--output", message).into());
        }
        let work = ShardWork::of(source, task, self.format)?;
        if !is_stored(folder) {
            fs::create_dir_all(folder).map_err(|error| Error::write(folder, error))?;
        }
        let path = folder.join(WORK);
        if !is_there(&path)? {
            if let Some(other) = self.foreign()? {
                let message =
                    format!("expected an empty folder or one of parts, got `{other}` in `{}`", folder.display());
                return Err(Error::recipe("--output", message).into());
            }
            note(&path, &work)?;
        }
        let mut text = String::new();
        open_file(&path)?.read_to_string(&mut text).map_err(|error| Error::read(&path, error))?;
        let there: Option<ShardWork> = serde_json::from_str(&text).ok();
        match there.map(|there| there.difference(&work)) {
            Some(None) => Ok(()),
            found => {
                let what = found.flatten().map_or_else(String::new, |what| format!(": {what}"));
                let message = format!("`{}` holds parts of other work{what}", folder.display());
                let error = Error::recipe("--output", message);
                Err(error.with_hint("name another folder for this work, or delete that one").into())
            }
        }
    }

    /// A file in the folder that looks like a part of something else.
    fn foreign(&self) -> Result<Option<String>, Failure> {
        if is_there(&self.folder.join(SUCCESS))? {
            return Ok(Some(SUCCESS.to_owned()));
        }
        Ok(self.names()?.into_iter().find(|name| name.starts_with("part-")))
    }
}

impl ShardWork {
    fn of(source: &Source, task: &ShardTask<'_>, format: Format) -> Result<ShardWork, Failure> {
        let shard = source.shard.map_or(1, Shard::count);
        // What the paths are is told by themselves.
        let reading = Source {
            paths: Vec::new(),
            partitions: Default::default(),
            shard: None,
            notes: Vec::new(),
            ..source.clone()
        };
        Ok(ShardWork {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            verb: task.verb.to_owned(),
            model: hash_of(task.model)?,
            parts: shard,
            format: format.to_string(),
            options: format!("{} {reading:?}", task.options),
            inputs: source.sizes()?,
        })
    }

    /// What differs from another work, in words.
    fn difference(&self, other: &ShardWork) -> Option<String> {
        let differ = |what: &str, there: &str, here: &str| {
            (there != here).then(|| format!("{what} differs, {there} there and {here} here"))
        };
        let input = || {
            let both = self.inputs.iter().zip(&other.inputs);
            let shown = |(name, bytes): &(String, u64)| format!("{name} of {bytes} bytes");
            match both.clone().find(|(a, b)| a != b) {
                Some((there, here)) => differ("an input", &shown(there), &shown(here)),
                None => {
                    let [there, here] = [self, other].map(|work| work.inputs.len().to_string());
                    differ("the number of input files", &there, &here)
                }
            }
        };
        differ("the number of parts", &self.parts.to_string(), &other.parts.to_string())
            .or_else(|| differ("the verb", &self.verb, &other.verb))
            .or_else(|| differ("the format", &self.format, &other.format))
            .or_else(|| differ("the version of narrows", &self.version, &other.version))
            .or_else(|| (self.model != other.model).then(|| "the model is another".to_owned()))
            .or_else(input)
            .or_else(|| (self.options != other.options).then(|| "an option is another".to_owned()))
    }
}

/// Writes what the parts are of, unless another shard was faster.
fn note(path: &Path, work: &ShardWork) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(work).map_err(|error| Error::write(path, io::Error::other(error)))?;
    let mut sink = output::sink(Some(path))?;
    let written = sink.write_all(text.as_bytes()).and_then(|()| sink.write_all(b"\n")).and_then(|()| sink.flush());
    written.map_err(|error| Error::write(path, error))?;
    // A link does not replace what is there, as renaming would.
    let linked = sink.draft().map(|draft| fs::hard_link(draft, path));
    match linked {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // The file system has no links.
        _ => Ok(sink.finish()?),
    }
}

/// The format of a part: as asked for, else Parquet.
fn part_format(output: &OutputArgs) -> Result<Format, Failure> {
    match output.asked_format()? {
        Some(format) => Ok(format),
        None if FORMATS.iter().any(|(format, _)| *format == Format::Parquet) => Ok(Format::Parquet),
        None => Ok(Format::Csv),
    }
}

/// A hash of a file.
fn hash_of(path: &Path) -> Result<String, Failure> {
    let unreadable = |error| Error::read(path, error);
    let mut file = open_file(path)?;
    let (mut hash, mut buffer) = (Xxh3::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(format!("{:016x}", hash.digest())),
            n => hash.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> ShardWork {
        ShardWork {
            version: "1".to_owned(),
            verb: "score".to_owned(),
            model: "a".to_owned(),
            parts: 4,
            format: "parquet".to_owned(),
            options: String::new(),
            inputs: vec![("a.csv".to_owned(), 10)],
        }
    }

    fn check(other: ShardWork, expected: Option<&str>) {
        assert_eq!(work().difference(&other).as_deref(), expected);
    }

    #[test]
    fn what_differs_between_two_runs_is_named() {
        check(work(), None);
        check(ShardWork { parts: 8, ..work() }, Some("the number of parts differs, 4 there and 8 here"));
        check(ShardWork { model: "b".to_owned(), ..work() }, Some("the model is another"));
        let inputs = vec![("a.csv".to_owned(), 11)];
        let differs = "an input differs, a.csv of 10 bytes there and a.csv of 11 bytes here";
        check(ShardWork { inputs, ..work() }, Some(differs));
        let inputs = vec![];
        check(ShardWork { inputs, ..work() }, Some("the number of input files differs, 1 there and 0 here"));
    }

    #[test]
    fn the_faster_of_two_shards_notes_what_the_parts_are_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(WORK);
        note(&path, &work()).unwrap();
        note(&path, &ShardWork { parts: 8, ..work() }).unwrap();
        let there: ShardWork = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(there, work());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_complete_when_every_part_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let shard = "1/10".parse().unwrap();
        let parts = PartFolder { folder: folder.path().to_path_buf(), shard, format: Format::Csv };
        assert!(parts.part().ends_with("part-01.csv"));
        for i in 0..10 {
            parts.finish().unwrap();
            assert!(!folder.path().join(SUCCESS).exists());
            fs::write(folder.path().join(parts.name(i)), "x").unwrap();
        }
        parts.finish().unwrap();
        parts.finish().unwrap();
        assert!(folder.path().join(SUCCESS).exists());
    }
}
