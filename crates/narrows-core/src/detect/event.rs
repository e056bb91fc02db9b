//! Events: runs of flagged points in a series, and event-wise precision and recall.
//!
//! An event counts as detected if any of its points is flagged, and an alarm as correct if any of its points is
//! labelled.

use std::ops::RangeInclusive;

use super::metrics::f1;
use crate::error::{Error, Place, Result};

/// A run of points, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRange {
    /// First point.
    pub first: usize,
    /// Last point.
    pub last: usize,
}

impl EventRange {
    /// The positions of its points.
    pub fn points(&self) -> RangeInclusive<usize> {
        self.first..=self.last
    }

    /// Number of points, at least 1.
    pub fn n_points(&self) -> usize {
        self.last - self.first + 1
    }
}

/// The maximal runs of true flags, in order.
///
/// ```
/// use narrows_core::detect::event::{EventRange, events_of};
/// assert_eq!(events_of(&[true, false, true, true]), [EventRange { first: 0, last: 0 }, EventRange { first: 2, last: 3 }]);
/// ```
pub fn events_of(flags: &[bool]) -> Vec<EventRange> {
    let mut events: Vec<EventRange> = Vec::new();
    for (at, _) in flags.iter().enumerate().filter(|(_, flag)| **flag) {
        match events.last_mut() {
            Some(event) if event.last + 1 == at => event.last = at,
            _ => events.push(EventRange { first: at, last: at }),
        }
    }
    events
}

/// The same flags, with those between two true ones set if no more than `longest` are false: one fault, which some points of
/// it did not show.
///
/// ```
/// use narrows_core::detect::event::bridged;
/// assert_eq!(bridged(&[true, false, true, false, false, true], 1), [true, true, true, false, false, true]);
/// ```
pub fn bridged(flags: &[bool], longest: usize) -> Vec<bool> {
    let mut bridged = flags.to_vec();
    for pair in events_of(flags).windows(2) {
        if pair[1].first - pair[0].last - 1 <= longest {
            bridged[pair[0].last..pair[1].first].fill(true);
        }
    }
    bridged
}

/// Overlap of predicted and labelled events. Ratios with denominator 0 are `None`.
///
/// Hundman et al. 2018 ("Detecting Spacecraft Anomalies Using LSTMs and Nonparametric Dynamic
/// Thresholding") count the same: a labelled event is found if any predicted one overlaps it, a predicted event is
/// a false alarm if it overlaps none. They differ in one respect, see [`Events::hundman_f1`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Events {
    /// Labelled events.
    pub labelled: u64,
    /// Labelled events that a predicted event overlaps.
    pub found: u64,
    /// Predicted events.
    pub predicted: u64,
    /// Predicted events that overlap a labelled event.
    pub right: u64,
}

impl Events {
    /// Counts events of predicted flags and labels.
    ///
    /// # Errors
    /// If lengths differ.
    pub fn new(flags: &[bool], labels: &[bool]) -> Result<Events> {
        check_lengths(flags, labels)?;
        let count = |events: &[EventRange], others: &[bool]| {
            let met = events.iter().filter(|event| others[event.points()].contains(&true)).count();
            (events.len() as u64, met as u64)
        };
        let (labelled, found) = count(&events_of(labels), flags);
        let (predicted, right) = count(&events_of(flags), labels);
        Ok(Events { labelled, found, predicted, right })
    }

    /// Share of predicted events that overlap a labelled one.
    pub fn precision(&self) -> Option<f64> {
        (self.predicted > 0).then(|| self.right as f64 / self.predicted as f64)
    }

    /// Share of labelled events that a predicted one overlaps.
    pub fn recall(&self) -> Option<f64> {
        (self.labelled > 0).then(|| self.found as f64 / self.labelled as f64)
    }

    /// Harmonic mean of precision and recall; `None` without predicted and labelled events.
    pub fn f1(&self) -> Option<f64> {
        match (self.precision(), self.recall()) {
            (None, None) => None,
            (Some(precision), Some(recall)) if precision + recall > 0.0 => {
                Some(2.0 * precision * recall / (precision + recall))
            }
            _ => Some(0.0),
        }
    }

