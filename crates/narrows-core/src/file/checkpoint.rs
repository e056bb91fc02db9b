//! Training snapshots in a folder, one file per member, to resume an interrupted fit.
//!
//! Each file holds the subject of its training; a fit of anything else rejects it, and names the difference. While a fit
//! uses the folder, the folder is locked. Other files in it are left alone.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use narrows_engine::{Params, TrainerState};
use serde::{Deserialize, Serialize};

use super::container::{self, Tensor};
use super::subject::TrainingSubject;
use super::write_atomically;
use crate::error::{Error, Hint, Place, Result};
use crate::output::sweep;
use crate::train::{Checkpoints, Progress, Snapshot};

/// Whether a fit resumes an interrupted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Old snapshots are removed.
    Fresh,
    /// Old snapshots are resumed.
    Continue,
}

/// Snapshots in a folder. A folder without any is removed when this is dropped, unless it holds other files.
#[derive(Debug)]
pub struct FileCheckpoints {
    folder: PathBuf,
    subject: TrainingSubject,
    /// Locked until this is dropped.
    _lock: File,
}

#[derive(Serialize, Deserialize)]
struct CheckpointNote {
    /// `None` in checkpoints of versions that did not write it.
    #[serde(default)]
    subject: Option<TrainingSubject>,
    steps: u64,
    progress: Progress,
}

impl FileCheckpoints {
    /// Snapshots in `folder` for a training.
    ///
    /// # Errors
    /// [`Error::Write`] if the folder cannot be created, or another fit uses it; [`Error::Data`] if there is nothing to
    /// resume, or it belongs to another training.
    pub fn new(folder: &Path, subject: TrainingSubject, resume: Resume) -> Result<FileCheckpoints> {
        let writing = |error| Error::write(folder, error);
        if resume == Resume::Continue && !FileCheckpoints::exist(folder) {
            let message = "expected a checkpoint to resume, got none";
            let hint = Hint::of("without [resume], the fit starts from the beginning");
            return Err(Error::data(Place::source(folder.display().to_string()), message).with_hint(hint));
        }
        fs::create_dir_all(folder).map_err(writing)?;
        let lock = File::options().create(true).write(true).truncate(false).open(lock_of(folder)).map_err(writing)?;
        // Some file systems have no locks; there two fits are not kept apart.
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(writing(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another fit is keeping its checkpoints in it",
            )));
        }
        let checkpoints = FileCheckpoints { folder: folder.to_path_buf(), subject, _lock: lock };
        sweep(folder, Duration::ZERO);
        if resume == Resume::Fresh {
            checkpoints.remove_rounds()?;
        }
        for path in snapshots(folder) {
            match resume {
                Resume::Continue => checkpoints.check(&path)?,
                Resume::Fresh => fs::remove_file(&path).map_err(|error| Error::write(&path, error))?,
            }
        }
        Ok(checkpoints)
    }

    /// Whether a folder holds snapshots.
    pub fn exist(folder: &Path) -> bool {
        !snapshots(folder).is_empty()
    }

    /// Removes the snapshots, once the model is saved.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn clear(self) -> Result<()> {
        self.remove_rounds()?;
        let remove = |path: PathBuf| fs::remove_file(&path).map_err(|error| Error::write(&path, error));
        snapshots(&self.folder).into_iter().try_for_each(remove)
    }

    /// Rejects a snapshot of another training.
    fn check(&self, path: &Path) -> Result<()> {
        let bytes = fs::read(path).map_err(|error| Error::read(path, error))?;
        let note = container::read(&bytes)
            .and_then(|container| note_of(&container))
            .map_err(|message| Error::model_file(path, message))?;
        let difference = match note.subject {
            Some(subject) => self.subject.difference(&subject),
            None => Some("it was made by an older version".to_owned()),
        };
        difference.map_or(Ok(()), |difference| {
            let message = format!("expected a checkpoint of this training, got one of another: {difference}");
            let error = Error::data(Place::source(self.folder.display().to_string()), message);
            Err(error.with_hint(Hint::of("without [resume] and with [force], the training starts over")))
        })
    }

    /// Where the state of a training in rounds is.
    fn rounds(&self) -> PathBuf {
        self.folder.join("rounds")
    }

    fn remove_rounds(&self) -> Result<()> {
        let path = self.rounds();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::write(&path, error)),
            _ => Ok(()),
        }
    }

    fn path(&self, member: usize) -> PathBuf {
        self.folder.join(format!("member-{member}.safetensors"))
    }
}

