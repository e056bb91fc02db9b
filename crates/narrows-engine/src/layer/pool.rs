//! Pooling: the largest or the mean value of each window, a channel at a time.
//!
//! The gradient of a largest value goes to the first pixel that held it, as in PyTorch; the forward pass
//! leaves which tap that was.

use super::map::{Map, Padding, by_channels, part, part_mut};
use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::{Backward, ELEMENT_COST, Forward, Gradients, Inference, Rows};

/// Shrinks a map by windows; pairs are (height, width).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// The shape of an input row.
    pub input: Map,
    /// The statistic of a window.
    pub kind: PoolKind,
    /// Pixels of a window; a series has height 1.
    pub size: (usize, usize),
    /// Pixels from a window to the next.
    pub stride: (usize, usize),
    /// Pixels added at the edges, smaller than a window. They are never the largest and count as zeros
    /// in a mean.
    pub padding: Padding,
}

/// The statistic of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest value.
    Max,
    /// The mean.
    Average,
}

/// Windows of one direction in which a tap falls on a pixel, and the pixel of the first.
#[derive(Clone, Copy)]
struct Met {
    windows: (usize, usize),
    pixel: usize,
}

fn met(tap: usize, stride: usize, before: usize, input: usize, windows: usize) -> Met {
    let first = before.saturating_sub(tap).div_ceil(stride);
    let end = (input + before).saturating_sub(tap).div_ceil(stride).min(windows);
    Met { windows: (first.min(end), end), pixel: (first * stride + tap).saturating_sub(before) }
}

impl Pool {
    /// Windows side by side over the whole map, what does not fill one left out.
    pub fn new(input: Map, kind: PoolKind, size: (usize, usize)) -> Self {
        Self { input, kind, size, stride: size, padding: Padding::NONE }
    }

    /// The shape of an output row.
    pub fn output(&self) -> Map {
        let pixels = |input: usize, padding: usize, size: usize, stride: usize| {
            if stride == 0 { 0 } else { (input + padding + 1).saturating_sub(size).div_ceil(stride) }
        };
        let Self { input, size, stride, padding, .. } = *self;
        Map {
            height: pixels(input.height, padding.top + padding.bottom, size.0, stride.0),
            width: pixels(input.width, padding.left + padding.right, size.1, stride.1),
            channels: input.channels,
        }
    }

    /// Floats kept for the backward pass of `n` rows: the taps that won.
    fn saved_len(&self, n: usize) -> usize {
        match self.kind {
            PoolKind::Max => n * self.output().size(),
            PoolKind::Average => 0,
        }
    }

    /// output = the pooled input; `winners` takes a tap for every output of a maximum.
    fn pool(&self, rows: Rows<'_>, winners: &mut [f32], input: &[f32], output: &mut [f32]) {
        let (inputs, outputs) = (self.input.size(), self.output().size());
        let group = rows.group(inputs * ELEMENT_COST);
        let samples = |g: usize, output: &[f32]| {
            input[g * group * inputs..][..output.len() / outputs * inputs].chunks_exact(inputs)
        };
        match self.kind {
            PoolKind::Max => {
                let winners = &mut winners[..output.len()];
                rows.threads.chunks2((output, group * outputs), (winners, group * outputs), |g, output, winners| {
                    let samples = samples(g, output);
                    let to = output.chunks_exact_mut(outputs).zip(winners.chunks_exact_mut(outputs));
                    for (x, (y, winners)) in samples.zip(to) {
                        by_channels!(self.input.channels, self.largest(x, y, winners));
                    }
                });
            }
            PoolKind::Average => rows.threads.chunks(output, group * outputs, |g, output| {
                let samples = samples(g, output);
                for (x, y) in samples.zip(output.chunks_exact_mut(outputs)) {
                    by_channels!(self.input.channels, self.mean(x, y));
                }
            }),
        }
    }

