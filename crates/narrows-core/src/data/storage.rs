//! Where data lies other than on disk: the seam between the library, which opens no connection, and a storage that serves
//! addresses such as `s3://bucket/key`.
//!
//! A program provides one storage, once; from then on every function that takes the path of a table, a model or an output
//! takes such an address, too. Objects are read by ranges, so that of a large one only what is needed is fetched, and
//! written as a whole: nothing is visible before the upload is finished.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::error::{Error, Place, Result};

/// Serves addresses by their schemes. All calls block; errors say what to do, without the address.
pub trait Storage: Send + Sync + Debug {
    /// Whether this storage is responsible for an address.
    fn serves(&self, address: &str) -> bool;

    /// The addresses of the objects that an address names: those in a folder if it ends in `/`, those that match if it is a
    /// pattern, else itself, whether or not it is there.
    ///
    /// # Errors
    /// If they cannot be listed.
    fn find(&self, address: &str) -> io::Result<Vec<String>>;

    /// Opens an object for reading.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    fn open(&self, address: &str) -> io::Result<Arc<dyn StoredObject>>;

    /// Begins to write an object.
    ///
    /// # Errors
    /// If it is known already that it cannot be written.
    fn create(&self, address: &str) -> io::Result<Box<dyn Upload>>;

    /// Gives up all uploads that are not finished, and begins no other: called before the process ends early.
    fn abandon(&self);
}

/// An object open for reading.
pub trait StoredObject: Send + Sync + Debug {
    /// Bytes as stored.
    fn size(&self) -> u64;

    /// Whether parts can be read by themselves.
    fn has_ranges(&self) -> bool;

    /// All bytes from the start.
    ///
    /// # Errors
    /// The storage's.
    fn stream(&self) -> io::Result<Box<dyn Read + Send>>;

