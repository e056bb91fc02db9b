//! Words that the house has given up, in code, comments, messages, templates and pages.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use narrows_house::{Found, files, hold, root, shown, table};
use regex::Regex;
use serde::Deserialize;

const TABLE: &str = "words.toml";

/// Pages beside the sources and templates of all crates.
const PAGES: [&str; 3] = ["README.md", "ARCHITECTURE.md", "docs"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    word: Vec<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    /// A regular expression.
    pattern: String,
    instead: String,
    /// How often it still stands somewhere.
    #[serde(default)]
    known: usize,
    /// Files or folders where it may stand for ever.
    #[serde(default)]
    except: Vec<String>,
}

#[test]
fn no_word_that_was_given_up() {
    let words = table::<Words>(TABLE).word;
    let texts: Vec<(String, String)> = texts()
        .into_iter()
        .map(|file| (shown(&file), String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned()))
        .collect();
    let mut found = Found::new();
    let mut known = BTreeMap::new();
    for word in &words {
        let name = format!("{}, say `{}`", word.pattern, word.instead);
        let pattern = Regex::new(&word.pattern).unwrap();
        let mut places = Vec::new();
        for (file, text) in texts.iter().filter(|(file, _)| !word.except.iter().any(|start| file.starts_with(start))) {
            for (number, line) in text.lines().enumerate() {
                let place = format!("{file}:{}: {}", number + 1, line.trim());
                places.extend(pattern.find_iter(line).map(|_| place.clone()));
            }
        }
        known.insert(name.clone(), word.known);
        found.insert(name, places);
    }
    hold("a word that was given up (the number is `known` in its row)", TABLE, &known, &found);
}

fn texts() -> Vec<PathBuf> {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        crates.flat_map(|folder| [files(&folder.join("src")), files(&folder.join("templates"))]).flatten().collect();
    found.extend(PAGES.iter().flat_map(|page| files(&root().join(page))));
    found.sort();
    found
}
