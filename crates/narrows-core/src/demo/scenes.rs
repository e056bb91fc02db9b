//! Small colour images: landscapes and still lifes, each drawn from its number.
//!
//! Materials have characteristic texture and brightness: roofs have rows of tiles, grass has furrows, water
//! ripples, an orange is lighter than an apple. So denoising, super-resolution and colourisation can be
//! learned.

use std::f32::consts::TAU;

use narrows_engine::rng::Stream;
use narrows_images::Image;

use super::drawing::{Colour, between, mixed, noise, painted, shaded, step};
use super::{DemoPart, stream};

/// Side of a scene in pixels.
pub const SCENE_SIDE: usize = 96;

const SIDE: f32 = SCENE_SIDE as f32;

/// Scene `i` of the sequence of `seed`: three landscapes, then a still life, and so on.
///
/// ```
/// use narrows_core::demo::{SCENE_SIDE, scene};
///
/// assert_eq!(scene(2, 7).width, SCENE_SIDE);
/// assert_eq!(scene(2, 7), scene(2, 7));
/// ```
pub fn scene(i: usize, seed: u64) -> Image {
    let mut random = stream(seed, DemoPart::Scenes, i);
    if i % 4 == 3 {
        let life = StillLife::new(&mut random);
        return painted(SCENE_SIDE, SCENE_SIDE, |x, y| life.at(x, y));
    }
    let landscape = Landscape::new(&mut random);
    painted(SCENE_SIDE, SCENE_SIDE, |x, y| landscape.at(x, y))
}

/// Sky, clouds, mountains, hills with houses and trees, perhaps a lake.
struct Landscape {
    key: u32,
    /// Colours of the sky, above and at the horizon.
    sky: [Colour; 2],
    sun: Disc,
    clouds: Vec<Cloud>,
    mountains: Ridge,
    /// From back to front.
    hills: [Hill; 2],
    houses: Vec<House>,
    trees: Vec<SceneTree>,
    /// The first row of the lake.
    lake: Option<f32>,
}

#[derive(Clone, Copy)]
struct Disc {
    x: f32,
    y: f32,
    radius: f32,
}

struct Cloud {
    x: f32,
    y: f32,
    width: f32,
}

/// The upper edge of an object that extends downwards.
#[derive(Clone, Copy)]
struct Ridge {
    key: u32,
    level: f32,
    rise: f32,
    length: f32,
}

impl Ridge {
    /// A ridge with parameters drawn from these ranges.
    fn new(random: &mut Stream, level: [f32; 2], rise: [f32; 2], length: [f32; 2]) -> Ridge {
        let key = random.below(1 << 30);
        let [level, rise, length] = [level, rise, length].map(|[low, high]| between(random, low, high));
        Ridge { key, level, rise, length }
    }

    fn top(&self, x: f32) -> f32 {
        let coarse = noise(self.key, x / self.length, 0.5);
        let fine = noise(self.key + 1, x / self.length * 3.1, 0.5);
        self.level - self.rise * (0.8 * coarse + 0.2 * fine)
    }
}

struct Hill {
    ridge: Ridge,
    grass: Colour,
    /// Distance between furrows in pixels.
    furrow: f32,
}

struct House {
    x: f32,
    floor: f32,
    width: f32,
    wall: f32,
    roof: f32,
    lights: bool,
}

struct SceneTree {
    x: f32,
    floor: f32,
    height: f32,
    is_fir: bool,
    key: u32,
}

