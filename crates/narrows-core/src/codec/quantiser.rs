//! Quantisation steps of the code units and the distributions of their integers.
//!
//! Units with a large effect on the output get small steps: with g the norm of the
//! output's derivative with respect to a unit, steps proportional to 1 / g give every unit the same share of the error of
//! rounding, which is optimal at high rates (Gersho and Gray 1992, reverse water-filling). The base steps add a tenth
//! to the model's own error; compression may scale all of them by powers of two. A quantised latent is
//! trained for steps of one, and keeps them.

use narrows_codec::Table;
use narrows_engine::Latent;

use crate::ensemble::Ensemble;

/// The quantisation of codes, one entry per unit; for maps, one per channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantiser {
    /// `[n]`, the code that maps to zero.
    pub(crate) centre: Vec<f32>,
    /// `[n]`, the base step.
    pub(crate) step: Vec<f32>,
    /// `[n]`, symbol frequencies, [`FINER`] levels finer than the base step.
    pub(crate) tables: Vec<Table>,
    /// The step of a number that is added to a single output, such as a level of a window.
    pub(crate) output_step: f32,
}

/// Share of the model's own error that rounding at the base step adds.
const ADDED: f64 = 0.1;
/// Halvings of the base step at which the tables are made.
const FINER: i32 = 3;
/// Maximum number of decoder evaluations for the sensitivities.
const DECODINGS: usize = 4096;
/// Perturbation of codes for the sensitivities, in standard deviations.
const MOVED: f32 = 0.1;

impl Quantiser {
    /// The finest and the coarsest level: a level doubles the step. At the coarsest every code becomes zero.
    pub(crate) const LEVELS: std::ops::RangeInclusive<i32> = -6..=24;

    /// Fits on training samples: prepared inputs and targets, NaN for missing, `[n, width]`; the first `units` of the code
    /// have their own parameters, the others repeat them. `is_rounded`: the network rounds its code to whole numbers.
    pub(crate) fn fit(
        ensemble: &Ensemble,
        (inputs, targets): (&[f32], &[f32]),
        units: usize,
        is_rounded: bool,
    ) -> Quantiser {
        let network = &ensemble.network;
        let (k, width) = (network.code_size(), network.outputs());
        let n = targets.len() / width;
        let (mut codes, mut outputs) = (vec![0.0; n * k], vec![0.0; n * width]);
        ensemble.reconstruct(0, inputs, &mut codes, &mut outputs);
        let squared = |(output, target): (&f32, &f32)| {
            let error = f64::from(output - target);
            if target.is_nan() { 0.0 } else { error * error }
        };
        let error = outputs.iter().zip(targets).map(squared).sum::<f64>() / n.max(1) as f64;
        // A model without error does not justify infinitesimal steps.
        let budget = 12.0 * ADDED * error.max(1e-6 * width as f64) / k as f64;
        let (centre, spread) = moments(&codes, units);
        let (centre, step) = if network.latent == Latent::Quantised || is_rounded {
            (vec![0.0; units], vec![1.0; units])
        } else {
            let sensitivity = sensitivity(ensemble, &codes, &spread);
            let step = sensitivity.iter().zip(&spread).map(|(g, spread)| {
                // A unit without effect on the output is rounded to zero.
                let largest = f64::from(spread.max(f32::MIN_POSITIVE)) * 64.0;
                (budget.sqrt() / g.max(1e-12)).clamp(largest * 1e-6, largest) as f32
            });
            (centre, step.collect())
        };
        let mut quantiser = Quantiser {
            centre,
            step,
            tables: Vec::new(),
            output_step: (budget.sqrt() / (width as f64).sqrt()).max(1e-6) as f32,
        };
        let symbols = quantiser.symbols(&codes, -FINER);
        quantiser.tables =
            (0..units).map(|unit| Table::from_symbols(symbols.iter().skip(unit).step_by(units).copied())).collect();
        quantiser
    }

