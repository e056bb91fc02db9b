//! One scale of a pair of images: the moments of their windows, how unlike the windows are, and the slopes.
//!
//! With p = x + t and q = x - t, means m and variances s, a window's luminance is 1 - a, its contrast and
//! structure 1 - b:
//!
//! ```text
//! a = m_q^2 / ((m_p^2 + m_q^2) / 2 + C1)        b = s_q / ((s_p + s_q) / 2 + C2)
//! ```
//!
//! This is Wang's formula, but what is summed is the distance from one: like images lose no digits, and
//! equal ones are exactly alike. And four moments do instead of five.

use crate::kernels::gauss::{self, REACH};
use crate::kernels::{channels, vectorised};
use crate::layer::Map;

/// Wang's (K1 L)^2 and (K2 L)^2 for values of range L = 1.
const C1: f32 = 1e-4;
const C2: f32 = 9e-4;

/// The components of the similarity that count at a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Components {
    /// Luminance, contrast and structure; the distance is a + b - a b.
    All,
    /// Contrast and structure; the distance is b.
    Structure,
}

/// A scale of a map. A window lies at the place of its first pixel; at the ends of the lines are places
/// without a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale(pub Map);

/// The values of a row at a scale, from the distances to the slopes.
pub(super) struct Planes<'a> {
    /// x + t, then the slopes with respect to x.
    pub p: &'a mut [f32],
    /// x - t.
    pub q: &'a mut [f32],
    /// The means of p, q, p^2 and q^2.
    moments: [&'a mut [f32]; 4],
    /// One where there is a window, else zero; the same for every row.
    mask: &'a mut [f32],
}

/// The first N pieces of `len` floats.
fn pieces<const N: usize>(floats: &mut [f32], len: usize) -> [&mut [f32]; N] {
    let mut pieces = floats.chunks_exact_mut(len);
    std::array::from_fn(|_| pieces.next().expect("room for every piece"))
}

impl Scale {
    /// The next scale: means of 2 by 2 pixels, zeros before the first where a side is odd.
    pub(super) fn half(self) -> Self {
        let Map { height, width, channels } = self.0;
        Self(Map { height: height.div_ceil(2), width: width.div_ceil(2), channels })
    }

    fn line(self) -> usize {
        self.0.width * self.0.channels
    }

    /// Places after the pass down.
    fn down(self) -> usize {
        (self.0.height - REACH) * self.line()
    }

    /// Places after both passes.
    fn places(self) -> usize {
        self.down() - REACH * self.0.channels
    }

    /// Windows of a channel.
    pub(super) fn windows(self) -> usize {
        (self.0.height - REACH) * (self.0.width - REACH)
    }

    /// Zeros that the passes back read around the slopes, across and down.
    fn margins(self) -> (usize, usize) {
        (REACH * self.0.channels, REACH * self.line())
    }

    /// Multiply-adds of a row.
    pub(super) fn cost(self) -> usize {
        // Four moments and three slopes, each down and across.
        14 * gauss::TAPS * self.0.size()
    }

    /// Floats that [`planes`](Self::planes) splits.
    pub(super) fn planes_len(self) -> usize {
        2 * self.0.size() + 5 * self.places()
    }

    pub(super) fn planes(self, floats: &mut [f32]) -> Planes<'_> {
        let (pixels, windows) = floats.split_at_mut(2 * self.0.size());
        let [p, q] = pieces(pixels, self.0.size());
        let [m0, m1, m2, m3, mask] = pieces(windows, self.places());
        Planes { p, q, moments: [m0, m1, m2, m3], mask }
    }

    /// Floats of work, left as others used them.
    pub(super) fn work_len(self) -> usize {
        let (across, down) = self.margins();
        self.places() + 3 * (across + self.down()) + 3 * (self.down() + 2 * down)
    }

    /// Fills the mask.
    pub(super) fn prepare(self, planes: &mut Planes<'_>) {
        let inside = (self.0.width - REACH) * self.0.channels;
        for line in planes.mask.chunks_mut(self.line()) {
            let (windows, end) = line.split_at_mut(inside);
            windows.fill(1.0);
            end.fill(0.0);
        }
    }

    /// Fills the moments from p and q, and sums the windows' distances by channel.
    pub(super) fn measure(self, components: Components, planes: &mut Planes<'_>, sums: &mut [f32], work: &mut [f32]) {
        let Planes { p, q, moments, mask } = planes;
        let mut halves: [_; 4] = pieces(work, self.down());
        gauss::moments(p, q, self.line(), halves.each_mut().map(|half| &mut **half));
        for (moment, half) in moments.iter_mut().zip(halves) {
            gauss::means(half, self.0.channels, moment);
        }
        let distances = &mut work[..self.places()];
        let moments = moments.each_ref().map(|moment| &**moment);
        match components {
            Components::All => vectorised!(measure(moments, mask, distances, Window::distance)),
            Components::Structure => vectorised!(measure(moments, mask, distances, Window::structure_distance)),
        }
        sums.fill(0.0);
        channels::add(distances, sums);
    }

    /// Overwrites p with the slopes of a sum of the windows' distances, weighted by channel.
    pub(super) fn slopes(
        self,
        components: Components,
        planes: &mut Planes<'_>,
        weights: &[f32],
        zeros: &[f32],
        work: &mut [f32],
    ) {
        let Planes { p, q, moments, mask } = planes;
        let (down, places) = (self.down(), self.places());
        let (pixel_margin, line_margin) = self.margins();
        let (weight, rest) = work.split_at_mut(places);
        channels::rescale(mask, [zeros, weights, zeros], weight);

        let (framed, rest) = rest.split_at_mut(3 * (pixel_margin + down));
        let mut framed: [_; 3] = pieces(framed, pixel_margin + down);
        let [a, b, c] = framed.each_mut().map(|plane| {
            let (before, rest) = plane.split_at_mut(pixel_margin);
            let (slopes, after) = rest.split_at_mut(places);
            before.fill(0.0);
            after.fill(0.0);
            slopes
        });
        let moments = moments.each_ref().map(|moment| &**moment);
        match components {
            Components::All => vectorised!(slope(moments, weight, [&mut *a, &mut *b, &mut *c], Window::slopes)),
            Components::Structure => {
                vectorised!(slope(moments, weight, [&mut *a, &mut *b, &mut *c], Window::structure_slopes))
            }
        }

        let mut halves: [_; 3] = pieces(rest, down + 2 * line_margin);
        for (half, plane) in halves.iter_mut().zip(framed) {
            half[..line_margin].fill(0.0);
            half[line_margin + down..].fill(0.0);
            gauss::means(plane, self.0.channels, &mut half[line_margin..line_margin + down]);
        }
        gauss::mix_means(halves.map(|half| &*half), self.line(), p, q);
    }
}

