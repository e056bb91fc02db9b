//! Window transforms: removing level, trend or scale from windows of a series.

use serde::{Deserialize, Serialize};

/// The transform applied to remove level, trend or scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Unchanged.
    #[default]
    None,
    /// First differences: level shifts become single points.
    Difference,
    /// The window's mean is subtracted.
    Centre,
    /// The window's least-squares line is subtracted.
    Detrend,
    /// The window's mean is subtracted and the rest divided by its standard deviation.
    Standardise,
}

impl Transform {
    /// Description for reports.
    pub fn describe(self) -> &'static str {
        match self {
            Transform::None => "levels unchanged",
            Transform::Difference => "first differences",
            Transform::Centre => "window mean subtracted",
            Transform::Detrend => "window trend line subtracted",
            Transform::Standardise => "standardised per window",
        }
    }
}

/// The removed level of one channel of one window: `value = offset + slope t + size x`, t relative to its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Value at the middle of the window.
    pub offset: f32,
    /// Change per step.
    pub slope: f32,
    /// Scale.
    pub size: f32,
}

impl Level {
    /// Limit on the gain of a window relative to the channel's own spread, so that near-constant windows stay small.
    pub(crate) const LARGEST_STRETCH: f64 = 10.0;

    /// The identity.
    pub const NONE: Level = Level { offset: 0.0, slope: 0.0, size: 1.0 };

    /// The level that `transform` removes from the values `value(t)`; NaN is missing.
    pub fn of(transform: Transform, steps: usize, value: impl Fn(usize) -> f32) -> Level {
        let middle = (steps as f64 - 1.0) / 2.0;
        let seen = || (0..steps).map(|t| (t as f64 - middle, f64::from(value(t)))).filter(|(_, x)| !x.is_nan());
        let n = seen().count() as f64;
        if n == 0.0 || matches!(transform, Transform::None | Transform::Difference) {
            return Level::NONE;
        }
        let mean = seen().map(|(_, x)| x).sum::<f64>() / n;
        match transform {
            Transform::Detrend => {
                let mean_t = seen().map(|(t, _)| t).sum::<f64>() / n;
                let (mut cross, mut square) = (0.0, 0.0);
                seen().for_each(|(t, x)| {
                    cross += (t - mean_t) * (x - mean);
                    square += (t - mean_t) * (t - mean_t);
                });
                let slope = if square > 0.0 { cross / square } else { 0.0 };
                Level { offset: (mean - slope * mean_t) as f32, slope: slope as f32, size: 1.0 }
            }
            Transform::Standardise => {
                let variance = seen().map(|(_, x)| (x - mean) * (x - mean)).sum::<f64>() / n;
                Level {
                    offset: mean as f32,
                    slope: 0.0,
                    size: variance.sqrt().max(1.0 / Level::LARGEST_STRETCH) as f32,
                }
            }
            _ => Level { offset: mean as f32, slope: 0.0, size: 1.0 },
        }
    }

    /// The value with the level removed, at step `t` of `steps`.
    pub fn take(self, x: f32, t: usize, steps: usize) -> f32 {
        (x - self.at(t, steps)) / self.size
    }

    /// The value with the level restored.
    pub fn put_back(self, x: f32, t: usize, steps: usize) -> f32 {
        x * self.size + self.at(t, steps)
    }

    fn at(self, t: usize, steps: usize) -> f32 {
        self.offset + self.slope * (t as f32 - (steps as f32 - 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(transform: Transform, values: &[f32], expected: &[f32]) {
        let steps = values.len();
        let level = Level::of(transform, steps, |t| values[t]);
        let taken: Vec<f32> = (0..steps).map(|t| level.take(values[t], t, steps)).collect();
        for (t, (taken, expected)) in taken.iter().zip(expected).enumerate() {
            assert!((taken - expected).abs() < 1e-5 || expected.is_nan(), "{transform:?} step {t}: {taken}");
            assert!((level.put_back(*taken, t, steps) - values[t]).abs() < 1e-5 || values[t].is_nan());
        }
    }

    #[test]
    fn each_transform_takes_what_it_says() {
        check(Transform::None, &[1.0, 2.0], &[1.0, 2.0]);
        check(Transform::Centre, &[1.0, 2.0, 6.0], &[-2.0, -1.0, 3.0]);
        check(Transform::Detrend, &[1.0, 3.0, 5.0, 7.0], &[0.0; 4]);
        check(Transform::Standardise, &[1.0, 3.0], &[-1.0, 1.0]);
    }

    #[test]
    fn missing_values_have_no_say_and_a_flat_window_stays_flat() {
        check(Transform::Detrend, &[1.0, f32::NAN, 5.0, 7.0], &[0.0, f32::NAN, 0.0, 0.0]);
        check(Transform::Standardise, &[2.0, 2.0, 2.01], &[-0.033_333_3, -0.033_333_3, 0.066_666_6]);
        check(Transform::Centre, &[f32::NAN, f32::NAN], &[f32::NAN, f32::NAN]);
    }
}