    /// The bytes of these ranges, in the given order, as few requests as that takes.
    ///
    /// # Errors
    /// The storage's; `Unsupported` without ranges.
    fn ranges(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>>;
}

/// An object being written, which is there only once it is finished. Dropping it before leaves nothing behind.
pub trait Upload: Write + Send {
    /// Makes the object visible, as a whole.
    ///
    /// # Errors
    /// The storage's; what was there before is then unchanged.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

static PROVIDED: OnceLock<Arc<dyn Storage>> = OnceLock::new();

/// Lets paths be addresses that `storage` serves, for the rest of the process. The first call counts; later ones return
/// `false`.
pub fn provide(storage: Arc<dyn Storage>) -> bool {
    PROVIDED.set(storage).is_ok()
}

/// Gives up all unfinished uploads: for a handler that ends the process.
pub fn abandon_uploads() {
    if let Some(storage) = PROVIDED.get() {
        storage.abandon();
    }
}

/// The storage of a path and the path as an address; `None` for files on disk.
pub(crate) fn storage_of(path: &Path) -> Option<(&'static dyn Storage, &str)> {
    let address = path.to_str().filter(|text| text.contains("://"))?;
    let storage = PROVIDED.get().filter(|storage| storage.serves(address))?;
    // A file may be called so, however unlikely that is.
    (!path.exists()).then_some((&**storage, address))
}

/// Whether a path is an address that the provided storage serves.
pub fn is_stored(path: impl AsRef<Path>) -> bool {
    storage_of(path.as_ref()).is_some()
}

/// The size of a file on disk or of a stored object, as it is stored; `None` if it is not there.
///
/// # Errors
/// [`Error::Read`] if a storage does not tell.
pub fn size_of(path: impl AsRef<Path>) -> Result<Option<u64>> {
    let path = path.as_ref();
    match storage_of(path) {
        None => Ok(std::fs::metadata(path).ok().map(|metadata| metadata.len())),
        Some((storage, address)) => match storage.open(address) {
            Ok(object) => Ok(Some(object.size())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::read(shown(path), error)),
        },
    }
}

/// The names of the objects in a folder of a storage, without those below it and those that begin with `_` or `.`.
///
/// # Errors
/// [`Error::Read`] if they cannot be listed or no storage serves the folder.
pub fn stored_names(folder: impl AsRef<Path>) -> Result<Vec<String>> {
    let folder = folder.as_ref();
    let found = match storage_of(folder) {
        None => Err(io::Error::new(io::ErrorKind::Unsupported, "expected the address of a folder")),
        Some((storage, address)) => {
            let address = format!("{}/", address.trim_end_matches('/'));
            let inside =
                |found: String| found.strip_prefix(&address).filter(|name| !name.contains('/')).map(str::to_owned);
            storage.find(&address).map(|found| found.into_iter().filter_map(inside).collect())
        }
    };
    found.map_err(|error| Error::read(shown(folder), error))
}

/// A file on disk, or a stored object copied into a temporary file, which is deleted when it is closed.
///
/// # Errors
/// [`Error::Read`].
pub fn open_file(path: impl AsRef<Path>) -> Result<File> {
    let path = path.as_ref();
    let opened = match storage_of(path) {
        None => File::open(path),
        Some((storage, address)) => storage.open(address).and_then(|object| {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut object.stream()?, &mut file)?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        }),
    };
    opened.map_err(|error| Error::read(shown(path), error))
}

/// A path as messages, reports and models name it: an address without what it may hold that is secret, the user in front
/// of `@` and the parameters behind `?`.
pub fn shown(path: &Path) -> PathBuf {
    let Some((_, address)) = storage_of(path) else { return path.to_path_buf() };
    let Some((scheme, rest)) = address.split_once("://").filter(|(scheme, _)| scheme.starts_with("http")) else {
        return path.to_path_buf();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, key) = rest.split_once('/').map_or((rest, None), |(host, key)| (host, Some(key)));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    PathBuf::from(key.map_or_else(|| format!("{scheme}://{host}"), |key| format!("{scheme}://{host}/{key}")))
}

/// Whether an address is that of a folder, which ends in `/`, or of a whole bucket.
pub(super) fn is_folder(address: &str) -> bool {
    address.ends_with('/') || address.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'))
}

/// The objects that an address names, in the order in which files on disk are sorted.
pub(super) fn found(storage: &dyn Storage, address: &str) -> Result<Vec<PathBuf>> {
    let path = Path::new(address);
    let found = storage.find(address).map_err(|error| Error::read(shown(path), error))?;
    if found.is_empty() {
        let what = if is_folder(address) { "the folder holds no object" } else { "no object matches the pattern" };
        return Err(Error::data(Place::source(shown(path).display().to_string()), what));
    }
    let mut found: Vec<PathBuf> = found.into_iter().map(PathBuf::from).collect();
    found.sort();
    Ok(found)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;
    use std::io::Cursor;
    use std::sync::Mutex;

    use super::*;
    use crate::data::{Column, ColumnKind, Schema, Source, Table};
    use crate::output::{RowWriter, TableWriter};

    /// Objects in memory, under `kept://`, which count the bytes that are read of them.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct KeptStorage {
        objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
        /// Bytes and requests.
        read: Arc<Mutex<(u64, u64)>>,
    }

    #[derive(Debug)]
    struct KeptObject {
        bytes: Bytes,
        read: Arc<Mutex<(u64, u64)>>,
    }

    struct KeptUpload {
        address: String,
        bytes: Vec<u8>,
        storage: KeptStorage,
    }

    impl KeptStorage {
        /// The one of this process.
        pub(crate) fn provided() -> KeptStorage {
            static KEPT: OnceLock<KeptStorage> = OnceLock::new();
            let kept = KEPT.get_or_init(KeptStorage::default).clone();
            provide(Arc::new(kept.clone()));
            kept
        }

        pub(crate) fn put(&self, address: &str, bytes: impl Into<Bytes>) {
            self.objects.lock().unwrap().insert(address.to_owned(), bytes.into());
        }

