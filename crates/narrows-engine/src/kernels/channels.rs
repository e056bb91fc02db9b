//! Passes over maps that treat each channel by numbers of its own: statistics and normalisation.
//!
//! Channels are side by side and often few. A value a channel is repeated up to [`LANES`] lanes, and the
//! pixels are gone through that many values at a time. Lane i sums every value of its place, then the
//! lanes of a channel are added in order: a property of the shape alone.

use super::vectorised;

/// Values gone through at a time, where there are fewer channels.
const LANES: usize = 64;

/// Lanes that a map of so many channels is gone through by: whole pixels.
fn lanes(channels: usize) -> usize {
    (LANES / channels).max(1) * channels
}

/// The values of the channels, repeated to the number of lanes; `room` holds them if they must be copied.
fn repeated<'a>(values: &'a [f32], room: &'a mut [f32; LANES]) -> &'a [f32] {
    if values.len() > LANES / 2 {
        return values;
    }
    let room = &mut room[..lanes(values.len())];
    for to in room.chunks_exact_mut(values.len()) {
        to.copy_from_slice(values);
    }
    room
}

/// sums[c] += the sum over pixels of `each(a, b, centre[c])`; `a` and `b` are maps.
#[inline(always)]
fn add_each(a: &[f32], b: &[f32], centre: &[f32], sums: &mut [f32], each: impl Fn(f32, f32, f32) -> f32) {
    let (mut room, mut sums_room) = ([0.0; LANES], [0.0; LANES]);
    let channels = sums.len();
    let centre = repeated(centre, &mut room);
    let is_repeated = centre.len() > channels;
    let lanes = if is_repeated { &mut sums_room[..centre.len()] } else { &mut *sums };
    for (a, b) in a.chunks(lanes.len()).zip(b.chunks(lanes.len())) {
        for (((sum, &a), &b), &centre) in lanes.iter_mut().zip(a).zip(b).zip(centre) {
            *sum += each(a, b, centre);
        }
    }
    if is_repeated {
        for lanes in sums_room[..centre.len()].chunks_exact(channels) {
            sums.iter_mut().zip(lanes).for_each(|(sum, lane)| *sum += lane);
        }
    }
}

/// sums[c] += sum of x.
pub(crate) fn add(x: &[f32], sums: &mut [f32]) {
    let mut room = [0.0; LANES];
    let channels = sums.len();
    if channels > LANES / 2 {
        vectorised!(for x in x.chunks_exact(channels) {
            sums.iter_mut().zip(x).for_each(
                #[inline(always)]
                |(sum, x)| *sum += x,
            );
        });
        return;
    }
    let lanes = &mut room[..lanes(channels)];
    vectorised!(for x in x.chunks(lanes.len()) {
        for (sum, &x) in lanes.iter_mut().zip(x) {
            *sum += x;
        }
    });
    for lanes in lanes.chunks_exact(channels) {
        sums.iter_mut().zip(lanes).for_each(|(sum, lane)| *sum += lane);
    }
}

/// sums[c] += sum of (x - centre[c])^2.
pub(crate) fn add_square_deviations(x: &[f32], centre: &[f32], sums: &mut [f32]) {
    vectorised!(add_each(
        x,
        x,
        centre,
        sums,
        #[inline(always)]
        |x, _, centre| (x - centre) * (x - centre)
    ));
}

/// sums[c] += sum of g (x - centre[c]).
pub(crate) fn add_products(g: &[f32], x: &[f32], centre: &[f32], sums: &mut [f32]) {
    vectorised!(add_each(
        g,
        x,
        centre,
        sums,
        #[inline(always)]
        |g, x, centre| g * (x - centre)
    ));
}

/// y = (x - centre[c]) scale[c] + shift[c].
pub(crate) fn rescale(x: &[f32], [centre, scale, shift]: [&[f32]; 3], y: &mut [f32]) {
    let mut rooms = [[0.0; LANES]; 3];
    let [a, b, c] = rooms.each_mut();
    let (centre, scale, shift) = (repeated(centre, a), repeated(scale, b), repeated(shift, c));
    vectorised!(for (x, y) in x.chunks(centre.len()).zip(y.chunks_mut(centre.len())) {
        for ((((y, &x), &centre), &scale), &shift) in y.iter_mut().zip(x).zip(centre).zip(scale).zip(shift) {
            *y = (x - centre).mul_add(scale, shift);
        }
    });
}

/// g = gain[c] g + slope[c] (x - centre[c]) + shift[c].
pub(crate) fn mix(g: &mut [f32], x: &[f32], [centre, gain, slope, shift]: [&[f32]; 4]) {
    let mut rooms = [[0.0; LANES]; 4];
    let [a, b, c, d] = rooms.each_mut();
    let (centre, gain) = (repeated(centre, a), repeated(gain, b));
    let (slope, shift) = (repeated(slope, c), repeated(shift, d));
    vectorised!(for (g, x) in g.chunks_mut(centre.len()).zip(x.chunks(centre.len())) {
        let rows = g.iter_mut().zip(x).zip(centre).zip(gain).zip(slope).zip(shift);
        for (((((g, &x), &centre), &gain), &slope), &shift) in rows {
            *g = gain.mul_add(*g, (x - centre).mul_add(slope, shift));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_channels_is_gone_through_whole() {
        for channels in [1, 3, 16, 32, 33, 64, 100] {
            let x: Vec<f32> = (0..channels * 7).map(|i| i as f32).collect();
            let centre: Vec<f32> = (0..channels).map(|c| c as f32).collect();
            let pixels = || x.chunks_exact(channels);
            let mut sums = vec![1.0; channels];
            add(&x, &mut sums);
            let want: Vec<f32> = (0..channels).map(|c| 1.0 + pixels().map(|x| x[c]).sum::<f32>()).collect();
            assert_eq!(sums, want);
            let mut squares = vec![0.0; channels];
            add_square_deviations(&x, &centre, &mut squares);
            let step = (channels * channels) as f32;
            assert!(squares.iter().all(|&s| s == 91.0 * step), "{channels}: {squares:?}");
            let (ones, twos) = (vec![1.0; channels], vec![2.0; channels]);
            let mut y = vec![0.0; x.len()];
            rescale(&x, [&centre, &twos, &ones], &mut y);
            let mut g = y.clone();
            mix(&mut g, &x, [&centre, &twos, &twos, &ones]);
            for (i, (&y, &g)) in y.iter().zip(&g).enumerate() {
                let deviation = (i - i % channels) as f32;
                assert_eq!((y, g), (2.0 * deviation + 1.0, 6.0 * deviation + 3.0));
            }
        }
    }
}
