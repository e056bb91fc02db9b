//! Input files and how to read them, validated before anything is opened.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::delimiter::Delimiter;
use super::encoding::Encoding;
use super::filter::Filter;
use super::limits::ReadLimits;
use super::memory::InMemory;
use super::partitions::Partitions;
use super::pivot::Pivot;
use super::reader::Reader;
use super::sample::RowSample;
use super::schema::Schema;
use super::shard::Shard;
use super::storage::{found, is_folder, shown, size_of, storage_of};
use super::table_folder::TableFolder;
use crate::error::{Error, Place, Result};

/// File format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Delimited text with a detected delimiter; also `.txt`.
    Csv,
    /// Tab-separated text.
    Tsv,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, file or stream; also Feather version 2.
    ArrowIpc,
    /// JSON lines: one object per line; also an array of objects, and documents that hold a table.
    Ndjson,
    /// One NumPy array.
    Npy,
    /// NumPy arrays in a zip: `X` and optionally `y`.
    Npz,
    /// A sheet of a workbook: `.xlsx`, `.xlsm`, `.xlsb`, `.xls` or `.ods`.
    Xlsx,
    /// A table of a SQLite file.
    Sqlite,
}

impl Format {
    /// All formats with their names, in documentation order.
    pub const ALL: [(Format, &'static str); 9] = [
        (Format::Csv, "csv"),
        (Format::Tsv, "tsv"),
        (Format::Parquet, "parquet"),
        (Format::ArrowIpc, "arrow"),
        (Format::Ndjson, "ndjson"),
        (Format::Npy, "npy"),
        (Format::Npz, "npz"),
        (Format::Xlsx, "xlsx"),
        (Format::Sqlite, "sqlite"),
    ];

    /// The format given by a path's extension, ignoring `.gz` and `.zst`.
    pub fn of_path(path: &Path) -> Option<Format> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        // `book.xlsx#Sheet2` names a part of a file, and `https://host/a.csv?key` has parameters.
        match extension.split(['#', '?']).next().unwrap_or_default() {
            "gz" | "zst" | "zstd" => Format::of_path(Path::new(path.file_stem()?)),
            "csv" | "txt" => Some(Format::Csv),
            "tsv" | "tab" => Some(Format::Tsv),
            "parquet" | "pq" => Some(Format::Parquet),
            "arrow" | "arrows" | "ipc" | "feather" => Some(Format::ArrowIpc),
            "ndjson" | "jsonl" | "json" => Some(Format::Ndjson),
            "npy" => Some(Format::Npy),
            "npz" => Some(Format::Npz),
            "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => Some(Format::Xlsx),
            "sqlite" | "sqlite3" | "db" | "db3" => Some(Format::Sqlite),
            _ => None,
        }
    }

    /// The format detected from the first bytes; text that is not JSON is CSV.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Format {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        match Format::of_magic(bytes) {
            Some(format) => format,
            None if text.starts_with(b"{") || is_json_array(text) => Format::Ndjson,
            None => Format::Csv,
        }
    }

    /// The binary format detected from the first bytes.
    pub(super) fn of_magic(bytes: &[u8]) -> Option<Format> {
        match bytes {
            [b'P', b'A', b'R', b'1', ..] => Some(Format::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xff, 0xff, 0xff, 0xff, ..] => Some(Format::ArrowIpc),
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Some(Format::Npy),
            [b'P', b'K', 3, 4, ..] => Some(if is_workbook(bytes) { Format::Xlsx } else { Format::Npz }),
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Some(Format::Xlsx),
            _ if bytes.starts_with(b"SQLite format 3\0") => Some(Format::Sqlite),
            _ => None,
        }
    }

    /// Whether files of this format are text.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Format::Csv | Format::Tsv | Format::Ndjson)
    }
}

