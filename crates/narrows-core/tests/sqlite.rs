//! Tables of SQLite files, with the feature `sqlite`. A binary of its own, so that it is built alone.

use narrows_core::Result;
use narrows_core::data::{Reader, Source};
use rusqlite::Connection;

/// The folder is deleted when the test ends.
fn open(script: &str, part: &str) -> (tempfile::TempDir, Result<Reader>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    Connection::open(&path).unwrap().execute_batch(script).unwrap();
    let spec = format!("{}{part}", path.display());
    let reader = Source::parse(&[spec]).and_then(|source| source.open(2, None));
    (folder, reader)
}

const TWO: &str = "CREATE TABLE a (x INTEGER, y TEXT); INSERT INTO a VALUES (1, 'q'), (2, NULL), (3, x'00');
                   CREATE TABLE \"b c\" (z REAL); INSERT INTO \"b c\" VALUES (0.5);";

#[test]
fn tables_are_read_by_name() {
    let (_folder, reader) = open(TWO, "#a");
    let mut reader = reader.unwrap();
    let table = reader.read_all().unwrap();
    assert_eq!((table.n_rows(), table.names()), (3, vec!["x", "y"]));
    assert!(reader.warnings()[0].ends_with("1 binary cells are read as missing"));
    let (_folder, reader) = open(TWO, "#b c");
    assert_eq!(reader.unwrap().read_all().unwrap().n_rows(), 1);
}

#[test]
fn several_tables_are_listed() {
    let error = open(TWO, "").1.err().unwrap();
    assert!(error.to_string().ends_with("expected the name of a table, as there are 2"), "{error}");
    assert!(error.hint_text().unwrap().contains("t.db#a"));
    assert!(open(TWO, "#d").1.err().unwrap().to_string().ends_with("there is no table `d`"));
}