    /// d_input from d_output.
    fn spread(&self, rows: Rows<'_>, winners: &[f32], d_output: &[f32], d_input: &mut [f32]) {
        let (inputs, outputs) = (self.input.size(), self.output().size());
        let group = rows.group(inputs * ELEMENT_COST);
        rows.threads.chunks(d_input, group * inputs, |g, d_input| {
            for (i, d_x) in d_input.chunks_exact_mut(inputs).enumerate() {
                let place = (g * group + i) * outputs;
                let d_y = &d_output[place..][..outputs];
                d_x.fill(0.0);
                match self.kind {
                    PoolKind::Max => {
                        let winners = &winners[place..][..outputs];
                        by_channels!(self.input.channels, self.spread_to_winners(d_y, winners, d_x));
                    }
                    PoolKind::Average => {
                        by_channels!(self.input.channels, self.spread_evenly(d_y, d_x));
                    }
                }
            }
        });
    }

    /// Calls `each(tap, place in the output, place in the input, windows)` for every tap and row of
    /// windows, in order: where the first of so many windows side by side lies, and its pixel.
    #[inline(always)]
    fn for_each_tap(&self, mut each: impl FnMut(usize, usize, usize, usize)) {
        let (input, output) = (self.input, self.output());
        for y in 0..output.height {
            for tap in 0..self.size.0 * self.size.1 {
                let (down, across) = (tap / self.size.1, tap % self.size.1);
                let row = (y * self.stride.0 + down).wrapping_sub(self.padding.top);
                if row >= input.height {
                    continue;
                }
                let met = met(across, self.stride.1, self.padding.left, input.width, output.width);
                let (first, end) = met.windows;
                if first < end {
                    let to = (y * output.width + first) * input.channels;
                    each(tap, to, (row * input.width + met.pixel) * input.channels, end - first);
                }
            }
        }
    }

    #[inline(always)]
    fn largest<const W: usize>(&self, first: usize, x: &[f32], y: &mut [f32], winners: &mut [f32]) {
        let channels = self.input.channels;
        for (y, winners) in y.chunks_exact_mut(channels).zip(winners.chunks_exact_mut(channels)) {
            y[first..first + W].fill(f32::NEG_INFINITY);
            winners[first..first + W].fill(f32::NAN);
        }
        self.for_each_tap(
            #[inline(always)]
            |tap, to, from, windows| {
                let to = to..to + windows * channels;
                let pixels = x[from..].chunks(self.stride.1 * channels);
                let results = y[to.clone()].chunks_exact_mut(channels).zip(winners[to].chunks_exact_mut(channels));
                for ((best, winner), x) in results.zip(pixels) {
                    let (best, winner) = (part_mut::<W>(best, first), part_mut::<W>(winner, first));
                    // Copies that nothing else can reach, and no branch: else it does not vectorise.
                    let (x, mut new_best, mut new_winner) = (*part::<W>(x, first), *best, *winner);
                    for i in 0..W {
                        // A NaN is the largest of all, so that a diverged network is not hidden; and
                        // the first value wins against none.
                        let wins = (x[i] > new_best[i]) | x[i].is_nan() | new_winner[i].is_nan();
                        new_best[i] = if wins { x[i] } else { new_best[i] };
                        new_winner[i] = if wins { tap as f32 } else { new_winner[i] };
                    }
                    (*best, *winner) = (new_best, new_winner);
                }
            },
        );
    }

    #[inline(always)]
    fn mean<const W: usize>(&self, first: usize, x: &[f32], y: &mut [f32]) {
        let channels = self.input.channels;
        let share = ((self.size.0 * self.size.1) as f32).recip();
        for y in y.chunks_exact_mut(channels) {
            y[first..first + W].fill(0.0);
        }
        self.for_each_tap(
            #[inline(always)]
            |_, to, from, windows| {
                let results = y[to..to + windows * channels].chunks_exact_mut(channels);
                for (y, x) in results.zip(x[from..].chunks(self.stride.1 * channels)) {
                    let (y, x) = (part_mut::<W>(y, first), part::<W>(x, first));
                    for i in 0..W {
                        y[i] = x[i].mul_add(share, y[i]);
                    }
                }
            },
        );
    }

    #[inline(always)]
    fn spread_to_winners<const W: usize>(&self, first: usize, d_y: &[f32], winners: &[f32], d_x: &mut [f32]) {
        let channels = self.input.channels;
        self.for_each_tap(
            #[inline(always)]
            |tap, to, from, windows| {
                let to = to..to + windows * channels;
                let results = d_y[to.clone()].chunks_exact(channels).zip(winners[to].chunks_exact(channels));
                for ((d_y, winner), d_x) in results.zip(d_x[from..].chunks_mut(self.stride.1 * channels)) {
                    let (d_y, winner) = (*part::<W>(d_y, first), *part::<W>(winner, first));
                    let d_x = part_mut::<W>(d_x, first);
                    let mut sums = *d_x;
                    for i in 0..W {
                        sums[i] += if winner[i] == tap as f32 { d_y[i] } else { 0.0 };
                    }
                    *d_x = sums;
                }
            },
        );
    }

