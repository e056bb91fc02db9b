//! Where a known watermark lies in an image, and the image without it.
//!
//! First every size, angle and position is tried on a small image: the mark's edges, as directions, against the image's
//! (a matched filter of gradients). Then the best are moved step by step so that undoing the blending leaves the smoothest
//! image along the mark's edges: at the right place the edges vanish, elsewhere new ones appear.

use super::Span;
use super::watermark::{ANGLE, Pose, Stamp, TALLEST, WIDTH};
use crate::shape::luminance;
use crate::{Channels, Filter, Image};

/// Longest side of the image of the first search.
const SMALL: usize = 160;
/// Sizes that are tried, from the smallest to the largest.
const SIZES: usize = 15;
/// Angles that are tried.
const ANGLES: usize = 31;
/// Edge pixels of the mark that are compared.
const POINTS: usize = 96;
/// Places that are refined.
const REFINED: usize = 24;
/// Places that are refined to the end, in the image's own size.
const FINAL: usize = 3;
/// Most rounds of refinement.
const ROUNDS: usize = 80;
/// Gradients of this size count half as an edge.
const EDGE: f32 = 0.08;
/// Gradients above this count as one of it: an edge of the image's own.
const STRONGEST: f32 = 0.3;
/// What is below this is no edge of the mark.
const FAINTEST: f32 = 0.02;
/// Least gain in smoothness for a place to be believed, in units of the mean gain times the root of the number of pixels.
const LEAST_GAIN: f32 = 0.35;
/// Above this opacity nothing is left below the mark.
const OPAQUE: f32 = 0.95;

/// A mark that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PlacedMark {
    pub(super) pose: Pose,
    pub(super) opacity: f32,
    /// Of text.
    pub(super) white: bool,
    /// How much smoother the image is without it.
    pub(super) gain: f32,
}

/// Looks for a mark of this opacity; `None` if there is none, or it hides what is below.
pub(super) fn find(stamp: &Stamp, image: &Image, opacity: Span) -> Option<PlacedMark> {
    if opacity.low > OPAQUE || image.height.min(image.width) < 8 {
        return None;
    }
    let grey = image.to_channels(Channels::Grey);
    let factor = (grey.height.max(grey.width) as f32 / SMALL as f32).max(1.0);
    let side = |n: usize| ((n as f32 / factor).round() as usize).max(4);
    let small =
        if factor > 1.0 { grey.resized(side(grey.height), side(grey.width), Filter::Area) } else { grey.clone() };
    let mut found: Vec<PlacedMark> = candidates(stamp, &small, opacity);
    found.iter_mut().for_each(|found| refine(stamp, &small, opacity, 1.0, found));
    found.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    found.truncate(FINAL);
    let (times_y, times_x) = (grey.height as f32 / small.height as f32, grey.width as f32 / small.width as f32);
    for found in &mut found {
        let Pose { middle_y, middle_x, wide, angle } = found.pose;
        found.pose = Pose { middle_y: middle_y * times_y, middle_x: middle_x * times_x, wide: wide * times_x, angle };
        found.gain = gain(stamp, &grey, found);
        refine(stamp, &grey, opacity, 0.5 * factor, found);
    }
    found.into_iter().max_by(|a, b| a.gain.total_cmp(&b.gain)).filter(|found| found.gain > LEAST_GAIN)
}

/// The image without the mark.
pub(super) fn without(stamp: &Stamp, image: &Image, found: &PlacedMark) -> Image {
    let mut out = image.clone();
    let c = image.channels.count();
    stamp.each_pixel((image.height, image.width), found.pose, found.white, |(y, x), [red, green, blue, alpha]| {
        let left = 1.0 - found.opacity * alpha;
        let pixel = &mut out.row_mut(y)[x * c..(x + 1) * c];
        let under = |above: &mut f32, colour: f32| *above = (*above - found.opacity * colour) / left.max(1.0 - OPAQUE);
        match pixel {
            [grey] => under(grey, luminance(&[red, green, blue])),
            pixel => pixel.iter_mut().zip([red, green, blue]).for_each(|(above, colour)| under(above, colour)),
        }
    });
    out
}

