//! A file has one noun, so it is short, and opens with what it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use narrows_house::{Found, crates, files, hold, root, shown, table};

const TABLE: &str = "files.toml";

/// Lines of a file that are neither blank nor its tests.
const MOST_LINES: usize = 400;

#[test]
fn no_file_is_too_long() {
    let long = sources().into_iter().filter(|file| lines(file) > MOST_LINES).map(|file| shown(&file));
    let found: Found = long.map(|file| (file.clone(), vec![file])).collect();
    hold("a file has more than 400 lines that are neither blank nor its tests", TABLE, &table(TABLE), &found);
}

#[test]
fn every_file_opens_with_what_it_is() {
    let silent = sources().into_iter().filter(|file| !fs::read_to_string(file).unwrap().starts_with("//!"));
    let silent: Vec<String> = silent.map(|file| shown(&file)).collect();
    assert!(silent.is_empty(), "without `//!` at the head:\n{}\n", silent.join("\n"));
}

/// What no `mod` leads to is not compiled, and no other rule sees it. Files of tests are, by their `mod` under `cfg(test)`.
#[test]
fn every_file_is_a_module() {
    let reached: BTreeSet<PathBuf> =
        crates().iter().flat_map(|krate| krate.modules.iter().map(|module| module.file.clone())).collect();
    let named = |file: &PathBuf| {
        let name = format!("mod {};", file.file_stem().unwrap().display());
        let beside = files(file.parent().unwrap());
        beside.iter().any(|other| other != file && fs::read_to_string(other).unwrap().contains(&name))
    };
    let lost: Vec<String> = sources()
        .iter()
        .filter(|file| !reached.contains(*file) && !file.ends_with("src/main.rs") && !named(file))
        .map(|file| shown(file))
        .collect();
    assert!(lost.is_empty(), "no `mod` leads to these files:\n{}\n", lost.join("\n"));
}

/// The source files of all crates.
pub(crate) fn sources() -> Vec<PathBuf> {
    let folders = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src"));
    let mut found: Vec<PathBuf> = folders.flat_map(|src| files(&src)).collect();
    found.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    found.sort();
    found
}

/// Lines that are neither blank nor the file's tests.
pub(crate) fn lines(file: &PathBuf) -> usize {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim().is_empty()).count()
}
