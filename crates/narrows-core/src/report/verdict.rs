//! The verdict on a fit: whether its model should be used, and why not if not.
//!
//! It is computed from the report, not stored, so models of older versions have one, too. It speaks of what the fit
//! could measure: a good verdict is no promise that the rows to come are like the rows that were fitted.

use serde::{Deserialize, Serialize};

use super::concern::{Concern, Grade, decibels, short};
use super::{Histogram, Report, RestorerReport, Role, Stop, Training};
use crate::data::DropReason;
use crate::detect::settings::Score;
use crate::detect::threshold::Threshold;

/// With fewer training rows a network learns little.
const FEW_ROWS: u64 = 100;
/// From this share of unexplained variance on, values do not predict each other.
const UNEXPLAINED: f64 = 0.95;
/// Below this area under the ROC curve, labelled anomalies score much like normal rows.
const POOR_AUC: f64 = 0.65;
/// A fall of the validation loss over the last quarter of training that says that there was more to learn.
const STILL_FALLING: f64 = 0.1;
/// Decibels that count as a difference between two restorations.
const DECIBELS: f64 = 0.1;

/// The verdict on a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitVerdict {
    /// The worst grade of the concerns.
    pub grade: Grade,
    /// The verdict in one sentence.
    pub sentence: String,
    /// What speaks against the model, the gravest first.
    pub concerns: Vec<Concern>,
}

impl FitVerdict {
    /// The verdict of these concerns; `praise` is said if there are none.
    fn of(mut concerns: Vec<Concern>, praise: &str) -> FitVerdict {
        concerns.sort_by_key(|concern| std::cmp::Reverse(concern.grade()));
        let grade = concerns.first().map_or(Grade::Good, Concern::grade);
        let why = match grade {
            Grade::Good => praise.to_owned(),
            _ => concerns.iter().map(Concern::describe).collect::<Vec<_>>().join("; "),
        };
        FitVerdict { grade, sentence: format!("{}: {why}", grade.words()), concerns }
    }
}

impl Report {
    /// The verdict on the fit.
    pub fn verdict(&self) -> FitVerdict {
        if self.has_invariants_alone() {
            let praise = "no column varies, so rows are compared with what never changed; the network decides nothing";
            return FitVerdict::of(few_rows(self.rows.train).into_iter().collect(), praise);
        }
        let mut concerns = Vec::new();
        let detection = &self.detection;
        if detection.is_constant() {
            concerns.push(Concern::ConstantScores);
        }
        concerns.extend(few_rows(self.rows.train));
        if self.rows.calibration == 0 {
            concerns.push(Concern::NoCalibration);
        }
        if let (Threshold::FalseAlarmRate { rate }, Some(guaranteed)) = (&detection.rule, detection.promised_rate)
            && guaranteed > rate.get() * (1.0 + 1e-6)
        {
            concerns.push(Concern::WeakGuarantee { asked: rate.get(), guaranteed });
        }
        if let Some(anomalies) = &detection.anomalies
            && let Some(auc_roc) = auc_of(&detection.histogram, anomalies).filter(|auc| *auc < POOR_AUC)
        {
            concerns.push(Concern::AnomaliesScoreLow { auc_roc });
        }
        concerns.extend(self.network_concern());
        concerns.extend(self.columns_lost());
        concerns.extend(training_concern(&self.training));
        FitVerdict::of(concerns, &self.praise())
    }

    /// Whether no column varied in training rows.
    fn has_invariants_alone(&self) -> bool {
        let has = |role: Role| self.columns.iter().any(|column| column.role == role);
        has(Role::Invariant) && !has(Role::Feature)
    }

    fn praise(&self) -> String {
        let noun = if self.images.is_some() { "images" } else { "rows" };
        match self.detection.promised_rate {
            Some(rate) if rate.is_finite() => format!(
                "on average at most {} % of normal {noun} will be flagged, and nothing in the fit speaks against the model",
                short(100.0 * rate)
            ),
            _ => "nothing in the fit speaks against the model".to_owned(),
        }
    }

    /// What the reconstruction of held-out rows says about the network.
    fn network_concern(&self) -> Option<Concern> {
        let flow = self.bottleneck.as_ref()?;
        let unexplained = flow.unexplained;
        let of_network = Concern::of_unexplained(unexplained, flow.pca_unexplained, self.recipe.data.kind());
        if let Some(failed @ Concern::TrainingFailed { .. }) = of_network {
            return Some(failed);
        }
        // Only an error-based score is blind to what a copying network reproduces.
        if flow.copies() && self.recipe.detect.score == Score::Residual {
            return Some(Concern::CopiesInput { noise_passed: flow.noise_passed });
        }
        of_network.or_else(|| (unexplained >= UNEXPLAINED).then_some(Concern::NothingToLearn { unexplained }))
    }

