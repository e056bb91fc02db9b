//! What may speak against a model, how grave it is, and how it is said.

use serde::{Deserialize, Serialize};

use crate::recipe::DataKind;

/// With fewer training rows a network learns nothing that could be relied on.
const TOO_FEW_ROWS: u64 = 20;
/// Below this area under the ROC curve, labelled anomalies score no higher than normal rows.
const NO_AUC: f64 = 0.5;

/// From this share of unexplained variance on, the reconstruction is so much worse than a constant that training has
/// failed.
const FAILED: f64 = 2.0;
/// The share of unexplained variance that a constant leaves.
const CONSTANT: f64 = 1.0;

/// A model is worse than PCA if it leaves this much more of the variance unexplained. A little more is no fault: sequence
/// models and denoising ones detect better than PCA although they reconstruct less exactly.
const WORSE_THAN_PCA: f64 = 0.25;
/// The same for images, whose networks come close to PCA.
const WORSE_THAN_PCA_OF_IMAGES: f64 = 0.1;

/// Whether to use a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nothing speaks against it.
    Good,
    /// Usable; a limitation should be looked at first.
    Check,
    /// Its results would mislead.
    DoNotUse,
}

/// What speaks against a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Concern {
    /// All calibration rows have the same score, so scores cannot rank anything.
    ConstantScores,
    /// The reconstruction is far worse than a constant one.
    TrainingFailed {
        /// Share of held-out variance left unexplained.
        unexplained: f64,
    },
    /// The network explains less than a constant does, and PCA of the same size much more.
    HardlyTrained {
        /// Share of held-out variance left unexplained.
        unexplained: f64,
        /// The same for PCA.
        pca_unexplained: f64,
    },
    /// Few rows trained the network.
    FewRows {
        /// Training rows, or images.
        train: u64,
    },
    /// No row was held out, so the threshold has no guarantee and no p-value.
    NoCalibration,
    /// The requested false-alarm rate cannot be guaranteed by so few held-out rows.
    WeakGuarantee {
        /// The requested rate.
        asked: f64,
        /// The rate that is guaranteed.
        guaranteed: f64,
    },
    /// Labelled anomalies hardly score higher than normal rows.
    AnomaliesScoreLow {
        /// Area under the ROC curve, from the histograms of both.
        auc_roc: f64,
    },
    /// The network reproduces anything, anomalies included, and the score rests on its error alone.
    CopiesInput {
        /// Share of the variance of pure noise that is reconstructed.
        noise_passed: f64,
    },
    /// PCA of the same size reconstructs better.
    WorseThanPca {
        /// Share of held-out variance that the model leaves unexplained.
        unexplained: f64,
        /// The same for PCA.
        pca_unexplained: f64,
    },
    /// Values do not predict each other, so there is hardly anything to learn.
    NothingToLearn {
        /// Share of held-out variance left unexplained.
        unexplained: f64,
    },
    /// Most columns could not be used as they are written.
    ColumnsLost {
        /// Columns left out for what their cells hold.
        lost: u64,
        /// Columns of the input, without those that hold no information.
        of: u64,
    },
    /// Training was interrupted.
    Interrupted,
    /// The loss was still falling when training ended.
    StillImproving,
    /// Nothing was held out to measure the quality with.
    NotMeasured,
    /// The restored images are no closer to the clean ones than the corrupted input.
    NoGain {
        /// PSNR of the restored images in dB.
        restored: f64,
        /// PSNR of the input in dB.
        input: f64,
    },
    /// A classical method restores better.
    WorseThanBaseline {
        /// Its name.
        baseline: String,
        /// PSNR of the restored images in dB.
        restored: f64,
        /// PSNR of the classical method in dB.
        by_baseline: f64,
    },
}

impl Grade {
    /// The grade as it opens the sentence.
    pub fn words(self) -> &'static str {
        match self {
            Grade::Good => "good",
            Grade::Check => "check this",
            Grade::DoNotUse => "do not use",
        }
    }
}

impl Concern {
    /// How grave it is.
    pub fn grade(&self) -> Grade {
        match self {
            Concern::ConstantScores | Concern::TrainingFailed { .. } | Concern::NoGain { .. } => Grade::DoNotUse,
            Concern::FewRows { train } if *train < TOO_FEW_ROWS => Grade::DoNotUse,
            Concern::AnomaliesScoreLow { auc_roc } if *auc_roc < NO_AUC => Grade::DoNotUse,
            _ => Grade::Check,
        }
    }

    /// Whether the network has not learnt what it could, which concerns every use of the model.
    pub fn is_of_network(&self) -> bool {
        matches!(self, Concern::TrainingFailed { .. } | Concern::HardlyTrained { .. } | Concern::WorseThanPca { .. })
    }

