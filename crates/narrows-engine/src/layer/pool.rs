//! Pooling: the largest or the mean value of each window, a channel at a time.
//!
//! The gradient of a largest value goes to the first pixel that held it, as in PyTorch; the forward pass
//! leaves which tap that was.

use crate::kernels::vectorised;

use super::map::{Map, Padding};
use super::{ELEMENT_COST, Rows};

/// Shrinks a map by windows; pairs are (height, width).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// What a row of the input holds.
    pub input: Map,
    /// What is taken of a window.
    pub kind: PoolKind,
    /// Pixels of a window; a series has height 1.
    pub size: (usize, usize),
    /// Pixels from a window to the next.
    pub stride: (usize, usize),
    /// Pixels added at the edges, smaller than a window. They are never the largest and count as zeros
    /// in a mean.
    pub padding: Padding,
}

/// What is taken of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest value.
    Max,
    /// The mean.
    Average,
}

/// The pixels of one direction that a window sees.
#[derive(Clone, Copy)]
struct Seen {
    first: usize,
    end: usize,
    /// The tap that sees the first.
    tap: usize,
}

fn seen(window: usize, stride: usize, size: usize, before: usize, input: usize) -> Seen {
    let from = window * stride;
    let first = from.saturating_sub(before);
    Seen { first, end: (from + size).saturating_sub(before).min(input), tap: before.saturating_sub(from) }
}

/// Calls `$run::<W>(first channel)` for runs of W channels that together are all.
macro_rules! by_channels {
    ($channels:expr, $self:ident.$run:ident($($argument:expr),*)) => {
        let mut first = 0;
        while first < $channels {
            first += match $channels - first {
                16.. => { vectorised!($self.$run::<16>(first, $($argument),*)); 16 }
                8.. => { vectorised!($self.$run::<8>(first, $($argument),*)); 8 }
                4.. => { vectorised!($self.$run::<4>(first, $($argument),*)); 4 }
                _ => { vectorised!($self.$run::<1>(first, $($argument),*)); 1 }
            };
        }
    };
}

impl Pool {
    /// Windows side by side over the whole map, what does not fill one left out.
    pub fn new(input: Map, kind: PoolKind, size: (usize, usize)) -> Self {
        Self { input, kind, size, stride: size, padding: Padding::NONE }
    }

    /// What a row of the output holds.
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

    /// (expected, got) of a setting that is out of its range.
    pub(super) fn misfit(&self) -> Option<(String, String)> {
        let Self { size, stride, padding, .. } = *self;
        if [size, stride].iter().any(|pair| pair.0 == 0 || pair.1 == 0) {
            return Some(("size and stride of at least 1".into(), format!("{size:?} and {stride:?}")));
        }
        if padding.top.max(padding.bottom) >= size.0 || padding.left.max(padding.right) >= size.1 {
            return Some((format!("a padding smaller than the window {size:?}"), format!("{padding:?}")));
        }
        None
    }

    /// Floats kept for the backward pass of `n` rows: the taps that won.
    pub(super) fn saved_len(&self, n: usize) -> usize {
        match self.kind {
            PoolKind::Max => n * self.output().size(),
            PoolKind::Average => 0,
        }
    }

    fn rows_seen(&self, y: usize) -> Seen {
        seen(y, self.stride.0, self.size.0, self.padding.top, self.input.height)
    }

    fn columns_seen(&self, x: usize) -> Seen {
        seen(x, self.stride.1, self.size.1, self.padding.left, self.input.width)
    }

