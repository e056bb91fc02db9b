//! A folder as a table: the data files in it and below.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::source::Format;
use crate::error::{Error, Place, Result};

/// The files of a folder.
#[derive(Debug, Default)]
pub(super) struct TableFolder {
    /// The tables, in order of their paths.
    pub(super) tables: Vec<PathBuf>,
    /// Other files, without hidden ones.
    pub(super) others: Vec<PathBuf>,
}

impl TableFolder {
    /// The files in a folder and below, without those whose names or folders begin with `_` or `.`.
    ///
    /// # Errors
    /// [`Error::Read`] for a folder that cannot be read; [`Error::Data`] for tables of several formats, and for none.
    pub(super) fn of(folder: &Path) -> Result<TableFolder> {
        TableFolder::listed(folder)?.checked(folder)
    }

    /// The same of the objects in a folder of a storage and below.
    pub(super) fn of_objects(folder: &Path, objects: Vec<PathBuf>) -> Result<TableFolder> {
        let is_hidden = |path: &PathBuf| {
            let below = path.strip_prefix(folder).unwrap_or(path);
            below.components().any(|part| is_hidden_name(part.as_os_str()))
        };
        TableFolder::of_files(objects.into_iter().filter(|path| !is_hidden(path))).checked(folder)
    }

    fn checked(mut self, folder: &Path) -> Result<TableFolder> {
        let found = &mut self;
        let formats: Vec<Option<Format>> = found.tables.iter().map(|path| Format::of_path(path)).collect();
        let place = || Place::source(folder.display().to_string());
        if found.tables.is_empty() {
            let n = match found.others.len() {
                0 => "no file".to_owned(),
                n => format!("{n} others, first {}", found.others[0].display()),
            };
            let names = Format::ALL.map(|(_, name)| name).join(", ");
            let message =
                format!("expected files of a table ({names}), optionally .gz or .zst, in the folder, got {n}");
            return Err(Error::data(place(), message));
        }
        if let Some(i) = formats.iter().position(|format| *format != formats[0]) {
            let shown = |i: usize| {
                let format = formats[i].map_or_else(String::new, |format| format.to_string());
                format!("{format} ({})", found.tables[i].display())
            };
            let message = format!("expected tables of one format in the folder, got {} and {}", shown(0), shown(i));
            let ending = found.tables[0].extension().and_then(|ending| ending.to_str()).unwrap_or("csv");
            let hint = format!("name those that are meant, such as '{}/**/*.{ending}'", folder.display());
            return Err(Error::data(place(), message).with_hint(hint));
        }
        found.tables.shrink_to_fit();
        Ok(self)
    }

    fn listed(folder: &Path) -> Result<TableFolder> {
        let mut files = Vec::new();
        let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        for entry in entries.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(folder).to_path_buf();
                Error::read(path, error.into())
            })?;
            if entry.file_type().is_file() {
                files.push(entry.into_path());
            }
        }
        Ok(TableFolder::of_files(files))
    }

    /// Files by their names.
    fn of_files(files: impl IntoIterator<Item = PathBuf>) -> TableFolder {
        let mut found = TableFolder::default();
        let mut texts = Vec::new();
        for path in files {
            match Format::of_path(&path) {
                // Beside tables with other endings it is there to be read by people.
                Some(_) if is_plain_text(&path) => texts.push(path),
                Some(_) => found.tables.push(path),
                None => found.others.push(path),
            }
        }
        if found.tables.is_empty() {
            found.tables = texts
        } else {
            found.others.extend(texts)
        }
        found.tables.sort();
        found
    }

    /// Whether a folder holds tables and no images; it is gone through until the first image. Texts (`.txt`) may be anything.
    pub(super) fn has_tables(folder: &Path) -> bool {
        let entries = WalkDir::new(folder).follow_links(true).into_iter();
        let entries = entries.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)).flatten();
        let mut has_tables = false;
        for entry in entries.filter(|entry| entry.file_type().is_file()) {
            if narrows_images::Format::of_path(entry.path()).is_some() {
                return false;
            }
            has_tables |= Format::of_path(entry.path()).is_some() && !is_plain_text(entry.path());
        }
        has_tables
    }

    /// What is told of files that are no tables.
    pub(super) fn note(&self, folder: &Path) -> Option<String> {
        let first = self.others.first()?;
        let n = self.others.len();
        let files = if n == 1 { "file that is no table" } else { "files that are no tables" };
        Some(format!("{}: left out {n} {files}, first {}", folder.display(), first.display()))
    }
}

fn is_plain_text(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("txt"))
}

/// Whether a name is one that engines leave out, such as `_SUCCESS` and `.part-0.crc`.
fn is_hidden(entry: &DirEntry) -> bool {
    is_hidden_name(entry.file_name())
}

fn is_hidden_name(name: &OsStr) -> bool {
    matches!(name.as_encoded_bytes().first(), Some(b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "a\n1\n").unwrap();
        }
        folder
    }

    #[test]
    fn tables_are_found_below_and_marks_of_engines_are_not() {
        let folder =
            folder(&["b=2/x.csv", "b=10/y.csv.gz", "_SUCCESS", "_tmp/z.csv", ".x.csv.crc", "b=2/.z.csv", "notes.md"]);
        let found = TableFolder::of(folder.path()).unwrap();
        let names: Vec<_> = found.tables.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, [Path::new("b=10/y.csv.gz"), Path::new("b=2/x.csv")]);
        assert!(found.note(folder.path()).unwrap().contains("left out 1 file that is no table, first"));
        assert!(TableFolder::has_tables(folder.path()));
    }

    #[test]
    fn a_text_is_a_table_where_there_are_no_others() {
        let texts = folder(&["a.txt", "b.txt"]);
        assert_eq!(TableFolder::of(texts.path()).unwrap().tables.len(), 2);
        assert!(!TableFolder::has_tables(texts.path()));
        let mixed = folder(&["a.parquet", "README.txt"]);
        assert_eq!(TableFolder::of(mixed.path()).unwrap().tables.len(), 1);
    }

    #[test]
    fn folders_of_several_formats_and_of_none_are_refused() {
        let error = TableFolder::of(folder(&["a.csv", "b.parquet"]).path()).unwrap_err();
        assert!(error.to_string().contains("expected tables of one format in the folder, got csv"), "{error}");
        assert!(error.hint_text().unwrap().contains("/**/*.csv"));
        let empty = folder(&["a.md"]);
        let error = TableFolder::of(empty.path()).unwrap_err().to_string();
        assert!(error.contains("expected files of a table (csv, tsv") && error.contains("got 1 others"), "{error}");
        assert!(!TableFolder::has_tables(empty.path()));
    }
}
