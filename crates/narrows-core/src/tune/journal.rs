//! The journal of a search: one JSON object per line, first the subject of the search, then one per run.
//!
//! A search does not depend on the length of its journal: it requests runs in its own order and takes those that exist
//! from the journal. The same search gives the same result, however often it was interrupted.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Goal, TrialRun};
use crate::error::{self, Error, Hint, Result};
use crate::recipe::Recipe;

/// The subject of a search, which identifies its journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchSubject {
    /// Version of the library, as training may change between versions.
    version: String,
    /// [`fingerprint`](crate::file::fingerprint) of the data.
    data: u32,
    goal: Goal,
    seed: u64,
    /// Checksum of the initial recipe, of the fixed fields and of the column roles.
    start: u32,
}

impl SearchSubject {
    /// A search from `base` with the fixed fields `held`, on data with this fingerprint; `roles` is any text that
    /// identifies the roles of columns or folders.
    pub fn new(goal: Goal, base: &Recipe, held: &[String], data: u32, roles: &str) -> SearchSubject {
        let start = format!("{}\n{}\n{roles}", Recipe { seed: 0, ..base.clone() }.to_toml(), held.join(" "));
        SearchSubject {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data,
            goal,
            seed: base.seed,
            start: crc32fast::hash(start.as_bytes()),
        }
    }

