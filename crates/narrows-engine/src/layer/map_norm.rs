//! Batch normalisation over maps: each channel is normalised over all pixels of the batch.
//!
//! As [`BatchNorm`](super::BatchNorm) with a pixel for a row, PyTorch's `BatchNorm2d` and `BatchNorm1d`.
//! Sums go over groups of rows, cut by shapes, and over the groups in order.

use crate::kernels::channels;
use crate::params::ParamKind;
use crate::rng::Stream;

use super::map::Map;
use super::ops::{Entries, LayerOps, LayerParams, OutOfRange, Requirements, WeightPacking};
use super::{Backward, ELEMENT_COST, Forward, Gradients, Inference, Rows, norm};

/// Normalises each channel over the pixels of the batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapNorm {
    /// The shape of an input or output row.
    pub map: Map,
    /// Added to the variance; PyTorch's default is 1e-5.
    pub eps: f32,
    /// Share of the new batch in the running statistics; PyTorch's default is 0.1.
    pub momentum: f32,
}

impl LayerParams for MapNorm {
    fn entries(&self, kind: ParamKind) -> Entries {
        match kind {
            ParamKind::Trainable => norm::affine(self.map.channels),
            ParamKind::Buffer => norm::running(self.map.channels),
        }
    }

    fn init(&self, kind: ParamKind, values: &mut [f32], _: &dyn Fn(usize) -> Stream) {
        match kind {
            ParamKind::Trainable => norm::init_affine(values),
            ParamKind::Buffer => norm::init_running(values),
        }
    }

    fn packing(&self) -> Option<&dyn WeightPacking> {
        None
    }
}

impl LayerOps for MapNorm {
    fn describe(&self) -> String {
        format!("MapNorm({})", self.map)
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.map.size(), self.map.size()))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        norm::running_out_of_range(self.eps, self.momentum)
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        Some(self)
    }

    /// Kept are mean and 1 / sqrt(var + eps). Scratch in training is two sums a group, or three factors.
    fn requirements(&self, n: usize, _: usize) -> Requirements {
        let channels = self.map.channels;
        let training_scratch = (2 * Rows::MOST_GROUPS.min(n) + 1) * channels;
        Requirements { saved: 2 * channels, training_scratch, inference_scratch: channels, random_blocks: 0 }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    /// Normalises by the batch and moves the running statistics; `params` is gamma then beta, `running`
    /// mean then variance. One pixel alone comes out as beta and moves nothing.
    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        let Forward { rows, params, buffers: running, saved, scratch, .. } = pass;
        let (width, size) = (self.map.channels, self.map.size());
        let n = (rows.n * self.map.positions()) as f32;
        let group = rows.group(size * ELEMENT_COST);
        let part = |first: usize, rows: usize| &input[first * size..(first + rows) * size];
        let (mean, inverse) = saved.split_at_mut(width);
        sum_groups(rows, group, scratch, mean, |first, rows, sums| channels::add(part(first, rows), sums));
        mean.iter_mut().for_each(|mean| *mean /= n);
        let mean = &*mean;
        sum_groups(rows, group, scratch, inverse, |first, rows, sums| {
            channels::add_square_deviations(part(first, rows), mean, sums);
        });
        inverse.iter_mut().for_each(|var| *var /= n);
        if n > 1.0 {
            let (running_mean, running_var) = running.split_at_mut(width);
            let unbiased = n / (n - 1.0);
            for j in 0..width {
                running_mean[j] += self.momentum * (mean[j] - running_mean[j]);
                running_var[j] += self.momentum * (inverse[j] * unbiased - running_var[j]);
            }
        }
        let (gamma, beta) = params.split_at(width);
        let scale = &mut scratch[..width];
        for j in 0..width {
            inverse[j] = (inverse[j] + self.eps).sqrt().recip();
            scale[j] = gamma[j] * inverse[j];
        }
        let scale = &*scale;
        rows.threads.chunks(output, group * size, |g, output| {
            channels::rescale(&input[g * group * size..][..output.len()], [mean, scale, beta], output);
        });
    }

    /// Normalises by the running statistics.
    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        let Inference { params, buffers: running, scratch, .. } = pass;
        let width = self.map.channels;
        let (gamma, beta) = params.split_at(width);
        let (mean, var) = running.split_at(width);
        let scale = &mut scratch[..width];
        for j in 0..width {
            scale[j] = gamma[j] / (var[j] + self.eps).sqrt();
        }
        channels::rescale(input, [mean, scale, beta], output);
    }

    /// The gradients for gamma and beta, then that for the input, in place of that for the output.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { rows, params, saved, scratch, input, output, gradient: d_params, .. } = pass;
        let gradient = gradients.current(output.len());
        let (width, size) = (self.map.channels, self.map.size());
        let n = (rows.n * self.map.positions()) as f32;
        let group = rows.group(size * ELEMENT_COST);
        let (mean, inverse) = saved.split_at(width);
        let d_output = &*gradient;
        sum_groups(rows, group, scratch, d_params, |first, rows, sums| {
            let range = first * size..(first + rows) * size;
            let (d_gamma, d_beta) = sums.split_at_mut(width);
            channels::add_products(&d_output[range.clone()], &input[range.clone()], mean, d_gamma);
            channels::add(&d_output[range], d_beta);
        });
        let (d_gamma, d_beta) = d_params.split_at_mut(width);
        let (gain, rest) = scratch.split_at_mut(width);
        let (slope, rest) = rest.split_at_mut(width);
        let shift = &mut rest[..width];
        for j in 0..width {
            d_gamma[j] *= inverse[j];
            gain[j] = params[j] * inverse[j];
            slope[j] = -gain[j] * inverse[j] * d_gamma[j] / n;
            shift[j] = -gain[j] * d_beta[j] / n;
        }
        let coefficients = [mean, &*gain, &*slope, &*shift];
        rows.threads.chunks(gradient, group * size, |g, gradient| {
            channels::mix(gradient, &input[g * group * size..][..gradient.len()], coefficients);
        });
    }
}