/// Whether the first entry of an archive is one of a workbook.
fn is_workbook(bytes: &[u8]) -> bool {
    let name = bytes.get(30..).unwrap_or_default();
    let starts: [&[u8]; 6] = [
        b"[Content_Types].xml",
        b"_rels/",
        b"docProps/",
        b"xl/",
        b"customXml/",
        b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
    ];
    starts.iter().any(|start| name.starts_with(start))
}

/// Whether a bracket starts an array of objects or arrays rather than a cell.
fn is_json_array(text: &[u8]) -> bool {
    text.strip_prefix(b"[").is_some_and(|rest| matches!(rest.trim_ascii_start(), [b'{' | b'[' | b']', ..]))
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Format::ALL.iter().find(|(format, _)| format == self);
        f.write_str(named.map_or("csv", |(_, name)| name))
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        let text =
            if text.eq_ignore_ascii_case("json") || text.eq_ignore_ascii_case("jsonl") { "ndjson" } else { text };
        let known = Format::ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        known.map(|(format, _)| *format).ok_or_else(|| {
            let names: Vec<&str> = Format::ALL.iter().map(|(_, name)| *name).collect();
            format!("expected one of {}, got `{text}`", names.join(", "))
        })
    }
}

/// Whether the first line of a delimited file names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header {
    /// Detected from the first lines; the reader's notes report the result.
    #[default]
    Auto,
    /// The first line is a header.
    Present,
    /// The first line is data; columns are named `column_0` and so on.
    Absent,
}

/// Which columns of a file with types are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TypesRead {
    /// Those that a model may take; others are left out with a note.
    #[default]
    Readable,
    /// All.
    Every,
    /// As `Readable`; in JSON, moreover, the columns that are wanted have the kinds that they have there: each cell is read
    /// by itself, one of another type is missing and told, and no row changes what becomes of another.
    Wanted,
}

/// Files to be read as one table, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The files, globs already expanded; `-` is standard input and can be opened once. A sheet of a workbook or a table
    /// of a database follows the file and `#`.
    pub paths: Vec<PathBuf>,
    /// What `-` is instead of standard input.
    pub memory: Option<InMemory>,
    /// The format; by default from the extension, then from the first bytes.
    pub format: Option<Format>,
    /// The delimiter of a delimited file; by default detected from the first lines.
    pub delimiter: Option<Delimiter>,
    /// Header of a delimited file.
    pub header: Header,
    /// Which columns of a file with types are read.
    pub types: TypesRead,
    /// Lines of a delimited file that start with this character are comments; by default, lines that start with `#` in
    /// front of the table.
    pub comment: Option<u8>,
    /// The encoding of a text file; by default detected.
    pub encoding: Option<Encoding>,
    /// One measurement per row, to be pivoted.
    pub pivot: Option<Pivot>,
    /// Columns in the names of folders.
    pub partitions: Partitions,
    /// Only the rows for which this is true; their numbers stay those of the input.
    pub filter: Option<Filter>,
    /// Only so many rows from the start, of those that the filter keeps.
    pub limit: Option<u64>,
    /// Only a sample of the rows, within the limit.
    pub sample: Option<RowSample>,
    /// Only a part of the rows, whose numbers stay those of the input.
    pub shard: Option<Shard>,
    /// What a file may ask for.
    pub limits: ReadLimits,
    /// What was noted when paths were expanded.
    pub notes: Vec<String>,
}

