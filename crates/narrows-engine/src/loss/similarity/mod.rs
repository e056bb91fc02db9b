//! Structural similarity of images, alone and beside a loss of single pixels.
//!
//! SSIM (Wang et al. 2004): within a window of 11 by 11 pixels, weighted by a Gaussian, two images are alike
//! as far as their means, variances and covariance agree; the loss is 1 - the mean over the windows that lie
//! inside the map and over the channels. MS-SSIM (Wang et al. 2003) has contrast and structure at five
//! scales and luminance at the last; a channel's similarity is the product of the scales' means, each to
//! the power of its weight, where a mean below zero counts as zero. A zero has no slope: such a channel has
//! no gradient.
//!
//! Values are pre-activations; pixels are their sigmoids, in [0, 1] as the targets are.

mod pool;
mod scale;

use crate::kernels::{maths, sum, vectorised};
use crate::layer::Map;

use super::{bce, elementwise};

use scale::{Components, Planes, Scale};

/// The most scales.
const MOST_SCALES: usize = 5;

/// The powers of MS-SSIM's scales, the finest first.
const POWERS: [f32; MOST_SCALES] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// The smallest sides, of SSIM a window, of MS-SSIM a window at the last scale.
const SMALLEST_SIDE: usize = crate::kernels::gauss::TAPS;
const SMALLEST_SIDE_OF_SCALES: usize = SMALLEST_SIDE << (MOST_SCALES - 1);

/// `share` of 1 - the structural similarity, and 1 - `share` of the mean loss of single pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// How an image lies in the group's columns.
    pub map: Map,
    /// Which structural similarity.
    pub structure: Structure,
    /// The loss of single pixels.
    pub pixels: Pixels,
    /// How much of the loss is by structure, in [0, 1].
    pub share: f32,
}

/// A structural similarity of images with pixels in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// At one scale (Wang et al. 2004); at least 11 pixels a side.
    Ssim,
    /// At five scales (Wang et al. 2003); at least 176 pixels a side.
    MsSsim,
}

/// A loss of single pixels in [0, 1], the sigmoids of the pre-activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// (o - t)^2.
    Mse,
    /// |o - t|.
    Mae,
    /// Binary cross-entropy.
    Bce,
}

impl Similarity {
    /// Structure alone.
    pub fn alone(structure: Structure, map: Map) -> Self {
        Self { map, structure, pixels: Pixels::Mse, share: 1.0 }
    }

    /// (expected, got) of a setting that is out of its range, for a group of `columns`.
    pub(super) fn out_of_range(&self, columns: usize) -> Option<(String, String)> {
        let Self { map, structure, share, .. } = self;
        let side = match structure {
            Structure::Ssim => SMALLEST_SIDE,
            Structure::MsSsim => SMALLEST_SIDE_OF_SCALES,
        };
        if map.size() != columns {
            return Some((format!("a map of {columns} values, the columns of the group"), map.to_string()));
        }
        if map.height.min(map.width) < side {
            return Some((format!("a map of at least {side} pixels a side"), map.to_string()));
        }
        if !(0.0..=1.0).contains(share) {
            return Some(("a share in [0, 1]".into(), share.to_string()));
        }
        None
    }

    fn n_scales(&self) -> usize {
        match self.structure {
            Structure::Ssim => 1,
            Structure::MsSsim => MOST_SCALES,
        }
    }

    /// The scales, the finest first, and the components of each: at the last, the luminance too.
    fn scales(&self) -> impl DoubleEndedIterator<Item = (Scale, Components)> + ExactSizeIterator {
        let mut scales = [Scale(self.map); MOST_SCALES];
        let n = self.n_scales();
        for i in 1..n {
            scales[i] = scales[i - 1].half();
        }
        scales.into_iter().take(n).enumerate().map(move |(i, scale)| {
            let components = if i + 1 == n { Components::All } else { Components::Structure };
            (scale, components)
        })
    }

    /// Multiply-adds of a row.
    pub(super) fn cost(&self) -> usize {
        self.scales().map(|(scale, _)| scale.cost()).sum()
    }

    fn planes_len(&self) -> usize {
        self.scales().map(|(scale, _)| scale.planes_len()).sum()
    }

    /// Floats of scratch of [`prepare`](Self::prepare) and [`evaluate`](Self::evaluate), a task.
    pub(super) fn scratch_len(&self) -> usize {
        self.planes_len() + Scale(self.map).work_len() + (self.n_scales() + 1) * self.map.channels
    }

