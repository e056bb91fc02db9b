//! Columns in the names of folders: `country=DE/day=2024-01-01/part-0.parquet`, as Hive, Spark and others lay out tables.
//!
//! Every file has the same keys. Their values are text, whose kind is decided as that of any text; in names, bytes may be
//! written as `%2F`, and `__HIVE_DEFAULT_PARTITION__` is a missing cell.

use std::path::{Component, Path};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};

use super::condition::ColumnTest;
use super::filter::{Filter, is_called};
use super::literal::StoredCell;
use super::outcomes::Outcomes;
use super::schema::listed;
use crate::error::{Error, Place, Result};

const MISSING: &str = "__HIVE_DEFAULT_PARTITION__";

/// The values of a file, by key; none of a file without keys.
pub(super) type PartitionValues = Vec<Option<String>>;

/// The columns in the names of folders, and the values of each file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partitions {
    pub(super) keys: Vec<String>,
    /// By file, in the order of the source's paths.
    pub(super) values: Vec<PartitionValues>,
}

impl Partitions {
    /// The keys and values in the names of the folders between each base and its file.
    ///
    /// # Errors
    /// [`Error::Data`] if a file has other keys than the first one, or a key twice.
    pub(super) fn of<'a>(files: impl IntoIterator<Item = (&'a Path, &'a Path)>) -> Result<Partitions> {
        let mut found = Partitions::default();
        let mut first: Option<&Path> = None;
        for (base, path) in files {
            let (keys, values): (Vec<String>, PartitionValues) = pairs(base, path).into_iter().unzip();
            let Some(first) = first else {
                if let Some((i, key)) = keys.iter().enumerate().find(|(i, key)| keys[..*i].contains(key)) {
                    let message = format!("expected each key once in the names of folders, got `{key}` twice ({i})");
                    return Err(Error::data(Place::source(path.display().to_string()), message));
                }
                (first, found.keys) = (Some(path), keys);
                found.values.push(values);
                continue;
            };
            if keys != found.keys {
                let shown = |keys: &[String]| if keys.is_empty() { "none".to_owned() } else { listed(keys) };
                let (expected, got) = (shown(&found.keys), shown(&keys));
                let message = format!(
                    "expected the keys in the names of folders that {} has, {expected}, got {got}",
                    first.display()
                );
                let hint =
                    "files read together must lie in folders of the same keys, such as country=DE/day=2024-01-01";
                return Err(Error::data(Place::source(path.display().to_string()), message).with_hint(hint));
            }
            found.values.push(values);
        }
        Ok(found)
    }

    /// Whether a filter may match rows of file `i`; what it asks about columns other than those of `shadowed` keys is in the
    /// file.
    pub(super) fn may_match(&self, i: usize, filter: &Filter, shadowed: &[String]) -> bool {
        let outcome = |test: &ColumnTest| {
            let key = self.keys.iter().position(|key| is_called(key, &test.column) && !shadowed.contains(key));
            key.map_or(Outcomes::ANY, |key| test.test.outcome(self.cell(i, key)).0)
        };
        filter.may_match(outcome)
    }

    fn cell(&self, i: usize, key: usize) -> StoredCell<'_> {
        match self.values.get(i).and_then(|values| values.get(key)) {
            Some(Some(text)) => StoredCell::Written(text, false),
            _ => StoredCell::Missing,
        }
    }

    /// The column of a key for rows of file `i`.
    pub(super) fn column(&self, i: usize, key: &str, rows: usize) -> ArrayRef {
        let index = self.keys.iter().position(|known| known == key);
        let value = index.and_then(|index| self.values.get(i)?.get(index)?.as_deref());
        Arc::new(std::iter::repeat_n(value, rows).collect::<StringArray>())
    }
}

/// The keys and values in the folders below `base`.
fn pairs(base: &Path, path: &Path) -> Vec<(String, Option<String>)> {
    let below = path.strip_prefix(base).unwrap_or(Path::new(""));
    let folders = below.parent().into_iter().flat_map(Path::components);
    let pair = |component: Component<'_>| {
        let (key, value) = component.as_os_str().to_str()?.split_once('=')?;
        let value = (value != MISSING).then(|| decoded(value));
        (!key.is_empty()).then(|| (decoded(key), value))
    };
    folders.filter_map(pair).collect()
}

/// A name with bytes such as `%3A` decoded; what is no such byte stays.
fn decoded(name: &str) -> String {
    let bytes = name.as_bytes();
    let (mut decoded, mut i) = (Vec::with_capacity(bytes.len()), 0);
    while i < bytes.len() {
        let byte = name.get(i + 1..i + 3).filter(|_| bytes[i] == b'%');
        match byte.filter(|hex| hex.bytes().all(|c| c.is_ascii_hexdigit())) {
            Some(hex) => {
                decoded.push(u8::from_str_radix(hex, 16).expect("two digits"));
                i += 3;
            }
            None => {
                decoded.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| name.to_owned())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    fn of(paths: &[&str]) -> Result<Partitions> {
        Partitions::of(paths.iter().map(|path| (Path::new("big"), Path::new(*path))))
    }

    #[test]
    fn keys_and_values_are_in_the_names_of_folders() {
        let paths =
            ["big/country=DE/day=2024-01-01/a.csv", "big/country=__HIVE_DEFAULT_PARTITION__/x/day=a%2Fb%/b=1.csv"];
        let found = of(&paths).unwrap();
        assert_eq!(found.keys, ["country", "day"]);
        assert_eq!(found.values[0], [Some("DE".to_owned()), Some("2024-01-01".to_owned())]);
        assert_eq!(found.values[1], [None, Some("a/b%".to_owned())]);
        assert_eq!(found.column(0, "country", 3).as_string::<i32>().value(2), "DE");
        assert_eq!(found.column(1, "country", 2).null_count(), 2);
        assert_eq!(Partitions::of([(Path::new("big/a=1"), Path::new("big/a=1/x.csv"))]).unwrap().keys.len(), 0);
    }

    #[test]
    fn a_file_with_other_keys_is_named() {
        let error = of(&["big/country=DE/a.csv", "big/day=1/b.csv"]).unwrap_err().to_string();
        assert!(error.starts_with("big/day=1/b.csv: expected the keys"), "{error}");
        assert!(error.contains("big/country=DE/a.csv has, `country`, got `day`"), "{error}");
        assert!(of(&["big/a.csv", "big/day=1/b.csv"]).unwrap_err().to_string().contains("none, got `day`"));
        assert!(of(&["big/day=1/day=2/b.csv"]).unwrap_err().to_string().contains("`day` twice"));
    }

    #[test]
    fn files_whose_values_exclude_a_match_are_known() {
        let found =
            of(&["big/day=2024-01-01/n=5/a", "big/day=2024-02-01/n=10/b", "big/day=x/n=__HIVE_DEFAULT_PARTITION__/c"]);
        let found = found.unwrap();
        let check = |filter: &str, shadowed: &[String], expected: [bool; 3]| {
            let filter = filter.parse().unwrap();
            assert_eq!([0, 1, 2].map(|i| found.may_match(i, &filter, shadowed)), expected, "{filter}");
        };
        check("day >= '2024-01-15'", &[], [false, true, false]);
        check("n > 5 and amount > 0", &[], [false, true, false]);
        check("n > 5 or amount > 0", &[], [true, true, true]);
        check("n is null", &[], [false, false, true]);
        check("n = 5", &["n".to_owned()], [true, true, true]);
    }
}