const SKIES: [[Colour; 2]; 3] = [
    [[0.36, 0.60, 0.90], [0.74, 0.88, 0.97]],
    [[0.42, 0.66, 0.92], [0.86, 0.92, 0.96]],
    [[0.46, 0.60, 0.86], [0.97, 0.84, 0.68]],
];
const SUN: Colour = [1.0, 0.96, 0.72];
const CLOUD: Colour = [0.98, 0.98, 1.0];
const ROCK: Colour = [0.48, 0.46, 0.60];
const SNOW: Colour = [0.95, 0.96, 1.0];
const WATER: Colour = [0.16, 0.44, 0.62];
const WALL: Colour = [0.95, 0.90, 0.78];
const BEAM: Colour = [0.45, 0.28, 0.16];
const ROOF: Colour = [0.74, 0.24, 0.16];
const PANE: Colour = [0.16, 0.20, 0.34];
const LAMP: Colour = [1.0, 0.83, 0.36];
const LEAVES: Colour = [0.16, 0.42, 0.14];
const NEEDLES: Colour = [0.07, 0.28, 0.20];
const TRUNK: Colour = [0.36, 0.23, 0.13];

impl Landscape {
    fn new(random: &mut Stream) -> Landscape {
        let key = random.below(1 << 30);
        let sky = SKIES[random.below(3) as usize];
        let sun = Disc {
            x: between(random, 12.0, SIDE - 12.0),
            y: between(random, 9.0, 22.0),
            radius: between(random, 4.5, 7.5),
        };
        let clouds = (0..1 + random.below(3)).map(|_| Cloud {
            x: between(random, 0.0, SIDE),
            y: between(random, 6.0, 26.0),
            width: between(random, 9.0, 17.0),
        });
        let clouds = clouds.collect();
        let mountains = Ridge::new(random, [46.0, 54.0], [14.0, 30.0], [17.0, 27.0]);
        let back = Hill {
            ridge: Ridge::new(random, [56.0, 62.0], [8.0, 14.0], [26.0, 44.0]),
            grass: [between(random, 0.46, 0.54), between(random, 0.66, 0.72), 0.30],
            furrow: between(random, 3.4, 4.2),
        };
        let front = Hill {
            ridge: Ridge::new(random, [72.0, 80.0], [8.0, 15.0], [36.0, 60.0]),
            grass: [between(random, 0.28, 0.34), between(random, 0.52, 0.57), 0.20],
            furrow: between(random, 4.6, 6.0),
        };
        let lake = (random.below(3) == 0).then(|| between(random, 80.0, 85.0));
        let mut houses = Vec::new();
        let mut x = between(random, 4.0, 30.0);
        while x < SIDE - 16.0 {
            let width = between(random, 13.0, 20.0);
            let middle = x + width / 2.0;
            houses.push(House {
                x,
                floor: front.ridge.top(middle) + between(random, 3.0, 6.0),
                width,
                wall: between(random, 8.0, 13.0),
                roof: between(random, 6.0, 10.0),
                lights: random.below(2) == 0,
            });
            x += width + between(random, 14.0, 44.0);
        }
        let trees = (0..2 + random.below(4)).map(|_| {
            let x = between(random, 3.0, SIDE - 3.0);
            SceneTree {
                x,
                floor: front.ridge.top(x) + between(random, 2.0, 9.0),
                height: between(random, 13.0, 24.0),
                is_fir: random.below(2) == 0,
                key: random.below(1 << 30),
            }
        });
        let mut trees: Vec<SceneTree> = trees.collect();
        trees.sort_by(|a, b| b.floor.total_cmp(&a.floor));
        Landscape { key, sky, sun, clouds, mountains, hills: [back, front], houses, trees, lake }
    }

    fn at(&self, x: f32, y: f32) -> Colour {
        let lake = self.lake.filter(|level| y > level + 0.8 * (x / 9.0 + self.key as f32).sin());
        if let Some(level) = lake {
            return self.water(x, y, level);
        }
        let tree = self.trees.iter().find_map(|tree| tree.at(x, y));
        let thing = tree.or_else(|| self.houses.iter().find_map(|house| house.at(x, y)));
        thing.unwrap_or_else(|| self.ground(x, y))
    }

