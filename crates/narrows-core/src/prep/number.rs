//! Numeric columns: scaled, clipped, missing cells filled with the median.
//!
//! An infinite cell is an anomaly if training rows have none; otherwise it is treated as missing
//! (a division by zero upstream), in training and in scoring.

use arrow::array::{Array, Float64Array};
use narrows_engine::rng::Stream;
use serde::{Deserialize, Serialize};

use super::cell::{Cell, short};
use super::grain::Grain;
use super::prepared::{BlockSlots, PrepTally};
use super::quantile::QuantileCurve;
use super::{Prep, Scaling};
use crate::range::{Positive, lit};

/// With fewer values, that there are two is chance.
const SWITCHED: usize = 20;
/// Standard deviations per interquartile range of normal data.
const IQR_OF_NORMAL: f64 = 1.349;
/// If the standard deviation exceeds the robust one by this factor, standardised values of the bulk would coincide in
/// 32 bits.
const RUINED: f64 = 1e6;

/// The encoding of one numeric column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberEncoder {
    pub(crate) scale: NumberScale,
    /// The median, for missing cells, in the column's unit.
    pub(crate) fill: f64,
    /// Bound of scaled numbers.
    pub(crate) clip: Positive,
    pub(crate) has_indicator: bool,
    pub(crate) is_infinite_missing: bool,
    pub(crate) is_unit: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum NumberScale {
    Linear { center: f64, scale: Positive },
    Curve(QuantileCurve),
}

/// What was seen while fitting.
pub(crate) struct Seen {
    pub(crate) what: String,
    pub(crate) missing: u64,
    pub(crate) infinite: u64,
    pub(crate) clipped: u64,
    pub(crate) is_constant: bool,
}

impl NumberEncoder {
    /// Fits on the training rows, for a column among others.
    pub(crate) fn fit(array: &Float64Array, rows: &[u32], prep: &Prep) -> (NumberEncoder, Seen) {
        NumberEncoder::fit_beside(array, rows, prep, true)
    }

    /// Fits on the training rows, for the only column.
    pub(crate) fn fit_alone(array: &Float64Array, rows: &[u32], prep: &Prep) -> (NumberEncoder, Seen) {
        NumberEncoder::fit_beside(array, rows, prep, false)
    }

    fn fit_beside(array: &Float64Array, rows: &[u32], prep: &Prep, others: bool) -> (NumberEncoder, Seen) {
        let mut values = Vec::with_capacity(rows.len());
        let (mut missing, mut infinite) = (0u64, 0u64);
        for row in rows.iter().map(|row| *row as usize) {
            match array.is_valid(row).then(|| array.value(row)) {
                Some(x) if x.is_finite() => values.push(x),
                Some(x) if x.is_infinite() => infinite += 1,
                _ => missing += 1,
            }
        }
        values.sort_unstable_by(f64::total_cmp);
        let spread = Spread::of(&values);
        let (scale, mut what) = spread.scale(prep.scaling, &values, others);
        let mut number = NumberEncoder {
            scale,
            fill: spread.median,
            clip: prep.clip,
            has_indicator: missing + infinite > 0,
            is_infinite_missing: infinite > 0,
            is_unit: false,
        };
        let (low, high) = (number.scaled(spread.min), number.scaled(spread.max));
        if prep.scaling == Scaling::None {
            // Unscaled numbers are clipped far outside the training range only.
            let clip = prep.clip.get().max(low.abs()).max(high.abs()).min(f64::from(f32::MAX));
            number.clip = Positive::try_from(clip).unwrap_or(prep.clip);
        }
        number.is_unit = low >= 0.0 && high <= 1.0;
        let clipped = values.iter().filter(|x| number.scaled(**x).abs() > number.clip.get()).count() as u64;
        if missing + infinite > 0 {
            let cells = if infinite > 0 {
                format!("{missing} missing and {infinite} infinite")
            } else {
                format!("{missing} missing")
            };
            what.push_str(&format!("; {cells} filled with median {}, with an indicator", short(spread.median)));
        }
        if clipped > 0 {
            what.push_str(&format!("; {clipped} clipped at {} scaled units", short(number.clip.get())));
        }
        let is_constant = spread.min == spread.max;
        (number, Seen { what, missing: missing + infinite, infinite, clipped, is_constant })
    }

