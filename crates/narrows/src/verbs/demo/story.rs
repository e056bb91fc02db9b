//! The demonstrations: train/test split and command lines.

use std::path::PathBuf;

use narrows_core::data::Table;
use narrows_core::{Error, demo};

use super::Kind;
use crate::failure::Failure;

/// Number of machines in the demonstration.
pub(super) const MACHINES: usize = 3;

/// One demonstration.
pub(super) struct Story {
    kind: Kind,
    /// Description of rows.
    pub(super) what: &'static str,
}

impl Story {
    /// The demonstration of a kind of data.
    pub(super) fn of(kind: Kind) -> Result<Story, Failure> {
        let what = match kind {
            Kind::Payments => "card payments",
            Kind::Heartbeat => "heartbeats",
            Kind::Machines => "sensor readings",
            Kind::Images => unreachable!("images have a story of their own"),
            Kind::Wide => {
                let message = "expected payments, heartbeat or machines for a demonstration, got `wide`";
                return Err(Error::recipe("demo", message)
                    .with_hint("narrows demo wide --data-only writes the table")
                    .into());
            }
        };
        Ok(Story { kind, what })
    }

    /// Splits into training rows and later test rows.
    pub(super) fn split(&self, table: &Table) -> (Table, Table) {
        let share = if self.kind == Kind::Machines { demo::MACHINES_NORMAL_SHARE } else { 2.0 / 3.0 };
        let n = (table.n_rows() as f64 * share).round() as usize;
        (table.slice(0, n), table.slice(n, table.n_rows() - n))
    }

    /// The command lines, without the program name.
    pub(super) fn steps(&self, files: &Files, seed: u64) -> Vec<Vec<String>> {
        let [train, test, scores, report] =
            ["train.csv", "test.csv", "scores.csv", "report.html"].map(|name| files.name(name));
        let seed = seed.to_string();
        let (model, lines): (&str, &[&str]) = match self.kind {
            Kind::Heartbeat => (
                "heartbeat.narrows",
                &[
                    "fit TRAIN --kind series --layout rows --label class --normal normal --preset seq2seq --threshold false_alarm_rate=0.02 --seed SEED -o MODEL --force",
                    "score MODEL TEST -o SCORES --force --keep class --explain 3",
                    "evaluate MODEL TEST --label class --normal normal",
                    "explain MODEL TEST --worst 1",
                    "report MODEL -o REPORT --force",
                ],
            ),
            Kind::Machines => (
                "machines.narrows",
                &[
                    "fit TRAIN --kind series --time time --id machine --ignore anomaly --set train.steps=200 --seed SEED -o MODEL --force",
                    "score MODEL TEST -o SCORES --force --keep anomaly",
                    "score MODEL TEST --events",
                    "evaluate MODEL TEST --label anomaly --normal 0",
                    "explain MODEL TEST --worst 1",
                    "report MODEL -o REPORT --force",
                ],
            ),
            Kind::Payments | Kind::Images | Kind::Wide => (
                "payments.narrows",
                &[
                    "fit TRAIN --label is_fraud --normal 0 --set train.steps=400 --seed SEED -o MODEL --force",
                    "score MODEL TEST -o SCORES --force --keep is_fraud --explain 3",
                    "evaluate MODEL TEST --label is_fraud --normal 0",
                    "explain MODEL TEST --worst 1",
                    "report MODEL -o REPORT --force",
                ],
            ),
        };
        let model = files.name(model);
        let word = |word: &str| match word {
            "TRAIN" => train.clone(),
            "TEST" => test.clone(),
            "SCORES" => scores.clone(),
            "REPORT" => report.clone(),
            "MODEL" => model.clone(),
            "SEED" => seed.clone(),
            word => word.to_owned(),
        };
        lines.iter().map(|line| line.split(' ').map(word).collect()).collect()
    }
}

/// The folder of a demonstration.
pub(super) struct Files {
    pub(super) folder: PathBuf,
}

impl Files {
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_the_data() {
        for (kind, label) in [(Kind::Payments, demo::PAYMENTS_LABEL), (Kind::Heartbeat, demo::HEARTBEAT_LABEL)] {
            let story = Story::of(kind).unwrap();
            let steps = story.steps(&Files { folder: PathBuf::from("x") }, 0);
            assert!(steps[0].windows(2).any(|words| words == ["--label", label]), "{:?}", steps[0]);
        }
        let steps = Story::of(Kind::Machines).unwrap().steps(&Files { folder: PathBuf::from("x") }, 0);
        assert!(steps[0].iter().any(|word| word == demo::MACHINES_LABEL));
        assert!(Story::of(Kind::Wide).is_err());
    }
}