    fn water(&self, x: f32, y: f32, level: f32) -> Colour {
        let ripple = (TAU * (y - level) / (2.6 + 0.12 * (y - level))).sin() * noise(self.key + 9, x / 7.0, y / 1.6);
        let glint = step(0.62, 0.9, ripple);
        mixed(shaded(WATER, 1.0 + 0.22 * ripple), [0.78, 0.9, 0.96], 0.8 * glint)
    }

    fn ground(&self, x: f32, y: f32) -> Colour {
        for hill in self.hills.iter().rev() {
            let depth = y - hill.ridge.top(x);
            if depth > 0.0 {
                // Furrows follow the hill.
                let wobble = 2.0 * noise(hill.ridge.key + 5, x / 11.0, y / 11.0);
                let furrow = (TAU * (depth + wobble) / hill.furrow).sin();
                let blades = noise(hill.ridge.key + 6, x / 1.7, y / 2.6) - 0.5;
                return shaded(hill.grass, 1.0 + 0.09 * furrow + 0.16 * blades);
            }
        }
        let depth = y - self.mountains.top(x);
        if depth > 0.0 {
            let slope = self.mountains.top(x + 1.5) - self.mountains.top(x - 1.5);
            let light =
                1.0 - 0.14 * slope.clamp(-2.0, 2.0) + 0.16 * (noise(self.key + 3, x / 3.0, (x + y) / 5.0) - 0.5);
            let peak = self.mountains.level - self.mountains.rise * 0.62 + 3.0 * noise(self.key + 4, x / 3.5, 0.5);
            let snow = step(1.0, -1.0, y - peak);
            return mixed(shaded(ROCK, light), shaded(SNOW, 0.93 + 0.07 * light), snow);
        }
        self.sky(x, y)
    }

    fn sky(&self, x: f32, y: f32) -> Colour {
        let mut colour = mixed(self.sky[0], self.sky[1], y / 56.0);
        let away = (x - self.sun.x).hypot(y - self.sun.y);
        colour = mixed(colour, SUN, 0.55 * (-(away - self.sun.radius).max(0.0) / 6.0).exp());
        if away < self.sun.radius {
            colour = SUN;
        }
        for cloud in &self.clouds {
            let (dx, dy) = ((x - cloud.x) / cloud.width, (y - cloud.y) / (0.36 * cloud.width));
            // Flat below, rounded above.
            let edge = dx * dx
                + dy * dy * if dy > 0.0 { 3.0 } else { 1.0 }
                + 0.9 * (noise(self.key + 7, x / 4.5, y / 4.5) - 0.5);
            let shade = shaded(CLOUD, 0.97 - 0.10 * dy.clamp(0.0, 1.0));
            colour = mixed(colour, shade, step(1.0, 0.62, edge));
        }
        colour
    }
}

impl House {
    fn at(&self, x: f32, y: f32) -> Option<Colour> {
        let (right, eaves) = (self.x + self.width, self.floor - self.wall);
        if (self.x..right).contains(&x) && (eaves..self.floor).contains(&y) {
            return Some(self.front(x - self.x, y - eaves));
        }
        // The roof overhangs by a pixel and a half and narrows to a ridge.
        let up = (eaves - y) / self.roof;
        let out = 1.5 + 0.16 * self.width * -up;
        if (0.0..1.0).contains(&up) && x > self.x - out && x < right + out {
            let row = ((eaves - y) / 2.5).floor();
            let tile = (TAU * (x / 3.0 + 0.5 * (row as i32 % 2) as f32)).sin();
            let lip = step(0.55, 0.95, ((eaves - y) / 2.5).fract());
            return Some(shaded(ROOF, 0.96 + 0.09 * tile - 0.28 * lip));
        }
        let chimney = self.x + 0.72 * self.width;
        let is_chimney = (chimney..chimney + 2.6).contains(&x) && (eaves - self.roof - 4.0..eaves).contains(&y);
        is_chimney.then(|| shaded(ROOF, 0.66))
    }

