//! Upsampling: every pixel becomes a block, or the pixels in between are interpolated.
//!
//! Bilinear is PyTorch's `align_corners=False`: output y lies at (y + 1/2) / factor - 1/2 of the input,
//! and beyond the outermost pixels their values go on.

use crate::kernels::vectorised;

use super::map::{Map, by_channels, part, part_mut};
use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::{Backward, ELEMENT_COST, Forward, Gradients, Inference, Rows};

/// Enlarges a map by whole factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upsample {
    /// The shape of an input row.
    pub input: Map,
    /// How the new pixels are computed.
    pub kind: UpsampleKind,
    /// Pixels that one becomes, (height, width); a series has height factor 1.
    pub factor: (usize, usize),
}

/// How the new pixels are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpsampleKind {
    /// The nearest pixel's value.
    Nearest,
    /// What lies between the neighbours; of a series, linear.
    Bilinear,
}

/// The two pixels between which an output lies in one direction, and how far from the first.
#[derive(Clone, Copy)]
struct Between {
    pixels: [usize; 2],
    shares: [f32; 2],
}

fn between(output: usize, factor: usize, input: usize) -> Between {
    let at = ((output as f32 + 0.5) / factor as f32 - 0.5).max(0.0);
    let first = (at as usize).min(input - 1);
    let share = at - first as f32;
    Between { pixels: [first, (first + 1).min(input - 1)], shares: [1.0 - share, share] }
}

impl Upsample {
    /// The shape of an output row.
    pub fn output(&self) -> Map {
        let Self { input, factor, .. } = *self;
        Map::new(input.height.saturating_mul(factor.0), input.width.saturating_mul(factor.1), input.channels)
    }

    /// output = the enlarged input.
    fn enlarge(&self, rows: Rows<'_>, input: &[f32], output: &mut [f32]) {
        let (inputs, outputs) = (self.input.size(), self.output().size());
        let group = rows.group(outputs * ELEMENT_COST);
        rows.threads.chunks(output, group * outputs, |g, output| {
            let samples = input[g * group * inputs..].chunks_exact(inputs);
            for (x, y) in samples.zip(output.chunks_exact_mut(outputs)) {
                match self.kind {
                    UpsampleKind::Nearest => self.repeat(x, y),
                    UpsampleKind::Bilinear => vectorised!(self.interpolate(x, y)),
                }
            }
        });
    }

    /// d_input from d_output.
    fn add_back(&self, rows: Rows<'_>, d_output: &[f32], d_input: &mut [f32]) {
        let (inputs, outputs) = (self.input.size(), self.output().size());
        let group = rows.group(outputs * ELEMENT_COST);
        rows.threads.chunks(d_input, group * inputs, |g, d_input| {
            let samples = d_output[g * group * outputs..].chunks_exact(outputs);
            for (d_y, d_x) in samples.zip(d_input.chunks_exact_mut(inputs)) {
                match self.kind {
                    UpsampleKind::Nearest => {
                        by_channels!(self.input.channels, self.sum_blocks(d_y, d_x));
                    }
                    UpsampleKind::Bilinear => vectorised!(self.spread(d_y, d_x)),
                }
            }
        });
    }

    fn repeat(&self, x: &[f32], y: &mut [f32]) {
        let row = self.input.width * self.input.channels;
        let to_row = row * self.factor.1;
        for (x, y) in x.chunks_exact(row).zip(y.chunks_exact_mut(to_row * self.factor.0)) {
            let (first, others) = y.split_at_mut(to_row);
            by_channels!(self.input.channels, self.repeat_across(x, first));
            others.chunks_exact_mut(to_row).for_each(|other| other.copy_from_slice(first));
        }
    }

