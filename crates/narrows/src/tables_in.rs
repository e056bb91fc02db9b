//! Advice for a folder that was named where the tables in it were meant.

use std::path::Path;

use narrows_core::data::Format;

const HEAD: &str = "a folder with images, or without tables, is read as images; for tables, name the files in it";

/// How to name the tables in a folder, by what it holds.
pub(crate) fn hint(folder: &str) -> String {
    let endings = endings(folder);
    let common = endings.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).map(|same| (&same[0], same.len()));
    let folder: String = folder.trim_end_matches('/').chars().filter(|c| !c.is_control()).collect();
    match common {
        Some((ending, n)) => format!("{HEAD}, here {n} of .{ending}: `{folder}/*.{ending}`"),
        None => format!("{HEAD}, such as `{folder}/*.csv`; it holds none at present"),
    }
}

/// The extensions of the tables in a folder, in order.
fn endings(folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut endings: Vec<String> = files.filter_map(|path| ending(&path)).collect();
    endings.sort();
    endings
}

/// The extension of a table, of letters and digits only.
fn ending(path: &Path) -> Option<String> {
    Format::of_path(path)?;
    let ending = path.extension()?.to_str()?;
    ending.chars().all(|c| c.is_ascii_alphanumeric()).then(|| ending.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_kind_of_table_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().display().to_string();
        assert!(hint(&name).contains("holds none at present"));
        for file in ["a.csv", "b.csv", "c.parquet", "d.txt.bak"] {
            std::fs::write(folder.path().join(file), "x").unwrap();
        }
        let found = hint(&format!("{name}/"));
        assert!(found.contains(&format!("2 of .csv: `{name}/*.csv`")), "{found}");
    }
}
