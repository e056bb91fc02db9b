//! What the targets share: readers take files, so the bytes become one.

use std::cell::OnceCell;
use std::path::PathBuf;

use narrows_core::data::Source;
use narrows_core::images::{Album, Limits};

/// Rows that a target reads at most, and pixels of an image: what takes long is not what is looked for.
const ROWS: usize = 20_000;
const PIXELS: u64 = 1 << 18;

thread_local! {
    static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

fn file(bytes: &[u8], name: &str) -> PathBuf {
    FOLDER.with(|folder| {
        let path = folder.get_or_init(|| tempfile::tempdir().expect("a temporary folder")).path().join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path
    })
}

/// Reads bytes as a table; the name says the format.
pub fn table(bytes: &[u8], name: &str) {
    let source = Source::parse(&[file(bytes, name).display().to_string()]).expect("a file");
    let Ok(reader) = source.open(100, None) else { return };
    let mut rows = 0;
    for table in reader {
        let Ok(table) = table else { return };
        rows += table.n_rows();
        if rows > ROWS {
            return;
        }
    }
}

/// Reads bytes as images.
pub fn images(bytes: &[u8], name: &str) {
    let limits = Limits { max_pixels: PIXELS, max_bytes: 64 << 20, ..Limits::default() };
    let Ok(album) = Album::open(file(bytes, name), &limits) else { return };
    for i in 0..album.len().min(10) {
        let _ = album.photo(i);
    }
}
