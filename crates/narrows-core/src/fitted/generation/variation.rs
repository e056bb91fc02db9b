//! Variation of given samples: noise on their codes, or interpolation between two codes.
//!
//! The noise is in standard deviations of the code: of the prior for a Gaussian latent, else of the codes of training
//! rows. Interpolation is linear for every latent: the codes of a Gaussian latent are means, which lie closer to the
//! centre than draws from the prior, so that a straight line between two of them stays where the decoder was trained.

use std::sync::Arc;

use super::generate::vary;
use crate::data::Table;
use crate::error::{Error, Place, Result};
use crate::fitted::adapter::{Origin, SampleBatch, TabularAdapter};
use crate::fitted::core::Core;
use crate::prep::Level;

/// The codes of given rows, or windows of series, for variation and interpolation.
#[derive(Debug)]
pub struct Variation {
    adapter: Arc<dyn TabularAdapter>,
    core: Arc<Core>,
    /// `[n, code_size]`
    codes: Vec<f32>,
    /// Standard deviations of the code units.
    deviations: Vec<f32>,
    /// The level removed from each window of a series, `[n, channels]`.
    levels: Vec<Level>,
    origins: Vec<Origin>,
    source: String,
}

impl Variation {
    /// The default spread of the noise, in standard deviations.
    pub const USUAL_SPREAD: f32 = 0.3;
    /// The default number of rows of an interpolation.
    pub const USUAL_STEPS: usize = 8;

    pub(crate) fn of(adapter: Arc<dyn TabularAdapter>, core: Arc<Core>, table: &Table) -> Result<Variation> {
        let SampleBatch { prepared, levels, origins } = adapter.samples(table)?;
        let codes = core.codes(&prepared);
        let deviations = core.density.moments(core.code_size()).1;
        Ok(Variation { adapter, core, codes, deviations, levels, origins, source: table.source().to_owned() })
    }

    /// Number of given samples.
    pub fn n(&self) -> usize {
        self.codes.len() / self.core.code_size()
    }

    /// Rows `first..first + n` of an infinite sequence that cycles through the given samples, each with noise of
    /// `spread` standard deviations added to its code. With a spread of 0 they are the reconstructions by the first
    /// member, with numbers clamped to the range and rounded to the decimals of training rows.
    ///
    /// # Errors
    /// [`Error::Data`] if no sample was given.
    pub fn vary(&self, n: usize, first: u64, spread: f32, seed: u64) -> Result<Table> {
        let (k, given) = (self.core.code_size(), self.n());
        if given == 0 {
            return Err(Error::data(
                Place::source(&self.source),
                "expected at least one row, or window, to be like, got none",
            ));
        }
        let of = |i: usize| ((first + i as u64) % given as u64) as usize;
        let mut codes: Vec<f32> = (0..n).flat_map(|i| self.code(of(i))).copied().collect();
        for (i, code) in codes.chunks_exact_mut(k).enumerate() {
            vary(code, &self.deviations, spread, seed, first + i as u64);
        }
        let channels = self.channels();
        let levels: Vec<Level> = (0..n).flat_map(|i| self.levels_of(of(i), channels)).copied().collect();
        let origins: Vec<Origin> = (0..n).filter_map(|i| self.origins.get(of(i)).cloned()).collect();
        self.decoded(&codes, &levels, &origins)
    }

    /// `steps` rows that interpolate linearly in latent space from sample `a` to sample `b`, inclusive.
    ///
    /// # Errors
    /// [`Error::Data`] if one of them does not exist.
    pub fn between(&self, a: u64, b: u64, steps: usize) -> Result<Table> {
        let n = self.n();
        for row in [a, b] {
            if row >= n as u64 {
                let message = match n {
                    0 => format!("expected rows to interpolate between, got row {row} of none"),
                    n => format!("expected rows from 0 to {}, as there are {n}, got {row}", n - 1),
                };
                let error = Error::data(Place::source(&self.source), message);
                return Err(error.with_hint("rows are counted from 0, the header not counted"));
            }
        }
        let (a, b) = (a as usize, b as usize);
        let channels = self.channels();
        let (mut codes, mut levels, mut origins) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..steps {
            let share = share(step, steps);
            codes.extend(interpolated(self.code(a), self.code(b), share));
            let pairs = self.levels_of(a, channels).iter().zip(self.levels_of(b, channels));
            levels.extend(pairs.map(|(a, b)| interpolated_level(*a, *b, share)));
            origins.extend(self.origins.get(if share < 0.5 { a } else { b }).cloned());
        }
        self.decoded(&codes, &levels, &origins)
    }

    fn code(&self, row: usize) -> &[f32] {
        let k = self.core.code_size();
        &self.codes[row * k..(row + 1) * k]
    }

    fn channels(&self) -> usize {
        self.levels.len() / self.n().max(1)
    }

    fn levels_of(&self, row: usize, channels: usize) -> &[Level] {
        &self.levels[row * channels..(row + 1) * channels]
    }

    fn decoded(&self, codes: &[f32], levels: &[Level], origins: &[Origin]) -> Result<Table> {
        let n = codes.len() / self.core.code_size();
        self.adapter.varied(&self.core.decode(codes), n, levels, origins)
    }
}

/// The interpolation weight of step `step` of `steps`: 0 at the first and 1 at the last.
pub(crate) fn share(step: usize, steps: usize) -> f32 {
    step as f32 / steps.saturating_sub(1).max(1) as f32
}

/// The codes interpolated between two, at weight `share`.
pub(crate) fn interpolated(a: &[f32], b: &[f32], share: f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| between(*a, *b, share)).collect()
}

/// Exact at both ends.
fn between(a: f32, b: f32, share: f32) -> f32 {
    (1.0 - share) * a + share * b
}

fn interpolated_level(a: Level, b: Level, share: f32) -> Level {
    Level {
        offset: between(a.offset, b.offset, share),
        slope: between(a.slope, b.slope, share),
        size: between(a.size, b.size, share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpolation_has_both_ends_and_even_steps() {
        let shares: Vec<f32> = (0..5).map(|step| share(step, 5)).collect();
        assert_eq!(shares, [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(share(0, 1), 0.0);
        assert_eq!(interpolated(&[0.1, 3.0], &[0.7, 3.0], 0.0), [0.1, 3.0]);
        assert_eq!(interpolated(&[0.1, 3.0], &[0.7, 3.0], 1.0), [0.7, 3.0]);
        assert_eq!(interpolated(&[0.0], &[1.0], 0.5), [0.5]);
    }
}
