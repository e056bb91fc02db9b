//! Held-out scores that are set aside as anomalies, so that thresholds and p-values rest on the others.
//!
//! Guarantees that follow hold for data without such rows: where nothing is an anomaly, and none is set aside by chance,
//! they are those of all calibration rows.

use serde::{Deserialize, Serialize};

use super::gap::set_off;
use crate::choice::Choice;
use crate::range::Contamination;

/// Held-out scores that were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAside {
    /// How they were found.
    pub by: SetAsideBy,
    /// Their number.
    pub count: u64,
    /// The number of all held-out scores.
    pub of: u64,
    /// The highest score that was not set aside.
    pub highest_kept: f64,
}

/// How anomalies among held-out scores were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetAsideBy {
    /// A gap sets them off from the others.
    Gap,
    /// They are the given share.
    Share,
}

impl SetAside {
    /// What was set aside, and what it means, as a clause.
    pub fn describe(&self) -> String {
        let SetAside { count, of, highest_kept, .. } = self;
        let (are, they) = if *count == 1 { ("is", "it was") } else { ("are", "they were") };
        match self.by {
            SetAsideBy::Gap => format!(
                "{count} of {of} held-out scores {are} far above the others, of which the highest is {highest_kept:.3}: {they} \
                 taken for an anomaly among the data and set aside, so the threshold holds for data without such; \
                 train.contamination=0 keeps all"
            ),
            SetAsideBy::Share => {
                format!("the {count} highest of {of} held-out scores were set aside as anomalies, as asked")
            }
        }
    }
}

/// Held-out scores without those that are set aside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptScores {
    pub(crate) scores: Vec<f64>,
    pub(crate) blocks: Option<usize>,
    pub(crate) set_aside: Option<SetAside>,
}

impl KeptScores {
    /// All scores.
    pub(crate) fn all(scores: Vec<f64>, blocks: Option<usize>) -> KeptScores {
        KeptScores { scores, blocks, set_aside: None }
    }

    /// The scores without the given share of the highest, or without those that a gap sets off. Scores in `blocks` are in
    /// the order of time.
    pub(crate) fn without_anomalies(
        scores: Vec<f64>,
        blocks: Option<usize>,
        contamination: &Choice<Contamination>,
    ) -> KeptScores {
        match (contamination, blocks) {
            (Choice::Given(share), _) => {
                let count = (share.get() * scores.len() as f64).round() as usize;
                without_highest(scores, count, SetAsideBy::Share, blocks)
            }
            (Choice::Auto, None) => {
                let count = set_off(&rising(&scores));
                without_highest(scores, count, SetAsideBy::Gap, None)
            }
            (Choice::Auto, Some(blocks)) => without_blocks(scores, blocks),
        }
    }
}

fn rising(scores: &[f64]) -> Vec<f64> {
    let mut rising = scores.to_vec();
    rising.sort_unstable_by(f64::total_cmp);
    rising
}

fn without_highest(scores: Vec<f64>, count: usize, by: SetAsideBy, blocks: Option<usize>) -> KeptScores {
    if count == 0 {
        return KeptScores::all(scores, blocks);
    }
    let (of, mut kept) = (scores.len() as u64, rising(&scores));
    kept.truncate(scores.len() - count);
    let highest_kept = kept.last().copied().unwrap_or(0.0);
    KeptScores { scores: kept, blocks, set_aside: Some(SetAside { by, count: count as u64, of, highest_kept }) }
}