    /// What the unexplained variance says of a network, beside that of PCA of the same size.
    pub(crate) fn of_unexplained(unexplained: f64, pca_unexplained: Option<f64>, kind: DataKind) -> Option<Concern> {
        let margin = if kind == DataKind::Images { WORSE_THAN_PCA_OF_IMAGES } else { WORSE_THAN_PCA };
        if !unexplained.is_finite() || unexplained >= FAILED {
            return Some(Concern::TrainingFailed { unexplained });
        }
        let pca_unexplained = pca_unexplained.filter(|pca| unexplained > pca + margin)?;
        Some(if unexplained >= CONSTANT {
            Concern::HardlyTrained { unexplained, pca_unexplained }
        } else {
            Concern::WorseThanPca { unexplained, pca_unexplained }
        })
    }

    /// The concern as a clause.
    pub fn describe(&self) -> String {
        let percent = |share: f64| format!("{} %", short(100.0 * share));
        match self {
            Concern::ConstantScores => {
                "all held-out samples have the same score, so scores cannot rank anything".to_owned()
            }
            Concern::TrainingFailed { unexplained } if !unexplained.is_finite() => {
                "the reconstruction is no number: training has failed".to_owned()
            }
            Concern::TrainingFailed { unexplained } => format!(
                "the reconstruction is {} times worse than a constant one: training has failed",
                short(*unexplained)
            ),
            Concern::HardlyTrained { unexplained, pca_unexplained } => format!(
                "hardly trained: {} of the held-out variance is unexplained, more than by a constant, where PCA of the same \
                 size leaves {}; more train.steps may help",
                percent(*unexplained),
                percent(*pca_unexplained)
            ),
            Concern::FewRows { train } => format!("only {train} samples trained the network"),
            Concern::NoCalibration => "no samples were held out, so the threshold is not calibrated".to_owned(),
            Concern::WeakGuarantee { asked, guaranteed } => format!(
                "too few samples were held out: {} false alarms were asked for, {} can be guaranteed",
                percent(*asked),
                percent(*guaranteed)
            ),
            Concern::AnomaliesScoreLow { auc_roc } if *auc_roc < NO_AUC => {
                format!("labelled anomalies score lower than normal samples (AUC-ROC about {auc_roc:.2})")
            }
            Concern::AnomaliesScoreLow { auc_roc } => {
                format!("labelled anomalies score much like normal samples (AUC-ROC about {auc_roc:.2})")
            }
            Concern::CopiesInput { noise_passed } => format!(
                "the network copies its input, anomalies included ({} of pure noise is reconstructed): \
                 a smaller code, a corruption or a sparsity would restrain it",
                percent(*noise_passed)
            ),
            Concern::WorseThanPca { unexplained, pca_unexplained } => format!(
                "PCA of the same size reconstructs better: {} of the variance unexplained, {} by this model",
                percent(*pca_unexplained),
                percent(*unexplained)
            ),
            Concern::NothingToLearn { unexplained } => format!(
                "values hardly predict each other: {} of the held-out variance is unexplained, so only values that are \
                 unusual by themselves will be found",
                percent(*unexplained)
            ),
            Concern::ColumnsLost { lost, of } => {
                format!(
                    "{lost} of {of} columns could not be used as they are written, and anomalies in them are not seen"
                )
            }
            Concern::Interrupted => "training was interrupted".to_owned(),
            Concern::StillImproving => {
                "the loss was still falling when training ended: train for more steps".to_owned()
            }
            Concern::NotMeasured => "nothing was held out to measure the quality with".to_owned(),
            Concern::NoGain { restored, input } => format!(
                "restored images are no closer to the clean ones ({}) than the corrupted input ({})",
                decibels(*restored),
                decibels(*input)
            ),
            Concern::WorseThanBaseline { baseline, restored, by_baseline } => format!(
                "{baseline} restores better ({}) than this model ({})",
                decibels(*by_baseline),
                decibels(*restored)
            ),
        }
    }
}

/// Two significant digits, without trailing zeros; `undefined` for what is no number.
pub(super) fn short(x: f64) -> String {
    if !x.is_finite() {
        return "undefined".to_owned();
    }
    let digits = if x == 0.0 { 0.0 } else { 1.0 - x.abs().log10().floor() };
    let text = format!("{x:.*}", digits.clamp(0.0, 6.0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Decibels with one decimal.
pub(super) fn decibels(x: f64) -> String {
    if x.is_finite() { format!("{x:.1} dB") } else { "an undefined PSNR".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (x, text) in [
            (1.0, "1"),
            (0.75, "0.75"),
            (0.4975, "0.5"),
            (12.345, "12"),
            (0.0, "0"),
            (1234.4, "1234"),
            (f64::NAN, "undefined"),
        ] {
            assert_eq!(short(x), text);
        }
    }

    #[test]
    fn few_rows_and_low_scores_are_graver_beyond_a_limit() {
        assert_eq!(Concern::FewRows { train: 60 }.grade(), Grade::Check);
        assert_eq!(Concern::FewRows { train: 12 }.grade(), Grade::DoNotUse);
        assert_eq!(Concern::AnomaliesScoreLow { auc_roc: 0.6 }.grade(), Grade::Check);
        assert_eq!(Concern::AnomaliesScoreLow { auc_roc: 0.4 }.grade(), Grade::DoNotUse);
        assert!(Grade::Good < Grade::Check && Grade::Check < Grade::DoNotUse);
    }
}
