//! One alarm for a stream of a model's scores: a [`DriftMartingale`] that is given scores that do not share data.
//!
//! Rows of a table are independent of each other, and each counts. Points of a series share windows with their
//! neighbours: of each series one point counts in every one to two windows' lengths, drawn at random. The windows behind
//! two scores then have no point in common, and as windows are often as long as a period, or several, the draw keeps the
//! scores from being those of one phase. What a series does over many windows still makes scores depend on each other,
//! and so do series that something else moves together; the rate then holds less exactly.

use std::collections::HashMap;

use narrows_engine::rng::{Purpose, Stream};

use super::DriftMartingale;
use crate::fitted::{TabularKind, TabularModel};
use crate::range::Rate;

/// What sets the random numbers of places apart from others of the same purpose.
const PLACES: u64 = 2;

/// An alarm, raised once, that the rows of a stream are no longer like those of the fit.
///
/// ```
/// use narrows_core::drift::DriftAlarm;
/// use narrows_core::{Dataset, Recipe, Session, TabularModel, data::Table, fit};
///
/// let x = |n: u32, by: f64| -> Vec<f64> { (0..n).map(|i| by * f64::from(i * 7919 % 1000) / 1000.0).collect() };
/// let table = |n, by| Table::from_columns(vec![("a", x(n, by)), ("b", x(n, 1.0))]);
/// let mut recipe = Recipe::preset("simple".parse()?);
/// recipe.set("train.steps=200")?;
/// let model = fit(&recipe, Dataset::from(table(1000, 1.0)?), &Session::default())?.into_table()?;
///
/// let mut alarm = DriftAlarm::new(&model, "0.01".parse()?);
/// let scores = model.score(&table(500, 3.0)?)?.score;
/// assert_eq!(scores.iter().filter(|score| alarm.add("", **score)).count(), 1);
/// assert!(alarm.raised().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DriftAlarm {
    martingale: DriftMartingale,
    seed: u64,
    /// Points of a window; 1 if every score counts.
    window: u64,
    /// How many scores of each series are passed over before the next one counts; empty if all count.
    ahead: HashMap<String, u64>,
    seen: u64,
    raised: Option<u64>,
}

impl DriftAlarm {
    /// An alarm that is false with a probability of at most `rate` in the whole life of the stream.
    pub fn new(model: &dyn TabularModel, rate: Rate) -> DriftAlarm {
        let window = match model.by_kind() {
            TabularKind::Series(series) if !model.rows_are_independent() => series.adapter.pipeline.window(),
            TabularKind::Series(_) | TabularKind::Table(_) => 1,
        };
        let (martingale, seed) = (DriftMartingale::of(model, rate), model.recipe().seed);
        DriftAlarm { martingale, seed, window: window as u64, ahead: HashMap::new(), seen: 0, raised: None }
    }

    /// Watches the next score of `series`, which is empty where there is only one; whether this score raises the alarm,
    /// which happens once. NaN, no score, is passed over.
    pub fn add(&mut self, series: &str, score: f64) -> bool {
        self.seen += 1;
        if score.is_nan() || !self.counts(series) {
            return false;
        }
        let is_raised = self.martingale.add(score);
        if is_raised {
            self.raised = Some(self.seen);
        }
        is_raised
    }

    /// Whether the next score of a series shares no data with the last one that counted.
    fn counts(&mut self, series: &str) -> bool {
        let window = self.window;
        if window == 1 {
            return true;
        }
        let at_random = f64::from(Stream::new(self.seed, Purpose::Trim, PLACES, self.seen).uniform());
        let drawn = ((at_random * window as f64) as u64).min(window - 1);
        let ahead = match self.ahead.get_mut(series) {
            Some(ahead) => ahead,
            None => self.ahead.entry(series.to_owned()).or_insert(drawn),
        };
        if *ahead > 0 {
            *ahead -= 1;
            return false;
        }
        *ahead = window - 1 + drawn;
        true
    }

    /// Points of a window: of points of a series one counts in every one to two windows. 1 for rows, which all count.
    pub fn window(&self) -> u64 {
        self.window
    }

    /// After how many scores, those that are none or did not count included, the alarm was raised.
    pub fn raised(&self) -> Option<u64> {
        self.raised
    }

    /// The capital of the player who bets against the scores being like those of the calibration, 1 at the start.
    pub fn capital(&self) -> f64 {
        self.martingale.capital()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(window: u64) -> DriftAlarm {
        let rate = Rate::try_from(0.05).unwrap();
        let martingale = DriftMartingale::new(rate, (0..100).map(f64::from).collect(), 0);
        DriftAlarm { martingale, seed: 0, window, ahead: HashMap::new(), seen: 0, raised: None }
    }

    /// The places of the scores of one series that count, among `n`.
    fn places(alarm: &mut DriftAlarm, series: &str, n: u64) -> Vec<u64> {
        let mut places = Vec::new();
        for place in 0..n {
            alarm.seen += 1;
            places.extend(alarm.counts(series).then_some(place));
        }
        places
    }

    #[test]
    fn of_each_series_one_score_counts_in_one_to_two_windows_at_any_phase() {
        let mut alarm = alarm(20);
        let found = places(&mut alarm, "p", 60_000);
        assert!(found[0] < 20 && found.windows(2).all(|two| (20..40).contains(&(two[1] - two[0]))), "{found:?}");
        let mut phases = [0; 20];
        found.iter().for_each(|place| phases[(place % 20) as usize] += 1);
        let each = found.len() / 20;
        assert!(phases.iter().all(|n| (each / 2..2 * each).contains(n)), "{phases:?}");
        // Another series has places of its own.
        assert!(places(&mut alarm, "q", 20).len() == 1);
    }

    #[test]
    fn rows_all_count_and_no_score_counts_for_nothing() {
        let mut alarm = alarm(1);
        assert_eq!(places(&mut alarm, "", 5), [0, 1, 2, 3, 4]);
        let capital = alarm.capital();
        assert!(!alarm.add("", f64::NAN) && alarm.capital() == capital && alarm.raised().is_none());
    }

    #[test]
    fn a_series_that_repeats_itself_raises_no_alarm() {
        // The score depends on the phase alone, and a window is a period.
        let score = |t: usize| (t % 20) as f64;
        let calibration: Vec<f64> = (0..100).map(score).collect();
        let raised = |seed: u64| {
            let martingale = DriftMartingale::new(Rate::try_from(0.05).unwrap(), calibration.clone(), seed);
            let mut alarm = DriftAlarm { martingale, seed, ..alarm(20) };
            (0..5000).any(|t| alarm.add("", score(t)))
        };
        let alarms = (0..100).filter(|seed| raised(*seed)).count();
        assert!(alarms <= 10, "{alarms} of 100");
    }
}
