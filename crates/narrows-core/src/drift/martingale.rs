//! An alarm for streams: a conformal test martingale (Vovk, Gammerman and Shafer 2005; the simple jumper of Vovk et al.
//! 2021).
//!
//! As long as nothing changes, p-values are independent and uniform, and a player who bets on them in a fair game does
//! not get rich: his capital exceeds 1 / rate at any time with a probability of at most the rate (Ville). So an alarm at
//! this capital is false at most so often in the whole life of a stream, however long it is watched. The player bets
//! that p-values are too low, too high, or neither, and changes his mind now and then.
//!
//! For the p-values to be independent, each score is compared with all before it, those of the calibration first, and
//! equal scores are put in a random order, the same in every run.

use narrows_engine::rng::{Purpose, Stream};

use super::comparison::Arrival;
use crate::fitted::TabularModel;
use crate::range::Rate;

/// The share of the capital that is redistributed among the bets at every step.
const JUMP: f64 = 0.01;
/// Slopes of the densities 1 + slope (p - 1/2) that are betted on, from the steepest that there are. Those of Vovk et al.
/// are -1, 0 and 1, which gain half as much where scores have left the range of the calibration.
const SLOPES: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];
/// The share of the capital on each slope at the start.
const EVEN: f64 = 1.0 / SLOPES.len() as f64;

/// Most scores that are compared with: later ones are compared with these and not added.
const KEPT: usize = 100_000;
/// What sets the random numbers of ties apart from others of the same purpose.
const TIES: u64 = 1;

/// The capital of a player who bets against the scores of a stream being like those of the calibration, and whether it ever
/// exceeded 1 / rate.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftMartingale {
    rate: Rate,
    seed: u64,
    /// Scores to compare with, ascending.
    known: Vec<f64>,
    /// The capital on each slope, as shares of the whole.
    shares: [f64; SLOPES.len()],
    /// The logarithm of the capital.
    log_capital: f64,
    seen: u64,
    alarm: Option<u64>,
}

impl DriftMartingale {
    /// A player who gives a false alarm with a probability of at most `rate` over the whole stream.
    ///
    /// ```
    /// use narrows_core::drift::DriftMartingale;
    /// use narrows_core::range::Rate;
    ///
    /// let calibration: Vec<f64> = (0..500).map(f64::from).collect();
    /// let mut martingale = DriftMartingale::new(Rate::try_from(0.01)?, calibration, 0);
    /// assert!((0..100).all(|i| !martingale.add(f64::from(i * 37 % 100) * 5.0)));
    /// assert!((0..100).any(|_| martingale.add(490.0)));
    /// # Ok::<(), String>(())
    /// ```
    pub fn new(rate: Rate, mut calibration: Vec<f64>, seed: u64) -> DriftMartingale {
        calibration.retain(|score| !score.is_nan());
        calibration.sort_by(f64::total_cmp);
        DriftMartingale {
            rate,
            seed,
            known: calibration,
            shares: [EVEN; SLOPES.len()],
            log_capital: 0.0,
            seen: 0,
            alarm: None,
        }
    }

    /// A player who watches scores of a model that do not share data, such as [`DriftAlarm`](super::DriftAlarm) chooses.
    /// Of calibration scores of series as many count as there are independent blocks.
    pub fn of(model: &dyn TabularModel, rate: Rate) -> DriftMartingale {
        let kind = model.by_kind();
        let known = &Arrival::Stream.threshold(kind.core()).calibration;
        DriftMartingale::new(rate, evenly(&known.scores, known.blocks), model.recipe().seed)
    }

    /// Bets on the next score; whether this one raises the alarm, which happens once. NaN, no score, is passed over.
    pub fn add(&mut self, score: f64) -> bool {
        if score.is_nan() {
            return false;
        }
        self.seen += 1;
        let p = self.p_value(score);
        let mut total = 0.0;
        for (share, slope) in self.shares.iter_mut().zip(SLOPES) {
            *share = ((1.0 - JUMP) * *share + JUMP * EVEN) * (1.0 + slope * (p - 0.5));
            total += *share;
        }
        self.shares.iter_mut().for_each(|share| *share /= total);
        self.log_capital += total.ln();
        let is_alarm = self.alarm.is_none() && self.log_capital >= -self.rate.get().ln();
        if is_alarm {
            self.alarm = Some(self.seen);
        }
        is_alarm
    }

