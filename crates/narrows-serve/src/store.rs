//! The models by name, loaded from files and loaded again when these change.
//!
//! A file that cannot be loaded changes nothing: the last good model stays, and the log says why. Names come from files
//! alone, and requests are answered from this map, so that no path in a request reaches the file system.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use narrows_core::error::{Place, nearest};
use narrows_core::{Compute, Error};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::served::ServedModel;

const EXTENSION: &str = "narrows";

/// The models being served.
#[derive(Debug)]
pub(crate) struct ModelStore {
    given: Vec<PathBuf>,
    compute: Compute,
    shelf: RwLock<BTreeMap<String, Stocked>>,
}

/// A model and the file that it, or a newer one that failed, came from.
#[derive(Debug, Clone)]
struct Stocked {
    model: Arc<ServedModel>,
    seen: FileState,
}

/// What tells one content of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileState {
    path: PathBuf,
    modified: Option<SystemTime>,
    length: u64,
}

impl FileState {
    fn of(path: &Path) -> std::io::Result<FileState> {
        let metadata = fs::metadata(path)?;
        Ok(FileState { path: path.to_path_buf(), modified: metadata.modified().ok(), length: metadata.len() })
    }
}

impl ModelStore {
    /// Loads all models.
    pub(crate) fn open(given: Vec<PathBuf>, compute: Compute) -> Result<ModelStore, Error> {
        let mut shelf = BTreeMap::new();
        for (name, path) in files(&given)? {
            let seen = FileState::of(&path).map_err(|error| Error::read(&path, error))?;
            let model = Arc::new(ServedModel::load(&name, &path, &compute)?);
            shelf.insert(name, Stocked { model, seen });
        }
        Ok(ModelStore { given, compute, shelf: RwLock::new(shelf) })
    }

    /// Loads what has changed since; each line tells what was done or what went wrong.
    pub(crate) fn refresh(&self) -> Vec<Value> {
        let files = match files(&self.given) {
            Ok(files) => files,
            Err(error) => return vec![json!({"level": "error", "event": "reload", "error": error.to_string()})],
        };
        let mut lines = Vec::new();
        for (name, path) in &files {
            let known = self.stocked(name);
            // A file that is being replaced is there again at the next look.
            let Ok(seen) = FileState::of(path) else { continue };
            if known.as_ref().is_some_and(|known| known.seen == seen) {
                continue;
            }
            match (ServedModel::load(name, path, &self.compute), known) {
                (Ok(model), _) => {
                    let version = model.version.clone();
                    self.put(name, Stocked { model: Arc::new(model), seen });
                    lines.push(json!({"level": "info", "event": "loaded", "model": name, "version": version}));
                }
                (Err(error), Some(known)) => {
                    let kept = known.model.version.clone();
                    self.put(name, Stocked { seen, ..known });
                    let error = error.to_string();
                    lines.push(json!({
                        "level": "error", "event": "reload", "model": name, "kept": kept, "error": error
                    }));
                }
                // Without a model there is nothing to remember the file by, and it is tried again.
                (Err(error), None) => {
                    let error = error.to_string();
                    lines.push(json!({"level": "error", "event": "load", "model": name, "error": error}));
                }
            }
        }
        // A file that was named stays served; a folder is what it holds.
        let in_folders = |stocked: &Stocked| !self.given.contains(&stocked.seen.path);
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        let gone = |(name, stocked): (&String, &Stocked)| {
            (!files.contains_key(name) && in_folders(stocked)).then(|| name.clone())
        };
        for name in shelf.iter().filter_map(gone).collect::<Vec<_>>() {
            shelf.remove(&name);
            lines.push(json!({"level": "info", "event": "unloaded", "model": name}));
        }
        lines
    }

    fn stocked(&self, name: &str) -> Option<Stocked> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn put(&self, name: &str, stocked: Stocked) {
        self.shelf.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), stocked);
    }

    /// All models, by name.
    pub(crate) fn all(&self) -> Vec<Arc<ServedModel>> {
        let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
        shelf.values().map(|stocked| Arc::clone(&stocked.model)).collect()
    }

    /// The model called `name`, of a version if one is asked for.
    pub(crate) fn get(&self, name: &str, version: Option<&str>) -> Result<Arc<ServedModel>, Refusal> {
        let Some(Stocked { model, .. }) = self.stocked(name) else {
            let all = self.all();
            let names: Vec<&str> = all.iter().map(|model| model.name.as_str()).collect();
            let near = nearest(name, names.iter().copied());
            let meant = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let listed = names.iter().take(20).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(Refusal::unknown(format!("model: expected one of {listed}, got `{name}`{meant}")));
        };
        match version {
            Some(asked) if asked != model.version => Err(Refusal::unknown(format!(
                "model `{name}`: expected the version {} that is loaded, got `{asked}`",
                model.version
            ))),
            _ => Ok(model),
        }
    }
}

/// The model files by the names of their models.
fn files(given: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut found = BTreeMap::new();
    for path in given {
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(|error| Error::read(path, error))?;
            for entry in entries.flatten().map(|entry| entry.path()) {
                if entry.extension().is_some_and(|extension| extension == EXTENSION) && entry.is_file() {
                    add(&mut found, entry)?;
                }
            }
        } else {
            add(&mut found, path.clone())?;
        }
    }
    if found.is_empty() {
        let place = Place::source(given.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "));
        return Err(Error::data(place, format!("expected at least one file *.{EXTENSION}, got none"))
            .with_hint("fit a model first: narrows fit DATA -o m.narrows"));
    }
    Ok(found)
}

fn add(found: &mut BTreeMap<String, PathBuf>, path: PathBuf) -> Result<(), Error> {
    let place = || Place::source(path.display().to_string());
    let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned) else {
        return Err(Error::data(place(), "expected a file name in UTF-8, which names the model"));
    };
    match found.get(&name) {
        Some(other) if *other != path => {
            let message = format!("expected another name, as `{name}` is also that of {}", other.display());
            Err(Error::data(place(), message).with_hint("rename one of the files"))
        }
        _ => {
            found.insert(name, path);
            Ok(())
        }
    }
}
