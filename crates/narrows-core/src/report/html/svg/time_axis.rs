//! Labels of a time axis: at round clock times if the labels are times, else at round positions.

use jiff::civil::{Date, DateTime};

use super::super::text::cut;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Label distances, in seconds.
const STEPS: [i64; 25] = [
    1,
    5,
    15,
    30,
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    3 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    56 * DAY,
    112 * DAY,
    364 * DAY,
    728 * DAY,
    1820 * DAY,
    3640 * DAY,
    18_200 * DAY,
];
/// Characters of a label that is not a time.
const LABEL: usize = 12;

/// A time axis with parsed labels.
pub(super) struct TimeAxis<'a> {
    labels: &'a [String],
    n: usize,
    clock: Option<Vec<(i64, DateTime)>>,
}

/// A labelled position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeLabel {
    /// Position, from 0.
    pub(super) at: usize,
    /// The short form of the time.
    pub(super) text: String,
}

impl<'a> TimeAxis<'a> {
    /// An axis of `n` positions; surplus labels are ignored, missing ones become position numbers.
    pub(super) fn new(labels: &'a [String], n: usize) -> TimeAxis<'a> {
        let clock = (labels.len() >= n).then(|| labels[..n].iter().map(|label| clock(label)).collect()).flatten();
        TimeAxis { labels, n, clock }
    }

    /// The full time at a position.
    pub(super) fn full(&self, at: usize) -> String {
        match self.labels.get(at).filter(|label| !label.trim().is_empty()) {
            Some(label) if self.clock.is_some() => cut(label, 40).replacen('T', " ", 1),
            Some(label) => cut(label, 40),
            None => at.to_string(),
        }
    }

    /// About `most` labels in ascending order, fewer if labels are long.
    pub(super) fn labels(&self, most: usize) -> Vec<TimeLabel> {
        let clock = self.clock.as_deref().map(|clock| by_clock(clock, most)).filter(|labels| labels.len() > 1);
        clock.unwrap_or_else(|| self.by_position(most))
    }

    fn by_position(&self, most: usize) -> Vec<TimeLabel> {
        let short = |at: usize| cut(&self.full(at), LABEL);
        let longest = (0..self.n).step_by((self.n / 16).max(1)).map(|at| short(at).chars().count()).max().unwrap_or(1);
        let most = (most * 6 / longest.max(6)).max(1);
        let powers = (0..19).map(|power| 10usize.pow(power));
        let mut steps = powers.flat_map(|power| [1, 2, 5].map(|m| power.saturating_mul(m)));
        let step = steps.find(|step| self.n.div_ceil(*step) <= most).unwrap_or(self.n.max(1));
        (0..self.n).step_by(step).map(|at| TimeLabel { at, text: short(at) }).collect()
    }
}

/// Labels where a new hour, day or other unit begins, at the finest unit with at most `most` labels.
fn by_clock(clock: &[(i64, DateTime)], most: usize) -> Vec<TimeLabel> {
    let begins = |step: i64| {
        (0..clock.len()).filter(move |i| match i {
            0 => clock[0].0.rem_euclid(step) == 0,
            i => clock[i - 1].0.div_euclid(step) != clock[*i].0.div_euclid(step),
        })
    };
    let Some(step) = STEPS.into_iter().find(|step| begins(*step).nth(most).is_none()) else { return Vec::new() };
    begins(step)
        .map(|at| {
            let time = clock[at].1;
            let format = match step {
                _ if step >= 364 * DAY => "%Y",
                _ if step >= 56 * DAY => "%b %Y",
                _ if step >= DAY || (time.hour(), time.minute(), time.second()) == (0, 0, 0) => "%-d %b",
                _ if time.second() == 0 => "%H:%M",
                _ => "%H:%M:%S",
            };
            TimeLabel { at, text: time.strftime(format).to_string() }
        })
        .collect()
}

/// Local seconds since Monday 1900-01-01, and the parsed time.
fn clock(label: &str) -> Option<(i64, DateTime)> {
    let label = label.trim();
    let time: DateTime = label.get(..19).unwrap_or(label).parse().ok()?;
    let monday: Date = jiff::civil::date(1900, 1, 1);
    let days = i64::from(time.date().since(monday).ok()?.get_days());
    Some((
        days * DAY + i64::from(time.hour()) * HOUR + i64::from(time.minute()) * MINUTE + i64::from(time.second()),
        time,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: impl IntoIterator<Item = String>, most: usize, expected: &[(usize, &str)]) {
        let labels: Vec<String> = labels.into_iter().collect();
        let places = TimeAxis::new(&labels, labels.len()).labels(most);
        let places: Vec<(usize, &str)> = places.iter().map(|place| (place.at, place.text.as_str())).collect();
        assert_eq!(places, expected);
    }

    fn every_hour(n: usize) -> impl Iterator<Item = String> {
        (0..n).map(|i| format!("2026-03-{:02} {:02}:00:00", 1 + i / 24, i % 24))
    }

    #[test]
    fn clock_times_are_labelled_at_round_times() {
        check(every_hour(24), 4, &[(0, "1 Mar"), (6, "06:00"), (12, "12:00"), (18, "18:00")]);
        check(every_hour(24 * 21), 3, &[(24, "2 Mar"), (192, "9 Mar"), (360, "16 Mar")]);
        check(every_hour(24).step_by(7), 6, &[(0, "1 Mar"), (1, "07:00"), (2, "14:00"), (3, "21:00")]);
        check(
            (0..60).map(|i| format!("2026-03-01T00:00:{i:02}.5Z")),
            4,
            &[0, 15, 30, 45].map(|at| (at, ["1 Mar", "00:00:15", "00:00:30", "00:00:45"][at / 15])),
        );
    }

    #[test]
    fn other_labels_stand_at_round_positions() {
        let places = [(0, "0"), (20, "20"), (40, "40"), (60, "60"), (80, "80")];
        check((0..100).map(|i| i.to_string()), 6, &places);
        assert_eq!(TimeAxis::new(&[], 100).labels(6), TimeAxis::new(&places.map(|_| String::new()), 100).labels(6));
        check(
            (0..3).map(|_| "a label that is much too long".to_owned()),
            6,
            &[(0, "a label that…"), (2, "a label that…")],
        );
        check(["2026-03-01".to_owned()], 6, &[(0, "2026-03-01")]);
        check([], 6, &[]);
    }

    #[test]
    fn full_labels_are_readable() {
        let times = ["2026-03-01T10:00:00".to_owned()];
        assert_eq!(TimeAxis::new(&times, 1).full(0), "2026-03-01 10:00:00");
        assert_eq!(TimeAxis::new(&[], 9).full(7), "7");
    }
}
