//! Grey images of machined parts: turned rings with bolt holes on a belt, some with a scratch or a dent at a
//! known position.

use std::f32::consts::{PI, TAU};

use narrows_engine::rng::Stream;
use narrows_images::{Channels, Image};

use super::drawing::{between, mixed, noise, painted, shaded, step};
use super::{DemoPart, stream};

/// Side of an image of a part, in pixels.
pub const PART_SIDE: usize = 64;

const MIDDLE: f32 = PART_SIDE as f32 / 2.0;
/// Radii: of the ring, its hole, the bolt circle, and a bolt hole.
const OUTER: f32 = 25.0;
const INNER: f32 = 8.5;
const BOLTS: f32 = 17.0;
const BOLT: f32 = 3.2;
/// Displacement of a part in pixels, and its rotation.
const SLACK: f32 = 0.4;
const TURN: f32 = 0.03;
/// The grooves, the same for all parts.
const LATHE: u32 = 20_260;
/// Standard deviation of the camera noise.
const GRAIN: f32 = 0.008;

/// An image of a part with its defect mask.
#[derive(Debug, Clone, PartialEq)]
pub struct PartImage {
    /// The image, grey.
    pub image: Image,
    /// Say of each pixel by a defect, grey; all zero without one.
    pub defect: Image,
}

/// A defect of a part.
enum Defect {
    Scratch { from: [f32; 2], to: [f32; 2], width: f32, light: f32 },
    Dent { at: [f32; 2], radius: f32, light: f32 },
}

/// Part `i` of the sequence of `seed`, with or without a defect; otherwise identical.
///
/// ```
/// use narrows_core::demo::part;
///
/// let (good, bad) = (part(0, false, 7), part(0, true, 7));
/// assert_ne!(good.image, bad.image);
/// assert!(good.defect.pixels.iter().all(|share| *share == 0.0));
/// ```
pub fn part(i: usize, is_spoilt: bool, seed: u64) -> PartImage {
    let mut random = stream(seed, DemoPart::Parts, i);
    let (x, y) = (MIDDLE + between(&mut random, -SLACK, SLACK), MIDDLE + between(&mut random, -SLACK, SLACK));
    let turn = between(&mut random, -TURN, TURN);
    let light = between(&mut random, 0.96, 1.04);
    let key = random.below(1 << 30);
    let mut grain = vec![0.0; PART_SIDE * PART_SIDE];
    random.fill_normal(&mut grain);
    let defect = is_spoilt.then(|| Defect::new(&mut random, [x, y]));
    let covered = |px: f32, py: f32| defect.as_ref().map_or(0.0, |defect| defect.covers(px, py));
    let painted_part = painted(PART_SIDE, PART_SIDE, |px, py| {
        let metal = ring(px - x, py - y, turn).map_or_else(|| belt(px, py, key), |metal| metal * light);
        let hurt = defect.as_ref().map_or(metal, |defect| metal * defect.light());
        [metal + (hurt - metal) * covered(px, py); 3]
    });
    let mut image = painted_part.to_channels(Channels::Grey);
    image.pixels.iter_mut().zip(grain).for_each(|(pixel, grain)| *pixel += GRAIN * grain);
    let defect = painted(PART_SIDE, PART_SIDE, |px, py| [covered(px, py); 3]).to_channels(Channels::Grey);
    PartImage { image: image.clipped(), defect }
}

/// The brightness of a turned ring, relative to its centre; 0 outside and in its holes.
fn ring(dx: f32, dy: f32, turn: f32) -> Option<f32> {
    let (away, angle) = (dx.hypot(dy), dy.atan2(dx));
    let bolt = |k: usize| {
        let at = turn + PI / 4.0 + k as f32 * TAU / 4.0;
        (dx - BOLTS * at.cos()).hypot(dy - BOLTS * at.sin())
    };
    if !(INNER..=OUTER).contains(&away) || (0..4).any(|k| bolt(k) < BOLT) {
        return None;
    }
    // Turned metal has two opposite highlights; its grooves are rings.
    let shine = 0.62 + 0.20 * (2.0 * (angle - 0.7)).cos();
    let groove = 0.035 * (TAU * away / 2.8).sin() + 0.03 * (noise(LATHE, 1.3 * away, 0.5) - 0.5);
    let bevel = 0.20 * step(OUTER - 2.2, OUTER, away) - 0.25 * step(INNER + 1.8, INNER, away);
    let sunk = (0..4).map(|k| step(BOLT + 1.4, BOLT, bolt(k))).fold(0.0, f32::max);
    Some((shine + groove + bevel) * (1.0 - 0.25 * sunk))
}

/// The rubber belt.
fn belt(x: f32, y: f32, key: u32) -> f32 {
    let rubber = shaded([0.16; 3], 1.0 + 0.12 * (noise(key, x / 2.5, y / 2.5) - 0.5));
    mixed(rubber, [0.11; 3], step(0.8, 1.0, (y / 8.0).fract()))[0]
}

impl Defect {
    fn new(random: &mut Stream, [x, y]: [f32; 2]) -> Defect {
        // On the metal, between the rims and between two bolts.
        let angle = TAU / 4.0 * random.below(4) as f32 + between(random, -0.38, 0.38);
        let away = between(random, INNER + 4.0, OUTER - 5.0);
        let at = [x + away * angle.cos(), y + away * angle.sin()];
        if random.below(3) == 0 {
            let light = if random.below(2) == 0 { 0.45 } else { 1.5 };
            return Defect::Dent { at, radius: between(random, 1.7, 2.6), light };
        }
        let half = between(random, 4.5, 7.5);
        // Across the grooves, as along them it would resemble one.
        let across = angle + between(random, -0.9, 0.9);
        let (dx, dy) = (half * across.cos(), half * across.sin());
        Defect::Scratch {
            from: [at[0] - dx, at[1] - dy],
            to: [at[0] + dx, at[1] + dy],
            width: between(random, 0.7, 1.0),
            light: if random.below(2) == 0 { 0.5 } else { 1.45 },
        }
    }

    fn light(&self) -> f32 {
        match self {
            Defect::Scratch { light, .. } | Defect::Dent { light, .. } => *light,
        }
    }

    /// From 1 inside to 0 outside.
    fn covers(&self, x: f32, y: f32) -> f32 {
        match self {
            Defect::Dent { at, radius, .. } => step(*radius, 0.5 * radius, (x - at[0]).hypot(y - at[1])),
            Defect::Scratch { from, to, width, .. } => {
                let (along, beside) = ([to[0] - from[0], to[1] - from[1]], [x - from[0], y - from[1]]);
                let length = along[0] * along[0] + along[1] * along[1];
                let t = ((along[0] * beside[0] + along[1] * beside[1]) / length).clamp(0.0, 1.0);
                let away = (beside[0] - t * along[0]).hypot(beside[1] - t * along[1]);
                step(*width, 0.5 * width, away)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spoilt_part_differs_from_the_whole_one_in_its_defect_alone() {
        for i in 0..20 {
            let (good, bad) = (part(i, false, 5), part(i, true, 5));
            let mut worst = 0.0_f32;
            for ((a, b), covered) in good.image.pixels.iter().zip(&bad.image.pixels).zip(&bad.defect.pixels) {
                let change = (a - b).abs();
                assert!(change < 1e-6 || *covered > 0.0, "part {i}: changed where nothing is wrong");
                worst = worst.max(change);
            }
            assert!(worst > 0.1, "part {i}: a defect that nobody could see, {worst}");
        }
    }
}
