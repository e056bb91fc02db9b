//! Training snapshots in a folder, one file per member, to resume an interrupted fit.
//!
//! Each file identifies its recipe and data; a fit of anything else rejects it.

use std::path::{Path, PathBuf};

use narrows_engine::{Params, TrainerState};
use narrows_images::Store;
use serde::{Deserialize, Serialize};

use super::container::{self, Tensor};
use super::write_atomically;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::train::{Checkpoints, Progress, Snapshot};

/// Whether a fit resumes an interrupted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Old snapshots are removed.
    Fresh,
    /// Old snapshots are resumed.
    Continue,
}

/// Snapshots in a folder.
#[derive(Debug)]
pub struct FileCheckpoints {
    folder: PathBuf,
    key: String,
}

#[derive(Serialize, Deserialize)]
struct CheckpointNote {
    /// Identifies recipe and data.
    key: String,
    steps: u64,
    progress: Progress,
}

/// A checksum over all cells of a table.
pub fn fingerprint(table: &Table) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for (name, column) in table.names().iter().zip(table.batch().columns()) {
        sum.update(name.as_bytes());
        let data = column.to_data();
        sum.update(&(data.offset() as u64).to_le_bytes());
        data.buffers().iter().for_each(|buffer| sum.update(buffer.as_slice()));
        if let Some(nulls) = data.nulls() {
            sum.update(nulls.buffer().as_slice());
        }
    }
    sum.finalize()
}

/// A checksum over the names, sizes and first pixels of images.
pub fn images_fingerprint(images: &Store) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for i in 0..images.len() {
        let (height, width, channels) = images.size(i);
        sum.update(images.name(i).as_bytes());
        [height, width, channels.count()].iter().for_each(|side| sum.update(&(*side as u64).to_le_bytes()));
        if let Ok(corner) = images.crop(i, 0, 0, 1, width) {
            corner.pixels.iter().for_each(|value| sum.update(&value.to_le_bytes()));
        }
    }
    sum.finalize()
}

impl FileCheckpoints {
    /// Snapshots in `folder` for a recipe and the data with this [`fingerprint`].
    ///
    /// # Errors
    /// [`Error::Write`] if the folder cannot be created or emptied.
    pub fn new(folder: &Path, recipe: &Recipe, fingerprint: u32, resume: Resume) -> Result<FileCheckpoints> {
        let writing = |error| Error::write(folder, error);
        if resume == Resume::Fresh && folder.exists() {
            std::fs::remove_dir_all(folder).map_err(writing)?;
        }
        std::fs::create_dir_all(folder).map_err(writing)?;
        let key = format!("{:08x}-{fingerprint:08x}", crc32fast::hash(recipe.to_toml().as_bytes()));
        Ok(FileCheckpoints { folder: folder.to_path_buf(), key })
    }

    /// Removes the folder, once the model is saved.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn clear(self) -> Result<()> {
        std::fs::remove_dir_all(&self.folder).map_err(|error| Error::write(&self.folder, error))
    }

    fn path(&self, member: usize) -> PathBuf {
        self.folder.join(format!("member-{member}.safetensors"))
    }
}

impl Checkpoints for FileCheckpoints {
    fn load(&self, member: usize, template: &Params) -> Result<Option<Snapshot>> {
        let path = self.path(member);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::read(&path, error)),
        };
        read(&bytes, &self.key, template).map(Some).map_err(|message| Error::model_file(&path, message))
    }

    fn save(&self, member: usize, snapshot: &dyn Fn() -> Snapshot) -> Result<()> {
        let bytes = write(&snapshot(), &self.key);
        write_atomically(&self.path(member), |file| file.write_all(&bytes))
    }
}

fn write(snapshot: &Snapshot, key: &str) -> Vec<u8> {
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
    let note = CheckpointNote { key: key.to_owned(), steps: state.steps, progress: progress.clone() };
    container::write(&serde_json::to_string(&note).expect("plain data"), tensors)
}

fn read(bytes: &[u8], key: &str, template: &Params) -> Result<Snapshot, String> {
    let container = container::read(bytes)?;
    container.check()?;
    let note: CheckpointNote =
        serde_json::from_str(&container.document).map_err(|error| format!("the document is damaged: {error}"))?;
    if note.key != key {
        return Err("the checkpoint belongs to another recipe or to other data; without resuming, the fit starts over"
            .to_owned());
    }
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
