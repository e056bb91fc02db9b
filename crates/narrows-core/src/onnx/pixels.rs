//! Operations on images of a known size as nodes: filters as products with matrices, patches cut and put together again.

use narrows_images::{Channels, Filter, Image, resizing_along, smoothing_along};
use narrows_onnx::{Attribute, Element, Graph, Reduction, Value};

use crate::patches::TileGrid;

/// Height and width.
pub(super) type Size = (usize, usize);

/// `Image::resized` of maps `[N, C, height, width]` in 32 bits.
pub(super) fn resized(graph: &mut Graph, x: Value, from: Size, to: Size, filter: Filter) -> Value {
    if from == to {
        return x;
    }
    let (down, across) = (resizing_along(from.0, to.0, filter), resizing_along(from.1, to.1, filter));
    let wide = graph.cast(x, Element::Double);
    let filtered = filtered(graph, wide, (&down, from.0), (&across, from.1));
    graph.cast(filtered, Element::Float)
}

/// The smoothing of `local_contrast` of maps `[N, C, height, width]` in double.
pub(super) fn smoothed(graph: &mut Graph, x: Value, size: Size, sigma: f32) -> Value {
    filtered(graph, x, (&smoothing_along(size.0, sigma), size.0), (&smoothing_along(size.1, sigma), size.1))
}

/// down x across^T of maps in double; each matrix with the number of its columns.
fn filtered(graph: &mut Graph, x: Value, (down, tall): (&[f32], usize), (across, wide): (&[f32], usize)) -> Value {
    let double = |weights: &[f32]| weights.iter().map(|weight| f64::from(*weight)).collect::<Vec<f64>>();
    let down = graph.doubles(&[down.len() / tall, tall], &double(down));
    let new = across.len() / wide;
    let turned: Vec<f64> = (0..new * wide).map(|at| f64::from(across[at % new * wide + at / new])).collect();
    let across = graph.doubles(&[wide, new], &turned);
    let x = graph.matmul(down, x);
    graph.matmul(x, across)
}

/// Within 0 and 1.
pub(super) fn within(graph: &mut Graph, pixels: Value) -> Value {
    let (black, white) = (graph.float(0.0), graph.float(1.0));
    graph.op("Clip", &[pixels, black, white])
}

/// The patches of images of one size.
pub(super) struct Tiles {
    /// Where each value of each patch is in an image, `[patches, values]`.
    places: Vec<i64>,
    /// Values of a patch, of one channel.
    values: usize,
    /// The values of patches that cover each pixel, `[deepest, pixels]`; `len() * values` where fewer do.
    covers: Vec<i64>,
    /// How many do, `[pixels]`.
    shares: Vec<f32>,
    size: Size,
}

impl Tiles {
    /// Those of a grid over images of `size`.
    pub(super) fn new(grid: &TileGrid, size: Size) -> Tiles {
        let numbered = |(height, width): Size| {
            let pixels = (0..height * width).map(|pixel| pixel as f32).collect();
            Image::new(height, width, Channels::Grey, pixels)
        };
        // Images that are smaller than a patch are padded by reflection; what is there is not part of the result.
        let padded = (size.0.max(grid.height), size.1.max(grid.width));
        let places = grid.cut(&numbered(size)).into_iter().map(|place| place as i64).collect::<Vec<_>>();
        let mut covering = vec![Vec::new(); size.0 * size.1];
        for (slot, place) in grid.cut(&numbered(padded)).into_iter().enumerate() {
            let (y, x) = (place as usize / padded.1, place as usize % padded.1);
            if y < size.0 && x < size.1 {
                covering[y * size.1 + x].push(slot as i64);
            }
        }
        let deepest = covering.iter().map(Vec::len).max().unwrap_or(0);
        let nothing = places.len() as i64;
        let at = |depth: usize| covering.iter().map(move |slots| slots.get(depth).copied().unwrap_or(nothing));
        let covers = (0..deepest).flat_map(at).collect();
        let shares = covering.iter().map(|slots| 1.0 / slots.len() as f32).collect();
        Tiles { places, values: grid.height * grid.width, covers, shares, size }
    }

    /// Number of patches.
    pub(super) fn len(&self) -> usize {
        self.places.len() / self.values
    }