impl Drop for FileCheckpoints {
    fn drop(&mut self) {
        if !FileCheckpoints::exist(&self.folder) {
            let _ = fs::remove_file(lock_of(&self.folder));
            // Fails if other files are in it, which is as it should be.
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.join("lock")
}

/// The snapshots in a folder, by their names.
fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let is_snapshot = |name: &str| {
        let number = name.strip_prefix("member-").and_then(|name| name.strip_suffix(".safetensors"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_snapshot))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

impl Checkpoints for FileCheckpoints {
    fn load(&self, member: usize, template: &Params) -> Result<Option<Snapshot>> {
        let path = self.path(member);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::read(&path, error)),
        };
        read(&bytes, template).map(Some).map_err(|message| Error::model_file(&path, message))
    }

    fn load_rounds(&self) -> Result<Option<Vec<u8>>> {
        let path = self.rounds();
        match fs::read(&path) {
            Ok(state) => Ok(Some(state)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::read(&path, error)),
        }
    }

    fn save_rounds(&self, state: &dyn Fn() -> Vec<u8>) -> Result<()> {
        write_atomically(&self.rounds(), |file| io::Write::write_all(file, &state()))
    }

    fn save(&self, member: usize, snapshot: &dyn Fn() -> Snapshot) -> Result<()> {
        let bytes = write(&snapshot(), &self.subject);
        write_atomically(&self.path(member), |file| file.write_all(&bytes))
    }
}

fn note_of(container: &container::Container) -> Result<CheckpointNote, String> {
    container.check()?;
    serde_json::from_str(&container.document).map_err(|error| format!("the document is damaged: {error}"))
}

fn write(snapshot: &Snapshot, subject: &TrainingSubject) -> Vec<u8> {
    let Snapshot { state, best, progress } = snapshot;
    let mut tensors = vec![
        Tensor::f32("optimizer.first", &[state.first.len()], &state.first),
        Tensor::f32("optimizer.second", &[state.second.len()], &state.second),
    ];
    for (part, params) in [("current", &state.params), ("best", best)] {
        tensors.extend(
            params.entries().map(|entry| Tensor::f32(format!("{part}.{}", entry.name), entry.shape, entry.data)),
        );
    }
    let note = CheckpointNote { subject: Some(subject.clone()), steps: state.steps, progress: progress.clone() };
    container::write(&serde_json::to_string(&note).expect("plain data"), tensors)
}

fn read(bytes: &[u8], template: &Params) -> Result<Snapshot, String> {
    let container = container::read(bytes)?;
    let note = note_of(&container)?;
    note.progress.check()?;
    let params = |part: &str| -> Result<Params, String> {
        let mut params = template.clone();
        for entry in template.entries() {
            let (shape, values) = container.f32(&format!("{part}.{}", entry.name))?;
            params.set(entry.name, &shape, &values).map_err(|error| error.to_string())?;
        }
        Ok(params)
    };
    let state = TrainerState {
        params: params("current")?,
        first: container.f32("optimizer.first")?.1,
        second: container.f32("optimizer.second")?.1,
        steps: note.steps,
    };
    let best = params("best")?;
    // The current ones may be those of a divergence, from which the training recovers.
    if !best.all_finite() {
        return Err("the best weights are not all finite".to_owned());
    }
    Ok(Snapshot { state, best, progress: note.progress })
}
