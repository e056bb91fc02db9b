//! The files of an album.

use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use super::{LeftOut, Skipped};
use crate::{Error, Format, Result};

/// A file with an image extension.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) folder: Option<String>,
}

/// The result of a search.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) files: Vec<Found>,
    /// Folders and files that could not be accessed.
    pub(super) skipped: Vec<Skipped>,
    /// Files with other extensions.
    pub(super) left_out: LeftOut,
}

/// Every image file below `folder`, sorted by path. Links are followed, cycles are not.
pub(super) fn in_folder(folder: &Path) -> Result<Findings> {
    let mut findings = Findings::default();
    let walk = WalkDir::new(folder).follow_links(true).into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.path())) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                let name = slashed(entry.path().strip_prefix(folder).unwrap_or(entry.path()));
                findings.add(entry.into_path(), name);
            }
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_path_buf();
                let name = slashed(path.strip_prefix(folder).unwrap_or(&path));
                if path == folder {
                    return Err(Error::read(path, error.into()));
                }
                findings.skipped.push(Skipped { name, reason: error.to_string() });
            }
        }
    }
    findings.files.sort_by(|a, b| a.path.cmp(&b.path));
    findings.skipped.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(findings)
}

/// Every image file that matches a pattern, sorted by path. Hidden files need an explicit dot.
pub(super) fn matching(pattern: &str) -> Result<Findings> {
    // Not by the library's option for it, which panics at a name that is not UTF-8.
    let matches =
        glob::glob(pattern).map_err(|error| Error::setting(format!("{pattern}: invalid pattern: {error}")))?;
    let parts = || pattern.split(std::path::is_separator).filter(|part| !matches!(*part, "" | "." | ".."));
    let asks_for_hidden = parts().any(|part| part.starts_with('.') && part.contains(['*', '?', '[']));
    let literal = parts().take_while(|part| !part.contains(['*', '?', '['])).count();
    let is_passed_over = |path: &Path| {
        let names = path.components().filter(|part| matches!(part, Component::Normal(_)));
        !asks_for_hidden && names.skip(literal).any(|name| is_hidden(name.as_ref()))
    };
    let mut findings = Findings::default();
    for path in matches {
        match path {
            Ok(path) if path.is_dir() || is_passed_over(&path) => {}
            Ok(path) => {
                let name = slashed(&path);
                findings.add(path, name);
            }
            Err(error) => {
                let reason = format!("cannot read it: {}", error.error());
                findings.skipped.push(Skipped { name: slashed(error.path()), reason });
            }
        }
    }
    findings.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(findings)
}

/// The given files, in order, with any extension, named by their path.
pub(super) fn listed(paths: &[String]) -> Findings {
    let mut findings = Findings::default();
    for path in paths {
        let path = Path::new(path);
        findings.files.push(Found { path: path.to_path_buf(), name: slashed(path), folder: parent_name(path) });
    }
    findings
}

/// One file, with any extension.
pub(super) fn single(path: &Path) -> Findings {
    let name = path.file_name().map_or_else(|| slashed(path), |name| name.to_string_lossy().into_owned());
    let file = Found { path: path.to_path_buf(), name, folder: parent_name(path) };
    Findings { files: vec![file], ..Findings::default() }
}

impl Findings {
    fn add(&mut self, path: PathBuf, name: String) {
        if Format::of_path(&path).is_none() {
            let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
            let extension = extension.unwrap_or_default();
            let left_out = &mut self.left_out;
            let counts = if Format::is_unread(&extension) { &mut left_out.unread } else { &mut left_out.others };
            *counts.entry(extension).or_default() += 1;
            return;
        }
        let folder = parent_name(&path);
        self.files.push(Found { path, name, folder });
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The name of a file's folder, also if the path does not contain it, as in `a.png` or `./a.png`.
fn parent_name(path: &Path) -> Option<String> {
    let parent = path.parent()?;
    let name = parent.file_name().map(|name| name.to_string_lossy().into_owned());
    name.or_else(|| {
        let absolute = std::path::absolute(path).ok()?.canonicalize().ok()?;
        Some(absolute.parent()?.file_name()?.to_string_lossy().into_owned())
    })
}

/// A path with `/` as separator.
fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}