        fn get(&self, address: &str) -> Option<Bytes> {
            self.objects.lock().unwrap().get(address).cloned()
        }
    }

    impl Storage for KeptStorage {
        fn serves(&self, address: &str) -> bool {
            address.starts_with("kept://") || address.starts_with("http+kept://")
        }

        fn find(&self, address: &str) -> io::Result<Vec<String>> {
            let pattern = glob::Pattern::new(&address.replace("/**", "*")).unwrap();
            let objects = self.objects.lock().unwrap();
            Ok(match (address.strip_suffix('/'), address.contains('*')) {
                (Some(_), _) => objects.keys().filter(|key| key.starts_with(address)).cloned().collect(),
                (None, true) => objects.keys().filter(|key| pattern.matches(key)).cloned().collect(),
                (None, false) => vec![address.to_owned()],
            })
        }

        fn open(&self, address: &str) -> io::Result<Arc<dyn StoredObject>> {
            let bytes = self.get(address).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such object"))?;
            Ok(Arc::new(KeptObject { bytes, read: self.read.clone() }))
        }

        fn create(&self, address: &str) -> io::Result<Box<dyn Upload>> {
            if address.contains("denied") {
                return Err(io::Error::other("access is denied"));
            }
            Ok(Box::new(KeptUpload { address: address.to_owned(), bytes: Vec::new(), storage: self.clone() }))
        }

        fn abandon(&self) {}
    }

    impl StoredObject for KeptObject {
        fn size(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn has_ranges(&self) -> bool {
            true
        }

        fn stream(&self) -> io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(Cursor::new(self.bytes.clone())))
        }