    fn columns_lost(&self) -> Option<Concern> {
        let empty = [DropReason::Constant, DropReason::AllMissing, DropReason::Identifier].map(|why| why.to_string());
        let dropped = self.columns.iter().filter(|column| column.role == Role::Dropped);
        let lost = dropped.filter(|column| !empty.contains(&column.words)).count() as u64;
        let used = self.columns.iter().filter(|column| column.role == Role::Feature).count() as u64;
        (lost > used).then_some(Concern::ColumnsLost { lost, of: lost + used })
    }
}

impl RestorerReport {
    /// The verdict on the fit.
    pub fn verdict(&self) -> FitVerdict {
        let mut concerns: Vec<Concern> = few_rows(self.album.train).into_iter().collect();
        let mut praise = "nothing in the fit speaks against the model".to_owned();
        match self.quality.as_ref().filter(|quality| quality.n > 0) {
            None => concerns.push(Concern::NotMeasured),
            Some(quality) => {
                let means = &quality.means;
                let (restored, input) = (means.restored.psnr, means.input.psnr);
                let by_baseline = means.baseline.similarity.psnr;
                if restored < input + DECIBELS || restored.is_nan() {
                    concerns.push(Concern::NoGain { restored, input });
                } else if restored + DECIBELS < by_baseline {
                    let baseline = means.baseline.name.clone();
                    concerns.push(Concern::WorseThanBaseline { baseline, restored, by_baseline });
                }
                praise = format!(
                    "held-out images come back at {}, {} above the corrupted input and {} above {}",
                    decibels(restored),
                    decibels(restored - input),
                    decibels(restored - by_baseline),
                    means.baseline.name
                );
            }
        }
        concerns.extend(training_concern(std::slice::from_ref(&self.training)));
        FitVerdict::of(concerns, &praise)
    }
}

fn few_rows(train: u64) -> Option<Concern> {
    (train < FEW_ROWS).then_some(Concern::FewRows { train })
}

/// Whether training ended too early.
fn training_concern(members: &[Training]) -> Option<Concern> {
    if members.iter().any(|training| training.stopped == Stop::Interrupted) {
        return Some(Concern::Interrupted);
    }
    let falling = |training: &&Training| {
        let n = training.history.len();
        let loss = |i: usize| training.history[i].validation_loss;
        training.stopped == Stop::Finished
            && n >= 8
            && training.best + 1 == n
            && loss(n - 1 - n / 4) > (1.0 + STILL_FALLING) * loss(n - 1)
    };
    let n = members.iter().filter(falling).count();
    (n > 0 && 2 * n > members.len()).then_some(Concern::StillImproving)
}

impl super::Detection {
    /// Whether all calibration scores lie in one bin as narrow as bins get.
    fn is_constant(&self) -> bool {
        let Histogram { edges, counts } = &self.histogram;
        let filled: Vec<usize> = (0..counts.len()).filter(|i| counts[*i] > 0).collect();
        match (filled.as_slice(), counts.iter().sum::<u64>()) {
            ([only], 2..) => edges[only + 1] / edges[*only] < 1.0 + 1e-4,
            _ => false,
        }
    }
}

/// Area under the ROC curve of two histograms on the same edges; ties within a bin count half.
fn auc_of(normal: &Histogram, anomalous: &Histogram) -> Option<f64> {
    let (n, m) = (normal.counts.iter().sum::<u64>() as f64, anomalous.counts.iter().sum::<u64>() as f64);
    if n == 0.0 || m == 0.0 {
        return None;
    }
    let (mut below, mut wins) = (0.0, 0.0);
    for (normals, anomalies) in normal.counts.iter().zip(&anomalous.counts) {
        wins += *anomalies as f64 * (below + 0.5 * *normals as f64);
        below += *normals as f64;
    }
    Some(wins / n / m)
}

#[cfg(all(test, feature = "report"))]
mod tests {
    use super::*;
    use crate::report::Bottleneck;
    use crate::report::html::sample;

    /// The report of a fit without faults.
    fn sound() -> Report {
        let mut report = sample::report();
        report.detection.anomalies = None;
        report.rows.train = 800;
        report.bottleneck = Some(flow(0.1, Some(0.2), 0.4));
        for training in &mut report.training {
            training.stopped = Stop::Early;
        }
        report
    }

    fn flow(unexplained: f64, pca_unexplained: Option<f64>, noise_passed: f64) -> Bottleneck {
        Bottleneck { code_size: 8, active_units: 8, unexplained, pca_unexplained, noise_passed }
    }

    fn check(change: impl FnOnce(&mut Report), grade: Grade, words: &str) {
        let mut report = sound();
        change(&mut report);
        let verdict = report.verdict();
        assert_eq!(verdict.grade, grade, "{}", verdict.sentence);
        assert!(
            verdict.sentence.starts_with(grade.words()) && verdict.sentence.contains(words),
            "{}",
            verdict.sentence
        );
    }