    /// The wall, from its upper left corner.
    fn front(&self, x: f32, y: f32) -> Colour {
        let door = 0.5 * self.width;
        if (door - 1.8..door + 1.8).contains(&x) && y > self.wall - 6.0 {
            return BEAM;
        }
        for window in [0.24 * self.width, 0.76 * self.width] {
            let (dx, dy) = ((x - window).abs(), (y - 4.2).abs());
            if dx < 1.7 && dy < 1.9 {
                let is_bar = dx < 0.35 || dy < 0.35;
                let pane = if self.lights { LAMP } else { PANE };
                return if is_bar { WALL } else { pane };
            }
            if dx < 2.3 && dy < 2.5 {
                return BEAM;
            }
        }
        let board = step(0.75, 1.0, (y / 2.4).fract());
        shaded(WALL, 1.0 - 0.10 * board)
    }
}

impl SceneTree {
    fn at(&self, x: f32, y: f32) -> Option<Colour> {
        let up = (self.floor - y) / self.height;
        let dx = (x - self.x) / self.height;
        let leaf = noise(self.key, x / 1.8, y / 1.8) - 0.5;
        if self.is_fir {
            let tier = ((1.0 - up) * 3.6).fract();
            let half = 0.05 + 0.24 * (1.0 - up) * (0.55 + 0.45 * tier);
            if (0.12..1.0).contains(&up) && dx.abs() < half {
                return Some(shaded(NEEDLES, 1.05 - 0.35 * tier + 0.5 * leaf - 0.5 * dx));
            }
        } else {
            let (cx, cy) = (dx / 0.34, (up - 0.66) / 0.36);
            let edge = cx * cx + cy * cy + 0.5 * (noise(self.key + 1, x / 3.2, y / 3.2) - 0.5);
            if edge < 1.0 {
                return Some(shaded(LEAVES, 1.0 + 0.28 * cy - 0.2 * cx + 0.7 * leaf));
            }
        }
        let is_trunk = (0.0..0.4).contains(&up) && dx.abs() < 0.045;
        is_trunk.then(|| shaded(TRUNK, 1.0 - 4.0 * dx))
    }
}

/// Fruit on a striped cloth before a wall.
struct StillLife {
    key: u32,
    edge: f32,
    stripe: f32,
    lean: f32,
    /// From front to back.
    fruits: Vec<Fruit>,
}

struct Fruit {
    kind: FigureKind,
    ball: Disc,
}

#[derive(Clone, Copy)]
enum FigureKind {
    Apple,
    Orange,
    Lemon,
    Plum,
}

const KINDS: [FigureKind; 4] = [FigureKind::Apple, FigureKind::Orange, FigureKind::Lemon, FigureKind::Plum];
const PLASTER: Colour = [0.66, 0.74, 0.70];
const CLOTH: Colour = [0.93, 0.92, 0.88];
const STRIPE: Colour = [0.22, 0.34, 0.62];
/// Light direction: from the upper left front.
const LIGHT: [f32; 3] = [-0.52, -0.62, 0.59];

impl StillLife {
    fn new(random: &mut Stream) -> StillLife {
        let key = random.below(1 << 30);
        let edge = between(random, 36.0, 46.0);
        let mut fruits = Vec::new();
        let mut x = between(random, 10.0, 18.0);
        while x < SIDE - 6.0 {
            let radius = between(random, 9.0, 15.0);
            let y = between(random, edge + 4.0, SIDE - 1.2 * radius);
            fruits.push(Fruit { kind: KINDS[random.below(4) as usize], ball: Disc { x, y, radius } });
            x += radius * between(random, 1.0, 1.7);
        }
        fruits.sort_by(|a, b| (b.ball.y + b.ball.radius).total_cmp(&(a.ball.y + a.ball.radius)));
        StillLife { key, edge, stripe: between(random, 9.0, 13.0), lean: between(random, -0.5, 0.5), fruits }
    }

