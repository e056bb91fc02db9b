//! Tables of what is known to be against a rule. They only shrink: what is new fails, and so does what is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// What a rule found: a name, and the places where it is against the rule.
pub type Found = BTreeMap<String, Vec<String>>;

/// Reads a table of this crate.
pub fn table<T: DeserializeOwned>(name: &str) -> T {
    let text = fs::read_to_string(place(name)).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("tables/{name}: {error}"))
}

/// Fails where what was found is not what is `known`, with every difference and the rows to write in the table.
pub fn hold(rule: &str, name: &str, known: &BTreeMap<String, usize>, found: &Found) {
    let keys: BTreeSet<&String> = known.keys().chain(found.keys()).collect();
    let mut wrong = Vec::new();
    for key in keys {
        let places = found.get(key).map_or(&[] as &[String], Vec::as_slice);
        let known = known.get(key).copied().unwrap_or(0);
        match places.len() {
            now if now > known => {
                wrong.push(format!("\"{key}\" = {now} # was {known}\n    {}", places.join("\n    ")));
            }
            0 if known > 0 => wrong.push(format!("\"{key}\": gone, remove its row")),
            now if now < known => wrong.push(format!("\"{key}\" = {now} # was {known}, lower its row")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{rule}\nagainst crates/narrows-house/tables/{name}:\n{}\n", wrong.join("\n"));
}

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tables").join(name)
}