    /// Encodes the cells of rows `first..first + n`: the number, then the indicator if there is one.
    pub(crate) fn write(&self, array: &Float64Array, first: usize, n: usize, slots: &mut BlockSlots<'_>) -> PrepTally {
        let mut tally = PrepTally::default();
        let fill = self.held(self.scaled(self.fill)) as f32;
        for i in 0..n {
            let x = array.value(first + i);
            let is_missing = array.is_null(first + i) || x.is_nan() || (x.is_infinite() && self.is_infinite_missing);
            if is_missing {
                tally.missing += 1;
                slots.fill(i, 0, fill);
            } else {
                let scaled = self.scaled(x);
                let held = self.held(scaled);
                tally.clipped += u64::from(scaled != held);
                slots.put(i, 0, held as f32);
            }
            if self.has_indicator {
                slots.put(i, 1, f32::from(u8::from(is_missing)));
            }
        }
        tally
    }

    /// Decodes these inputs.
    pub(crate) fn read(&self, features: &[f32]) -> Cell {
        if self.has_indicator && features[1] > 0.5 {
            return Cell::Missing;
        }
        Cell::Number(self.backward(features[0]))
    }

    /// Samples from the decoder's prediction in these inputs, in place: missing with its probability, else
    /// the number plus the noise of the grain.
    pub(crate) fn draw(&self, features: &mut [f32], grain: Option<&Grain>, stream: &mut Stream) -> Cell {
        let levels = grain.and_then(|grain| grain.levels.as_ref());
        // Drawn for every cell, so that the samples of a cell do not depend on others.
        let chance = stream.uniform();
        let (noise, place) = match levels {
            Some(_) => (0.0, f64::from(stream.uniform())),
            None => (stream.normal(), 0.0),
        };
        if self.has_indicator {
            let is_missing = chance < features[1];
            features[1] = f32::from(u8::from(is_missing));
            if is_missing {
                features[0] = self.held(self.scaled(self.fill)) as f32;
                return Cell::Missing;
            }
        }
        if let Some(levels) = levels {
            let x = levels.drawn(f64::from(features[0]), place, |value| self.held(self.scaled(value)));
            features[0] = self.forward(x).0;
            return Cell::Number(x);
        }
        let expected = features[0] + grain.map_or(0.0, |grain| grain.noise * noise);
        let x = self.backward(expected);
        let x = grain.map_or(x, |grain| grain.hold(x));
        features[0] = self.forward(x).0;
        Cell::Number(x)
    }

    /// Takes infinite cells as missing if training rows had some.
    pub(crate) fn note_infinite(&mut self, infinite: u64) {
        self.is_infinite_missing = infinite > 0;
    }

    /// The error of an infinite cell, which is at the clip: `None` if it counts as missing.
    pub(crate) fn infinite_error(&self) -> Option<f64> {
        (!self.is_infinite_missing).then(|| self.clip.get() * self.clip.get())
    }

    /// One finite value as an input, and whether it was clipped.
    pub(crate) fn forward(&self, x: f64) -> (f32, bool) {
        let scaled = self.scaled(x);
        let held = self.held(scaled);
        (held as f32, scaled != held)
    }

    /// The value of an input.
    pub(crate) fn backward(&self, z: f32) -> f64 {
        let z = f64::from(z);
        match &self.scale {
            NumberScale::Linear { center, scale } => z * scale.get() + center,
            NumberScale::Curve(curve) => curve.inverse(z),
        }
    }

    pub(crate) fn scaled(&self, x: f64) -> f64 {
        match &self.scale {
            NumberScale::Linear { center, scale } => {
                let scale = scale.get();
                let distance = x - center;
                // The difference of two numbers near the limits can overflow.
                if distance.is_infinite() && x.is_finite() { x / scale - center / scale } else { distance / scale }
            }
            NumberScale::Curve(curve) => curve.forward(x),
        }
    }

    pub(crate) fn held(&self, scaled: f64) -> f64 {
        scaled.clamp(-self.clip.get(), self.clip.get())
    }
}

/// Statistics of finite values in ascending order; zeros without values.
struct Spread {
    n: usize,
    min: f64,
    max: f64,
    median: f64,
    mean: f64,
    std: f64,
    /// Interquartile range as a standard deviation.
    robust: f64,
}