    /// The patches of images `[N, C, height, width]` as rows, channels fastest: `[N * patches, values * C]`.
    pub(super) fn cut(&self, graph: &mut Graph, images: Value, channels: usize) -> Value {
        let (patches, pixels) = (self.len() as i64, (self.size.0 * self.size.1) as i64);
        let (values, channels) = (self.values as i64, channels as i64);
        let lines = graph.reshape(images, &[-1, channels, pixels]);
        let places = graph.ints_of(&[self.len(), self.values], &self.places);
        let cut = graph.gather(lines, places, 2);
        let pixelwise = graph.transpose(cut, &[0, 2, 3, 1]);
        let rows = graph.reshape(pixelwise, &[-1, patches, values * channels]);
        graph.reshape(rows, &[-1, values * channels])
    }

    /// For each pixel the mean over the patches that cover it, `[N, C, height, width]`, of rows as [`cut`](Self::cut) gives
    /// them.
    pub(super) fn merged(&self, graph: &mut Graph, rows: Value, channels: usize) -> Value {
        let slots = graph.reshape(rows, &[-1, self.places.len() as i64, channels as i64]);
        let covers = self.covers.clone();
        self.mean(graph, slots, &covers, channels)
    }

    /// For each pixel the mean over the patches that cover it, `[N, 1, height, width]`, of one value of each, `[N, patches]`.
    pub(super) fn spread(&self, graph: &mut Graph, of_patches: Value) -> Value {
        let slots = graph.unsqueeze(of_patches, 2);
        let covers: Vec<i64> = self.covers.iter().map(|slot| slot / self.values as i64).collect();
        self.mean(graph, slots, &covers, 1)
    }

    /// The mean over what covers each pixel, by its place in `values`, `[N, places, C]` in 32 bits.
    fn mean(&self, graph: &mut Graph, values: Value, covers: &[i64], channels: usize) -> Value {
        let (height, width) = self.size;
        let pixels = height * width;
        let sides = graph.ints(&[0, 0, 0, 0, 1, 0]);
        let values = graph.op_with("Pad", &[values, sides], &[("mode", Attribute::Text("constant"))]);
        let covers = graph.ints_of(&[covers.len() / pixels, pixels], covers);
        let covering = graph.gather(values, covers, 1);
        let sum = graph.reduce(Reduction::Sum, covering, &[1], false);
        let shares = graph.floats(&[1, pixels, 1], &self.shares);
        let mean = graph.mul(sum, shares);
        let planes = graph.transpose(mean, &[0, 2, 1]);
        graph.reshape(planes, &[-1, channels as i64, height as i64, width as i64])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the nodes of `Tiles::merged` compute of values `[places]`.
    fn merged(tiles: &Tiles, values: &[f32]) -> Vec<f32> {
        let n = tiles.size.0 * tiles.size.1;
        let at = |slot: i64| values.get(slot as usize).copied().unwrap_or(0.0);
        let sum = |pixel: usize| tiles.covers.iter().skip(pixel).step_by(n).map(|slot| at(*slot)).sum::<f32>();
        (0..n).map(|pixel| sum(pixel) * tiles.shares[pixel]).collect()
    }

    #[test]
    fn patches_are_cut_and_merged_as_the_grid_does() {
        // Larger than a patch, of its size, and smaller on one side or both.
        for size in [(21, 13), (8, 8), (5, 9), (1, 1)] {
            let grid = TileGrid::new((8, 8), 4, size);
            let tiles = Tiles::new(&grid, size);
            let pixels: Vec<f32> = (0..size.0 * size.1).map(|i| ((i * 31) % 17) as f32).collect();
            let cut: Vec<f32> = tiles.places.iter().map(|place| pixels[*place as usize]).collect();
            assert_eq!(cut, grid.cut(&Image::new(size.0, size.1, Channels::Grey, pixels.clone())));
            assert_eq!(tiles.len(), grid.len());
            let values: Vec<f32> = (0..cut.len()).map(|i| ((i * 13) % 29) as f32).collect();
            let expected = grid.merge(&values, size);
            for (found, expected) in merged(&tiles, &values).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5, "{size:?}: {found}, not {expected}");
            }
        }
    }
}
