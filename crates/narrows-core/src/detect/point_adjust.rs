//! Point adjustment (Xu et al. 2018, "Unsupervised Anomaly Detection via Variational Auto-Encoder for Seasonal KPIs in
//! Web Applications"): where one point of a labelled event is flagged, all of its points count as flagged.
//!
//! It is here to compare with papers that report nothing else, and is shown on request only, with [`WARNING`]. Kim et
//! al. 2022 ("Towards a Rigorous Evaluation of Time-Series Anomaly Detection") show why: an event of a hundred points
//! is found by a random score nearly surely, and then pays as a hundred true positives, while false alarms are still
//! counted point by point. A random score so beats many a published detector.

use super::event::{check_lengths, events_of};
use super::metrics::Confusion;
use crate::error::Result;

/// What to print beside point-adjusted numbers.
pub const WARNING: &str = "point-adjusted numbers overrate: one flagged point counts as its whole event, so that even \
                           a random score does well where events are long (Kim et al. 2022)";

/// Counts points after adjustment; flags are what was predicted. Its F1 is the point-adjusted F1.
///
/// The code that most papers copied, TSB-AD's too, never adjusts the first point of a series, because its loop
/// backwards ends before 0. By the definition that point belongs to its event, and so it does here.
///
/// # Errors
/// Lengths that differ.
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