    fn at(&self, x: f32, y: f32) -> Colour {
        if let Some(colour) = self.fruits.iter().find_map(|fruit| fruit.at(x, y)) {
            return colour;
        }
        if y < self.edge {
            let plaster = noise(self.key, x / 5.0, y / 5.0) + 0.5 * noise(self.key + 1, x / 2.2, y / 2.2);
            return shaded(PLASTER, 0.86 + 0.16 * x / SIDE + 0.10 * (plaster - 0.75));
        }
        // Perspective: stripes widen towards the front.
        let near = 0.6 + 0.9 * (y - self.edge) / (SIDE - self.edge);
        let across = (x - SIDE / 2.0) / near + self.lean * (y - self.edge);
        let place = (across / self.stripe).rem_euclid(1.0);
        let is_stripe = step(0.56, 0.60, place) * step(1.0, 0.96, place);
        let weave = 0.05 * (TAU * x / 3.0).sin() * (TAU * y / 3.0).sin();
        let shadow = self.fruits.iter().map(|fruit| fruit.shadow(x, y)).fold(0.0, f32::max);
        shaded(mixed(CLOTH, STRIPE, is_stripe), (1.0 + weave) * (1.0 - 0.5 * shadow))
    }
}

impl Fruit {
    fn at(&self, x: f32, y: f32) -> Option<Colour> {
        let Disc { x: cx, y: cy, radius } = self.ball;
        let tall = match self.kind {
            FigureKind::Lemon => 0.78,
            FigureKind::Apple | FigureKind::Orange | FigureKind::Plum => 0.95,
        };
        let (dx, dy) = ((x - cx) / radius, (y - cy) / (tall * radius));
        let flat = dx * dx + dy * dy;
        if flat > 1.0 {
            let stem = matches!(self.kind, FigureKind::Apple | FigureKind::Plum)
                && (x - cx - 0.8).abs() < 0.8
                && (-1.35..0.0).contains(&dy);
            return stem.then_some(TRUNK);
        }
        let normal = [dx, dy, (1.0 - flat).sqrt()];
        let facing = normal.iter().zip(LIGHT).map(|(n, l)| n * l).sum::<f32>();
        let colour = match self.kind {
            FigureKind::Apple => {
                let streak = (9.0 * dx.atan2(normal[2])).sin();
                mixed([0.74, 0.13, 0.12], [0.82, 0.44, 0.18], 0.25 + 0.25 * streak)
            }
            FigureKind::Orange => shaded([0.98, 0.60, 0.12], 1.0 - 0.12 * noise(11, x / 1.5, y / 1.5)),
            FigureKind::Lemon => shaded([0.99, 0.90, 0.28], 1.0 - 0.07 * noise(12, x / 1.7, y / 1.7)),
            FigureKind::Plum => [0.36, 0.16, 0.42],
        };
        let shine = step(0.93, 0.995, facing);
        Some(mixed(shaded(colour, 0.42 + 0.66 * facing.max(0.0)), [1.0; 3], 0.75 * shine))
    }

    /// Occlusion of the light on the cloth.
    fn shadow(&self, x: f32, y: f32) -> f32 {
        let Disc { x: cx, y: cy, radius } = self.ball;
        let (dx, dy) = ((x - cx - 0.45 * radius) / (1.15 * radius), (y - cy - 0.8 * radius) / (0.42 * radius));
        step(1.25, 0.45, (dx * dx + dy * dy).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_are_colourful_and_unlike_each_other() {
        for i in 0..8 {
            let image = scene(i, 3);
            assert!(image.pixels.iter().all(|value| (0.0..=1.0).contains(value)));
            let colourful = narrows_images::colourfulness(&image);
            assert!(colourful > 20.0, "scene {i}: {colourful}");
            assert_ne!(image, scene(i + 4, 3));
            assert_ne!(image, scene(i, 4));
        }
    }
}