    /// F1 as computed by Hundman et al. 2018 and the Orion package (overlapping segments), for comparison with their tables.
    ///
    /// Their precision is found labelled events / (found + false alarms): an event overlapped by ten predicted ones counts
    /// once, ten events under one long prediction count ten times. With one-to-one overlaps it equals
    /// [`Events::f1`].
    pub fn hundman_f1(&self) -> Option<f64> {
        f1(self.found, self.predicted - self.right, self.labelled)
    }
}

impl std::ops::AddAssign for Events {
    /// The sum of the counts of two series.
    fn add_assign(&mut self, other: Events) {
        self.labelled += other.labelled;
        self.found += other.found;
        self.predicted += other.predicted;
        self.right += other.right;
    }
}

/// Checks that flags and labels have equal lengths.
pub(super) fn check_lengths(flags: &[bool], labels: &[bool]) -> Result<()> {
    if flags.len() == labels.len() {
        return Ok(());
    }
    let message = format!("expected a label for each of {} flags, got {} labels", flags.len(), labels.len());
    Err(Error::data(Place::default(), message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};

    /// One point per letter, flagged if upper case.
    fn flags(letters: &str) -> Vec<bool> {
        letters.chars().map(char::is_uppercase).collect()
    }

    fn check_events(letters: &str, expected: &[(usize, usize)]) {
        let events = events_of(&flags(letters));
        assert_eq!(events.iter().map(|event| (event.first, event.last)).collect::<Vec<_>>(), expected, "{letters}");
        let n_points: usize = events.iter().map(EventRange::n_points).sum();
        assert_eq!(n_points, letters.chars().filter(|letter| letter.is_uppercase()).count());
    }

    #[test]
    fn events_are_maximal_runs() {
        check_events("", &[]);
        check_events("a", &[]);
        check_events("A", &[(0, 0)]);
        check_events("AAA", &[(0, 2)]);
        check_events("AbCDeF", &[(0, 0), (2, 3), (5, 5)]);
    }

    #[test]
    fn counts_are_those_of_orion() {
        for golden in golden("event_sets") {
            let events = Events::new(&golden.labels("flags"), &golden.labels("labels")).unwrap();
            assert_eq!(events.found as usize, golden.count("true_positives"));
            assert_eq!((events.predicted - events.right) as usize, golden.count("false_positives"));
            assert_eq!((events.labelled - events.found) as usize, golden.count("false_negatives"));
            check_near(&[events.recall().unwrap()], &[golden.number("recall")], 1e-12);
            check_near(&[events.hundman_f1().unwrap()], &[golden.number("f1")], 1e-12);
        }
    }

    #[test]
    fn precision_counts_predicted_events() {
        // Two of three predicted events overlap the first labelled one; the second is missed.
        let events = Events::new(&flags("AbAbbAbbb"), &flags("AAAbbbbBB")).unwrap();
        assert_eq!(events, Events { labelled: 2, found: 1, predicted: 3, right: 2 });
        assert_eq!((events.precision(), events.recall()), (Some(2.0 / 3.0), Some(0.5)));
        check_near(&[events.f1().unwrap()], &[2.0 * (2.0 / 3.0 * 0.5) / (2.0 / 3.0 + 0.5)], 1e-15);
        check_near(&[events.hundman_f1().unwrap()], &[0.5], 1e-15);
    }

    #[test]
    fn ratios_without_a_denominator_are_none() {
        let of = |letters: &str, labels: &str| {
            let events = Events::new(&flags(letters), &flags(labels)).unwrap();
            (events.precision(), events.recall(), events.f1(), events.hundman_f1())
        };
        assert_eq!(of("", ""), (None, None, None, None));
        assert_eq!(of("aa", "aa"), (None, None, None, None));
        assert_eq!(of("aa", "Aa"), (None, Some(0.0), Some(0.0), Some(0.0)));
        assert_eq!(of("Aa", "aa"), (Some(0.0), None, Some(0.0), Some(0.0)));
        assert_eq!(of("A", "A"), (Some(1.0), Some(1.0), Some(1.0), Some(1.0)));
        let error = Events::new(&[true], &[]).unwrap_err();
        assert_eq!(error.to_string(), "input: expected a label for each of 1 flags, got 0 labels");
    }
}
