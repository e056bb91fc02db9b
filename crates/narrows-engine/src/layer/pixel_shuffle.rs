//! Pixel shuffle (Shi et al. 2016): channels become pixels.
//!
//! Channel (c factor_h + i) factor_w + j of a pixel becomes channel c of pixel (i, j) of its block, as
//! PyTorch's `PixelShuffle` numbers them. It moves values and computes nothing.

use super::map::Map;
use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::{Backward, ELEMENT_COST, Forward, Gradients, Inference, Rows};

/// Turns channels into pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelShuffle {
    /// The shape of an input row.
    pub input: Map,
    /// Pixels that one becomes, (height, width); their product divides the channels.
    pub factor: (usize, usize),
}

impl PixelShuffle {
    /// The shape of an output row.
    pub fn output(&self) -> Map {
        let Self { input, factor, .. } = *self;
        let block = factor.0.saturating_mul(factor.1).max(1);
        Map {
            height: input.height.saturating_mul(factor.0),
            width: input.width.saturating_mul(factor.1),
            channels: input.channels / block,
        }
    }

    /// Calls `each(place in the input, place in the output)` for every value of a map.
    fn for_each_value(&self, mut each: impl FnMut(usize, usize)) {
        let (input, output, (down, across)) = (self.input, self.output(), self.factor);
        for pixel in 0..input.positions() {
            let (y, x) = (pixel / input.width, pixel % input.width);
            for i in 0..down {
                for j in 0..across {
                    let to = ((y * down + i) * output.width + x * across + j) * output.channels;
                    for c in 0..output.channels {
                        each(pixel * input.channels + (c * down + i) * across + j, to + c);
                    }
                }
            }
        }
    }

    /// output = the shuffled input.
    fn shuffle(&self, rows: Rows<'_>, input: &[f32], output: &mut [f32]) {
        let size = self.input.size();
        let group = rows.group(size * ELEMENT_COST);
        rows.threads.chunks(output, group * size, |g, output| {
            let samples = input[g * group * size..].chunks_exact(size);
            for (x, y) in samples.zip(output.chunks_exact_mut(size)) {
                self.for_each_value(|from, to| y[to] = x[from]);
            }
        });
    }

    /// d_input from d_output.
    fn shuffle_back(&self, rows: Rows<'_>, d_output: &[f32], d_input: &mut [f32]) {
        let size = self.input.size();
        let group = rows.group(size * ELEMENT_COST);
        rows.threads.chunks(d_input, group * size, |g, d_input| {
            let samples = d_output[g * group * size..].chunks_exact(size);
            for (d_y, d_x) in samples.zip(d_input.chunks_exact_mut(size)) {
                self.for_each_value(|from, to| d_x[from] = d_y[to]);
            }
        });
    }
}

impl LayerOps for PixelShuffle {
    fn describe(&self) -> String {
        format!("PixelShuffle({} -> {})", self.input, self.output())
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.input.size(), self.output().size()))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        let fits = self.output().size() == self.input.size();
        let expected = || format!("factors whose product divides {} channels", self.input.channels);
        (!fits).then(|| (expected(), format!("{:?}", self.factor)))
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
        self.shuffle(pass.rows, input, output);
    }

    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let (d_output, d_input) = gradients.both(pass.output.len(), pass.input.len());
        self.shuffle_back(pass.rows, d_output, d_input);
        gradients.swap();
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        self.shuffle(pass.rows, input, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    #[test]
    fn it_agrees_with_pytorch() {
        let conv = Conv::new(Map::new(2, 3, 2), 12, (1, 1));
        let shuffle = PixelShuffle { input: conv.output(), factor: (2, 2) };
        let last = Conv::new(shuffle.output(), 2, (2, 2));
        let network = Network::new(
            vec![Layer::Conv(conv)],
            Latent::Point,
            vec![Layer::PixelShuffle(shuffle), Layer::Conv(last)],
            Output::single(last.output().size(), Loss::Mse),
        )
        .unwrap();
        crate::gradcheck::check(&network, Sparsity::None);
        crate::golden::check("pixel_shuffle", &network);
    }

    #[test]
    fn factors_that_do_not_divide_the_channels_are_refused() {
        let shuffle = PixelShuffle { input: Map::series(4, 6), factor: (1, 4) };
        assert_eq!(shuffle.out_of_range().unwrap().0, "factors whose product divides 6 channels");
        assert_eq!(PixelShuffle { factor: (1, 3), ..shuffle }.output(), Map::series(12, 2));
    }
}