    /// Number of units with their own parameters.
    pub(crate) fn units(&self) -> usize {
        self.step.len()
    }

    /// The tables of a code of `k` units at a level.
    pub(crate) fn tables(&self, k: usize, level: i32) -> Vec<Table> {
        let tables: Vec<Table> = self.tables.iter().map(|table| table.at(level + FINER)).collect();
        (0..k).map(|unit| tables[unit % tables.len()].clone()).collect()
    }

    /// Quantises codes `[.., units]` to integers.
    pub(crate) fn symbols(&self, codes: &[f32], level: i32) -> Vec<i64> {
        let scale = 2.0_f64.powi(level);
        let symbol = |(i, code): (usize, &f32)| {
            let unit = i % self.units();
            let steps = (f64::from(*code) - f64::from(self.centre[unit])) / (f64::from(self.step[unit]) * scale);
            steps.round() as i64
        };
        codes.iter().enumerate().map(symbol).collect()
    }

    /// Reconstructs codes from integers `[.., units]`.
    pub(crate) fn codes(&self, symbols: &[i64], level: i32) -> Vec<f32> {
        let scale = 2.0_f64.powi(level);
        let code = |(i, symbol): (usize, &i64)| {
            let unit = i % self.units();
            (f64::from(self.centre[unit]) + *symbol as f64 * (f64::from(self.step[unit]) * scale)) as f32
        };
        symbols.iter().enumerate().map(code).collect()
    }

    /// The finest level at which a unit takes at most `bits` by the tables, on average.
    pub(crate) fn level_of(&self, bits: f64) -> i32 {
        let mean = |level: i32| {
            self.tables.iter().map(|table| entropy(&table.at(level + FINER))).sum::<f64>() / self.units() as f64
        };
        Quantiser::LEVELS.clone().find(|level| mean(*level) <= bits).unwrap_or(*Quantiser::LEVELS.end())
    }
}

/// Expected bits of a symbol drawn from the table, at the table's resolution.
fn entropy(table: &Table) -> f64 {
    let total: f64 = table.counts().iter().map(|count| f64::from(*count)).sum();
    let of = |count: u16| {
        let share = f64::from(count) / total;
        if count == 0 { 0.0 } else { -share * share.log2() }
    };
    // A bin of 2^shift symbols needs `shift` more bits.
    table.counts().iter().map(|count| of(*count)).sum::<f64>() + f64::from(table.shift())
}

/// Median and standard deviation of each unit.
fn moments(codes: &[f32], units: usize) -> (Vec<f32>, Vec<f32>) {
    let of_unit = |unit: usize| {
        let mut values: Vec<f32> = codes.iter().skip(unit).step_by(units).copied().collect();
        values.sort_unstable_by(f32::total_cmp);
        let n = values.len().max(1) as f64;
        let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let variance = values.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n;
        (values.get(values.len() / 2).copied().unwrap_or(0.0), variance.sqrt() as f32)
    };
    (0..units).map(of_unit).unzip()
}

/// The norm of the output's derivative with respect to a unit, root mean square over samples and over the positions of
/// a map.
fn sensitivity(ensemble: &Ensemble, codes: &[f32], spread: &[f32]) -> Vec<f64> {
    let (k, units) = (ensemble.code_size(), spread.len());
    let n = (codes.len() / k).min((DECODINGS / units).max(8));
    let codes = &codes[..n * k];
    let base = ensemble.decode(codes);
    let places = (k / units) as f64;
    let of_unit = |(unit, spread): (usize, &f32)| {
        let by = (MOVED * spread).max(1e-6);
        let mut moved = codes.to_vec();
        moved.iter_mut().skip(unit).step_by(units).for_each(|code| *code += by);
        let change = ensemble.decode(&moved).iter().zip(&base).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
        (change / (n.max(1) as f64 * places)).sqrt() / f64::from(by)
    };
    spread.iter().enumerate().map(of_unit).collect()
}