    fn scratch<'a>(&self, floats: &'a mut [f32]) -> SimilarityScratch<'a> {
        let channels = self.map.channels;
        let (planes, rest) = floats.split_at_mut(self.planes_len());
        let (work, rest) = rest.split_at_mut(Scale(self.map).work_len());
        let (zeros, rest) = rest.split_at_mut(channels);
        SimilarityScratch { planes, work, zeros, sums: &mut rest[..self.n_scales() * channels] }
    }

    /// Writes to scratch what is the same for every row.
    pub(super) fn prepare(&self, scratch: &mut [f32]) {
        let SimilarityScratch { planes, zeros, .. } = self.scratch(scratch);
        zeros.fill(0.0);
        let mut rest = planes;
        for (scale, _) in self.scales() {
            let (these, coarser) = rest.split_at_mut(scale.planes_len());
            scale.prepare(&mut scale.planes(these));
            rest = coarser;
        }
    }

    /// The loss of one row; writes `scale` times its slopes.
    pub(super) fn evaluate(
        &self,
        values: &[f32],
        target: &[f32],
        gradient: &mut [f32],
        scale: f32,
        scratch: &mut [f32],
    ) -> f32 {
        let rest = 1.0 - self.share;
        let mean = rest / values.len() as f32;
        let loss = mean * self.pixels.evaluate(values, target, gradient, mean * scale);
        let is_observed = !vectorised!(sum::sum(target, |t| t)).is_nan();
        if !is_observed || self.share == 0.0 {
            return loss;
        }
        let mut scratch = self.scratch(scratch);
        loss + self.share * self.evaluate_structure(values, target, gradient, self.share * scale, &mut scratch)
    }

    /// One minus the similarity; adds `factor` times its slopes.
    fn evaluate_structure(
        &self,
        values: &[f32],
        target: &[f32],
        gradient: &mut [f32],
        factor: f32,
        scratch: &mut SimilarityScratch<'_>,
    ) -> f32 {
        let SimilarityScratch { planes, work, zeros, sums } = scratch;
        let channels = self.map.channels;
        let first = Scale(self.map).planes(planes);
        vectorised!(for (((p, q), &value), &t) in first.p.iter_mut().zip(&mut *first.q).zip(values).zip(target) {
            let x = maths::sigmoid(value);
            (*p, *q) = (x + t, x - t);
        });

        let mut at = 0;
        for ((scale, components), sums) in self.scales().zip(sums.chunks_exact_mut(channels)) {
            let (these, coarser) = planes[at..].split_at_mut(scale.planes_len());
            let mut these = scale.planes(these);
            scale.measure(components, &mut these, sums, work);
            if components == Components::Structure {
                let next = scale.half().planes(coarser);
                pool::halve(scale.0, these.p, next.p);
                pool::halve(scale.0, these.q, next.q);
            }
            at += scale.planes_len();
        }

        let loss = self.weigh(sums);
        for ((scale, components), weights) in self.scales().zip(sums.chunks_exact(channels)).rev() {
            at -= scale.planes_len();
            let (these, coarser) = planes[at..].split_at_mut(scale.planes_len());
            let mut these = scale.planes(these);
            scale.slopes(components, &mut these, weights, zeros, work);
            if components == Components::Structure {
                pool::add_back(scale.0, scale.half().planes(coarser).p, these.p);
            }
        }

        let Planes { p: slopes, q, .. } = Scale(self.map).planes(planes);
        vectorised!(for (((g, &slope), &q), &t) in gradient.iter_mut().zip(&*slopes).zip(&*q).zip(target) {
            let x = q + t;
            *g = (factor * slope).mul_add(x * (1.0 - x), *g);
        });
        loss
    }

    /// Turns the sums of the windows' distances, `[scales, channels]`, into the weights of a distance in the loss,
    /// and returns that.
    fn weigh(&self, sums: &mut [f32]) -> f32 {
        let channels = self.map.channels;
        let mean = 1.0 / channels as f32;
        let by_windows = |scale: Scale| 1.0 / scale.windows() as f32;
        if self.structure == Structure::Ssim {
            let weight = mean * by_windows(Scale(self.map));
            let loss = weight * sums.iter().sum::<f32>();
            sums.fill(weight);
            return loss;
        }
        let mut loss = 0.0;
        for channel in 0..channels {
            // The mean similarity of each scale, and the product of their powers.
            let mut means = [1.0; MOST_SCALES];
            let mut exponent = 0.0;
            for (i, (scale, _)) in self.scales().enumerate() {
                means[i] = 1.0 - by_windows(scale) * sums[i * channels + channel];
                exponent += POWERS[i] * maths::log(means[i]);
            }
            let is_unlike = means.iter().any(|&similarity| similarity < f32::MIN_POSITIVE);
            let product = if is_unlike { 0.0 } else { maths::exp(exponent) };
            for (i, (scale, _)) in self.scales().enumerate() {
                let slope = if is_unlike { 0.0 } else { product * POWERS[i] / means[i] };
                sums[i * channels + channel] = mean * by_windows(scale) * slope;
            }
            loss += mean * (1.0 - product);
        }
        loss
    }
}

/// The scratch of a task.
struct SimilarityScratch<'a> {
    /// The planes of every scale, one scale after the other.
    planes: &'a mut [f32],
    work: &'a mut [f32],
    /// A zero a channel.
    zeros: &'a mut [f32],
    /// The sums of distances, `[scales, channels]`.
    sums: &'a mut [f32],
}

impl Pixels {
    /// The sum of the losses of one row; writes `scale` times their slopes.
    fn evaluate(self, values: &[f32], target: &[f32], gradient: &mut [f32], scale: f32) -> f32 {
        match self {
            Self::Mse => vectorised!(through_sigmoid(values, target, gradient, scale, elementwise::squared)),
            Self::Mae => vectorised!(through_sigmoid(values, target, gradient, scale, elementwise::absolute)),
            Self::Bce => vectorised!(bce::evaluate(values, target, gradient, scale)),
        }
    }
}

/// As [`elementwise::evaluate`] of the values' sigmoids.
#[inline(always)]
fn through_sigmoid(
    values: &[f32],
    target: &[f32],
    gradient: &mut [f32],
    scale: f32,
    loss: impl Fn(f32) -> (f32, f32),
) -> f32 {
    sum::sum_and_map(
        values,
        target,
        gradient,
        #[inline(always)]
        |value, target| {
            let x = maths::sigmoid(value);
            let d = if target.is_nan() { 0.0 } else { x - target };
            let (loss, slope) = loss(d);
            (loss, scale * slope * x * (1.0 - x))
        },
    )
}

#[cfg(test)]
mod tests;