impl Spread {
    fn of(sorted: &[f64]) -> Spread {
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
            return Spread { n: 0, min: 0.0, max: 0.0, median: 0.0, mean: 0.0, std: 0.0, robust: 0.0 };
        };
        let n = sorted.len();
        // Divided by the maximum first, so that sums and squares cannot overflow.
        let size = min.abs().max(max.abs()).max(f64::MIN_POSITIVE);
        let mean = sorted.iter().map(|x| x / size).sum::<f64>() / n as f64;
        let variance = sorted.iter().map(|x| (x / size - mean).powi(2)).sum::<f64>() / n as f64;
        let robust = (quantile(sorted, 0.75) / IQR_OF_NORMAL - quantile(sorted, 0.25) / IQR_OF_NORMAL).min(f64::MAX);
        let (mean, std) = if min == max { (min, 0.0) } else { (mean * size, variance.sqrt() * size) };
        Spread { n, min, max, median: quantile(sorted, 0.5), mean, std, robust }
    }

    fn scale(&self, scaling: Scaling, sorted: &[f64], others: bool) -> (NumberScale, String) {
        let linear = |center: f64, scale: f64| NumberScale::Linear { center, scale: usable(scale) };
        let standard = || {
            (linear(self.mean, self.std), format!("standardised (mean {}, std {})", short(self.mean), short(self.std)))
        };
        let robust = |why: &str| {
            let what = format!(
                "scaled robustly{why} (median {}, IQR {})",
                short(self.median),
                short(self.robust * IQR_OF_NORMAL)
            );
            (linear(self.median, self.robust), what)
        };
        if self.n == 0 {
            return (linear(0.0, 1.0), "no training cell is known".to_owned());
        }
        if self.min == self.max && scaling != Scaling::None {
            return (linear(self.min, 1.0), format!("constant {}, not scaled", short(self.min)));
        }
        match scaling {
            Scaling::Auto if self.robust > 0.0 && self.std / self.robust > RUINED => {
                robust(&format!(" because of extreme values (std {})", short(self.std)))
            }
            // In units of its standard deviation a switch that is rarely on would outweigh everything else when it is.
            Scaling::Auto
                if others && self.n >= SWITCHED && sorted.iter().all(|x| *x == self.min || *x == self.max) =>
            {
                let range = (self.max - self.min).min(f64::MAX);
                (
                    linear(self.mean, range),
                    format!("two values, {} and {}, one unit apart", short(self.min), short(self.max)),
                )
            }
            Scaling::Auto | Scaling::Standard => standard(),
            Scaling::Robust if self.robust > 0.0 => robust(""),
            Scaling::Robust => {
                let (scale, what) = standard();
                (scale, format!("{what} because its IQR is 0"))
            }
            Scaling::Minmax => {
                let range = (self.max - self.min).min(f64::MAX);
                (linear(self.min, range), format!("scaled to 0 to 1 (from {} to {})", short(self.min), short(self.max)))
            }
            // Numbers of series are never levels.
            Scaling::Quantile | Scaling::Shape => (
                NumberScale::Curve(QuantileCurve::fit(sorted)),
                "quantile-transformed to a normal distribution".to_owned(),
            ),
            Scaling::None => (linear(0.0, 1.0), "not scaled".to_owned()),
        }
    }
}

/// A scale that can be divided by.
fn usable(scale: f64) -> Positive {
    Positive::try_from(scale).ok().filter(|scale| scale.get().is_normal()).unwrap_or(lit!(Positive, 1.0))
}

