//! Group normalisation (Wu and He 2018): each map is normalised over the pixels of a group of channels.
//!
//! y = gamma h + beta per channel, with h = (x - mean) / sqrt(var + eps) over the group, var biased. A
//! map depends on no other, in training as at inference. Backward, with g = dy gamma:
//! dx = (g - mean(g) - h mean(g h)) / sqrt(var + eps), means over the group.

use crate::kernels::channels;
use crate::params::ParamKind;
use crate::rng::Stream;

use super::map::Map;
use super::ops::{Entries, LayerOps, LayerParams, OutOfRange, Requirements, WeightPacking};
use super::{Backward, ELEMENT_COST, Forward, Gradients, Inference, Rows, norm};

/// Normalises groups of neighbouring channels of each map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupNorm {
    /// The shape of an input or output row.
    pub map: Map,
    /// Groups of equally many channels; 1 normalises the whole map, as many as channels each alone.
    pub groups: usize,
    /// Added to the variance; PyTorch's default is 1e-5.
    pub eps: f32,
}

impl GroupNorm {
    /// Replaces each channel's sum by the mean over its group's values.
    fn average(&self, sums: &mut [f32]) {
        let channels = self.map.channels / self.groups;
        let n = (channels * self.map.positions()) as f32;
        for group in sums.chunks_exact_mut(channels) {
            let mean = group.iter().sum::<f32>() / n;
            group.fill(mean);
        }
    }

    /// Normalises the maps; `saved` takes the statistics of each.
    fn normalise(&self, rows: Rows<'_>, params: &[f32], saved: &mut [f32], input: &[f32], output: &mut [f32]) {
        let (width, size) = (self.map.channels, self.map.size());
        let (gamma, beta) = params.split_at(width);
        let group = rows.group(size * ELEMENT_COST);
        let saved = &mut saved[..rows.n * 3 * width];
        rows.threads.chunks2((output, group * size), (saved, group * 3 * width), |g, output, saved| {
            let input = input[g * group * size..].chunks_exact(size);
            let output = output.chunks_exact_mut(size);
            for ((x, y), saved) in input.zip(output).zip(saved.chunks_exact_mut(3 * width)) {
                let (mean, rest) = saved.split_at_mut(width);
                let (inverse, scale) = rest.split_at_mut(width);
                mean.fill(0.0);
                channels::add(x, mean);
                self.average(mean);
                inverse.fill(0.0);
                channels::add_square_deviations(x, mean, inverse);
                self.average(inverse);
                for j in 0..width {
                    inverse[j] = (inverse[j] + self.eps).sqrt().recip();
                    scale[j] = gamma[j] * inverse[j];
                }
                channels::rescale(x, [mean, scale, beta], y);
            }
        });
    }
}

impl LayerParams for GroupNorm {
    fn entries(&self, kind: ParamKind) -> Entries {
        match kind {
            ParamKind::Trainable => norm::affine(self.map.channels),
            ParamKind::Buffer => vec![],
        }
    }

    fn init(&self, kind: ParamKind, values: &mut [f32], _: &dyn Fn(usize) -> Stream) {
        if kind == ParamKind::Trainable {
            norm::init_affine(values);
        }
    }

    fn packing(&self) -> Option<&dyn WeightPacking> {
        None
    }
}

