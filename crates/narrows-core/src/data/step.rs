//! The time step of a regular series.
//!
//! Written in readable form, on screen and in model files: `5 min`, `250 ms`, `0.1`.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::moment::{Moment, shortest};
use crate::range::Positive;

/// Relative tolerance for equal steps measured with jitter.
const SAME: f64 = 0.1;
/// From this share of steps of two units on, samples are one or two units apart; unless steps of three occur as well.
const ONE_OR_TWO: f64 = 0.1;
/// So many of them have to be expected after each other if samples were lost by chance.
const EXPECTED: f64 = 6.0;
/// The step of such samples at least, in units, so that two of them are nearer to one step than to two.
const BETWEEN: f64 = 1.4;
/// Relative distance within which a step is rounded to a round one.
const ROUND: f64 = 0.01;

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const UNITS: [(u64, &str); 6] = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (1000, "ms"), (1, "us")];

/// The time from one point of a series to the next.
///
/// ```
/// use narrows_core::data::Step;
/// let step: Step = "5 min".parse()?;
/// assert_eq!(step.to_string(), "5 min");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Step {
    /// Between dates: microseconds.
    Micros(NonZeroU64),
    /// Between numbers: in the column's own unit.
    Number(Positive),
}

impl Step {
    /// The median of the positive differences between successive `times` of a series; for an even number of them
    /// the lower one, which is an observed step. `None` without differences.
    pub(crate) fn usual(mut differences: Vec<f64>, times: &[Moment]) -> Option<Step> {
        let middle = differences.len().checked_sub(1)? / 2;
        let (_, median, _) = differences.select_nth_unstable_by(middle, f64::total_cmp);
        let median = *median;
        match times.first()? {
            Moment::Instant(_) => {
                let micros = NonZeroU64::new(median as u64)?;
                // If half of the steps are equal to the microsecond, the step is exact.
                let is_meant = differences.iter().filter(|x| **x == median).count() * 2 >= differences.len();
                Some(Step::Micros(if is_meant { micros } else { rounded(micros) }))
            }
            Moment::Number(_) => {
                let size = |time: &Moment| if let Moment::Number(x) = time { x.abs() } else { 0.0 };
                let magnitude = times.iter().map(size).fold(0.0, f64::max);
                Positive::try_from(shortest(median, magnitude)).ok().map(Step::Number)
            }
        }
    }

    /// The step to lay new series out by: the usual one, but between one and two units for samples that are one or two
    /// units apart, such as every 1.2 s in whole seconds. Otherwise every late sample would leave a gap.
    pub(crate) fn between_samples(differences: Vec<f64>, times: &[Moment]) -> Option<Step> {
        let usual = Step::usual(differences.clone(), times)?;
        let unit = usual.units();
        if matches!(usual, Step::Micros(_)) && unit >= HOUR as f64 {
            return Some(usual);
        }
        let share = |is: &dyn Fn(f64) -> bool| {
            differences.iter().filter(|x| is(**x / unit)).count() as f64 / differences.len() as f64
        };
        let (two, more) = (share(&|x| x > 1.5 && x <= 2.5), share(&|x| x > 2.5));
        // If samples were lost by chance, some would be lost after each other.
        let expected = differences.len() as f64 * two * two;
        if two < ONE_OR_TWO || expected < EXPECTED || more >= two * two / 4.0 {
            return Some(usual);
        }
        let near: Vec<f64> = differences.iter().copied().filter(|x| *x <= 2.5 * unit).collect();
        let mean = near.iter().sum::<f64>() / near.len() as f64;
        let between = mean.max(BETWEEN * unit);
        match usual {
            Step::Micros(_) => NonZeroU64::new(between.round() as u64).map(Step::Micros),
            Step::Number(_) => Positive::try_from(shortest(between, between * 1e9)).ok().map(Step::Number),
        }
    }

    /// The step in the units of [`Moment::since`].
    pub(crate) fn units(self) -> f64 {
        match self {
            Step::Micros(micros) => micros.get() as f64,
            Step::Number(number) => number.get(),
        }
    }

    /// Number of steps between a row and the previous one, from the difference in time; at least 1,
    /// so that rows closer than a step stay in order.
    pub(crate) fn whole(self, since: f64) -> f64 {
        (since / self.units()).round().max(1.0)
    }

    /// Whether it is the hour by which clocks are put back.
    pub(crate) fn is_an_hour(self) -> bool {
        self == Step::Micros(NonZeroU64::new(HOUR).expect("an hour is not 0"))
    }

    /// Whether the step applies to such moments.
    pub(crate) fn suits(self, moment: Moment) -> bool {
        matches!((self, moment), (Step::Micros(_), Moment::Instant(_)) | (Step::Number(_), Moment::Number(_)))
    }

    /// Whether `other` is equal up to jitter.
    pub(crate) fn is_near(self, other: Step) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
            && (other.units() - self.units()).abs() <= SAME * self.units()
    }
}