    /// output = the pooled input; `winners` takes a tap for every output of a maximum.
    pub(super) fn forward(&self, rows: Rows<'_>, winners: &mut [f32], input: &[f32], output: &mut [f32]) {
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
    pub(super) fn backward(&self, rows: Rows<'_>, winners: &[f32], d_output: &[f32], d_input: &mut [f32]) {
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

    /// Calls `each(place of the output, place of the input, tap)` for every pixel of every window, in
    /// order; places are those of a pixel's first channel.
    #[inline(always)]
    fn for_each_tap(&self, mut each: impl FnMut(usize, usize, usize)) {
        let (output, channels) = (self.output(), self.input.channels);
        for y in 0..output.height {
            let down = self.rows_seen(y);
            for x in 0..output.width {
                let across = self.columns_seen(x);
                let to = (y * output.width + x) * channels;
                for from_y in down.first..down.end {
                    let tap = (down.tap + from_y - down.first) * self.size.1 + across.tap;
                    for from_x in across.first..across.end {
                        let from = (from_y * self.input.width + from_x) * channels;
                        each(to, from, tap + from_x - across.first);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn largest<const W: usize>(&self, first: usize, x: &[f32], y: &mut [f32], winners: &mut [f32]) {
        let (output, channels) = (self.output(), self.input.channels);
        for at in 0..output.positions() {
            let down = self.rows_seen(at / output.width);
            let across = self.columns_seen(at % output.width);
            let (mut best, mut winner) = ([f32::NEG_INFINITY; W], [(down.tap * self.size.1 + across.tap) as f32; W]);
            for from_y in down.first..down.end {
                let tap = (down.tap + from_y - down.first) * self.size.1 + across.tap;
                for from_x in across.first..across.end {
                    let from = (from_y * self.input.width + from_x) * channels + first;
                    let tap = (tap + from_x - across.first) as f32;
                    let values: &[f32; W] = x[from..from + W].try_into().expect("W values");
                    for i in 0..W {
                        // A NaN is the largest of all, so that a diverged network is not hidden.
                        let wins = values[i] > best[i] || values[i].is_nan();
                        best[i] = if wins { values[i] } else { best[i] };
                        winner[i] = if wins { tap } else { winner[i] };
                    }
                }
            }
            let to = at * channels + first;
            y[to..to + W].copy_from_slice(&best);
            winners[to..to + W].copy_from_slice(&winner);
        }
    }

    #[inline(always)]
    fn mean<const W: usize>(&self, first: usize, x: &[f32], y: &mut [f32]) {
        let share = ((self.size.0 * self.size.1) as f32).recip();
        for y in y.chunks_exact_mut(self.input.channels) {
            y[first..first + W].fill(0.0);
        }
        self.for_each_tap(
            #[inline(always)]
            |to, from, _| {
                let y = &mut y[to + first..][..W];
                for (y, &x) in y.iter_mut().zip(&x[from + first..][..W]) {
                    *y = x.mul_add(share, *y);
                }
            },
        );
    }

    #[inline(always)]
    fn spread_to_winners<const W: usize>(&self, first: usize, d_y: &[f32], winners: &[f32], d_x: &mut [f32]) {
        self.for_each_tap(
            #[inline(always)]
            |to, from, tap| {
                let (d_y, winners) = (&d_y[to + first..][..W], &winners[to + first..][..W]);
                let d_x = &mut d_x[from + first..][..W];
                for i in 0..W {
                    d_x[i] += if winners[i] == tap as f32 { d_y[i] } else { 0.0 };
                }
            },
        );
    }

    #[inline(always)]
    fn spread_evenly<const W: usize>(&self, first: usize, d_y: &[f32], d_x: &mut [f32]) {
        let share = ((self.size.0 * self.size.1) as f32).recip();
        self.for_each_tap(
            #[inline(always)]
            |to, from, _| {
                let d_x = &mut d_x[from + first..][..W];
                for (d_x, &d_y) in d_x.iter_mut().zip(&d_y[to + first..][..W]) {
                    *d_x = d_y.mul_add(share, *d_x);
                }
            },
        );
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
        pool.forward(rows, &mut winners, &[-3.0, -3.0, f32::NAN, 5.0], &mut output);
        assert_eq!(output[0], -3.0);
        assert!(output[1].is_nan());
        assert_eq!(winners[0], 0.0);
    }

    #[test]
    fn padding_as_wide_as_a_window_is_refused() {
        let pool = Pool { padding: Padding::even(0, 2), ..Pool::new(Map::series(4, 1), PoolKind::Max, (1, 2)) };
        let (expected, _) = pool.misfit().unwrap();
        assert!(expected.contains("smaller than the window"));
    }
}
