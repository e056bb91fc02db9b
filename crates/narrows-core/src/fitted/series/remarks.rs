//! What is odd about points that are rebuilt well: values that do not change, and levels that the transform takes out.

use std::collections::BTreeMap;

use super::adapter::SeriesAdapter;
use super::points::Coverage;
use crate::data::Series;
use crate::detect::Reason;

/// Something odd about a channel at a point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Remark {
    pub(super) channel: usize,
    /// Its evidence, on the scale of scores.
    pub(super) score: f64,
    oddity: Oddity,
}

#[derive(Debug, Clone, PartialEq)]
enum Oddity {
    /// The value has been the same for more points than ever in training.
    Unchanged { points: u32, longest: u32 },
    /// The means of all windows that cover the point are outside the range of training.
    Level { mean: f64, low: f64, high: f64 },
}

impl Remark {
    /// The remark as a reason, with its share of the score.
    pub(super) fn reason(&self, channel: &str, share: f64) -> Reason {
        let (expected, got) = match self.oddity {
            Oddity::Unchanged { points, longest } => {
                (format!("at most {longest} points unchanged"), points.to_string())
            }
            Oddity::Level { mean, low, high } => {
                (format!("a window's mean from {} to {}", short(low), short(high)), short(mean))
            }
        };
        Reason::category(channel, share, expected, got)
    }
}

/// The remarks on the points of a series, by point; `levels` are score and mean of a window that covers each.
pub(super) fn remarks(
    adapter: &SeriesAdapter,
    series: &Series,
    coverage: Coverage,
    levels: &[Option<(f64, f64)>],
) -> BTreeMap<usize, Vec<Remark>> {
    let mut remarks: BTreeMap<usize, Vec<Remark>> = BTreeMap::new();
    if let Some(runs) = &adapter.runs {
        let k = adapter.pipeline.n_channels();
        for (value, points) in runs.lengths(&series.values, coverage).into_iter().enumerate() {
            let (p, channel) = (value / k, value % k);
            let score = runs.score(channel, points);
            if score > 0.0 {
                let oddity = Oddity::Unchanged { points, longest: runs.longest(channel) };
                remarks.entry(p).or_default().push(Remark { channel, score, oddity });
            }
        }
    }
    if let Some(range) = &adapter.levels {
        let unit = |z: f64| adapter.pipeline.backward(&series.id, 0, z as f32);
        let [low, high] = range.range().map(|z| unit(f64::from(z)));
        let new =
            levels.iter().enumerate().filter_map(|(p, level)| Some((p, level.filter(|(score, _)| *score > 1.0)?)));
        for (p, (score, mean)) in new {
            let oddity = Oddity::Level { mean: unit(mean), low, high };
            remarks.entry(p).or_default().push(Remark { channel: 0, score, oddity });
        }
    }
    remarks
}

/// A number with four digits.
fn short(x: f64) -> String {
    format!("{x:.3e}").parse().unwrap_or(x).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_a_reason_in_words() {
        let text = |oddity: Oddity| Remark { channel: 0, score: 9.0, oddity }.reason("temp", 0.96).to_string();
        let unchanged = text(Oddity::Unchanged { points: 40, longest: 3 });
        assert_eq!(unchanged, "`temp`: expected at most 3 points unchanged, got 40 (share 96 %)");
        let level = text(Oddity::Level { mean: 65.123_4, low: 49.512_3, high: 50.5 });
        assert_eq!(level, "`temp`: expected a window's mean from 49.51 to 50.5, got 65.12 (share 96 %)");
    }
}
