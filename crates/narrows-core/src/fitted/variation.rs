//! Rows made like given ones: their codes varied, or the way from one code to another.
//!
//! Noise comes in units of how codes spread: of the prior for a gaussian latent, else of the codes of training rows. The
//! way between two codes is straight for every latent: the codes of a gaussian latent are means, which lie closer to the
//! middle than draws from the prior, so that a straight way between two of them does not leave what the decoder knows.

use narrows_engine::Threads;
use narrows_images::Image;

use super::Fitted;
use super::adapter::{Adapter, Origin, SeriesAdapter};
use super::images::not_a_table;
use crate::data::{Layout, Table};
use crate::error::{Error, Place, Result};
use crate::prep::Level;

/// Given rows as codes, to be varied and to be walked between.
pub struct Variation<'a> {
    fitted: &'a Fitted,
    /// `[n, code_size]`
    codes: Vec<f32>,
    /// Standard deviations of the units.
    units: Vec<f32>,
    /// What was taken from each window of a series, `[n, channels]`.
    levels: Vec<Level>,
    origins: Vec<Origin>,
    source: String,
}

impl Fitted {
    /// Rows of a table to make others like; of points in time their windows, one after the other, as
    /// [`encode`](Fitted::encode) has them.
    ///
    /// # Errors
    /// As for [`Fitted::encode`].
    pub fn like(&self, table: &Table, threads: &Threads) -> Result<Variation<'_>> {
        let encoding = self.encoding();
        let (codes, levels, origins) = match &self.adapter {
            Adapter::Table(adapter) => (encoding.codes(&adapter.prepare(table)?.prepared, threads), vec![], vec![]),
            Adapter::Series(adapter) => {
                let (windows, origins) = windows(adapter, table)?;
                (encoding.codes(&windows.prepared, threads), windows.levels, origins)
            }
            Adapter::Images(_) => return Err(not_a_table()),
        };
        let units = self.density.moments(self.code_size()).1;
        Ok(Variation { fitted: self, codes, units, levels, origins, source: table.source().to_owned() })
    }

    /// An image like the given one, of its size and channels: number `i` of those that `seed` names, `spread` in units of
    /// how codes spread. With a spread of 0 it is the reconstruction by the first member.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images.
    pub fn vary_image(&self, image: &Image, spread: f32, seed: u64, i: u64, threads: &Threads) -> Result<Image> {
        let units = self.density.moments(self.code_size()).1;
        let mut codes = self.encode_image(image, threads)?;
        // All pieces of an image move the same way, so that they still fit together.
        codes.iter_mut().for_each(|code| self.vary(code, &units, spread, seed, i));
        let output = self.scorer.decode(&codes.concat(), codes.len(), threads);
        Ok(self.images()?.image(&output, image))
    }

    /// `steps` images from `a` to `b`, both ends included, of the size and channels of `a`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images, or sees pieces of images that differ in size.
    pub fn between_images(&self, a: &Image, b: &Image, steps: usize, threads: &Threads) -> Result<Vec<Image>> {
        let (from, to) = (self.encode_image(a, threads)?, self.encode_image(b, threads)?);
        if self.sees_pieces() && (a.height, a.width) != (b.height, b.width) {
            let message = format!(
                "expected two images of one size, as the model sees pieces of them, got {} x {} and {} x {} pixels",
                a.height, a.width, b.height, b.width
            );
            return Err(Error::mismatch(message));
        }
        let adapter = self.images()?;
        let image = |step: usize| {
            let pairs = from.iter().zip(&to);
            let codes: Vec<f32> = pairs.flat_map(|(a, b)| on_the_way(a, b, share(step, steps))).collect();
            adapter.image(&self.scorer.decode(&codes, from.len(), threads), a)
        };
        Ok((0..steps).map(image).collect())
    }
}