/// The moments of a window and its two distances from being alike.
#[derive(Clone, Copy)]
struct Window {
    p: f32,
    q: f32,
    /// One over the denominators of a and b.
    by_mean: f32,
    by_variance: f32,
    a: f32,
    b: f32,
}

impl Window {
    #[inline(always)]
    fn new([p, q, p_squares, q_squares]: [f32; 4]) -> Self {
        let (p_square, q_square) = (p * p, q * q);
        let (p_variance, q_variance) = (p_squares - p_square, q_squares - q_square);
        let by_mean = 1.0 / 0.5_f32.mul_add(p_square + q_square, C1);
        let by_variance = 1.0 / 0.5_f32.mul_add(p_variance + q_variance, C2);
        Self { p, q, by_mean, by_variance, a: q_square * by_mean, b: q_variance * by_variance }
    }

    #[inline(always)]
    fn distance(self) -> f32 {
        let Self { a, b, .. } = self;
        (-a).mul_add(b, a + b)
    }

    #[inline(always)]
    fn structure_distance(self) -> f32 {
        self.b
    }

    /// The slopes of a + b - a b with respect to m_p + m_q, which both move with x, and the means of p^2 and q^2.
    #[inline(always)]
    fn slopes(self) -> [f32; 3] {
        let Self { p, q, by_mean, a, b, .. } = self;
        let [means, p_squares, q_squares] = self.structure_slopes();
        let of_mean = (1.0 - b) * by_mean * (q * (2.0 - a) - p * a);
        let rest = 1.0 - a;
        [means.mul_add(rest, of_mean), p_squares * rest, q_squares * rest]
    }

    /// The slopes of b.
    #[inline(always)]
    fn structure_slopes(self) -> [f32; 3] {
        let Self { p, q, by_variance, b, .. } = self;
        let p_squares = -0.5 * b * by_variance;
        let q_squares = p_squares + by_variance;
        [-2.0 * p.mul_add(p_squares, q * q_squares), p_squares, q_squares]
    }
}

/// to[i] = weight[i] * distance of window i.
#[inline(always)]
fn measure(moments: [&[f32]; 4], weight: &[f32], to: &mut [f32], distance: impl Fn(Window) -> f32) {
    let n = to.len();
    let (moments, weight) = (moments.map(|moment| &moment[..n]), &weight[..n]);
    for i in 0..n {
        let [a, b, c, d] = moments;
        to[i] = weight[i] * distance(Window::new([a[i], b[i], c[i], d[i]]));
    }
}

/// to[.][i] = weight[i] * the slopes of window i.
#[inline(always)]
fn slope(moments: [&[f32]; 4], weight: &[f32], to: [&mut [f32]; 3], slopes: impl Fn(Window) -> [f32; 3]) {
    let n = weight.len();
    let [p, q, p_squares, q_squares] = moments.map(|moment| &moment[..n]);
    let [a, b, c] = to.map(|plane| &mut plane[..n]);
    for i in 0..n {
        let slopes = slopes(Window::new([p[i], q[i], p_squares[i], q_squares[i]]));
        a[i] = weight[i] * slopes[0];
        b[i] = weight[i] * slopes[1];
        c[i] = weight[i] * slopes[2];
    }
}