    #[inline(always)]
    fn repeat_across<const W: usize>(&self, channel: usize, x: &[f32], y: &mut [f32]) {
        let channels = self.input.channels;
        for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels * self.factor.1)) {
            for y in y.chunks_exact_mut(channels) {
                *part_mut::<W>(y, channel) = *part::<W>(x, channel);
            }
        }
    }

    #[inline(always)]
    fn sum_blocks<const W: usize>(&self, channel: usize, d_y: &[f32], d_x: &mut [f32]) {
        let (channels, row) = (self.input.channels, self.input.width * self.input.channels);
        let to_row = row * self.factor.1;
        for (d_x, d_y) in d_x.chunks_exact_mut(row).zip(d_y.chunks_exact(to_row * self.factor.0)) {
            for (x, d_x) in d_x.chunks_exact_mut(channels).enumerate() {
                let mut sums = [0.0; W];
                for d_y in d_y.chunks_exact(to_row) {
                    let block = &d_y[x * self.factor.1 * channels..][..self.factor.1 * channels];
                    for d_y in block.chunks_exact(channels) {
                        for (sum, d_y) in sums.iter_mut().zip(part::<W>(d_y, channel)) {
                            *sum += d_y;
                        }
                    }
                }
                *part_mut::<W>(d_x, channel) = sums;
            }
        }
    }

    /// Calls `each(place of the output, place of the input, share)` for the four pixels around every
    /// output, in order; places are those of a pixel's first channel.
    #[inline(always)]
    fn for_each_share(&self, mut each: impl FnMut(usize, usize, f32)) {
        let (input, output) = (self.input, self.output());
        for at in 0..output.positions() {
            let down = between(at / output.width, self.factor.0, input.height);
            let across = between(at % output.width, self.factor.1, input.width);
            for (y, y_share) in down.pixels.into_iter().zip(down.shares) {
                for (x, x_share) in across.pixels.into_iter().zip(across.shares) {
                    each(at * input.channels, (y * input.width + x) * input.channels, y_share * x_share);
                }
            }
        }
    }

    #[inline(always)]
    fn interpolate(&self, x: &[f32], y: &mut [f32]) {
        let channels = self.input.channels;
        y.fill(0.0);
        self.for_each_share(
            #[inline(always)]
            |to, from, share| {
                for (y, &x) in y[to..to + channels].iter_mut().zip(&x[from..from + channels]) {
                    *y = x.mul_add(share, *y);
                }
            },
        );
    }

    #[inline(always)]
    fn spread(&self, d_y: &[f32], d_x: &mut [f32]) {
        let channels = self.input.channels;
        d_x.fill(0.0);
        self.for_each_share(
            #[inline(always)]
            |to, from, share| {
                for (d_x, &d_y) in d_x[from..from + channels].iter_mut().zip(&d_y[to..to + channels]) {
                    *d_x = d_y.mul_add(share, *d_x);
                }
            },
        );
    }
}

impl LayerOps for Upsample {
    fn describe(&self) -> String {
        format!("Upsample{:?}({} -> {})", self.kind, self.input, self.output())
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.input.size(), self.output().size()))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        None
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        None
    }

    fn requirements(&self, _: usize, _: usize) -> Requirements {
        Requirements::NONE
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        self.enlarge(pass.rows, input, output);
    }

    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let (d_output, d_input) = gradients.both(pass.output.len(), pass.input.len());
        self.add_back(pass.rows, d_output, d_input);
        gradients.swap();
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        self.enlarge(pass.rows, input, output);
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn check(name: &str, kind: UpsampleKind) {
        let conv = Conv::same(Map::new(2, 3, 2), 5, (1, 1));
        let up = Upsample { input: conv.output(), kind, factor: (3, 2) };
        let last = Conv::new(up.output(), 2, (2, 2));
        let network = Network::new(
            vec![Layer::Conv(conv)],
            Latent::Point,
            vec![Layer::Upsample(up), Layer::Conv(last)],
            Output::single(last.output().size(), Loss::Mse),
        )
        .unwrap();
        crate::gradcheck::check(&network, Sparsity::None);
        crate::golden::check(name, &network);
    }

    #[test]
    fn blocks_agree_with_pytorch() {
        check("upsample_nearest", UpsampleKind::Nearest);
    }

    #[test]
    fn interpolation_agrees_with_pytorch() {
        check("upsample_bilinear", UpsampleKind::Bilinear);
    }
}