impl Variation<'_> {
    /// How far rows are varied where nothing else is said.
    pub const USUAL_SPREAD: f32 = 0.3;
    /// Rows from one to another where nothing else is said.
    pub const USUAL_STEPS: usize = 8;

    /// How many rows there are to be like.
    pub fn n(&self) -> usize {
        self.codes.len() / self.fitted.code_size()
    }

    /// Rows `first..first + n` of an endless sequence that goes round the given rows, each varied by `spread` times how
    /// codes spread. With a spread of 0 they are the reconstructions by the first member, numbers held to the range and
    /// the decimals of training rows.
    ///
    /// # Errors
    /// [`Error::Data`] where there is no row to be like.
    pub fn vary(&self, n: usize, first: u64, spread: f32, seed: u64, threads: &Threads) -> Result<Table> {
        let (k, given) = (self.fitted.code_size(), self.n());
        if given == 0 {
            return Err(Error::data(
                Place::source(&self.source),
                "expected at least one row, or window, to be like, got none",
            ));
        }
        let of = |i: usize| ((first + i as u64) % given as u64) as usize;
        let mut codes: Vec<f32> = (0..n).flat_map(|i| self.code(of(i))).copied().collect();
        for (i, code) in codes.chunks_exact_mut(k).enumerate() {
            self.fitted.vary(code, &self.units, spread, seed, first + i as u64);
        }
        let channels = self.channels();
        let levels: Vec<Level> = (0..n).flat_map(|i| self.levels_of(of(i), channels)).copied().collect();
        let origins: Vec<Origin> = (0..n).filter_map(|i| self.origins.get(of(i)).cloned()).collect();
        self.decoded(&codes, &levels, &origins, threads)
    }

    /// `steps` rows from row `a` to row `b`, both ends included.
    ///
    /// # Errors
    /// [`Error::Data`] where one of them does not exist.
    pub fn between(&self, a: u64, b: u64, steps: usize, threads: &Threads) -> Result<Table> {
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
            codes.extend(on_the_way(self.code(a), self.code(b), share));
            let pairs = self.levels_of(a, channels).iter().zip(self.levels_of(b, channels));
            levels.extend(pairs.map(|(a, b)| level_on_the_way(*a, *b, share)));
            origins.extend(self.origins.get(if share < 0.5 { a } else { b }).cloned());
        }
        self.decoded(&codes, &levels, &origins, threads)
    }

    fn code(&self, row: usize) -> &[f32] {
        let k = self.fitted.code_size();
        &self.codes[row * k..(row + 1) * k]
    }

    fn channels(&self) -> usize {
        self.levels.len() / self.n().max(1)
    }

    fn levels_of(&self, row: usize, channels: usize) -> &[Level] {
        &self.levels[row * channels..(row + 1) * channels]
    }

    fn decoded(&self, codes: &[f32], levels: &[Level], origins: &[Origin], threads: &Threads) -> Result<Table> {
        let n = codes.len() / self.fitted.code_size();
        let output = self.fitted.scorer.decode(codes, n, threads);
        match &self.fitted.adapter {
            Adapter::Table(adapter) => adapter.pipeline.held_table(&output, n, &adapter.grains),
            Adapter::Series(adapter) => adapter.rows_of(&output, levels, origins),
            Adapter::Images(_) => Err(not_a_table()),
        }
    }
}

/// The windows of a table, and where each comes from.
pub(super) fn windows(adapter: &SeriesAdapter, table: &Table) -> Result<(crate::prep::Windows, Vec<Origin>)> {
    let samples = adapter.prepare(table)?;
    if adapter.layout == Layout::Rows {
        return Ok((adapter.whole(&samples), samples.set.series.iter().map(Origin::of).collect()));
    }
    let window = adapter.pipeline.window();
    let mut windows = adapter.pipeline.no_windows(0);
    let mut origins = Vec::new();
    for (series, signal) in samples.set.series.iter().zip(&samples.signals) {
        let firsts = adapter.firsts(signal.n, window);
        origins.extend(firsts.iter().map(|_| Origin { id: series.id.clone(), points: window }));
        adapter.pipeline.cut(signal, firsts.into_iter(), &mut windows);
    }
    Ok((windows, origins))
}

/// How far step `step` of `steps` is on the way: 0 at the first and 1 at the last.
fn share(step: usize, steps: usize) -> f32 {
    step as f32 / steps.saturating_sub(1).max(1) as f32
}

fn on_the_way(a: &[f32], b: &[f32], share: f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| between(*a, *b, share)).collect()
}

/// Both ends to the bit.
fn between(a: f32, b: f32, share: f32) -> f32 {
    (1.0 - share) * a + share * b
}

fn level_on_the_way(a: Level, b: Level, share: f32) -> Level {
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
    fn the_way_has_both_ends_and_even_steps() {
        let shares: Vec<f32> = (0..5).map(|step| share(step, 5)).collect();
        assert_eq!(shares, [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(share(0, 1), 0.0);
        assert_eq!(on_the_way(&[0.1, 3.0], &[0.7, 3.0], 0.0), [0.1, 3.0]);
        assert_eq!(on_the_way(&[0.1, 3.0], &[0.7, 3.0], 1.0), [0.7, 3.0]);
        assert_eq!(on_the_way(&[0.0], &[1.0], 0.5), [0.5]);
    }
}
