//! What a run tells besides its result: notes, warnings, what was left out, counts. `--json` repeats it as data.
//!
//! Kept for the process, as a run is one process, and its parts tell things wherever they find them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Serialize;

static TOLD: Mutex<Told> = Mutex::new(Told::new());

/// Everything told so far.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Told {
    /// Counts by what was counted, such as `rows`.
    #[serde(flatten)]
    counts: BTreeMap<&'static str, u64>,
    notes: Vec<String>,
    warnings: Vec<String>,
    /// Inputs that were left out, with the reason.
    skipped: Vec<Skipped>,
    /// Whether a result was printed as JSON.
    #[serde(skip)]
    has_printed: bool,
    /// Whether the data went to stdout.
    #[serde(skip)]
    has_streamed: bool,
}

/// An input that was left out.
#[derive(Debug, Clone, Serialize)]
struct Skipped {
    name: String,
    reason: String,
}

impl Told {
    const fn new() -> Told {
        Told {
            counts: BTreeMap::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
            skipped: Vec::new(),
            has_printed: false,
            has_streamed: false,
        }
    }

    /// A result as JSON with what was told: an object gets the fields `notes` and `warnings`, and `skipped` if there is
    /// something; lists that it has are extended. By lines, so that fields keep their order and numbers their digits.
    fn added_to(&self, result: &impl Serialize) -> String {
        let text = serde_json::to_string_pretty(result).expect("plain data with text keys");
        let Some(open) = text.strip_suffix('}').map(str::trim_end).filter(|_| text.starts_with('{')) else {
            return text;
        };
        let mut lines: Vec<String> = open.lines().map(str::to_owned).collect();
        extend(&mut lines, "notes", &self.notes);
        extend(&mut lines, "warnings", &self.warnings);
        if !self.skipped.is_empty() {
            extend(&mut lines, "skipped", &self.skipped);
        }
        format!("{}\n}}", lines.join("\n"))
    }
}

/// Extends a list of the object whose lines these are, or adds it.
fn extend(lines: &mut Vec<String>, key: &str, told: &[impl Serialize]) {
    let told = told.iter().map(|told| format!("    {}", serde_json::to_string(told).expect("plain data")));
    let start = lines
        .iter()
        .position(|line| line.strip_prefix("  \"").is_some_and(|line| line.starts_with(&format!("{key}\": ["))));
    let Some(start) = start else {
        if let Some(last) = lines.last_mut().filter(|line| *line != "{") {
            last.push(',');
        }
        let told: Vec<String> = told.collect();
        lines.push(if told.is_empty() {
            format!("  \"{key}\": []")
        } else {
            format!("  \"{key}\": [\n{}\n  ]", told.join(",\n"))
        });
        return;
    };
    let is_end = |line: &String| matches!(line.as_str(), "  ]" | "  ],");
    let is_short = lines[start].trim_end_matches(',').ends_with("[]");
    let end = if is_short { start } else { start + lines[start..].iter().position(is_end).unwrap_or(0) };
    let known = |told: &String| lines[start..=end].iter().any(|line| line.trim_end_matches(',') == told);
    let new: Vec<String> = told.filter(|told| !known(told)).collect();
    if new.is_empty() {
        return;
    }
    if start == end {
        let (open, close) = lines[start].split_at(lines[start].rfind(']').expect("a list on one line"));
        lines[start] = format!("{open}\n{}\n  {close}", new.join(",\n"));
    } else {
        lines.insert(start + 1, format!("{},", new.join(",\n")));
    }
}

fn with<T>(change: impl FnOnce(&mut Told) -> T) -> T {
    change(&mut TOLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// Remembers a note; whether it is new.
pub(crate) fn note(text: &str) -> bool {
    with(|told| add(&mut told.notes, text))
}

/// Remembers a warning; whether it is new.
pub(crate) fn warning(text: &str) -> bool {
    with(|told| add(&mut told.warnings, text))
}

fn add(list: &mut Vec<String>, text: &str) -> bool {
    let is_new = !list.iter().any(|told| told == text);
    if is_new {
        list.push(text.to_owned());
    }
    is_new
}

/// Remembers an input that was left out.
pub(crate) fn skipped(name: &str, reason: &str) {
    with(|told| told.skipped.push(Skipped { name: name.to_owned(), reason: reason.to_owned() }));
}

/// Adds to a count.
pub(crate) fn count(what: &'static str, n: u64) {
    with(|told| *told.counts.entry(what).or_default() += n);
}

/// Remembers that stdout holds the data.
pub(crate) fn streamed() {
    with(|told| told.has_streamed = true);
}

/// A result as JSON, with everything told.
pub(crate) fn result(value: &impl Serialize) -> String {
    with(|told| {
        told.has_printed = true;
        told.added_to(value)
    })
}

/// Where what a run without a JSON result has told goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// To stdout, as its result.
    Result(String),
    /// To stderr, as stdout holds the data.
    Beside(String),
}

/// What a run has told that no JSON result has repeated.
pub(crate) fn rest() -> Option<Rest> {
    with(|told| {
        let text = serde_json::to_string(told).expect("plain data");
        let has_lists = !(told.notes.is_empty() && told.warnings.is_empty() && told.skipped.is_empty());
        match (told.has_printed, told.has_streamed) {
            (true, _) => None,
            (false, false) => Some(Rest::Result(text)),
            (false, true) => has_lists.then_some(Rest::Beside(text)),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_gets_what_was_told_beside_what_it_has() {
        let told = Told {
            notes: vec!["a".to_owned(), "b".to_owned()],
            skipped: vec![Skipped { name: "x".to_owned(), reason: "why".to_owned() }],
            ..Told::new()
        };
        let check = |result: serde_json::Value, expected: serde_json::Value| {
            let text = told.added_to(&result);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), expected, "{text}");
        };
        let skipped = json!([{"name": "x", "reason": "why"}]);
        let all = json!({"n": 1, "notes": ["a", "b"], "warnings": [], "skipped": skipped});
        check(json!({"n": 1}), all.clone());
        check(json!({"n": 1, "notes": []}), all.clone());
        check(
            json!({"n": 1, "notes": ["b"], "warnings": []}),
            json!({"n": 1, "notes": ["a", "b"], "warnings": [], "skipped": skipped}),
        );
        check(
            json!({"warnings": ["w", "v"], "notes": ["c"]}),
            json!({"notes": ["a", "b", "c"], "warnings": ["w", "v"], "skipped": skipped}),
        );
        check(json!({}), json!({"notes": ["a", "b"], "warnings": [], "skipped": skipped}));
        check(json!([3]), json!([3]));
        let told = Told { counts: BTreeMap::from([("rows", 3)]), ..Told::new() };
        assert_eq!(json!(told), json!({"rows": 3, "notes": [], "warnings": [], "skipped": []}));
    }

    #[test]
    fn numbers_keep_their_digits_and_fields_their_order() {
        #[derive(Serialize)]
        struct Result {
            z: f32,
            a: u8,
        }
        let text = Told::new().added_to(&Result { z: 0.1, a: 1 });
        assert_eq!(text, "{\n  \"z\": 0.1,\n  \"a\": 1,\n  \"notes\": [],\n  \"warnings\": []\n}");
    }
}