        fn ranges(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
            let mut read = self.read.lock().unwrap();
            read.1 += 1;
            let part = |range: &Range<u64>| {
                read.0 += range.end - range.start;
                self.bytes.slice(range.start as usize..range.end as usize)
            };
            Ok(ranges.iter().map(part).collect())
        }
    }

    impl Write for KeptUpload {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.bytes.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Upload for KeptUpload {
        fn finish(self: Box<Self>) -> io::Result<()> {
            self.storage.put(&self.address, self.bytes);
            Ok(())
        }
    }

    fn read(spec: &str) -> Table {
        Source::parse(&[spec]).unwrap().open(100, None).unwrap().read_all().unwrap()
    }

    #[test]
    fn addresses_are_read_like_files_and_sorted_like_them() {
        let kept = KeptStorage::provided();
        for (name, bytes) in [("b.csv", &b"x,y\n3,4\n"[..]), ("a.csv", b"x,y\n1,2\n"), ("odd.txt", b"z\n")] {
            kept.put(&format!("kept://tables/{name}"), bytes);
        }
        let zipped = zstd::encode_all(&b"x,y\n5,6\n"[..], 1).unwrap();
        kept.put("kept://tables/deep/c.csv.zst", zipped);
        let table = read("kept://tables/*.csv");
        assert_eq!((table.n_rows(), table.names(), table.source()), (2, vec!["x", "y"], "kept://tables/a.csv"));
        assert_eq!(read("kept://tables/deep/").n_rows(), 1);
        let error = Source::parse(&["kept://tables/*.parquet"]).unwrap_err().to_string();
        assert_eq!(error, "kept://tables/*.parquet: no object matches the pattern");
        let error = Source::parse(&["kept://none/"]).unwrap_err().to_string();
        assert_eq!(error, "kept://none/: the folder holds no object");
        let error = Source::parse(&["kept://tables/none.csv"]).unwrap().open(1, None).err().unwrap().to_string();
        assert_eq!(error, "cannot read kept://tables/none.csv: no such object");
        assert_eq!(size_of("kept://tables/a.csv").unwrap(), Some(8));
        assert_eq!(size_of("kept://tables/none.csv").unwrap(), None);
    }

    #[test]
    fn an_output_is_there_when_it_is_finished_and_not_before() {
        let kept = KeptStorage::provided();
        let rows = Table::from_columns(vec![("x", vec![1.0, 2.0])]).unwrap();
        for name in ["a.csv", "a.csv.gz", "a.parquet", "a.arrow"] {
            let address = format!("kept://outputs/{name}");
            let mut writer = TableWriter::create(&address).unwrap();
            writer.write(rows.batch()).unwrap();
            assert_eq!(kept.get(&address), None);
            writer.finish().unwrap();
            assert_eq!(read(&address).n_rows(), 2, "{name}");
        }
        let mut dropped = TableWriter::create("kept://outputs/dropped.csv").unwrap();
        dropped.write(rows.batch()).unwrap();
        drop(dropped);
        assert_eq!(kept.get("kept://outputs/dropped.csv"), None);
        let error = TableWriter::create("kept://denied/a.csv").err().unwrap().to_string();
        assert_eq!(error, "cannot write kept://denied/a.csv: access is denied");
        let error = RowWriter::create("kept://outputs/rows.csv", crate::data::Format::Csv).err().unwrap().to_string();
        assert!(error.contains("a file on disk for rows as they come"), "{error}");
    }

    /// Rows in two groups.
    #[cfg(feature = "parquet")]
    fn wide_parquet(columns: usize, rows: usize) -> Vec<u8> {
        use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
        let cells = |c: usize| (0..rows).map(|i| (i * (c + 7)) as f64 * 0.37).collect::<Vec<f64>>();
        let names: Vec<String> = (0..columns).map(|c| format!("c{c}")).collect();
        let table = Table::from_columns(names.iter().enumerate().map(|(c, name)| (name.as_str(), cells(c))).collect());
        let batch = table.unwrap().batch().clone();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows / 2)).build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes
    }

    #[test]
    #[cfg(feature = "parquet")]
    fn of_a_parquet_object_only_the_wanted_columns_are_fetched() {
        let bytes = wide_parquet(20, 40_000);
        let whole = bytes.len() as u64;
        let kept = KeptStorage::provided();
        kept.put("kept://wide/t.parquet", bytes.clone());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        std::fs::write(&path, &bytes).unwrap();
        let wanted = Schema { columns: ["c3", "c17"].map(|name| Column::new(name, ColumnKind::Numeric)).into() };
        // Of which some lie in two row groups.
        let batch_rows = 1024;
        let local =
            Source::parse(&[path.display().to_string()]).unwrap().open(batch_rows, Some(&wanted)).unwrap().read_all();
        let (bytes_before, requests_before) = *kept.read.lock().unwrap();
        let source = Source::parse(&["kept://wide/t.parquet"]).unwrap();
        let stored = source.open(batch_rows, Some(&wanted)).unwrap().read_all().unwrap();
        assert_eq!(stored.batch(), local.unwrap().batch());
        let (bytes_after, requests_after) = *kept.read.lock().unwrap();
        let (fetched, requests) = (bytes_after - bytes_before, requests_after - requests_before);
        assert!(fetched < whole / 5, "{fetched} of {whole} bytes");
        // The footer, and each row group once.
        assert_eq!(requests, 3);
    }

    #[test]
    fn what_may_be_secret_in_an_address_is_not_shown() {
        KeptStorage::provided();
        let shown = |text: &str| shown(Path::new(text)).display().to_string();
        assert_eq!(shown("http+kept://me:secret@host:80/a/b.csv?signature=x#y"), "http+kept://host:80/a/b.csv");
        assert_eq!(shown("http+kept://host?x"), "http+kept://host");
        assert_eq!(shown("kept://bucket/odd?key"), "kept://bucket/odd?key");
        assert_eq!(shown("a.csv"), "a.csv");
        assert!(is_folder("kept://bucket/a/") && is_folder("kept://bucket") && !is_folder("kept://bucket/a"));
    }
}