    #[test]
    fn a_sound_fit_is_good_and_says_what_it_promises() {
        check(|_| {}, Grade::Good, "at most 1 % of normal rows");
        check(|report| report.detection.promised_rate = None, Grade::Good, "nothing in the fit");
    }

    #[test]
    fn each_concern_is_told_with_its_numbers() {
        check(|r| r.bottleneck = Some(flow(0.5, Some(0.2), 0.4)), Grade::Check, "PCA of the same size");
        check(|r| r.bottleneck = Some(flow(1.3, Some(0.05), 0.4)), Grade::Check, "hardly trained: 130 %");
        check(|r| r.bottleneck = Some(flow(0.99, Some(0.99), 0.4)), Grade::Check, "99 % of the held-out variance");
        check(|r| r.bottleneck = Some(flow(3.0, None, 0.4)), Grade::DoNotUse, "training has failed");
        check(|r| r.bottleneck = Some(flow(f64::NAN, None, 0.4)), Grade::DoNotUse, "training has failed");
        check(|r| r.rows.train = 60, Grade::Check, "only 60 samples");
        check(|r| r.rows.train = 12, Grade::DoNotUse, "only 12 samples");
        check(|r| r.rows.calibration = 0, Grade::Check, "not calibrated");
        check(|r| r.detection.promised_rate = Some(0.05), Grade::Check, "1 % false alarms were asked for, 5 %");
        check(|r| r.training[0].stopped = Stop::Interrupted, Grade::Check, "interrupted");
    }

    #[test]
    fn copying_matters_only_where_the_score_is_the_error_alone() {
        let copies = |score: Score| {
            move |report: &mut Report| {
                report.bottleneck = Some(flow(0.01, None, 0.97));
                report.recipe.detect.score = score;
            }
        };
        check(copies(Score::Residual), Grade::Check, "97 % of pure noise");
        check(copies(Score::Mix), Grade::Good, "nothing in the fit");
    }

    #[test]
    fn scores_that_are_all_alike_rank_nothing() {
        let alike = |report: &mut Report| {
            let histogram = &mut report.detection.histogram;
            histogram.edges = (0..=histogram.counts.len()).map(|i| 1.0 + 1e-5 * i as f64).collect();
            histogram.counts.fill(0);
            histogram.counts[3] = 200;
        };
        check(alike, Grade::DoNotUse, "same score");
    }

    #[test]
    fn anomalies_that_score_like_normal_rows_are_told() {
        let with = |counts: Vec<u64>| {
            move |report: &mut Report| {
                let edges = (0..=counts.len()).map(|i| 1.0 + i as f64).collect::<Vec<f64>>();
                report.detection.histogram = Histogram { edges: edges.clone(), counts: vec![50, 30, 20] };
                report.detection.anomalies = Some(Histogram { edges, counts });
            }
        };
        check(with(vec![5, 3, 2]), Grade::Check, "0.50");
        check(with(vec![9, 1, 0]), Grade::DoNotUse, "lower than normal samples");
        check(with(vec![0, 0, 10]), Grade::Good, "");
    }

    #[test]
    fn columns_lost_to_their_spelling_are_counted_and_empty_ones_are_not() {
        let drop = |words: String| {
            move |report: &mut Report| {
                let features = report.columns.iter_mut().filter(|column| column.role == Role::Feature);
                for column in features.skip(2) {
                    (column.role, column.words) = (Role::Dropped, words.clone());
                }
            }
        };
        check(drop(DropReason::TooManyLevels.to_string()), Grade::Check, "could not be used");
        check(drop(DropReason::Constant.to_string()), Grade::Good, "");
    }

    #[test]
    fn a_restorer_is_measured_against_its_input_and_a_classical_method() {
        let verdict = |restored: f64, input: f64, baseline: f64| {
            let mut report = sample::restorer();
            report.album.train = 500;
            report.training.stopped = Stop::Early;
            let means = &mut report.quality.as_mut().unwrap().means;
            (means.restored.psnr, means.input.psnr, means.baseline.similarity.psnr) = (restored, input, baseline);
            report.verdict()
        };
        assert_eq!(verdict(30.0, 20.0, 28.0).grade, Grade::Good);
        assert_eq!(verdict(27.0, 20.0, 28.0).grade, Grade::Check);
        assert_eq!(verdict(19.0, 20.0, 18.0).grade, Grade::DoNotUse);
        assert!(verdict(30.0, 20.0, 28.0).sentence.contains("10.0 dB above the corrupted input"));
    }

    #[test]
    fn the_verdict_is_data() {
        let mut report = sound();
        report.rows.train = 12;
        let json = serde_json::to_value(report.verdict()).unwrap();
        assert_eq!(
            (json["grade"].as_str(), json["concerns"][0]["kind"].as_str()),
            (Some("do_not_use"), Some("few_rows"))
        );
        assert_eq!(serde_json::from_value::<FitVerdict>(json).unwrap(), report.verdict());
    }
}