impl Source {
    /// Expands paths, folders and globs (in the given order, each folder and glob sorted) and checks that every file exists.
    ///
    /// A folder is the tables in it and below, of one format. Below a folder and below the fixed part of a glob, folders
    /// called `key=value` give columns.
    /// Addresses that a provided [`Storage`](super::Storage) serves are paths, too: patterns, and folders, which end in `/`.
    ///
    /// # Errors
    /// [`Error::Read`] for a missing file; [`Error::Data`] for a folder without tables or with several formats, an
    /// invalid pattern or one without matches, files in folders of different keys, and an empty list.
    pub fn parse<S: AsRef<str>>(specs: &[S]) -> Result<Source> {
        // Each file with the folder below which names of folders are columns.
        let mut files: Vec<(PathBuf, PathBuf)> = Vec::new();
        let mut notes = Vec::new();
        for spec in specs {
            let (spec, path) = (spec.as_ref(), Path::new(spec.as_ref()));
            if file_and_part(path).1.is_some() {
                files.push((path.to_path_buf(), path.to_path_buf()));
                continue;
            }
            if let Some((storage, address)) = storage_of(path) {
                let (base, objects) = (fixed_part(path), found(storage, address)?);
                let objects = if is_folder(address) {
                    let folder = TableFolder::of_objects(path, objects)?;
                    notes.extend(folder.note(path));
                    folder.tables
                } else {
                    objects
                };
                files.extend(objects.into_iter().map(|object| (base.clone(), object)));
                continue;
            }
            // An existing file whose name contains `[` or `*` is not a pattern.
            let is_path = spec == "-" || !spec.contains(['*', '?', '[']) || path.exists();
            let (base, matches) = if is_path {
                (path.to_path_buf(), vec![path.to_path_buf()])
            } else {
                (fixed_part(path), expanded(spec)?)
            };
            for path in matches {
                if path.as_os_str() != "-" && checked(&path)?.is_dir() {
                    let folder = TableFolder::of(&path)?;
                    notes.extend(folder.note(&path));
                    files.extend(folder.tables.into_iter().map(|table| (base.clone(), table)));
                } else {
                    files.push((base.clone(), path));
                }
            }
        }
        if files.is_empty() {
            return Err(Error::data(Place::default(), "expected at least one file, got none"));
        }
        if files.iter().filter(|(_, path)| path.as_os_str() == "-").count() > 1 {
            return Err(Error::data(Place::source("stdin"), "`-` is given more than once"));
        }
        let partitions = Partitions::of(files.iter().map(|(base, path)| (base.as_path(), path.as_path())))?;
        let paths = files.into_iter().map(|(_, path)| path).collect();
        Ok(Source { paths, partitions, notes, ..Source::default() })
    }

    /// Whether a folder is one of tables: there are files with the names of tables in it or below, and none of images.
    pub fn is_folder_of_tables(folder: &Path) -> bool {
        folder.is_dir() && TableFolder::has_tables(folder)
    }

    /// Bytes in memory instead of files.
    pub fn in_memory(memory: InMemory) -> Source {
        Source { paths: vec![PathBuf::from("-")], memory: Some(memory), ..Source::default() }
    }

    /// The name of one of the files, for messages.
    pub(super) fn name_of(&self, path: &Path) -> String {
        match &self.memory {
            _ if path.as_os_str() != "-" => shown(path).display().to_string(),
            Some(memory) => memory.name().to_owned(),
            None => "stdin".to_owned(),
        }
    }

    /// An error for a shard of what cannot be divided.
    ///
    /// # Errors
    /// [`Error::Recipe`] for stdin, and with a pivot, a limit or a sample.
    pub fn check_shard(&self) -> Result<()> {
        if self.shard.is_none() {
            return Ok(());
        }
        let given = [
            (self.pivot.is_some(), "rows that are pivoted"),
            (self.limit.is_some(), "the first rows only"),
            (self.sample.is_some(), "a sample of the rows"),
            (self.paths.iter().any(|path| path.as_os_str() == "-") && self.memory.is_none(), "stdin"),
        ];
        match given.into_iter().find(|(is_given, _)| *is_given) {
            Some((_, what)) => {
                Err(Error::recipe("shard", format!("expected files, of which each shard reads its part, got {what}")))
            }
            None => Ok(()),
        }
    }

