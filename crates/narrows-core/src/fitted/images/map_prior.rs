//! What a fit learns of the coefficients of its images, for their compression: the order of frequencies, what neighbours
//! tell of each other, and the probabilities of their bits.

use narrows_codec::{MAGNITUDES, MapLayout, MapMoments, MapPrior, MapShape};
use narrows_images::{Channels, Store};
use rayon::prelude::*;

use crate::codec::blocks;
use crate::compute::Compute;
use crate::error::Result;

/// Pixels of images that the layout is found on, and that probabilities are learnt from.
const LAYOUT_PIXELS: usize = 2 << 20;
const LEARNT_PIXELS: usize = 16 << 20;
/// The levels of the images, in turn: the usual ones.
const LEVELS: [i32; 8] = [8, 0, 14, 4, 11, -4, 6, 18];
/// Rounding of the coefficients: what is added before the fraction is cut off, in 256ths.
const OFFSET: i32 = 100;
/// Magnitudes are compared up to this.
const LARGEST: i32 = 4;
/// Added to the diagonal of least squares, per value seen, and absolutely.
const RIDGE: f64 = 1e-4;
const LEAST_RIDGE: f64 = 1.0;
/// One in weights.
const WEIGHT: f64 = 4096.0;

/// A map of whole numbers.
struct LevelMap {
    values: Vec<i32>,
    shape: MapShape,
}

/// Learns from the images `which`, as a model sees them.
///
/// # Errors
/// If an image can no longer be read.
pub(super) fn learn(images: &Store, which: &[u32], channels: Channels, compute: &Compute) -> Result<MapPrior> {
    let pixels = |i: u32| {
        let (height, width, _) = images.size(i as usize);
        height * width
    };
    let total: usize = which.iter().map(|i| pixels(*i)).sum();
    // Evenly spaced images, as many as the limit allows; small folders are seen at several levels.
    let stride = total.div_ceil(LEARNT_PIXELS).max(1);
    let chosen: Vec<u32> = which.iter().step_by(stride).copied().collect();
    let rounds = (LEARNT_PIXELS / 2 / total.max(1)).clamp(1, LEVELS.len());
    let level = |i: usize, round: usize| LEVELS[(i + round * 3) % LEVELS.len()];
    let map = |i: usize, image: u32, round: usize| -> Result<LevelMap> {
        let image = images.get(image as usize)?.to_channels(channels);
        let (shape, coefficients) = blocks::coefficients(&image);
        let values = blocks::in_steps(&coefficients, level(i, round)).into_iter().map(rounded).collect();
        Ok(LevelMap { values, shape })
    };
    let step = chosen.iter().map(|i| pixels(*i)).sum::<usize>().div_ceil(LAYOUT_PIXELS).max(1);
    let some: Vec<(usize, u32)> = chosen.iter().step_by(step).copied().enumerate().collect();
    compute.install(|| {
        let maps = some.par_iter().map(|(i, image)| map(*i, *image, 0)).collect::<Result<Vec<LevelMap>>>()?;
        let mut prior = MapPrior::new(layout(&maps));
        drop(maps);
        for round in 0..rounds {
            for (group, images) in chosen.chunks(16).enumerate() {
                let one = |(i, image): (usize, &u32)| map(16 * group + i, *image, round);
                let maps = images.par_iter().enumerate().map(one).collect::<Result<Vec<LevelMap>>>()?;
                maps.iter().for_each(|map| prior.learn(&map.values, map.shape));
            }
        }
        Ok(prior.settled())
    })
}

fn rounded(value: i32) -> i32 {
    let size = (value.saturating_abs() + OFFSET) >> narrows_codec::MAP_FRACTION;
    if value < 0 { -size } else { size }
}

/// The layout of maps like these.
fn layout(maps: &[LevelMap]) -> MapLayout {
    let channels = maps.first().map_or(1, |map| map.shape.channels);
    let order = order(maps, channels);
    let plain = MapLayout::plain(channels);
    let nothing = plain.means.iter().map(|means| vec![0; means.len()]).collect();
    let mut layout = MapLayout { related: related(maps, &order), order, means: nothing, ..plain };

    let add = |layout: &MapLayout, add: fn(&mut MapMoments, &[i32], MapShape)| {
        let of = |map: &LevelMap| {
            let mut moments = MapMoments::new(layout.clone());
            add(&mut moments, &map.values, map.shape);
            moments
        };
        maps.par_iter().map(of).reduce(|| MapMoments::new(layout.clone()), MapMoments::with)
    };
    let moments = add(&layout, MapMoments::add_means);
    layout.means = moments.means.iter().map(|(products, own)| solved(products, own)).collect();
    let moments = add(&layout, MapMoments::add_magnitudes);
    let magnitudes = moments.magnitudes.iter().map(|(products, own)| {
        let weights = solved(products.as_flattened(), own);
        std::array::from_fn::<i32, MAGNITUDES, _>(|i| weights[i])
    });
    layout.magnitudes = magnitudes.collect();
    layout
}