impl LayerOps for GroupNorm {
    fn describe(&self) -> String {
        format!("GroupNorm({} by {})", self.map, self.groups)
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.map.size(), self.map.size()))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        if self.groups == 0 || !self.map.channels.is_multiple_of(self.groups) {
            return Some((format!("groups that divide {} channels", self.map.channels), self.groups.to_string()));
        }
        norm::eps_out_of_range(self.eps)
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        Some(self)
    }

    /// Kept are three values a channel a row: mean and 1 / sqrt(var + eps) of its group, and gamma times that.
    /// Scratch in training is seven a channel a task: two gradients, two sums, three factors.
    fn requirements(&self, n: usize, _: usize) -> Requirements {
        let saved = 3 * self.map.channels * n;
        let training_scratch = 7 * Rows::MOST_GROUPS.min(n) * self.map.channels;
        Requirements { saved, training_scratch, inference_scratch: saved, ..Requirements::NONE }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        self.normalise(pass.rows, pass.params, pass.saved, input, output);
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        self.normalise(pass.rows, pass.params, pass.scratch, input, output);
    }

    /// The gradients for gamma and beta, then that for the input, in place of that for the output.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { rows, params, saved, scratch, input, output, gradient: d_params, .. } = pass;
        let gradient = gradients.current(output.len());
        let (width, size) = (self.map.channels, self.map.size());
        let gamma = &params[..width];
        let group = rows.group(size * ELEMENT_COST);
        let scratch = &mut scratch[..rows.n.div_ceil(group) * 7 * width];
        rows.threads.chunks2((gradient, group * size), (scratch, 7 * width), |g, gradient, scratch| {
            let (d_params, rest) = scratch.split_at_mut(2 * width);
            let (sums, factors) = rest.split_at_mut(2 * width);
            let (d_gamma, d_beta) = d_params.split_at_mut(width);
            let (gain, rest) = factors.split_at_mut(width);
            let (slope, shift) = rest.split_at_mut(width);
            d_gamma.fill(0.0);
            d_beta.fill(0.0);
            let first = g * group;
            let saved = saved[first * 3 * width..].chunks_exact(3 * width);
            let input = input[first * size..].chunks_exact(size);
            for ((x, g), saved) in input.zip(gradient.chunks_exact_mut(size)).zip(saved) {
                let (mean, inverse) = (&saved[..width], &saved[width..2 * width]);
                sums.fill(0.0);
                let (products, plain) = sums.split_at_mut(width);
                channels::add_products(g, x, mean, products);
                channels::add(g, plain);
                for j in 0..width {
                    d_gamma[j] += products[j] * inverse[j];
                    d_beta[j] += plain[j];
                    gain[j] = saved[2 * width + j];
                    slope[j] = products[j] * gain[j];
                    shift[j] = plain[j] * gamma[j];
                }
                self.average(slope);
                self.average(shift);
                for j in 0..width {
                    slope[j] *= -inverse[j] * inverse[j];
                    shift[j] *= -inverse[j];
                }
                channels::mix(g, x, [mean, gain, slope, shift]);
            }
        });
        d_params.fill(0.0);
        for group in scratch.chunks_exact(7 * width) {
            d_params.iter_mut().zip(group).for_each(|(sum, x)| *sum += x);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::layer::ops::LayerOps;
    use crate::*;

    #[test]
    fn gradients_and_training_agree_with_pytorch() {
        let tanh = Layer::Activation(Activation::Tanh);
        let map = Map::new(3, 4, 2);
        let first = Conv::same(map, 6, (3, 3));
        let norm = |groups| Layer::GroupNorm(GroupNorm { map: first.output(), groups, eps: 1e-5 });
        let last = Conv::same(first.output(), 2, (3, 3));
        let network = Network::new(
            vec![Layer::Conv(first), tanh, norm(3), tanh],
            Latent::Point,
            vec![norm(1), Layer::Conv(last)],
            Output::single(map.size(), Loss::Mse),
        )
        .unwrap();
        crate::gradcheck::check(&network, Sparsity::None);
        crate::golden::check("group_norm", &network);
    }

    #[test]
    fn groups_that_do_not_divide_the_channels_are_refused() {
        let norm = GroupNorm { map: Map::series(4, 6), groups: 4, eps: 1e-5 };
        assert_eq!(norm.out_of_range().unwrap().0, "groups that divide 6 channels");
        assert!(GroupNorm { groups: 3, ..norm }.out_of_range().is_none());
    }
}