    /// The files with the bytes that each takes as it is stored.
    ///
    /// # Errors
    /// [`Error::Read`] for a file that is not there.
    pub fn sizes(&self) -> Result<Vec<(String, u64)>> {
        let size = |path: &PathBuf| {
            let (file, _) = file_and_part(path);
            if storage_of(file).is_some() {
                let missing = || Error::read(shown(file), std::io::ErrorKind::NotFound.into());
                return Ok((shown(path).display().to_string(), size_of(file)?.ok_or_else(missing)?));
            }
            let metadata = fs::metadata(file).map_err(|error| Error::read(file, error))?;
            Ok((path.display().to_string(), metadata.len()))
        };
        self.paths.iter().map(size).collect()
    }

    /// The name of the input, for messages: its only file, or how many there are.
    pub(super) fn name(&self) -> String {
        match &self.paths[..] {
            [] => String::new(),
            [only] => self.name_of(only),
            [first, others @ ..] => format!("{} and {} more", self.name_of(first), others.len()),
        }
    }

    /// Opens the files for reading in tables of at most `batch_rows` rows.
    ///
    /// With `wanted`, columnar formats (Parquet, Arrow) and JSON read only these columns.
    ///
    /// # Errors
    /// If the beginning of the first file is invalid; later files are opened when needed.
    pub fn open(&self, batch_rows: usize, wanted: Option<&Schema>) -> Result<Reader> {
        Reader::open(self.clone(), batch_rows, wanted.cloned())
    }
}

/// The file and the part of it that a path names: the sheet of `book.xlsx#Sheet2`, the table of `data.db#orders`.
pub(super) fn file_and_part(path: &Path) -> (&Path, Option<&str>) {
    let split = path.to_str().and_then(|text| text.rsplit_once('#'));
    match split {
        Some((file, part)) if !part.is_empty() && !path.exists() && is_there(Path::new(file)) => {
            (Path::new(file), Some(part))
        }
        _ => (path, None),
    }
}

fn checked(path: &Path) -> Result<fs::Metadata> {
    fs::metadata(path).map_err(|error| Error::read(path, error))
}

/// The folder in front of the first part of a pattern that is not fixed.
fn fixed_part(pattern: &Path) -> PathBuf {
    let is_fixed = |part: &std::path::Component<'_>| {
        !part.as_os_str().as_encoded_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
    };
    pattern.components().take_while(is_fixed).collect()
}

/// Whether a name in front of `#` is that of a file; of an object, by the name alone.
fn is_there(file: &Path) -> bool {
    let has_parts = || matches!(Format::of_path(file), Some(Format::Xlsx | Format::Sqlite));
    file.is_file() || has_parts() && storage_of(file).is_some()
}

/// A name that is not UTF-8 and would match the pattern, which the expansion leaves out.
fn unreadable_name(pattern: &str) -> Option<String> {
    let path = Path::new(pattern);
    let names = glob::Pattern::new(path.file_name()?.to_str()?).ok()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name());
    let mut unreadable = entries.filter(|name| name.to_str().is_none()).map(|name| name.to_string_lossy().into_owned());
    unreadable.find(|name| names.matches(name))
}

