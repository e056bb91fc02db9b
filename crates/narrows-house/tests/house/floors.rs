//! Arrows only go down, between modules and between crates.

use std::collections::BTreeMap;
use std::path::Path;

use narrows_house::{Crate, Rules, crates, table};

const TABLE: &str = "floors.toml";

#[test]
fn every_arrow_goes_down() {
    let rules: BTreeMap<String, Rules> = table(TABLE);
    let crates = crates();
    let mut wrong = Vec::new();
    for krate in &crates {
        match rules.get(&krate.name) {
            Some(rules) => wrong.extend(rules.check(krate)),
            None => wrong.push(format!("{} has no rules", krate.name)),
        }
    }
    let gone = rules.keys().filter(|name| crates.iter().all(|krate| krate.name != **name));
    wrong.extend(gone.map(|name| format!("{name} has rules and is no crate")));
    assert!(wrong.is_empty(), "against crates/narrows-house/tables/{TABLE}:\n{}\n", wrong.join("\n"));
}

/// A crate where every kind of path goes up once, and must be seen.
#[test]
fn no_way_up_is_overlooked() {
    let askew = Crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/askew"));
    let rules: Rules = toml::from_str(
        r#"
        uses = ["narrows-engine::rng"]
        refuses = ["serde"]
        floors = { 1 = ["low", "lost"], 2 = ["middle", "sibling"], 3 = ["high", "high::attic"] }
        sideways = { "middle -> sibling" = "", "sibling -> middle" = "" }
        exceptions = { "middle -> low" = "" }
        "#,
    )
    .unwrap();
    let wrong = rules.check(&askew);
    let wrong: Vec<&str> = wrong
        .iter()
        .map(|line| line.strip_prefix("crates/narrows-house/testdata/askew/src/").unwrap_or(line))
        .collect();
    let expected: Vec<&str> = include_str!("../../testdata/askew/expected.txt").lines().collect();
    assert_eq!(wrong, expected, "{wrong:#?}");
}

/// Rows of both kinds, for the counts.
pub(crate) fn exceptions() -> Vec<(String, usize, usize)> {
    let rules: BTreeMap<String, Rules> = table(TABLE);
    rules.into_iter().map(|(name, rules)| (name, rules.sideways.len(), rules.exceptions.len())).collect()
}