/// The channels by falling energy.
fn order(maps: &[LevelMap], channels: usize) -> Vec<u16> {
    let mut energy = vec![0_i64; channels];
    for position in maps.iter().flat_map(|map| map.values.chunks_exact(channels)) {
        energy.iter_mut().zip(position).for_each(|(sum, value)| *sum += i64::from(*value).pow(2).min(1 << 24));
    }
    let mut order: Vec<u16> = (0..channels as u16).collect();
    order.sort_by_key(|channel| std::cmp::Reverse(energy[usize::from(*channel)]));
    order
}

/// For each channel in order the three earlier ones whose magnitudes correlate most with its own.
fn related(maps: &[LevelMap], order: &[u16]) -> Vec<[u16; 3]> {
    let n = order.len();
    let sums = |map: &LevelMap| {
        let (mut sums, mut products) = (vec![0_i64; n], vec![0_i64; n * n]);
        let mut sizes = vec![0_i64; n];
        for position in map.values.chunks_exact(n) {
            let size = |channel: &u16| i64::from(position[usize::from(*channel)].saturating_abs().min(LARGEST));
            sizes.iter_mut().zip(order).for_each(|(to, channel)| *to = size(channel));
            for (i, a) in sizes.iter().enumerate().filter(|(_, a)| **a > 0) {
                sums[i] += a;
                products[i * n..][..n].iter_mut().zip(&sizes).for_each(|(sum, b)| *sum += a * b);
            }
        }
        (sums, products)
    };
    let added = |mut a: (Vec<i64>, Vec<i64>), b: (Vec<i64>, Vec<i64>)| {
        a.0.iter_mut().zip(b.0).for_each(|(a, b)| *a += b);
        a.1.iter_mut().zip(b.1).for_each(|(a, b)| *a += b);
        a
    };
    let (sums, products) = maps.par_iter().map(sums).reduce(|| (vec![0; n], vec![0; n * n]), added);
    let positions = maps.iter().map(|map| map.shape.height * map.shape.width).sum::<usize>() as f64;
    let covariance =
        |i: usize, j: usize| products[i * n + j] as f64 - sums[i] as f64 * sums[j] as f64 / positions.max(1.0);
    let of = |c: usize| {
        let strength = |other: usize| covariance(c, other) / (covariance(other, other) + 1.0).sqrt();
        let mut earlier: Vec<usize> = (0..c).collect();
        earlier.sort_by(|a, b| strength(*b).total_cmp(&strength(*a)));
        std::array::from_fn(|i| earlier.get(i).copied().unwrap_or(c) as u16)
    };
    (0..n).map(of).collect()
}

/// The weights of least squares, by Cholesky's factorisation; all zero where it has no solution.
fn solved(products: &[i64], own: &[i64]) -> Vec<i32> {
    let n = own.len();
    let trace: f64 = (0..n).map(|i| products[i * n + i] as f64).sum();
    let ridge = RIDGE * trace / n.max(1) as f64 + LEAST_RIDGE;
    let mut factor = vec![0.0_f64; n * n];
    for i in 0..n {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
            let rest = products[i * n + j] as f64 + if i == j { ridge } else { 0.0 } - inner;
            factor[i * n + j] = if i == j { rest.max(ridge * 1e-6).sqrt() } else { rest / factor[j * n + j] };
        }
    }
    let mut x: Vec<f64> = own.iter().map(|value| *value as f64).collect();
    for i in 0..n {
        let inner: f64 = (0..i).map(|k| factor[i * n + k] * x[k]).sum();
        x[i] = (x[i] - inner) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let inner: f64 = (i + 1..n).map(|k| factor[k * n + i] * x[k]).sum();
        x[i] = (x[i] - inner) / factor[i * n + i];
    }
    x.into_iter().map(|weight| MapLayout::weight((weight * WEIGHT).round() as i64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_squares_find_the_weights() {
        // y = 2 a - b on (1, 0), (0, 1), (1, 1), each a thousand times.
        let products = [2000, 1000, 1000, 2000];
        let weights = solved(&products, &[2000 + 1000, -1000 + 1000]);
        assert!((weights[0] - 8192).abs() < 30 && (weights[1] + 4096).abs() < 30, "{weights:?}");
        assert_eq!(solved(&[0], &[0]), [0]);
    }

    #[test]
    fn channels_are_ordered_and_related_by_their_values() {
        let shape = MapShape { height: 20, width: 20, channels: 4 };
        let noise = |at: usize, seed: usize| ((at * 7919 + seed * 104_729) % 251) as i32 % 3 - 1;
        let values = (0..400).flat_map(|at| {
            let (a, b) = (noise(at, 1), noise(at * at, 2));
            [b, 9 * a, 5 * a, 3 * b]
        });
        let layout = layout(&[LevelMap { values: values.collect(), shape }]);
        assert_eq!(layout.order, [1, 2, 3, 0]);
        assert_eq!((layout.related[1][0], layout.related[3][0]), (0, 2));
    }
}