/// The best places of a coarse search.
fn candidates(stamp: &Stamp, image: &Image, opacity: Span) -> Vec<PlacedMark> {
    let (height, width) = (image.height, image.width);
    let edges = softened(&gradients(image, |g| (g / EDGE).tanh()), height, width);
    let mut best: Vec<(f32, PlacedMark)> = Vec::new();
    for size in 0..SIZES {
        let share = WIDTH.low * (WIDTH.high / WIDTH.low).powf(size as f32 / (SIZES - 1) as f32);
        let wide = share * width as f32;
        if wide * stamp.tall_for_wide() > 1.05 * TALLEST * height as f32 {
            continue;
        }
        for turn in 0..ANGLES {
            let angle = (ANGLE.low + (ANGLE.high - ANGLE.low) * turn as f32 / (ANGLES - 1) as f32).to_radians();
            let points = points(stamp, wide, angle);
            let (reach_y, reach_x) = Pose { middle_y: 0.0, middle_x: 0.0, wide, angle }.reach(stamp.tall_for_wide());
            let mut top: [(f32, usize, usize); 2] = [(0.0, 0, 0); 2];
            for y in between(height, reach_y).step_by(2) {
                for x in between(width, reach_x).step_by(2) {
                    let mut sum = 0.0;
                    for (dy, dx, along_y, along_x) in &points {
                        let (at_y, at_x) = (y as isize + dy, x as isize + dx);
                        if at_y >= 0 && at_x >= 0 && (at_y as usize) < height && (at_x as usize) < width {
                            let edge = edges[at_y as usize * width + at_x as usize];
                            sum += edge[0] * along_y + edge[1] * along_x;
                        }
                    }
                    let score = if stamp.is_text() { sum.abs() } else { sum };
                    if score > top[0].0.abs() {
                        if top[0].1.abs_diff(y) + top[0].2.abs_diff(x) > 8 {
                            top[1] = top[0];
                        }
                        top[0] = (score.copysign(sum), y, x);
                    }
                }
            }
            best.extend(top.into_iter().filter(|top| top.0 != 0.0).map(|(score, y, x)| {
                let pose = Pose { middle_y: y as f32 + 0.5, middle_x: x as f32 + 0.5, wide, angle };
                (score.abs(), PlacedMark { pose, opacity: opacity.middle(), white: score > 0.0, gain: 0.0 })
            }));
        }
    }
    best.sort_by(|a, b| b.0.total_cmp(&a.0));
    best.truncate(REFINED);
    best.into_iter().map(|(_, found)| PlacedMark { gain: gain(stamp, image, &found), ..found }).collect()
}

/// The places of a middle whose reach lies mostly inside.
fn between(size: usize, reach: f32) -> std::ops::Range<usize> {
    let edge = (0.9 * reach).min(0.5 * size as f32 - 1.0).max(0.0) as usize;
    edge..size - edge
}

/// The strongest edges of the mark around its middle, with their direction: (dy, dx, along y, along x), of a common length.
fn points(stamp: &Stamp, wide: f32, angle: f32) -> Vec<(isize, isize, f32, f32)> {
    let pose = Pose { middle_y: 0.0, middle_x: 0.0, wide, angle };
    let (reach_y, reach_x) = pose.reach(stamp.tall_for_wide());
    let (half_y, half_x) = (reach_y.ceil() as usize + 2, reach_x.ceil() as usize + 2);
    let (height, width) = (2 * half_y + 1, 2 * half_x + 1);
    let mut shape = Image::filled(height, width, Channels::Grey, 0.0);
    let pose = Pose { middle_y: half_y as f32 + 0.5, middle_x: half_x as f32 + 0.5, ..pose };
    stamp.each_pixel((height, width), pose, true, |(y, x), [red, green, blue, alpha]| {
        let lightness = luminance(&[red, green, blue]);
        shape.pixels[y * width + x] = if stamp.is_text() { alpha } else { lightness - 0.5 * alpha };
    });
    let edges = gradients(&shape, |g| g);
    let size = |at: usize| edges[at][0].hypot(edges[at][1]);
    let mut strong: Vec<usize> = (0..edges.len()).filter(|at| size(*at) > 0.05).collect();
    strong.sort_by(|a, b| size(*b).total_cmp(&size(*a)).then(a.cmp(b)));
    // Evenly from the stronger half, so that no part of the mark is left out.
    strong.truncate((strong.len() / 2).max(POINTS));
    strong.sort_unstable();
    let step = strong.len().div_ceil(POINTS).max(1);
    let chosen: Vec<usize> = strong.into_iter().step_by(step).collect();
    let length = chosen.iter().map(|at| size(*at).powi(2)).sum::<f32>().sqrt().max(1e-6);
    let point = |at: &usize| {
        let (dy, dx) = ((at / width) as isize - half_y as isize, (at % width) as isize - half_x as isize);
        (dy, dx, edges[*at][0] / length, edges[*at][1] / length)
    };
    chosen.iter().map(point).collect()
}