    /// Rejects a journal of another subject, naming the difference.
    fn check(&self, found: &SearchSubject, path: &Path) -> Result<()> {
        let wrong = |what: String| {
            let error = Error::data(
                error::Place::source(path.display().to_string()),
                format!("expected the journal of this search, got {what}"),
            );
            Err(error.with_hint(Hint::of("without [resume], and with [force], a search starts over")))
        };
        match found {
            other if other.data != self.data => wrong("one of other data".to_owned()),
            other if other.seed != self.seed => wrong(format!("one of seed {} and not {}", other.seed, self.seed)),
            other if other.goal != self.goal => {
                wrong(format!("one for {} and not for {}", other.goal.name(), self.goal.name()))
            }
            other if other.version != self.version => {
                wrong(format!("one of version {} and not {}", other.version, self.version))
            }
            other if other.start != self.start => {
                wrong("one that starts from another recipe, holds other fields or gives columns other parts".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The runs of a search, stored as they end.
#[derive(Debug)]
pub struct Journal {
    runs: Vec<TrialRun>,
    place: JournalFile,
}

/// Storage of runs.
#[derive(Debug)]
enum JournalFile {
    Memory,
    /// A file created with the first run, so that a search that fails to start leaves none: its path and first line.
    Coming(PathBuf, String),
    There(PathBuf, File),
}

impl Journal {
    /// Kept in memory only.
    pub fn in_memory() -> Journal {
        Journal { runs: Vec::new(), place: JournalFile::Memory }
    }

    /// A new journal, which replaces an existing file when the first run has ended.
    pub fn create(path: &Path, subject: &SearchSubject) -> Journal {
        Journal { runs: Vec::new(), place: JournalFile::Coming(path.to_path_buf(), line(subject)) }
    }

    /// Resumes the journal at `path`. A truncated last line is removed.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Write`], and [`Error::Data`] for the journal of another search or a damaged line.
    pub fn resume(path: &Path, subject: &SearchSubject) -> Result<Journal> {
        let bytes = fs::read(path).map_err(|error| Error::read(path, error))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let damaged = |line: usize, why: String| {
            Error::data(
                error::Place::source(path.display().to_string()),
                format!("line {}: expected a line of a journal, got {why}", line + 1),
            )
        };
        let text = std::str::from_utf8(&bytes[..whole]).map_err(|error| damaged(0, error.to_string()))?;
        let mut lines = text.lines().enumerate();
        let (_, first) = lines.next().ok_or_else(|| damaged(0, "nothing".to_owned()))?;
        subject.check(&serde_json::from_str(first).map_err(|error| damaged(0, error.to_string()))?, path)?;
        let runs = lines
            .map(|(i, line)| serde_json::from_str(line).map_err(|error| damaged(i, error.to_string())))
            .collect::<Result<Vec<TrialRun>>>()?;
        let writing = |error| Error::write(path, error);
        let file = OpenOptions::new().append(true).open(path).map_err(writing)?;
        file.set_len(whole as u64).map_err(writing)?;
        Ok(Journal { runs, place: JournalFile::There(path.to_path_buf(), file) })
    }

    /// All runs, in order of completion.
    pub fn runs(&self) -> &[TrialRun] {
        &self.runs
    }

    /// The run of this exact recipe, if any.
    pub(super) fn find(&self, recipe: &Recipe) -> Option<&TrialRun> {
        self.runs.iter().find(|run| run.recipe == *recipe)
    }

    /// Appends a run atomically; it is synced to disk on return.
    pub(super) fn add(&mut self, run: TrialRun) -> Result<()> {
        let written = line(&run);
        match &mut self.place {
            JournalFile::Memory => {}
            JournalFile::There(path, file) => append(path, file, &written)?,
            JournalFile::Coming(path, first) => {
                let mut file = File::create(&*path).map_err(|error| Error::write(&*path, error))?;
                append(path, &mut file, &format!("{first}{written}"))?;
                self.place = JournalFile::There(path.clone(), file);
            }
        }
        self.runs.push(run);
        Ok(())
    }
}

fn append(path: &Path, file: &mut File, text: &str) -> Result<()> {
    file.write_all(text.as_bytes()).and_then(|()| file.sync_data()).map_err(|error| Error::write(path, error))
}

fn line(of: &impl Serialize) -> String {
    format!("{}\n", serde_json::to_string(of).expect("plain data"))
}

#[cfg(test)]
mod tests {
    use super::super::{Outcome, Stage, Success};
    use super::*;

    fn subject(data: u32, seed: u64) -> SearchSubject {
        SearchSubject::new(Goal::Reconstruction, &Recipe { seed, ..Recipe::default() }, &[], data, "")
    }

    fn run(trial: usize) -> TrialRun {
        let success = Success {
            cost: 0.1 + 0.2,
            unexplained: 0.1,
            standard_error: 0.01,
            code_size: 3,
            parameters: 100,
            steps: 50,
        };
        let recipe = Recipe { seed: trial as u64, ..Recipe::default() };
        TrialRun { stage: Stage::Trial, trial, share: 1.0 / 9.0, outcome: Outcome::Done(success), seconds: 0.5, recipe }
    }

    #[test]
    fn runs_come_back_as_they_were_and_a_torn_line_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.jsonl");
        let mut journal = Journal::create(&path, &subject(7, 0));
        journal.add(run(1)).unwrap();
        journal.add(TrialRun { outcome: Outcome::Failed("no".to_owned()), ..run(2) }).unwrap();
        let expected = journal.runs().to_vec();
        drop(journal);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"stage\":\"tri");
        fs::write(&path, text).unwrap();
        let mut journal = Journal::resume(&path, &subject(7, 0)).unwrap();
        assert_eq!(journal.runs(), expected);
        assert_eq!(journal.find(&run(1).recipe), Some(&run(1)));
        assert_eq!(journal.find(&run(3).recipe), None);
        journal.add(run(3)).unwrap();
        assert_eq!(Journal::resume(&path, &subject(7, 0)).unwrap().runs().len(), 3);
    }

    #[test]
    fn the_journal_of_another_search_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.jsonl");
        let mut journal = Journal::create(&path, &subject(7, 0));
        assert!(!path.exists(), "a search that cannot begin leaves no journal");
        journal.add(run(1)).unwrap();
        let check = |subject: &SearchSubject, expected: &str| {
            let error = Journal::resume(&path, subject).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&subject(8, 0), "one of other data");
        check(&subject(7, 1), "one of seed 0 and not 1");
        let goal = SearchSubject { goal: Goal::Detection, ..subject(7, 0) };
        check(&goal, "one for reconstruction and not for detection");
        check(&SearchSubject { start: 0, ..subject(7, 0) }, "another recipe");
        fs::write(&path, "{}\n").unwrap();
        check(&subject(7, 0), "line 1: expected a line of a journal");
        fs::write(&path, "").unwrap();
        check(&subject(7, 0), "got nothing");
    }
}