/// The nearest usual clock step, if one is near.
fn rounded(micros: NonZeroU64) -> NonZeroU64 {
    const FRACTIONS: [u64; 4] = [1, 2, 4, 5];
    const SIXTIETHS: [u64; 11] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30];
    const HOURS: [u64; 7] = [1, 2, 3, 4, 6, 8, 12];
    let fractions = (0..6).flat_map(|power| FRACTIONS.map(|n| n * 10_u64.pow(power)));
    let sixtieths = [SECOND, MINUTE].into_iter().flat_map(|unit| SIXTIETHS.map(|n| n * unit));
    let days = HOURS.map(|n| n * HOUR).into_iter().chain([DAY, 7 * DAY]);
    let is_near = |round: &u64| round.abs_diff(micros.get()) as f64 <= ROUND * *round as f64;
    let near = fractions.chain(sixtieths).chain(days).filter(is_near);
    near.min_by_key(|round| round.abs_diff(micros.get())).and_then(NonZeroU64::new).unwrap_or(micros)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Number(number) => number.fmt(f),
            Step::Micros(micros) => {
                let micros = micros.get();
                // The largest unit of which it is a whole number; else seconds or less with decimals.
                let whole = UNITS.iter().find(|(unit, _)| *unit >= SECOND && micros.is_multiple_of(*unit));
                let below = || UNITS.iter().find(|(unit, _)| *unit <= SECOND && *unit <= micros);
                let (unit, name) = whole.or_else(below).unwrap_or(&(1, "us"));
                write!(f, "{} {name}", micros as f64 / *unit as f64)
            }
        }
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Step, String> {
        let wrong = || format!("expected a step such as `5 min`, `250 ms` or `0.1`, got `{text}`");
        if let Ok(number) = text.trim().parse::<f64>() {
            return Positive::try_from(number).map(Step::Number).map_err(|_| wrong());
        }
        let (number, name) = text.trim().split_at(text.trim().find(char::is_alphabetic).ok_or_else(wrong)?);
        let unit = UNITS.iter().find(|(_, unit)| *unit == name).ok_or_else(wrong)?.0;
        let micros = (number.trim().parse::<f64>().map_err(|_| wrong())? * unit as f64).round();
        let micros = (micros < u64::MAX as f64).then_some(micros as u64).and_then(NonZeroU64::new);
        micros.map(Step::Micros).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Step {
    type Error = String;

    fn try_from(text: String) -> Result<Step, String> {
        text.parse()
    }
}

impl From<Step> for String {
    fn from(step: Step) -> String {
        step.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(n: u64) -> Step {
        Step::Micros(NonZeroU64::new(n).unwrap())
    }

    fn check_words(step: Step, words: &str) {
        assert_eq!(step.to_string(), words);
        let json = serde_json::to_string(&step).unwrap();
        assert_eq!(json, format!("\"{words}\""));
        assert_eq!(serde_json::from_str::<Step>(&json).unwrap(), step);
    }

    #[test]
    fn a_step_is_written_as_people_say_it_and_read_back_exactly() {
        for (n, words) in [
            (300 * SECOND, "5 min"),
            (90 * MINUTE, "90 min"),
            (HOUR, "1 h"),
            (7 * DAY, "7 d"),
            (250_000, "250 ms"),
            (1_500_000, "1.5 s"),
            (299_999_123, "299.999123 s"),
            (12_345, "12.345 ms"),
            (1, "1 us"),
            (999_999_999_999_999, "999999999.999999 s"),
        ] {
            check_words(micros(n), words);
        }
        check_words(Step::Number(Positive::try_from(0.1).unwrap()), "0.1");
        assert_eq!("5min".parse::<Step>(), Ok(micros(5 * MINUTE)));
        for text in ["", "min", "5 weeks", "-5 min", "0", "0 s", "nan", "inf", "1e300 d", "x 5"] {
            let expected = format!("expected a step such as `5 min`, `250 ms` or `0.1`, got `{text}`");
            assert_eq!(text.parse::<Step>(), Err(expected));
        }
    }

    fn check_usual(differences: &[f64], time: Moment, words: Option<&str>) {
        let step = Step::usual(differences.to_vec(), &[time]);
        assert_eq!(step.map(|step| step.to_string()).as_deref(), words, "{differences:?}");
    }

    #[test]
    fn the_usual_step_is_the_median_and_jitter_is_rounded_away() {
        let date = Moment::Instant(0);
        check_usual(&[], date, None);
        check_usual(&[300e6, 300e6, 86_400e6], date, Some("5 min"));
        check_usual(&[300e6, 600e6], date, Some("5 min"));
        check_usual(&[299.8e6, 300.3e6, 301.0e6], date, Some("5 min"));
        check_usual(&[39_990.0, 40_020.0, 40_100.0], date, Some("40 ms"));
        // Half of the steps are alike, so that 303 s are meant.
        check_usual(&[303e6, 303e6, 310e6, 290e6], date, Some("303 s"));
        check_usual(&[11.0, 12.0, 13.0], date, Some("12 us"));
        check_usual(&[0.3 - 0.2, 0.1, 0.7 - 0.6], Moment::Number(0.7), Some("0.1"));
    }

    #[test]
    fn samples_one_or_two_units_apart_have_a_step_between() {
        let check = |differences: &[f64], words: &str| {
            let micros: Vec<f64> = differences.iter().map(|x| x * 1e6).cycle().take(200).collect();
            let step = Step::between_samples(micros, &[Moment::Instant(0)]).unwrap();
            assert_eq!(step.to_string(), words, "{differences:?}");
            let numbers = differences.iter().copied().cycle().take(200).collect();
            assert!(Step::between_samples(numbers, &[Moment::Number(0.0)]).is_some());
        };
        check(&[1.0, 2.0], "1.5 s");
        check(&[1.0, 1.0, 1.0, 1.0, 2.0], "1.4 s");
        // Lost samples, a pause, and a weekend are gaps.
        check(&[1.0, 1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0, 1.0], "1 s");
        check(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0], "1 s");
        check(&[86_400.0, 86_400.0, 86_400.0, 86_400.0, 259_200.0], "1 d");
    }

    #[test]
    fn steps_are_compared_within_their_kind() {
        assert!(micros(300).is_near(micros(329)) && !micros(300).is_near(micros(331)));
        let number = Step::Number(Positive::try_from(300.0).unwrap());
        assert!(!micros(300).is_near(number) && number.is_near(number));
        assert!(number.suits(Moment::Number(1.0)) && !number.suits(Moment::Instant(1)));
    }
}
