//! Structural similarity of images, alone or combined with a pixel loss.
//!
//! SSIM (Wang et al. 2004): within a window of 11 by 11 pixels, weighted by a Gaussian, two images are compared by
//! means, variances and covariance; the loss is 1 - the mean over the windows inside the map and over the channels.
//! MS-SSIM (Wang et al. 2003) compares contrast and structure at five scales and luminance at the last; a channel's
//! similarity is the product of the scales' means, each to the power of its weight, with negative means clamped to
//! zero. A clamped channel has zero gradient.
//!
//! Values are pre-activations; pixels are their sigmoids, in [0, 1] as the targets are.

mod pool;
mod scale;

use crate::kernels::{maths, sum, vectorised};
use crate::layer::Map;

use super::{bce, elementwise};

use scale::{Asks, Planes, Scale};

/// Maximum number of scales.
const MOST_SCALES: usize = 5;

/// The powers of MS-SSIM's scales, the finest first.
const POWERS: [f32; MOST_SCALES] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// The smallest side: for SSIM one window, for MS-SSIM one window at the last scale.
const SMALLEST_SIDE: usize = crate::kernels::gauss::TAPS;
const SMALLEST_SIDE_OF_SCALES: usize = SMALLEST_SIDE << (MOST_SCALES - 1);

/// `share` of 1 - the structural similarity, and 1 - `share` of the mean pixel loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// The shape of an image in the group's columns.
    pub map: Map,
    /// The structural similarity.
    pub structure: Structure,
    /// The pixel loss.
    pub pixels: Pixels,
    /// The weight of the structural similarity, in [0, 1].
    pub share: f32,
}

/// A structural similarity of images with pixels in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// At one scale (Wang et al. 2004); at least 11 pixels per side.
    Ssim,
    /// At five scales (Wang et al. 2003); at least 176 pixels per side.
    MsSsim,
}