fn expanded(pattern: &str) -> Result<Vec<PathBuf>> {
    let place = || Place::source(pattern);
    let matches = glob::glob(pattern).map_err(|error| Error::data(place(), format!("invalid pattern: {error}")))?;
    let (mut paths, mut folders) = (Vec::new(), Vec::new());
    for path in matches {
        let path = path.map_err(|error| {
            let path = error.path().to_path_buf();
            Error::read(path, error.into())
        })?;
        if path.is_dir() { folders.push(path) } else { paths.push(path) }
    }
    if let Some(name) = unreadable_name(pattern) {
        let message = format!("expected names in UTF-8 in its folder, got `{}`", name.escape_debug());
        return Err(Error::data(place(), message).with_hint("rename the file"));
    }
    // Folders beside files are not meant.
    if paths.is_empty() {
        paths = folders;
    }
    if paths.is_empty() {
        return Err(Error::data(place(), "no file matches the pattern"));
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), "a\n1\n").unwrap();
        }
        folder
    }

    fn check_error(spec: &str, expected: &str) {
        let error = Source::parse(&[spec]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn a_name_that_no_pattern_can_hold_is_told() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), "a\n1\n").unwrap();
        std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.txt")), "x").unwrap();
        let pattern = folder.path().join("*.csv").display().to_string();
        assert_eq!(Source::parse(&[&pattern]).unwrap().paths.len(), 1);
        std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.csv")), "a\n1\n").unwrap();
        assert!(Source::parse(&[&pattern]).unwrap_err().to_string().contains("expected names in UTF-8"));
    }

    #[test]
    fn globs_are_expanded_and_sorted() {
        let folder = folder(&["b.csv", "a.csv", "c.txt", "odd[1].csv"]);
        let spec = |name: &str| folder.path().join(name).display().to_string();
        let source = Source::parse(&[spec("c.txt"), spec("?.csv"), spec("odd[1].csv")]).unwrap();
        let names: Vec<_> = source.paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["c.txt", "a.csv", "b.csv", "odd[1].csv"]);
    }

    #[test]
    fn names_of_folders_below_a_folder_or_the_fixed_part_of_a_glob_are_columns() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a=1/b=x", "a=2/b=y"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("part.csv"), "c\n1\n").unwrap();
        }
        let check = |spec: &str, files: usize, keys: &[&str]| {
            let source = Source::parse(&[folder.path().join(spec).display().to_string()]).unwrap();
            assert_eq!(
                (source.paths.len(), source.partitions.keys),
                (files, keys.iter().map(|key| (*key).to_owned()).collect()),
                "{spec}"
            );
        };
        check("", 2, &["a", "b"]);
        check("*/*/*.csv", 2, &["a", "b"]);
        check("a=*", 2, &["a", "b"]);
        check("a=2/*/part.csv", 1, &["b"]);
        check("a=1/b=x/part.csv", 1, &[]);
        fs::write(folder.path().join("top.csv"), "c\n1\n").unwrap();
        assert!(Source::parse(&[folder.path().display().to_string()]).unwrap_err().to_string().contains("the keys"));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let folder = folder(&[]);
        let inside = |name: &str| folder.path().join(name).display().to_string();
        check_error(&inside("none.csv"), "cannot read");
        check_error(&inside("*.csv"), "no file matches the pattern");
        check_error(folder.path().to_str().unwrap(), "expected files of a table (csv, tsv");
        assert!(Source::parse::<&str>(&[]).is_err());
        assert!(Source::parse(&["-", "-"]).is_err());
    }

    #[test]
    fn formats_are_known_by_extension_bytes_and_name() {
        let of = |name: &str| Format::of_path(Path::new(name));
        assert_eq!(of("a.csv.gz"), Some(Format::Csv));
        assert_eq!(of("a.JSONL.zst"), Some(Format::Ndjson));
        assert_eq!(of("a.xlsx"), Some(Format::Xlsx));
        assert_eq!(of("a.xlsx#Sheet 2"), Some(Format::Xlsx));
        assert_eq!(of("a.docx"), None);
        assert_eq!(Format::of_bytes(b"SQLite format 3\0"), Format::Sqlite);
        assert_eq!(Format::of_bytes(b"PAR1\0"), Format::Parquet);
        assert_eq!(Format::of_bytes(b" {\"a\":1}"), Format::Ndjson);
        assert_eq!(Format::of_bytes(b"[\n {\"a\":1}]"), Format::Ndjson);
        assert_eq!(Format::of_bytes(b"[a],[b]\n"), Format::Csv);
        assert_eq!(Format::of_bytes(b"a,b\n"), Format::Csv);
        assert_eq!("json".parse::<Format>(), Ok(Format::Ndjson));
        assert_eq!("Parquet".parse::<Format>(), Ok(Format::Parquet));
        assert!("doc".parse::<Format>().unwrap_err().contains("csv, tsv, parquet"));
    }
}