/// The quantile by linear interpolation, as NumPy has it by default.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] * (1.0 - part) + sorted[above] * part
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Scaling; 6] =
        [Scaling::Auto, Scaling::Standard, Scaling::Robust, Scaling::Minmax, Scaling::Quantile, Scaling::None];

    fn fit(values: &[f64], scaling: Scaling) -> (NumberEncoder, Seen) {
        let array = array(values);
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        NumberEncoder::fit(&array, &rows, &Prep { scaling, ..Prep::default() })
    }

    fn array(values: &[f64]) -> Float64Array {
        values.iter().map(|x| (!x.is_nan()).then_some(*x)).collect()
    }

    fn write(number: &NumberEncoder, values: &[f64]) -> (Vec<f32>, Vec<f32>, PrepTally) {
        let width = 1 + usize::from(number.has_indicator);
        let (mut input, mut target) = (vec![0.0; values.len() * width], vec![0.0; values.len() * width]);
        let mut slots = BlockSlots { input: &mut input, target: &mut target, width, start: 0 };
        let tally = number.write(&array(values), 0, values.len(), &mut slots);
        (input, target, tally)
    }

    fn check(values: &[f64], scaling: Scaling, expected: &[f32], what: &str) {
        let (number, seen) = fit(values, scaling);
        let (input, ..) = write(&number, values);
        for (got, expected) in input.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{scaling:?}: {input:?}");
        }
        assert_eq!(seen.what, what);
    }

    #[test]
    fn every_scaling_does_what_its_name_says() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        let std = 2f32.sqrt();
        check(&values, Scaling::Standard, &[-2.0 / std, -1.0 / std, 0.0], "standardised (mean 3, std 1.41)");
        check(&values, Scaling::Auto, &[-2.0 / std], "standardised (mean 3, std 1.41)");
        let switch = [[5.0, 3.0, 3.0, 3.0]; 5].concat();
        check(&switch, Scaling::Auto, &[1.5, -0.5].map(|x| x / 2.0), "two values, 3 and 5, one unit apart");
        check(&switch[..4], Scaling::Auto, &[3f32.sqrt()], "standardised (mean 3.50, std 0.8660)");
        check(&values, Scaling::Robust, &[-1.349, -0.6745, 0.0], "scaled robustly (median 3, IQR 2)");
        check(&values, Scaling::Minmax, &[0.0, 0.25, 0.5, 0.75, 1.0], "scaled to 0 to 1 (from 1 to 5)");
        check(&values, Scaling::None, &[1.0, 2.0], "not scaled");
        check(
            &values,
            Scaling::Quantile,
            &[-1.281_551_6, -0.524_400_5, 0.0],
            "quantile-transformed to a normal distribution",
        );
        check(&[7.0, 7.0], Scaling::Auto, &[0.0, 0.0], "constant 7, not scaled");
        check(
            &[0.0, 0.0, 0.0, 0.0, 0.0, 9.0],
            Scaling::Robust,
            &[],
            "standardised (mean 1.50, std 3.35) because its IQR is 0",
        );
    }

    #[test]
    fn absurd_values_do_not_ruin_the_others() {
        let mut values: Vec<f64> = (0..100).map(f64::from).collect();
        values.push(1e300);
        let (number, seen) = fit(&values, Scaling::Auto);
        assert!(seen.what.starts_with("scaled robustly because of extreme values (std 9.901e298)"), "{}", seen.what);
        assert_eq!(seen.clipped, 1);
        let (input, ..) = write(&number, &values);
        assert!((input[0] - input[99]).abs() > 1.0);
        assert_eq!(input[100], 1e3);
        for scaling in ALL {
            let (number, _) = fit(&[-1.7e308, 1.7e308, 0.0, f64::MAX], scaling);
            assert!(write(&number, &[-1.7e308, 1.7e308, 0.0]).0.iter().all(|x| x.is_finite()), "{scaling:?}");
        }
    }

    #[test]
    fn missing_cells_are_filled_and_not_asked_back() {
        let (number, seen) = fit(&[1.0, f64::NAN, 3.0], Scaling::None);
        assert_eq!(seen.what, "not scaled; 1 missing filled with median 2, with an indicator");
        let (input, target, tally) = write(&number, &[f64::NAN, 3.0]);
        assert_eq!(input, [2.0, 1.0, 3.0, 0.0]);
        assert!(target[0].is_nan() && target[1] == 1.0 && target[2] == 3.0);
        assert_eq!(tally.missing, 1);
        assert_eq!((number.read(&[2.0, 0.9]), number.read(&[2.0, 0.1])), (Cell::Missing, Cell::Number(2.0)));
        let (number, _) = fit(&[1.0, 3.0], Scaling::None);
        let (input, target, tally) = write(&number, &[f64::NAN]);
        assert!(input == [2.0] && target[0].is_nan() && tally.missing == 1);
    }

    #[test]
    fn infinite_cells_are_anomalies_unless_training_rows_have_some() {
        let (number, _) = fit(&[1.0, 2.0], Scaling::Auto);
        let (input, _, tally) = write(&number, &[f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!((input, tally.clipped), (vec![1e3, -1e3], 2));
        let (number, seen) = fit(&[1.0, 2.0, f64::INFINITY], Scaling::Auto);
        assert_eq!((seen.infinite, seen.missing), (1, 1));
        let (_, target, tally) = write(&number, &[f64::INFINITY]);
        assert!(target[0].is_nan() && tally.missing == 1 && tally.clipped == 0);
    }

    #[test]
    fn a_column_without_known_cells_is_zero() {
        for scaling in ALL {
            let (number, _) = fit(&[f64::NAN, f64::NAN], scaling);
            assert_eq!(write(&number, &[f64::NAN]).0, [0.0, 1.0]);
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(values in prop::collection::vec(-1e6..1e6f64, 2..60), pick in 0..6usize) {
            let (number, _) = fit(&values, ALL[pick]);
            let (input, _, tally) = write(&number, &values);
            prop_assert_eq!(tally, PrepTally::default());
            let range = values.iter().fold(1.0f64, |size, x| size.max(x.abs()));
            for (x, z) in values.iter().zip(&input) {
                let Cell::Number(back) = number.read(&[*z]) else { panic!("a number") };
                // 32 bits hold seven digits; a steep segment of a quantile curve may cost some of them.
                prop_assert!((back - x).abs() <= 1e-4 * range, "{} {} {:?}", x, back, ALL[pick]);
            }
        }
    }
}
