//! The models by name, loaded from files and loaded again when these change.
//!
//! A file that cannot be loaded changes nothing: the last good model stays, and the log says why, as does the list of models
//! until the file changes again. Names come from files alone, and requests are answered from this map, so that no path in a request reaches the file system.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use narrows_core::error::{Place, nearest};
use narrows_core::{Compute, Error};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::served::ServedModel;

pub(crate) const EXTENSION: &str = "narrows";

/// The models being served.
#[derive(Debug)]
pub(crate) struct ModelStore {
    given: Vec<PathBuf>,
    compute: Compute,
    shelf: RwLock<BTreeMap<String, Arc<ServedModel>>>,
    seen: Mutex<SeenFiles>,
}

/// What the files were like at the last look, whether they could be loaded or not.
#[derive(Debug, Default)]
struct SeenFiles {
    files: BTreeMap<String, FileState>,
    /// Models whose files were not there: a folder may be listed while a file in it is being replaced.
    absent: BTreeSet<String>,
    /// Models that callers have unloaded; their files are left alone.
    unloaded: BTreeSet<String>,
    /// Why the files could not be listed.
    error: Option<String>,
    /// Why files as they are now cannot be loaded, by the names of their models. Without paths: callers read it.
    failures: BTreeMap<String, String>,
}

/// What is known of a model by name: the one that is loaded, or why its file cannot be, or both.
#[derive(Debug)]
pub(crate) struct ListedModel {
    pub(crate) name: String,
    pub(crate) model: Option<Arc<ServedModel>>,
    pub(crate) failure: Option<String>,
}

impl ListedModel {
    /// The state, as Triton has it.
    pub(crate) fn state(&self) -> &'static str {
        if self.model.is_some() { "READY" } else { "UNAVAILABLE" }
    }

    /// What there is to tell, as text.
    pub(crate) fn reason(&self) -> String {
        match (&self.failure, &self.model) {
            (None, Some(_)) => String::new(),
            (None, None) => "unloaded by a request".to_owned(),
            (Some(error), Some(_)) => {
                format!("the file has changed and cannot be loaded, so the model before is still served: {error}")
            }
            (Some(error), None) => format!("the file cannot be loaded: {error}"),
        }
    }

    /// The version that is loaded.
    pub(crate) fn version(&self) -> &str {
        self.model.as_ref().map_or("", |model| model.version.as_str())
    }
}

/// What tells one content of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileState {
    path: PathBuf,
    modified: Option<SystemTime>,
    length: u64,
    /// A file that was renamed into place may have the age of the one before.
    #[cfg(unix)]
    inode: u64,
}

impl FileState {
    fn of(path: &Path) -> std::io::Result<FileState> {
        let metadata = fs::metadata(path)?;
        Ok(FileState {
            path: path.to_path_buf(),
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(&metadata),
        })
    }
}

impl ModelStore {
    /// Loads all models. There may be none where they can be uploaded.
    pub(crate) fn open(given: Vec<PathBuf>, may_be_empty: bool, compute: Compute) -> Result<ModelStore, Error> {
        let (mut shelf, mut seen) = (BTreeMap::new(), SeenFiles::default());
        for (name, path) in files(&given)? {
            if let Ok(state) = FileState::of(&path) {
                seen.files.insert(name.clone(), state);
            }
            let model = ServedModel::load(&name, &path, &compute)?;
            shelf.insert(name, Arc::new(model));
        }
        if shelf.is_empty() && !may_be_empty {
            let names: Vec<String> = given.iter().map(|path| path.display().to_string()).collect();
            let message = format!("expected at least one file *.{EXTENSION}, got none");
            let hint = "fit a model first: narrows fit DATA -o m.narrows";
            return Err(Error::data(Place::source(names.join(", ")), message).with_hint(hint));
        }
        Ok(ModelStore { given, compute, shelf: RwLock::new(shelf), seen: Mutex::new(seen) })
    }

