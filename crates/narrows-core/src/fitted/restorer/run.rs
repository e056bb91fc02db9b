//! Tiled inference of a restoring network on images of any size: tiles overlap by the receptive field, so that there
//! are no seams and the result does not depend on the tiling.

use narrows_engine::Params;
use narrows_images::Image;

use super::Restorer;
use crate::compute::Compute;
use crate::model::restore::Ends;
use crate::model::{Loss, Restore};

/// Maximum side of the part of a tile that is kept, in input pixels.
const TILE: usize = 192;

/// A restoring network and its weights.
pub(crate) struct Residual<'a> {
    pub(crate) backbone: &'a Restore,
    pub(crate) ends: Ends,
    pub(crate) loss: &'a Loss,
    /// Its weights, whatever the parts are called that they were trained in.
    pub(crate) params: &'a Params,
    pub(crate) compute: &'a Compute,
}

impl Residual<'_> {
    /// The network's output for an image, whose channels may be in several images: `[height * scale, width * scale, channels of
    /// the output]`.
    pub(crate) fn of(&self, parts: &[&Image]) -> Vec<f32> {
        added(self, parts, TILE)
    }
}

impl Restorer {
    pub(super) fn residual(&self) -> Residual<'_> {
        let Restorer { backbone, params, compute, .. } = self;
        Residual { backbone, ends: self.ends(), loss: &self.recipe.loss, params, compute }
    }
}

fn added(residual: &Residual<'_>, parts: &[&Image], tile: usize) -> Vec<f32> {
    let damaged = parts[0];
    let Residual { backbone, ends, loss, params, compute } = *residual;
    let reach = backbone.reach(ends).next_multiple_of(ends.step());
    let (tall, rows) = tiles(damaged.height, tile, ends.step());
    let (wide, columns) = tiles(damaged.width, tile, ends.step());
    let (height, width) = (tall + 2 * reach, wide + 2 * reach);
    let network = backbone.build(ends, (height, width), loss).expect("a network that was built before");
    let mut own = network.init(0);
    let names: Vec<(String, Vec<usize>)> = own.entries().map(|e| (e.name.to_owned(), e.shape.to_vec())).collect();
    for ((name, shape), entry) in names.iter().zip(params.entries()) {
        own.set(name, shape, entry.data).expect("parameters of this network");
    }
    let prepared = compute.executor().prepare(&network, &own).expect("parameters of this network");

    let (scale, c) = (ends.scale, ends.output);
    let (full_height, full_width) = (damaged.height * scale, damaged.width * scale);
    let mut added = vec![0.0; full_height * full_width * c];
    let places: Vec<(usize, usize)> =
        (0..rows).flat_map(|row| (0..columns).map(move |column| (row * tall, column * wide))).collect();
    // A batch has one tile per thread.
    for places in places.chunks(compute.n_threads()) {
        let mut input = Vec::with_capacity(places.len() * network.inputs());
        places.iter().for_each(|(top, left)| push_tile(parts, (*top, *left), reach, (height, width), &mut input));
        let mut code = vec![0.0; places.len() * network.code_size()];
        let mut output = vec![0.0; places.len() * network.outputs()];
        prepared.reconstruct(&input, &mut code, &mut output);
        for ((top, left), output) in places.iter().zip(output.chunks_exact(network.outputs())) {
            let (top, left) = (top * scale, left * scale);
            let kept = (wide * scale).min(full_width - left) * c;
            for y in 0..(tall * scale).min(full_height - top) {
                let from = ((reach * scale + y) * width * scale + reach * scale) * c;
                let to = ((top + y) * full_width + left) * c;
                added[to..to + kept].copy_from_slice(&output[from..from + kept]);
            }
        }
    }
    added
}

/// Adds a tile and what is within `reach` of it, reflected beyond the edges, with the channels of all parts pixel by pixel.
fn push_tile(
    parts: &[&Image],
    (top, left): (usize, usize),
    reach: usize,
    (height, width): (usize, usize),
    input: &mut Vec<f32>,
) {
    let (top, left) = (top as isize - reach as isize, left as isize - reach as isize);
    let tiles: Vec<Image> = parts.iter().map(|part| part.crop_reflect(top, left, height, width)).collect();
    if let [only] = tiles.as_slice() {
        return input.extend_from_slice(&only.pixels);
    }
    for at in 0..height * width {
        for tile in &tiles {
            let c = tile.channels.count();
            input.extend_from_slice(&tile.pixels[at * c..][..c]);
        }
    }
}

/// The side of equal tiles over `length`, a multiple of `step`, and how many there are.
fn tiles(length: usize, most: usize, step: usize) -> (usize, usize) {
    let side = length.div_ceil(length.div_ceil(most)).next_multiple_of(step);
    (side, length.div_ceil(side))
}

#[cfg(test)]
mod tests {
    use narrows_images::{Album, Limits, Photo, Store};

    use super::super::fit;
    use super::*;
    use crate::recipe::{DataKind, Preset, Recipe};
    use crate::{Compute, Session};

    fn restorer(damage: &str) -> Restorer {
        let folder = tempfile::tempdir().unwrap();
        Photo::from(crate::demo::scene(0, 1)).write(folder.path().join("a.png")).unwrap();
        let store = std::sync::Arc::new(
            Store::take(Album::open(folder.path(), &Limits::default()).unwrap(), u64::MAX).unwrap(),
        );
        let mut recipe = Recipe::preset_for(Preset::Restore, DataKind::Images);
        for change in ["backbone.channels=8", "backbone.blocks=2", "backbone.patch=16", "train.steps=3"] {
            recipe.set(change).unwrap();
        }
        recipe.corrupt(damage).unwrap();
        fit(&recipe, &store, &Session::default()).unwrap()
    }

    #[test]
    fn what_is_added_does_not_depend_on_the_tiles() {
        for damage in ["gaussian:25", "grayscale", "downscale:2", "downscale:3"] {
            let restorer = restorer(damage);
            for (height, width) in [(70, 90), (33, 1), (7, 51)] {
                let scene = crate::demo::scene(1, 1).crop(5, 3, height, width);
                let damaged = scene.to_channels(restorer.base().input());
                let expected = restorer.residual().of(&[&damaged]);
                assert!(expected.iter().any(|value| *value != 0.0));
                for tile in [16, 50, 192] {
                    for threads in 1..=3 {
                        let restorer = restorer.clone().with_compute(&Compute::with_threads(threads).unwrap());
                        let got = added(&restorer.residual(), &[&damaged], tile);
                        assert!(got == expected, "{damage}: {height}x{width} in tiles of {tile}, {threads} threads");
                    }
                }
            }
        }
    }

    #[test]
    fn tiles_cover_all_and_are_equal() {
        for (length, most, step) in [(1, 16, 2), (70, 16, 2), (191, 192, 1), (193, 192, 2), (1000, 50, 2)] {
            let (side, n) = tiles(length, most, step);
            assert!(side * n >= length && side * (n - 1) < length && side % step == 0, "{length}: {n} of {side}");
        }
    }
}