/// Writes the sums over groups of `group` rows of what `add(first row, rows, sums)` adds for each.
fn sum_groups(
    rows: Rows<'_>,
    group: usize,
    scratch: &mut [f32],
    sums: &mut [f32],
    add: impl Fn(usize, usize, &mut [f32]) + Sync,
) {
    let n_groups = rows.n.div_ceil(group);
    let scratch = &mut scratch[..n_groups * sums.len()];
    rows.threads.chunks(scratch, sums.len(), |g, sums| {
        sums.fill(0.0);
        add(g * group, group.min(rows.n - g * group), sums);
    });
    sums.fill(0.0);
    for group in scratch.chunks_exact(sums.len()) {
        sums.iter_mut().zip(group).for_each(|(sum, x)| *sum += x);
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn check(name: &str, map: Map, kernel: (usize, usize)) {
        let tanh = Layer::Activation(Activation::Tanh);
        let first = Conv::same(map, 4, kernel);
        let norm = |map| Layer::MapNorm(MapNorm { map, eps: 1e-5, momentum: 0.1 });
        let last = Conv::same(first.output(), map.channels, kernel);
        let network = Network::new(
            vec![Layer::Conv(first), tanh, norm(first.output()), tanh],
            Latent::Point,
            vec![norm(first.output()), Layer::Conv(last)],
            Output::single(map.size(), Loss::Mse),
        )
        .unwrap();
        crate::gradcheck::check(&network, Sparsity::None);
        crate::golden::check(name, &network);
    }

    #[test]
    fn images_agree_with_pytorch() {
        check("map_norm", Map::new(3, 4, 2), (3, 3));
    }

    #[test]
    fn series_agree_with_pytorch() {
        check("series_norm", Map::series(7, 2), (1, 3));
    }
}