    /// Loads what has changed since the last look; each line tells what was done or what went wrong.
    pub(crate) fn refresh(&self) -> Vec<Value> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let files = match files(&self.given) {
            Ok(files) => files,
            Err(error) => {
                let error = error.to_string();
                // Told once.
                let is_new = seen.error.replace(error.clone()).is_none_or(|before| before != error);
                return if is_new { vec![failed("list", None, &error, None)] } else { Vec::new() };
            }
        };
        let mut lines = Vec::new();
        if seen.error.take().is_some() {
            lines
                .push(json!({"level": "info", "event": "listed", "reason": "the folders of models can be read again"}));
        }
        let served: Vec<_> = files.iter().filter(|(name, _)| !seen.unloaded.contains(*name)).collect();
        for (name, path) in served {
            // A file that is being replaced is there again at the next look.
            let Ok(state) = FileState::of(path) else { continue };
            if seen.files.insert(name.clone(), state.clone()).is_some_and(|before| before == state) {
                continue;
            }
            match ServedModel::load(name, path, &self.compute) {
                Ok(model) => {
                    seen.failures.remove(name);
                    let version = model.version.clone();
                    lines.push(json!({"level": "info", "event": "loaded", "model": name, "version": version}));
                    self.writing().insert(name.clone(), Arc::new(model));
                }
                Err(error) => {
                    let kept = self.reading().get(name).map(|model| model.version.clone());
                    let error = error.to_string();
                    let file = path.file_name().unwrap_or_default().to_string_lossy();
                    let told = error.replace(&path.display().to_string(), &file);
                    seen.failures.insert(name.clone(), told);
                    lines.push(failed("reload", Some(name), &error, kept));
                }
            }
        }
        let is_there = |name: &String| files.contains_key(name);
        seen.files.retain(|name, _| is_there(name));
        seen.unloaded.retain(is_there);
        let failures = seen.failures.len();
        seen.failures.retain(|name, _| is_there(name));
        let is_forgotten = seen.failures.len() < failures;
        let mut shelf = self.writing();
        let absent: BTreeSet<String> = shelf.keys().filter(|name| !files.contains_key(*name)).cloned().collect();
        for name in absent.intersection(&seen.absent) {
            shelf.remove(name);
            lines.push(json!({"level": "info", "event": "unloaded", "model": name}));
        }
        if is_forgotten {
            // So that metrics are told, too.
            lines.push(
                json!({"level": "info", "event": "forgotten", "reason": "files that could not be loaded are gone"}),
            );
        }
        seen.absent = absent;
        lines
    }

    /// The file of a model, whether it is loaded or not.
    pub(crate) fn file_of(&self, name: &str) -> Option<PathBuf> {
        files(&self.given).ok()?.remove(name)
    }

    /// The model of these bytes, which is not served yet.
    pub(crate) fn loaded_of(&self, name: &str, bytes: &[u8]) -> Result<Arc<ServedModel>, Refusal> {
        let model = ServedModel::of_bytes(name, bytes, &self.compute);
        model.map(Arc::new).map_err(|message| Refusal::bad(format!("the body: expected a model file: {message}")))
    }

    /// Serves a model whose file has just been put into its place; whether there was none of its name.
    pub(crate) fn place(&self, name: &str, path: &Path, model: Arc<ServedModel>) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(state) = FileState::of(path) {
            seen.files.insert(name.to_owned(), state);
        }
        seen.failures.remove(name);
        let was_unloaded = seen.unloaded.remove(name);
        self.writing().insert(name.to_owned(), model).is_none() && !was_unloaded
    }

    /// Forgets a model whose file is gone.
    pub(crate) fn take(&self, name: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.files.remove(name);
        seen.failures.remove(name);
        seen.unloaded.remove(name);
        self.writing().remove(name);
    }

    /// Serves a model no more; its file is left alone until [`reload`](ModelStore::reload).
    pub(crate) fn unload(&self, name: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.unloaded.insert(name.to_owned());
        self.writing().remove(name);
    }

    /// Loads a model, whether its file has changed or not; lines as of [`refresh`](ModelStore::refresh).
    pub(crate) fn reload(&self, name: &str) -> Vec<Value> {
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.unloaded.remove(name);
            seen.files.remove(name);
        }
        self.refresh()
    }

    /// All models that are loaded or should be, by name.
    pub(crate) fn listed(&self) -> Vec<ListedModel> {
        let (failures, unloaded) = {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.failures.clone(), seen.unloaded.clone())
        };
        let shelf = self.reading();
        let names: BTreeSet<&String> = shelf.keys().chain(failures.keys()).chain(&unloaded).collect();
        let listed = |name: &String| {
            let (model, failure) = (shelf.get(name).map(Arc::clone), failures.get(name).cloned());
            ListedModel { name: name.clone(), model, failure }
        };
        names.into_iter().map(listed).collect()
    }

    /// Whether the files could be listed at the last look.
    pub(crate) fn are_folders_readable(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).error.is_none()
    }

    fn reading(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<ServedModel>>> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<ServedModel>>> {
        self.shelf.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// All models, by name.
    pub(crate) fn all(&self) -> Vec<Arc<ServedModel>> {
        self.reading().values().map(Arc::clone).collect()
    }

    /// The model called `name`, of a version if one is asked for.
    pub(crate) fn get(&self, name: &str, version: Option<&str>) -> Result<Arc<ServedModel>, Refusal> {
        let found = self.reading().get(name).map(Arc::clone);
        let Some(model) = found else {
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

/// A line of the log about a file that could not be used.
fn failed(event: &str, model: Option<&str>, error: &str, kept: Option<String>) -> Value {
    json!({"level": "error", "event": event, "model": model, "error": error, "kept": kept})
}

/// The model files by the names of their models. A file that was named is among them even if it is gone.
fn files(given: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut found = BTreeMap::new();
    for path in given {
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(|error| Error::read(path, error))?;
            for entry in entries.flatten().map(|entry| entry.path()) {
                // Hidden files are of editors and file systems.
                let is_hidden = entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                let is_model = entry.extension().is_some_and(|extension| extension == EXTENSION);
                if is_model && !is_hidden && entry.is_file() {
                    add(&mut found, entry)?;
                }
            }
        } else {
            add(&mut found, path.clone())?;
        }
    }
    Ok(found)
}

fn add(found: &mut BTreeMap<String, PathBuf>, path: PathBuf) -> Result<(), Error> {
    let shown = path.display().to_string();
    let place = || Place::source(&shown);
    let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned) else {
        return Err(Error::data(place(), "expected a file name in UTF-8, which names the model"));
    };
    let Some(other) = found.get(&name) else {
        found.insert(name, path);
        return Ok(());
    };
    let is_same = match (fs::canonicalize(other), fs::canonicalize(&path)) {
        (Ok(one), Ok(two)) => one == two,
        _ => *other == path,
    };
    let other = other.display();
    Err(match is_same {
        true => {
            let message = format!("expected each model file once, got this one twice, also as {other}");
            Error::data(place(), message).with_hint("name it once, or the folder that it is in")
        }
        false => {
            let message = format!("expected another name, as `{name}` is also that of {other}");
            Error::data(place(), message).with_hint("rename one of the files: it names the model")
        }
    })
}
