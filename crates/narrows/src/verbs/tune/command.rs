//! The command line for the header of the recipe file, without flags that do not affect the recipe, so that a resumed
//! search writes the same file as an uninterrupted one.

use crate::shell;

/// Flags that do not affect the recipe, and whether they take a value.
const IDLE: [(&str, bool); 11] = [
    ("--resume", false),
    ("--force", false),
    ("-f", false),
    ("--quiet", false),
    ("-q", false),
    ("--json", false),
    ("--time", true),
    ("--journal", true),
    ("--output", true),
    ("-o", true),
    ("--threads", true),
];

/// The command line for these arguments, which exclude the program name.
pub(super) fn typed(words: impl Iterator<Item = String>) -> String {
    let mut line = vec!["narrows".to_owned()];
    let mut skips = false;
    for word in words {
        if std::mem::take(&mut skips) {
            continue;
        }
        let (flag, has_value) = match word.split_once('=') {
            Some((flag, _)) => (flag, true),
            None => (word.as_str(), false),
        };
        match IDLE.iter().find(|(idle, _)| *idle == flag) {
            Some((_, takes_value)) => skips = *takes_value && !has_value,
            None => line.push(shell::word(&word)),
        }
    }
    line.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], expected: &str) {
        assert_eq!(typed(words.iter().map(|word| (*word).to_owned())), expected);
    }

    #[test]
    fn a_line_stays_a_line() {
        check(&["tune", "a\nseed = 5.csv"], "narrows tune $'a\\u000aseed = 5.csv'");
    }

    #[test]
    fn what_changes_nothing_is_left_out() {
        check(
            &["tune", "a b.csv", "--time", "5m", "--seed=3", "--journal=j", "-q", "-o", "x.toml", "--resume"],
            "narrows tune 'a b.csv' --seed=3",
        );
        check(
            &["tune", "it's.csv", "--set", "backbone.nodes=[3]"],
            "narrows tune 'it'\\''s.csv' --set 'backbone.nodes=[3]'",
        );
    }
}
