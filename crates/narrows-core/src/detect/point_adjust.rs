//! Point adjustment (Xu et al. 2018, "Unsupervised Anomaly Detection via Variational Auto-Encoder for Seasonal KPIs in
//! Web Applications"): if one point of a labelled event is flagged, all of its points count as flagged.
//!
//! It exists for comparison with papers that report nothing else, and is shown on request only, with [`WARNING`]. Kim et
//! al. 2022 ("Towards a Rigorous Evaluation of Time-Series Anomaly Detection") show why: a random score flags some point
//! of a long event almost surely, which then counts as many true positives, while false alarms are still counted
//! point by point. So a random score outperforms many published detectors.

use super::event::{check_lengths, events_of};
use super::metrics::Confusion;
use crate::error::Result;

/// Printed with point-adjusted metrics.
pub const WARNING: &str = "point-adjusted metrics are optimistic: one flagged point counts as its whole event, so that \
                           even a random score does well on long events (Kim et al. 2022)";

/// Counts points after adjustment of the predicted flags. Its F1 is the point-adjusted F1.
///
/// The widely copied code, including TSB-AD's, never adjusts the first point of a series, because its backward loop
/// ends before 0. Here it is adjusted, as the definition requires.
///
/// # Errors
/// If lengths differ.
pub fn point_adjusted(flags: &[bool], labels: &[bool]) -> Result<Confusion> {
    check_lengths(flags, labels)?;
    let mut confusion = Confusion::default();
    for event in events_of(labels) {
        let is_found = flags[event.points()].contains(&true);
        let count = if is_found { &mut confusion.true_positives } else { &mut confusion.false_negatives };
        *count += event.n_points() as u64;
    }
    for (flag, _) in flags.iter().zip(labels).filter(|(_, label)| !**label) {
        *(if *flag { &mut confusion.false_positives } else { &mut confusion.true_negatives }) += 1;
    }
    Ok(confusion)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};
    use crate::baseline::random::Stream;

    #[test]
    fn f1_is_that_of_tsb_ad() {
        for golden in golden("event_sets") {
            let confusion = point_adjusted(&golden.labels("flags"), &golden.labels("labels")).unwrap();
            check_near(&[confusion.f1().unwrap()], &[golden.number("point_adjusted_f1")], 1e-12);
        }
    }

    #[test]
    fn every_point_of_a_found_event_counts() {
        let labels = [true, true, true, false, false, true, true];
        let flags = [false, true, false, true, false, false, false];
        let expected = Confusion { true_positives: 3, false_positives: 1, true_negatives: 1, false_negatives: 2 };
        assert_eq!(point_adjusted(&flags, &labels).unwrap(), expected);
    }

    #[test]
    fn a_random_score_does_well() {
        let labels: Vec<bool> = (0..10_000).map(|at| at % 2_000 < 300).collect();
        let mut stream = Stream::new(1, 0);
        let flags: Vec<bool> = labels.iter().map(|_| stream.below(50) == 0).collect();
        let confusion = point_adjusted(&flags, &labels).unwrap();
        assert!(confusion.f1().unwrap() > 0.9, "{confusion:?}");
    }

    #[test]
    fn what_is_undefined_is_none_or_an_error() {
        assert_eq!(point_adjusted(&[], &[]).unwrap(), Confusion::default());
        assert_eq!(point_adjusted(&[false], &[false]).unwrap().f1(), None);
        assert_eq!(point_adjusted(&[false], &[true]).unwrap().f1(), Some(0.0));
        assert!(point_adjusted(&[true], &[]).is_err());
    }
}
