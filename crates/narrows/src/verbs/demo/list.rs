//! The demonstrations, and how long each takes.

use clap::ValueEnum;
use serde::Serialize;

use super::Kind;
use crate::failure::Failure;
use crate::flags::Common;
use crate::output;

/// A demonstration of `--list --json`.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    /// Seconds on two cores of a server of 2023; `None` if there is only data.
    seconds: Option<u32>,
    description: String,
}

/// Seconds that a demonstration takes on two cores, rounded up.
fn seconds(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Payments => Some(10),
        Kind::Heartbeat => Some(20),
        Kind::Machines => Some(20),
        Kind::Images => Some(60),
        Kind::Wide => None,
    }
}

fn entries() -> Vec<Entry> {
    let entry = |kind: &Kind| {
        let value = kind.to_possible_value()?;
        let description = value.get_help().map(ToString::to_string).unwrap_or_default();
        Some(Entry { name: value.get_name().to_owned(), seconds: seconds(*kind), description })
    };
    Kind::value_variants().iter().filter_map(entry).collect()
}

/// Prints all demonstrations.
pub(super) fn print(common: &Common) -> Result<(), Failure> {
    let entries = entries();
    if common.json {
        return output::print_json(&entries);
    }
    let line = |entry: &Entry| {
        let Entry { name, seconds, description } = entry;
        let time = seconds.map_or_else(|| "data only".to_owned(), |seconds| format!("about {seconds} s"));
        format!("{name:<10} {time:<11} {description}")
    };
    let mut lines: Vec<String> = entries.iter().map(line).collect();
    lines.push(String::new());
    lines.push("run one with `narrows demo NAME`; times are for two cores".to_owned());
    output::print(&lines.join("\n"))
}

/// The line that opens a demonstration.
pub(super) fn headline(kind: Kind) -> String {
    let name = kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let time = seconds(kind).map_or_else(String::new, |seconds| format!(", about {seconds} s on two cores"));
    format!("demo {name}{time}; narrows demo --list lists all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demonstration_is_listed_with_its_time() {
        let entries = entries();
        assert_eq!(entries.len(), Kind::value_variants().len());
        assert!(entries.iter().all(|entry| !entry.description.is_empty()));
        assert!(entries.iter().filter(|entry| entry.seconds.is_none()).all(|entry| entry.name == "wide"));
        assert!(headline(Kind::Payments).starts_with("demo payments, about"));
    }
}