/// Without the blocks whose highest score is set off from those of others, and their neighbours: a window that covers an
/// anomaly is seen in the scores of both.
fn without_blocks(scores: Vec<f64>, blocks: usize) -> KeptScores {
    let length = scores.len().div_ceil(blocks.max(1)).max(1);
    let highest: Vec<f64> =
        scores.chunks(length).map(|block| block.iter().copied().fold(f64::NEG_INFINITY, f64::max)).collect();
    let in_order = rising(&highest);
    let count = set_off(&in_order);
    if count == 0 {
        return KeptScores::all(scores, Some(blocks));
    }
    let least = in_order[in_order.len() - count];
    let is_out = |block: usize| {
        let beside = block.saturating_sub(1)..(block + 2).min(highest.len());
        highest[beside].iter().any(|score| *score >= least)
    };
    let kept: Vec<f64> = scores
        .chunks(length)
        .enumerate()
        .filter(|(block, _)| !is_out(*block))
        .flat_map(|(_, scores)| scores.iter().copied())
        .collect();
    let set_aside = SetAside {
        by: SetAsideBy::Gap,
        count: (scores.len() - kept.len()) as u64,
        of: scores.len() as u64,
        highest_kept: kept.iter().copied().fold(0.0, f64::max),
    };
    let remaining = (0..highest.len()).filter(|block| !is_out(*block)).count();
    KeptScores { scores: kept, blocks: Some(remaining.min(blocks).max(1)), set_aside: Some(set_aside) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::random::Stream;
    use crate::detect::{Calibration, Threshold};

    /// Scores of normal rows, and the absurd ones `at` some places.
    fn scores(n: usize, key: u64, at: &[usize]) -> Vec<f64> {
        let mut stream = Stream::new(47, key);
        let score = |i| if at.contains(&i) { 1e5 } else { 1.0 };
        (0..n).map(|i| score(i) * (0.6 * stream.normal()).exp()).collect()
    }

    fn without(scores: Vec<f64>, blocks: Option<usize>, contamination: &Choice<Contamination>) -> KeptScores {
        KeptScores::without_anomalies(scores, blocks, contamination)
    }

    #[test]
    fn a_share_is_that_of_the_highest_scores() {
        let share = |share: f64| Choice::Given(Contamination::try_from(share).unwrap());
        let found = without((1..=100).map(f64::from).collect(), None, &share(0.05));
        assert_eq!((found.scores.len(), found.scores[94]), (95, 95.0));
        let set_aside = found.set_aside.unwrap();
        assert_eq!((set_aside.by, set_aside.count, set_aside.of), (SetAsideBy::Share, 5, 100));
        assert!(set_aside.describe().contains("5 highest of 100"), "{}", set_aside.describe());
        let all = scores(50, 0, &[7]);
        assert_eq!(without(all.clone(), None, &share(0.0)), KeptScores::all(all, None));
    }

    #[test]
    fn one_absurd_score_of_fifty_sets_no_threshold() {
        let found = without(scores(50, 1, &[7]), None, &Choice::Auto);
        let set_aside = found.set_aside.unwrap();
        assert_eq!((set_aside.by, set_aside.count, found.scores.len()), (SetAsideBy::Gap, 1, 49));
        assert!(set_aside.highest_kept < 10.0 && set_aside.describe().contains("1 of 50 held-out scores is far above"));
        let all = scores(50, 1, &[]);
        assert_eq!(without(all.clone(), None, &Choice::Auto), KeptScores::all(all, None));
    }

    #[test]
    fn false_alarms_are_as_rare_as_promised_where_nothing_is_an_anomaly() {
        let rule: Threshold = "false_alarm_rate=0.05".parse().unwrap();
        let (samples, n_new) = (600, 200);
        let (mut alarms, mut promised) = (0, 0.0);
        for key in 0..samples {
            let kept = without(scores(60, key, &[]), None, &Choice::Auto);
            let decision = rule.decide(&Calibration::new(kept.scores, vec![]).unwrap(), None).unwrap();
            promised += decision.promised_rate.unwrap() / samples as f64;
            let new = scores(n_new, 1_000_000 + key, &[]);
            alarms += new.iter().filter(|score| decision.is_anomaly(**score)).count();
        }
        let rate = alarms as f64 / (samples as f64 * n_new as f64);
        assert!((rate - promised).abs() < 0.004, "{rate} {promised}");
    }

    #[test]
    fn blocks_are_set_aside_whole_and_with_their_neighbours() {
        let (n, length) = (100 * 16, 16);
        let found = without(scores(n, 2, &[160, 161, 162]), Some(100), &Choice::Auto);
        let set_aside = found.set_aside.unwrap();
        assert_eq!((set_aside.count, found.blocks), (3 * length, Some(97)));
        assert_eq!(found.scores.len(), n - 48);
        assert!(found.scores.iter().all(|score| *score < 50.0));
        let all = scores(n, 3, &[]);
        assert_eq!(without(all.clone(), Some(100), &Choice::Auto), KeptScores::all(all, Some(100)));
        // Too few blocks to tell.
        assert_eq!(without(scores(160, 2, &[0]), Some(10), &Choice::Auto).set_aside, None);
    }
}