/// Differences to the next row and column, each after `of`; zero at the far edges.
fn gradients(image: &Image, of: impl Fn(f32) -> f32) -> Vec<[f32; 2]> {
    let (height, width) = (image.height, image.width);
    let at = |y: usize, x: usize| image.pixels[y.min(height - 1) * width + x.min(width - 1)];
    let each = |i: usize| {
        let (y, x) = (i / width, i % width);
        [of(at(y + 1, x) - at(y, x)), of(at(y, x + 1) - at(y, x))]
    };
    (0..height * width).map(each).collect()
}

/// Means over three by three.
fn softened(edges: &[[f32; 2]], height: usize, width: usize) -> Vec<[f32; 2]> {
    let each = |i: usize| {
        let (y, x) = (i / width, i % width);
        let mut sum = [0.0; 2];
        for at_y in y.saturating_sub(1)..(y + 2).min(height) {
            for at_x in x.saturating_sub(1)..(x + 2).min(width) {
                let edge = edges[at_y * width + at_x];
                sum = [sum[0] + edge[0] / 9.0, sum[1] + edge[1] / 9.0];
            }
        }
        sum
    };
    (0..height * width).map(each).collect()
}

/// How much smoother a grey image becomes along the edges of the mark without it.
fn gain(stamp: &Stamp, image: &Image, found: &PlacedMark) -> f32 {
    let (height, width) = (image.height, image.width);
    let (reach_y, reach_x) = found.pose.reach(stamp.tall_for_wide());
    let first = |middle: f32, reach: f32| (middle - reach - 4.0).max(0.0) as usize;
    let (top, left) = (first(found.pose.middle_y, reach_y), first(found.pose.middle_x, reach_x));
    let last = |middle: f32, reach: f32, most: usize| ((middle + reach + 5.0).max(0.0) as usize).min(most);
    let (bottom, right) = (last(found.pose.middle_y, reach_y, height), last(found.pose.middle_x, reach_x, width));
    if top + 4 > bottom || left + 4 > right {
        return 0.0;
    }
    let before = image.crop(top, left, bottom - top, right - left);
    let pose =
        Pose { middle_y: found.pose.middle_y - top as f32, middle_x: found.pose.middle_x - left as f32, ..found.pose };
    let after = without(stamp, &before, &PlacedMark { pose, ..*found });
    // What the mark adds to mid-grey has the mark's edges, of coverage and of colour.
    let mut mark = Image::filled(before.height, before.width, Channels::Grey, 0.0);
    stamp.each_pixel((mark.height, mark.width), pose, found.white, |(y, x), [red, green, blue, alpha]| {
        mark.pixels[y * before.width + x] = alpha + 2.0 * (luminance(&[red, green, blue]) - 0.5 * alpha);
        if stamp.is_text() {
            mark.pixels[y * before.width + x] = alpha;
        }
    });
    let height_of = |image: &Image| {
        let sizes = gradients(image, |g| g).into_iter().map(|g| (g[0] * g[0] + g[1] * g[1] + 1e-4).sqrt());
        sizes.collect::<Vec<f32>>()
    };
    let (was, is, edge) = (height_of(&before), height_of(&after), gradients(&mark, |g| g));
    let (mut sum, mut n) = (0.0_f64, 0_usize);
    for at in (0..edge.len()).filter(|at| edge[*at][0].hypot(edge[*at][1]) > FAINTEST) {
        sum += f64::from(was[at].min(STRONGEST) - is[at].min(STRONGEST));
        n += 1;
    }
    if n < 20 { 0.0 } else { (sum / (n as f64).sqrt()) as f32 }
}

/// Moves a mark as long as the gain grows, by steps that shrink, from `pixels` on.
fn refine(stamp: &Stamp, image: &Image, opacity: Span, pixels: f32, found: &mut PlacedMark) {
    let mut steps = [pixels, pixels, 0.04 * found.pose.wide, 0.026, 0.25 * (opacity.high - opacity.low)];
    for _ in 0..ROUNDS {
        let mut is_moved = false;
        for (which, step) in steps.into_iter().enumerate().filter(|(_, step)| *step > 0.0) {
            for step in [step, -step] {
                let mut moved = *found;
                match which {
                    0 => moved.pose.middle_y += step,
                    1 => moved.pose.middle_x += step,
                    2 => moved.pose.wide = (moved.pose.wide + step).max(4.0),
                    3 => moved.pose.angle += step,
                    _ => moved.opacity = (moved.opacity + step).clamp(opacity.low, opacity.high),
                }
                moved.gain = gain(stamp, image, &moved);
                if moved.gain > found.gain {
                    *found = moved;
                    is_moved = true;
                    break;
                }
            }
        }
        if !is_moved {
            steps.iter_mut().for_each(|step| *step *= 0.5);
            if steps[0] < 0.02 {
                return;
            }
        }
    }
}
