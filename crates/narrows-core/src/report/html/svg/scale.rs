//! Axis scales from values to coordinates, linear or logarithmic, with round ticks.

use super::super::number::number;
use super::Px;

/// Values are clamped to this and its inverse, so that spans stay finite.
const LIMIT: f64 = 1e300;

/// Maps a range of values to a range of coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct AxisScale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

/// A labelled axis tick.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Tick {
    /// Coordinate.
    pub(in super::super) at: Px,
    /// Formatted value.
    pub(in super::super) label: String,
}

impl AxisScale {
    /// A linear scale over the finite `values`.
    pub(super) fn linear(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> AxisScale {
        let (low, high) = bounds(values).unwrap_or((0.0, 1.0));
        let (low, high) =
            if high > low { (low, high) } else { (low - 0.5 * low.abs().max(1e-9), high + 0.5 * high.abs().max(1e-9)) };
        AxisScale { low: low.clamp(-LIMIT, LIMIT), high: high.clamp(-LIMIT, LIMIT), from, to, log: false }
    }

    /// A logarithmic scale over the positive, finite `values`.
    pub(super) fn log(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> AxisScale {
        let (low, high) = bounds(values.into_iter().filter(|x| *x > 0.0)).unwrap_or((1.0, 10.0));
        let (low, high) = if high > low * (1.0 + 1e-9) { (low, high) } else { (low / 2.0, high * 2.0) };
        AxisScale {
            low: low.clamp(1.0 / LIMIT, LIMIT / 2.0),
            high: high.clamp(2.0 / LIMIT, LIMIT),
            from,
            to,
            log: true,
        }
    }

    /// Logarithmic if all values are positive and span more than a factor of 10, else linear.
    pub(super) fn fitting(values: &[f64], from: f64, to: f64) -> AxisScale {
        match bounds(values.iter().copied()) {
            Some((low, high)) if low > 0.0 && high > 10.0 * low => AxisScale::log(values.iter().copied(), from, to),
            _ => AxisScale::linear(values.iter().copied(), from, to),
        }
    }

    /// The scale extended at both ends by a share of its span.
    pub(super) fn padded(self, share: f64) -> AxisScale {
        if self.log {
            let factor = (self.high / self.low).powf(share);
            let (low, high) = (self.low / factor, self.high * factor);
            if low >= 1.0 / LIMIT && high <= LIMIT { AxisScale { low, high, ..self } } else { self }
        } else {
            let more = (self.high - self.low) * share;
            AxisScale { low: self.low - more, high: self.high + more, ..self }
        }
    }

    /// Whether it is logarithmic.
    pub(super) fn is_log(&self) -> bool {
        self.log
    }

    /// The coordinate of a value, or NaN.
    pub(super) fn at(&self, x: f64) -> f64 {
        let share = if self.log {
            (x.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (x - self.low) / (self.high - self.low)
        };
        if share.is_finite() { self.from + share * (self.to - self.from) } else { f64::NAN }
    }

    /// The coordinate of a value clamped to the scale.
    pub(super) fn clamped(&self, x: f64) -> f64 {
        self.at(x.clamp(self.low, self.high))
    }

    /// Up to about `most` round values inside the scale.
    pub(super) fn ticks(&self, most: usize) -> Vec<Tick> {
        let values = if self.log { self.log_values(most) } else { self.linear_values(most) };
        values.into_iter().map(|x| Tick { at: Px(self.at(x)), label: number(x) }).collect()
    }

    fn linear_values(&self, most: usize) -> Vec<f64> {
        let rough = (self.high - self.low) / most.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= rough * 0.999).unwrap_or(rough);
        if !step.is_finite() || step <= 0.0 {
            return Vec::new();
        }
        // Ticks outside by rounding error only are kept.
        let tolerance = 1e-9;
        let first = (self.low / step - tolerance).ceil();
        let last = (self.high / step + tolerance).floor();
        (0..=50)
            .map(|i| first + f64::from(i))
            .take_while(|multiple| *multiple <= last)
            .map(|multiple| multiple * step)
            .collect()
    }

    fn log_values(&self, most: usize) -> Vec<f64> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let inside = |multiples: &[f64], every: usize| -> Vec<f64> {
            (first..=last)
                .step_by(every)
                .flat_map(|power| multiples.iter().map(move |m| m * 10f64.powi(power)))
                .filter(|x| *x >= self.low * 0.999 && *x <= self.high * 1.001)
                .collect()
        };
        // The finest ticks that do not exceed `most`.
        for multiples in [[1.0, 2.0, 5.0].as_slice(), &[1.0, 3.0], &[1.0]] {
            let values = inside(multiples, 1);
            if values.len() <= most && values.len() >= 2 {
                return values;
            }
        }
        let decades = (last - first).max(1) as usize;
        let values = inside(&[1.0], decades.div_ceil(most.max(1)).max(1));
        // Within a decade without two round multiples, linear steps.
        if values.len() >= 2 { values } else { self.linear_values(most).into_iter().filter(|x| *x > 0.0).collect() }
    }
}

fn bounds(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|x| x.is_finite()).fold(None, |bounds, x| match bounds {
        None => Some((x, x)),
        Some((low, high)) => Some((x.min(low), x.max(high))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: AxisScale, most: usize) -> Vec<String> {
        scale.ticks(most).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(labels(AxisScale::linear([0.0, 2000.0], 0.0, 1.0), 5), ["0", "500", "1,000", "1,500", "2,000"]);
        assert_eq!(labels(AxisScale::log([0.02, 3.0], 0.0, 1.0), 8), ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(labels(AxisScale::log([1e-6, 1e6], 0.0, 1.0), 5).len(), 5);
        assert_eq!(labels(AxisScale::log([1.1, 1.4], 0.0, 1.0), 4), ["1.1", "1.2", "1.3", "1.4"]);
    }

    #[test]
    fn nothing_one_value_and_infinities_still_make_a_scale() {
        for values in [
            vec![],
            vec![f64::NAN],
            vec![3.0, 3.0],
            vec![0.0],
            vec![f64::INFINITY, 1.0],
            vec![-1e308, 1e308],
            vec![1e-320, 1e308],
        ] {
            for scale in [
                AxisScale::linear(values.clone(), 10.0, 90.0),
                AxisScale::log(values.clone(), 10.0, 90.0),
                AxisScale::fitting(&values, 10.0, 90.0),
            ] {
                let scale = scale.padded(0.05);
                for tick in scale.ticks(5) {
                    assert!(
                        tick.at.0.is_finite() && (9.0..=91.0).contains(&tick.at.0),
                        "{values:?} {scale:?} {tick:?}"
                    );
                }
                assert!(scale.at(f64::NAN).is_nan());
            }
        }
    }

    #[test]
    fn a_span_over_tenfold_is_logarithmic() {
        assert!(AxisScale::fitting(&[0.1, 2.0], 0.0, 1.0).is_log());
        assert!(!AxisScale::fitting(&[0.5, 2.0], 0.0, 1.0).is_log());
        assert!(!AxisScale::fitting(&[-0.5, 20.0], 0.0, 1.0).is_log());
    }
}