    /// The rank of a score among those known, as a share, with ties in random order; it is known from then on.
    fn p_value(&mut self, score: f64) -> f64 {
        let from = self.known.partition_point(|known| *known < score);
        let to = self.known.partition_point(|known| *known <= score);
        let n = self.known.len();
        let at_random = f64::from(Stream::new(self.seed, Purpose::Trim, TIES, self.seen).uniform());
        if n < KEPT {
            self.known.insert(to, score);
        }
        ((n - to) as f64 + at_random * (to - from + 1) as f64) / (n + 1) as f64
    }

    /// The capital, 1 at the start; what it would be if the game went on, after the alarm.
    pub fn capital(&self) -> f64 {
        self.log_capital.exp()
    }

    /// After how many scores the alarm was raised.
    pub fn alarm(&self) -> Option<u64> {
        self.alarm
    }
}

/// `n` of ascending scores, at even distances of rank.
fn evenly(rising: &[f64], n: usize) -> Vec<f64> {
    let n = n.min(rising.len());
    (0..n).map(|i| rising[(2 * i + 1) * rising.len() / (2 * n)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate() -> Rate {
        Rate::try_from(0.05).unwrap()
    }

    /// When the alarm is raised among `n` scores that are `power`s of uniform ones, after 100 that are uniform.
    fn alarm_of(seed: u64, n: usize, power: f64) -> Option<u64> {
        let mut stream = Stream::new(seed, Purpose::Demo, 0, 0);
        let calibration = (0..100).map(|_| f64::from(stream.uniform())).collect();
        let mut martingale = DriftMartingale::new(rate(), calibration, seed);
        (0..n).for_each(|_| {
            martingale.add(f64::from(stream.uniform()).powf(power));
        });
        martingale.alarm()
    }

    #[test]
    fn unchanged_scores_alarm_no_more_often_than_promised() {
        let alarms = (0..1000).filter(|seed| alarm_of(*seed, 2000, 1.0).is_some()).count();
        // At most 50 on average, with a standard deviation of 7.
        assert!(alarms <= 65, "{alarms} of 1000");
    }

    /// Whether `n` scores of a series, means of the last `window` of uniform numbers, raise the alarm.
    fn alarms_on_series(seed: u64, window: usize, n: usize, scale: f64) -> bool {
        let mut stream = Stream::new(seed, Purpose::Demo, 1, 0);
        let mut scores = |n: usize, scale: f64| -> Vec<f64> {
            let x: Vec<f64> = (0..n + window).map(|_| scale * f64::from(stream.uniform())).collect();
            x.windows(window).take(n).map(|x| x.iter().sum()).collect()
        };
        let mut calibration = scores(60 * window, 1.0);
        calibration.sort_by(f64::total_cmp);
        let mut martingale = DriftMartingale::new(rate(), evenly(&calibration, 60), seed);
        scores(n, scale).into_iter().step_by(window).any(|score| martingale.add(score))
    }

    #[test]
    fn scores_of_a_series_alarm_no_more_often_than_promised_if_their_windows_share_nothing() {
        let alarms = (0..400).filter(|seed| alarms_on_series(*seed, 10, 5000, 1.0)).count();
        // At most 20 on average, with a standard deviation of 4.4.
        assert!(alarms <= 30, "{alarms} of 400");
        let found = (0..50).filter(|seed| alarms_on_series(*seed, 10, 1000, 1.3)).count();
        assert!(found >= 48, "{found} of 50");
    }

    #[test]
    fn scores_are_taken_at_even_distances() {
        let rising: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(evenly(&rising, 4), [12.0, 37.0, 62.0, 87.0]);
        assert_eq!((evenly(&rising, 200).len(), evenly(&[], 3).len()), (100, 0));
    }

    #[test]
    fn equal_scores_raise_no_alarm() {
        let mut martingale = DriftMartingale::new(rate(), vec![1.0; 50], 3);
        assert!((0..5000).all(|_| !martingale.add(1.0)));
    }

    #[test]
    fn others_alarm_soon_and_once() {
        let soon = (0..50).filter(|seed| alarm_of(*seed, 500, 0.3).is_some()).count();
        assert!(soon >= 48, "{soon} of 50");
        let mut martingale = DriftMartingale::new(rate(), (0..500).map(f64::from).collect(), 3);
        assert_eq!((0..300).filter(|_| martingale.add(490.0)).count(), 1);
        assert!(!martingale.add(f64::NAN) && martingale.alarm().is_some_and(|after| after < 100));
    }
}