/// A pixel loss in [0, 1], of the sigmoids of the pre-activations.
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
    /// Structural similarity only.
    pub fn alone(structure: Structure, map: Map) -> Self {
        Self { map, structure, pixels: Pixels::Mse, share: 1.0 }
    }

    /// (expected, got) of a setting out of range, for a group of `columns`.
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

    /// The scales, the finest first, with their terms: luminance only at the last.
    fn scales(&self) -> impl DoubleEndedIterator<Item = (Scale, Asks)> + ExactSizeIterator {
        let mut scales = [Scale(self.map); MOST_SCALES];
        let n = self.n_scales();
        for i in 1..n {
            scales[i] = scales[i - 1].half();
        }
        scales.into_iter().take(n).enumerate().map(move |(i, scale)| {
            let asks = if i + 1 == n { Asks::All } else { Asks::Structure };
            (scale, asks)
        })
    }

    /// Multiply-adds per row.
    pub(super) fn cost(&self) -> usize {
        self.scales().map(|(scale, _)| scale.cost()).sum()
    }

    fn planes_len(&self) -> usize {
        self.scales().map(|(scale, _)| scale.planes_len()).sum()
    }

    /// Floats of scratch per task of [`prepare`](Self::prepare) and [`evaluate`](Self::evaluate).
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

    /// Writes the part of the scratch that is common to all rows.
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

    /// The loss of one row; writes `scale` times its derivatives.
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

    /// One minus the similarity; adds `factor` times its derivatives.
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
        for ((scale, asks), sums) in self.scales().zip(sums.chunks_exact_mut(channels)) {
            let (these, coarser) = planes[at..].split_at_mut(scale.planes_len());
            let mut these = scale.planes(these);
            scale.measure(asks, &mut these, sums, work);
            if asks == Asks::Structure {
                let next = scale.half().planes(coarser);
                pool::halve(scale.0, these.p, next.p);
                pool::halve(scale.0, these.q, next.q);
            }
            at += scale.planes_len();
        }

        let loss = self.weigh(sums);
        for ((scale, asks), weights) in self.scales().zip(sums.chunks_exact(channels)).rev() {
            at -= scale.planes_len();
            let (these, coarser) = planes[at..].split_at_mut(scale.planes_len());
            let mut these = scale.planes(these);
            scale.slopes(asks, &mut these, weights, zeros, work);
            if asks == Asks::Structure {
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

    /// Replaces the sums of the windows' distances, `[scales, channels]`, by the derivative of the loss with respect to
    /// a distance, and returns the loss.
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
    /// One zero per channel.
    zeros: &'a mut [f32],
    /// The sums of distances, `[scales, channels]`.
    sums: &'a mut [f32],
}

impl Pixels {
    /// The sum of the losses of one row; writes `scale` times their derivatives.
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
mod tests {
    use super::*;
    use crate::*;

    fn mix(structure: Structure, pixels: Pixels, share: f32, map: Map) -> Loss {
        Loss::Similarity(Similarity { map, structure, pixels, share })
    }

    fn ssim(map: Map) -> Loss {
        Loss::Similarity(Similarity::alone(Structure::Ssim, map))
    }

    fn ms_ssim(map: Map) -> Loss {
        Loss::Similarity(Similarity::alone(Structure::MsSsim, map))
    }

    /// The loss of a row and its derivatives.
    fn evaluate(loss: Loss, values: &[f32], target: &[f32]) -> (f32, Vec<f32>) {
        let Loss::Similarity(similarity) = loss else { panic!("{loss} is no similarity") };
        let mut scratch = vec![f32::NAN; similarity.scratch_len()];
        let mut gradient = vec![f32::NAN; values.len()];
        similarity.prepare(&mut scratch);
        let loss = similarity.evaluate(values, target, &mut gradient, 1.0, &mut scratch);
        // Scratch contents of a previous row must not matter.
        let again = similarity.evaluate(values, target, &mut gradient.clone(), 1.0, &mut scratch);
        assert!(loss == again || loss.is_nan());
        (loss, gradient)
    }

    /// Maps of 13 by 12 pixels with 2 channels, as in the script.
    fn network(loss: Loss) -> Network {
        let down = Conv { stride: (2, 2), padding: Padding::even(1, 1), ..Conv::new(Map::new(13, 12, 2), 3, (3, 3)) };
        let up = ConvTranspose {
            stride: (2, 2),
            padding: Padding::even(1, 1),
            output_padding: (0, 1),
            ..ConvTranspose::new(down.output(), 2, (3, 3))
        };
        Network::new(
            vec![Layer::Conv(down), Layer::Activation(Activation::Tanh)],
            Latent::Point,
            vec![Layer::ConvTranspose(up)],
            Output::single(13 * 12 * 2, loss),
        )
        .unwrap()
    }

    fn all() -> [(Loss, &'static str); 4] {
        let map = Map::new(13, 12, 2);
        [
            (ssim(map), "ssim"),
            (mix(Structure::Ssim, Pixels::Mse, 0.3, map), "ssim_mse"),
            (mix(Structure::Ssim, Pixels::Mae, 0.84, map), "ssim_mae"),
            (mix(Structure::Ssim, Pixels::Bce, 0.5, map), "ssim_bce"),
        ]
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for (loss, _) in all() {
            crate::gradcheck::check(&network(loss), Sparsity::None);
        }
    }

    #[test]
    fn training_agrees_with_pytorch() {
        for (loss, name) in all() {
            crate::golden::check(name, &network(loss));
        }
    }

    /// Row n of the script's `whole` images: values and target.
    fn image(n: usize, map: Map) -> (Vec<f32>, Vec<f32>) {
        let wave = |at: usize, period: usize| (2.0 * (at % period) as f64 / period as f64 - 1.0).abs();
        let places =
            (0..map.size()).map(|i| (i / map.channels / map.width, i / map.channels % map.width, i % map.channels));
        let both = places.map(|(y, x, c)| {
            let target = 0.5 * (wave(y + 3 * c + 11 * n, 37) + wave(x + 5 * c, 23));
            let value = 5.4 * (target - 0.5) + ((31 * y + 17 * x + 7 * c + 3 * n) % 11) as f64 / 11.0 - 0.5;
            (value as f32, target as f32)
        });
        both.unzip()
    }

    #[test]
    fn images_agree_with_pytorch() {
        let (small, large, even) = (Map::new(29, 40, 3), Map::new(177, 182, 2), Map::new(176, 176, 1));
        let cases = [
            ("whole_ssim", ssim(small), small),
            ("whole_ms_ssim", ms_ssim(large), large),
            ("whole_ms_ssim_mae", mix(Structure::MsSsim, Pixels::Mae, 0.84, even), even),
        ];
        for (name, loss, map) in cases {
            let case = crate::golden::Case::load(name);
            let (mut losses, mut slopes) = (vec![], vec![]);
            for n in 0..2 {
                let (values, target) = image(n, map);
                let (loss, gradient) = evaluate(loss, &values, &target);
                losses.push(loss);
                slopes.extend(gradient);
            }
            crate::golden::assert_close(name, &losses, &case.numbers("losses"));
            let slopes: Vec<f32> = slopes.into_iter().step_by(509).collect();
            crate::golden::assert_close(name, &slopes, &case.numbers("every_509th_slope"));
        }
    }

    #[test]
    fn like_images_are_exactly_alike() {
        let map = Map::new(176, 177, 1);
        let (values, _) = image(0, map);
        let target: Vec<f32> = values.iter().map(|&value| maths::sigmoid(value)).collect();
        for loss in [ssim(map), ms_ssim(map)] {
            let (loss, gradient) = evaluate(loss, &values, &target);
            assert!(loss.abs() < 1e-6, "{loss}");
            assert!(gradient.iter().all(|g| g.abs() < 1e-9));
        }
    }

    #[test]
    fn images_that_are_nothing_alike_stay_finite() {
        // Opposite images: their structure is negative, and a fractional power of it would be NaN.
        let map = Map::new(176, 176, 1);
        let (values, target) = image(0, map);
        let opposite: Vec<f32> = target.iter().map(|t| 1.0 - t).collect();
        let (loss, gradient) = evaluate(ms_ssim(map), &values, &opposite);
        assert_eq!(loss, 1.0);
        assert!(gradient.iter().all(|&g| g == 0.0));
        let (loss, gradient) = evaluate(ssim(map), &values, &opposite);
        assert!(loss > 1.0 && loss < 2.0);
        assert!(gradient.iter().all(|g| g.is_finite()));
    }

    #[test]
    fn a_gap_skips_the_structure_and_not_the_pixels() {
        let map = Map::new(11, 12, 1);
        let (values, mut target) = image(0, map);
        target[7] = f32::NAN;
        let (loss, gradient) = evaluate(ssim(map), &values, &target);
        assert_eq!(loss, 0.0);
        assert!(gradient.iter().all(|&g| g == 0.0));
        let (loss, gradient) = evaluate(mix(Structure::Ssim, Pixels::Mse, 0.5, map), &values, &target);
        let seen = values.iter().zip(&target).filter(|(_, t)| !t.is_nan());
        let total: f32 = seen.map(|(&value, t)| (maths::sigmoid(value) - t).powi(2)).sum();
        assert!((loss - 0.5 * total / 132.0).abs() < 1e-6);
        assert!(gradient[7] == 0.0 && gradient[8] != 0.0);
    }

    #[test]
    fn a_diverged_output_is_not_hidden() {
        for (loss, map) in [Map::new(11, 11, 1), Map::new(176, 176, 2)].map(|map| (ssim(map), map)) {
            let (mut values, target) = image(0, map);
            values[5] = f32::NAN;
            assert!(evaluate(loss, &values, &target).0.is_nan());
            if map.height > 100 {
                assert!(evaluate(ms_ssim(map), &values, &target).0.is_nan());
            }
        }
    }

    #[test]
    fn maps_that_do_not_suit_are_refused() {
        let message = |loss, width| {
            let network = Network::new(
                vec![Layer::dense(width, 2)],
                Latent::Point,
                vec![Layer::dense(2, width)],
                Output::single(width, loss),
            );
            network.unwrap_err().to_string()
        };
        let map = Map::new(10, 14, 1);
        assert_eq!(
            message(ssim(map), 140),
            "`output.groups.0`: expected a map of at least 11 pixels a side, got 10x14x1"
        );
        assert!(message(ssim(map), 141).contains("a map of 141 values"));
        let map = Map::new(200, 175, 1);
        assert!(message(ms_ssim(map), map.size()).contains("at least 176 pixels a side"));
        let map = Map::new(11, 11, 1);
        for share in [-0.1, 1.1, f32::NAN] {
            let message = message(mix(Structure::Ssim, Pixels::Bce, share, map), 121);
            assert!(message.contains("a share in [0, 1]"), "{message}");
        }
    }
}