    #[inline(always)]
    fn spread_evenly<const W: usize>(&self, first: usize, d_y: &[f32], d_x: &mut [f32]) {
        let channels = self.input.channels;
        let share = ((self.size.0 * self.size.1) as f32).recip();
        self.for_each_tap(
            #[inline(always)]
            |_, to, from, windows| {
                let results = d_y[to..to + windows * channels].chunks_exact(channels);
                for (d_y, d_x) in results.zip(d_x[from..].chunks_mut(self.stride.1 * channels)) {
                    let (d_y, d_x) = (part::<W>(d_y, first), part_mut::<W>(d_x, first));
                    for i in 0..W {
                        d_x[i] = d_y[i].mul_add(share, d_x[i]);
                    }
                }
            },
        );
    }
}

impl LayerOps for Pool {
    fn describe(&self) -> String {
        format!("{:?}Pool({} -> {})", self.kind, self.input, self.output())
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.input.size(), self.output().size()))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        let Self { size, stride, padding, .. } = *self;
        if [size, stride].iter().any(|pair| pair.0 == 0 || pair.1 == 0) {
            return Some(("size and stride of at least 1".into(), format!("{size:?} and {stride:?}")));
        }
        if padding.top.max(padding.bottom) >= size.0 || padding.left.max(padding.right) >= size.1 {
            return Some((format!("a padding smaller than the window {size:?}"), format!("{padding:?}")));
        }
        None
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        None
    }

    fn requirements(&self, n: usize, _: usize) -> Requirements {
        let saved = self.saved_len(n);
        Requirements { saved, inference_scratch: saved, ..Requirements::NONE }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        self.pool(pass.rows, pass.saved, input, output);
    }

    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let (d_output, d_input) = gradients.both(pass.output.len(), pass.input.len());
        self.spread(pass.rows, pass.saved, d_output, d_input);
        gradients.swap();
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        self.pool(pass.rows, pass.scratch, input, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    fn check(name: &str, kind: PoolKind) {
        let conv = Conv::same(Map::new(5, 7, 2), 13, (3, 3));
        let pool = Pool {
            stride: (1, 2),
            padding: Padding { top: 1, bottom: 0, left: 1, right: 2 },
            ..Pool::new(conv.output(), kind, (2, 3))
        };
        let last = Pool::new(pool.output(), kind, (2, 2));
        let network = Network::new(
            vec![Layer::Conv(conv), Layer::Pool(pool)],
            Latent::Point,
            vec![Layer::Pool(last), Layer::Conv(Conv::new(last.output(), 2, (1, 1)))],
            Output::single(last.output().positions() * 2, Loss::Mse),
        )
        .unwrap();
        crate::gradcheck::check(&network, Sparsity::None);
        crate::golden::check(name, &network);
    }

    #[test]
    fn largest_values_agree_with_pytorch() {
        check("max_pool", PoolKind::Max);
    }

    #[test]
    fn means_agree_with_pytorch() {
        check("average_pool", PoolKind::Average);
    }

    #[test]
    fn the_first_of_equals_wins_and_a_nan_beats_all() {
        let pool = Pool::new(Map::series(4, 1), PoolKind::Max, (1, 2));
        let threads = Threads::serial();
        let rows = Rows { n: 1, threads: &threads };
        let (mut winners, mut output) = ([9.0; 2], [9.0; 2]);
        pool.pool(rows, &mut winners, &[-3.0, -3.0, f32::NAN, 5.0], &mut output);
        assert_eq!(output[0], -3.0);
        assert!(output[1].is_nan());
        assert_eq!(winners[0], 0.0);
    }

    #[test]
    fn padding_as_wide_as_a_window_is_refused() {
        let pool = Pool { padding: Padding::even(0, 2), ..Pool::new(Map::series(4, 1), PoolKind::Max, (1, 2)) };
        let (expected, _) = pool.out_of_range().unwrap();
        assert!(expected.contains("smaller than the window"));
    }
}
