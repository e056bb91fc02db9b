//! Outcomes and errors of a run, their messages and exit codes.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};

use narrows_core::{Error, ErrorKind};
use serde_json::json;

use crate::arguments;
use crate::escape::{visible, visible_json};
use crate::talk::Talk;

/// A run that ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Success.
    Done,
    /// Anomalies were found and `--fail-on-anomaly` was given.
    AnomaliesFound,
    /// Data have drifted and `--fail-on-drift` was given.
    DriftFound,
    /// Invalid parts of the input were skipped.
    Partial,
    /// Interrupted by the user; partial results are kept.
    Interrupted,
}

/// A run that ended with an error.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error of the library.
    Library(Error),
    /// Broken pipe on stdout, as with `head`: not reported as a failure.
    BrokenPipe,
}

impl Outcome {
    /// The exit code of a run.
    pub(crate) fn code(result: &Result<Outcome, Failure>) -> u8 {
        match result {
            Ok(Outcome::Done) | Err(Failure::BrokenPipe) => 0,
            Ok(Outcome::Partial) => 5,
            Ok(Outcome::AnomaliesFound | Outcome::DriftFound) => 10,
            Ok(Outcome::Interrupted) => INTERRUPTED,
            Err(Failure::Library(error)) => match error.kind() {
                ErrorKind::Failure => 1,
                ErrorKind::Usage => USAGE,
                ErrorKind::Data => 3,
                ErrorKind::ModelFile => 4,
                ErrorKind::Interrupted => INTERRUPTED,
            },
        }
    }
}

/// Every exit code and its meaning, for the manual; the documentation has the same table.
pub(crate) const EXIT_CODES: [(u8, &str); 8] = [
    (0, "success"),
    (1, "failure: an output that cannot be written, a training that diverged"),
    (
        USAGE,
        "usage: an unknown flag, a recipe field or value that is not possible, an output that exists or is an input",
    ),
    (3, "bad input: a file that cannot be read, data that do not fit the model, a compressed file of another model"),
    (4, "the model file cannot be read, is damaged, or is of a newer version"),
    (
        5,
        "partial result: some images or stream lines could not be read, or are in a format that is not read, and were skipped; \
         each is named on stderr, also with `--quiet`, or in the JSON",
    ),
    (
        10,
        "anomalies or drift were found; only with `score --fail-on-anomaly`, and with `--fail-on-drift` of `drift` and of `score --follow`",
    ),
    (INTERRUPTED, "interrupted with Ctrl-C; `fit` and `tune` save the best result so far"),
];

const USAGE: u8 = 2;
/// 128 plus the number of SIGINT, the shell convention.
pub(crate) const INTERRUPTED: u8 = 130;

impl Failure {
    /// Prints the error to stderr.
    pub(crate) fn tell(&self, talk: Talk) {
        let Failure::Library(error) = self else { return };
        let kind = match error.kind() {
            ErrorKind::Failure => "failure",
            ErrorKind::Usage => "usage",
            ErrorKind::Data => "data",
            ErrorKind::ModelFile => "model_file",
            ErrorKind::Interrupted => "interrupted",
        };
        say(talk, kind, &arguments::message(error), error.hint().map(arguments::hint).as_deref());
    }
}

/// Reports on stderr a skipped input line; `line` counts from 1.
pub(crate) fn tell_bad_line(talk: Talk, line: u64, error: &Error) {
    let hint = error.hint().map(arguments::hint);
    say(talk, "data", &format!("line {line} skipped: {error}"), hint.as_deref());
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            error => Failure::Library(error),
        }
    }
}

fn say(talk: Talk, code: &str, message: &str, hint: Option<&str>) {
    let text = match (talk, hint) {
        (Talk::Json, _) => {
            let text = json!({"error": {"code": code, "message": message, "help": hint}}).to_string();
            format!("{}\n", visible_json(&text))
        }
        (_, Some(hint)) => format!("error: {}\nhint: {}\n", visible(message), visible(hint)),
        (_, None) => format!("error: {}\n", visible(message)),
    };
    // A closed stderr is ignored.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Handles usage errors and requests for help; returns the exit code.
pub(crate) fn refuse(error: &clap::Error, words: &[OsString]) -> u8 {
    let as_json = words.iter().any(|word| word == "--json");
    if error.use_stderr() && as_json {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let tip = text.lines().find_map(|line| line.trim().strip_prefix("tip: ").map(str::to_owned));
        say(Talk::Json, "usage", &message, tip.as_deref());
    } else {
        let text = error.render().to_string();
        match visible(&text) {
            // With its colours.
            Cow::Borrowed(_) => drop(error.print()),
            Cow::Owned(text) => drop(io::stderr().write_all(text.as_bytes())),
        }
    }
    if error.use_stderr() { USAGE } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(result: Result<Outcome, Failure>, code: u8) {
        assert_eq!(Outcome::code(&result), code, "{result:?}");
        assert!(EXIT_CODES.iter().any(|(known, _)| *known == code), "{code} is not in the table");
    }

    #[test]
    fn the_documentation_has_the_table_of_exit_codes() {
        let page = include_str!("../../../docs/exit-codes.md");
        let rows: Vec<&str> =
            page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| code")).collect();
        let table: Vec<String> = EXIT_CODES.iter().map(|(code, meaning)| format!("| {code} | {meaning} |")).collect();
        assert_eq!(rows, table);
    }

    #[test]
    fn every_end_has_its_exit_code() {
        check(Ok(Outcome::Done), 0);
        check(Ok(Outcome::Partial), 5);
        check(Ok(Outcome::AnomaliesFound), 10);
        check(Ok(Outcome::DriftFound), 10);
        check(Ok(Outcome::Interrupted), 130);
        check(Err(Error::recipe("--set", "x").into()), 2);
        check(Err(Error::mismatch("x").into()), 3);
        check(Err(Error::model_file("m", "x").into()), 4);
        check(Err(Error::Interrupted.into()), 130);
        check(Err(Error::write("stdout", io::ErrorKind::StorageFull.into()).into()), 1);
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        check(Err(Error::write("stdout", io::ErrorKind::BrokenPipe.into()).into()), 0);
    }
}
