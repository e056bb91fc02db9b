//! Images by a model of the lapped backbone: whole images of any size, as maps of rounded coefficients without seams.
//!
//! The coefficients of an image are cut into tiles, which are coded one by one, so that threads share them. What they decode
//! to is transformed back as a whole, and restored by the network where that makes it better.

use narrows_codec::{MapPrior, MapShape, Rounding, decode_maps, encode_maps};
use narrows_images::{Channels, Image};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::coder::ImageChunkCoder;
use crate::codec::blocks;
use crate::fitted::Residual;
use crate::model::{Backbone, lapped};

/// Blocks in a row and in a column of a tile, at most.
const TILE: usize = 64;
/// What a bit is worth to the encoder, in 65536ths of a squared step.
const PRICE: u32 = 8_500;
/// From this level on nothing is left to be restored.
const COARSEST_RESTORED: i32 = 64;

/// How finely an encoder rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fineness {
    /// At a level.
    Level(i32),
    /// At the finest level of at most this many bits a coefficient, of which there are as many as values of pixels.
    Bits(f64),
}

/// An image as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PackedBlocks {
    level: i8,
    /// Whether the network restores it.
    restored: bool,
    tiles: Vec<Vec<u8>>,
}

/// A coder of images by their blocks.
pub(super) struct BlockCoder<'a> {
    coder: &'a ImageChunkCoder,
    prior: &'a MapPrior,
    channels: Channels,
}

impl<'a> BlockCoder<'a> {
    /// `None` for a model of another kind.
    pub(super) fn of(coder: &'a ImageChunkCoder) -> Option<BlockCoder<'a>> {
        let prior = coder.coding().maps.as_ref()?;
        Some(BlockCoder { coder, prior, channels: coder.adapter.layout.channels })
    }

    /// The images as they are stored, and what they decode to.
    pub(super) fn encode(&self, images: &[Image], rate: Fineness) -> (Vec<PackedBlocks>, Vec<Image>) {
        let compute = self.coder.core.compute();
        let coded = |image: &Image| {
            let seen = image.to_channels(self.channels);
            let (shape, coefficients) = blocks::coefficients(&seen);
            let level = match rate {
                Fineness::Level(level) => level,
                Fineness::Bits(bits) => self.level_of(&coefficients, shape, bits),
            };
            let tiles = self.tiles(&coefficients, shape, level);
            let (tiles, levels): (Vec<Vec<u8>>, Vec<Vec<i32>>) = tiles.into_iter().unzip();
            (PackedBlocks { level: level as i8, restored: false, tiles }, joined(&levels, shape))
        };
        let coded: Vec<(PackedBlocks, Vec<i32>)> = compute.install(|| images.par_iter().map(coded).collect());
        let better = |(image, (packed, levels)): (&Image, (PackedBlocks, Vec<i32>))| {
            let plain = self.synthesised(&levels, packed.level.into(), image);
            let (error, plain) = (squares(image, &plain.0), plain);
            if i32::from(packed.level) >= COARSEST_RESTORED {
                return (packed, plain.0);
            }
            let restored = self.restored(&plain.1, image);
            match squares(image, &restored) < error {
                true => (PackedBlocks { restored: true, ..packed }, restored),
                false => (packed, plain.0),
            }
        };
        images.iter().zip(coded).map(better).unzip()
    }

    /// The images of this form, `None` if these are no such images.
    ///
    /// # Errors
    /// A description of the problem if they are not of this form.
    pub(super) fn decode(&self, packed: &[PackedBlocks], form: &Image) -> Result<Vec<Image>, String> {
        let seen = Image::filled(form.height, form.width, self.channels, 0.0);
        let shape = blocks::shape(&seen);
        let parts = tiles_of(shape);
        let one = |packed: &PackedBlocks| -> Result<Vec<i32>, String> {
            if packed.tiles.len() != parts.len() {
                return Err(format!("expected {} tiles, got {}", parts.len(), packed.tiles.len()));
            }
            let decoded = packed.tiles.par_iter().zip(&parts).map(|(bytes, part)| {
                decode_maps(bytes, part.shape(shape), self.prior).map_err(|error| error.to_string())
            });
            Ok(joined(&decoded.collect::<Result<Vec<_>, String>>()?, shape))
        };
        let compute = self.coder.core.compute();
        let levels = compute.install(|| packed.par_iter().map(one).collect::<Result<Vec<_>, String>>())?;
        let image = |(packed, levels): (&PackedBlocks, Vec<i32>)| {
            let (plain, seen) = self.synthesised(&levels, packed.level.into(), form);
            if packed.restored { self.restored(&seen, form) } else { plain }
        };
        Ok(packed.iter().zip(levels).map(image).collect())
    }

    /// The tiles of coefficients at a level, with the integers that they decode to.
    fn tiles(&self, coefficients: &[f32], shape: MapShape, level: i32) -> Vec<(Vec<u8>, Vec<i32>)> {
        let steps = blocks::in_steps(coefficients, level);
        let tile = |part: &Tile| {
            encode_maps(&part.cut(&steps, shape), part.shape(shape), self.prior, Rounding::Thrifty(PRICE))
        };
        tiles_of(shape).par_iter().map(tile).collect()
    }

    /// The finest level of at most so many bits a coefficient.
    fn level_of(&self, coefficients: &[f32], shape: MapShape, bits: f64) -> i32 {
        let budget = bits * shape.len() as f64 / 8.0;
        let fits = |level: i32| {
            let tiles = self.tiles(coefficients, shape, level);
            tiles.iter().map(|tile| tile.0.len()).sum::<usize>() as f64 <= budget
        };
        // By doublings from a usual level, since a fine one takes long; then by halves.
        let doubling = blocks::LEVELS_A_DOUBLING;
        let (mut fine, mut coarse) = (doubling, doubling);
        if fits(doubling) {
            while fine > blocks::FINEST && fits(fine) {
                (fine, coarse) = (fine - doubling, fine);
            }
        } else {
            while coarse < blocks::EVERYTHING_ZERO && !fits(coarse) {
                (fine, coarse) = (coarse, coarse + doubling);
            }
        }
        // The coarse level fits, or is the last; the fine one does not, or is the first.
        while coarse - fine > 1 {
            let middle = (fine + coarse).div_euclid(2);
            if fits(middle) { coarse = middle } else { fine = middle }
        }
        coarse
    }

    /// The image of rounded coefficients: as pixels of the form, and as the network sees it.
    fn synthesised(&self, levels: &[i32], level: i32, form: &Image) -> (Image, Image) {
        let seen = Image::filled(form.height, form.width, self.channels, 0.0);
        let seen = blocks::image(&blocks::of_steps(levels, level), &seen);
        (seen.clone().clipped().to_channels(form.channels), seen)
    }

    /// With what the network adds.
    fn restored(&self, seen: &Image, form: &Image) -> Image {
        let core = &self.coder.core;
        let Backbone::Lapped(backbone) = &core.recipe.backbone else { return seen.clone() };
        let residual = Residual {
            backbone: &backbone.restore(),
            ends: lapped::ends(self.channels.count()),
            loss: &core.recipe.loss,
            params: &core.scorer.ensemble.members[0],
            compute: core.compute(),
        };
        let added = residual.of(&[seen]);
        let pixels = seen.pixels.iter().zip(added).map(|(pixel, added)| pixel + added).collect();
        Image::new(seen.height, seen.width, seen.channels, pixels).clipped().to_channels(form.channels)
    }
}

/// A part of a map.
struct Tile {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl Tile {
    fn shape(&self, whole: MapShape) -> MapShape {
        MapShape { height: self.height, width: self.width, channels: whole.channels }
    }

    /// Where the rows of the part lie in the map.
    fn rows(&self, whole: MapShape) -> impl Iterator<Item = std::ops::Range<usize>> {
        let (first, length) = (self.top * whole.width + self.left, self.width * whole.channels);
        (0..self.height).map(move |y| {
            let start = (first + y * whole.width) * whole.channels;
            start..start + length
        })
    }

    fn cut(&self, values: &[i32], whole: MapShape) -> Vec<i32> {
        self.rows(whole).flat_map(|row| &values[row]).copied().collect()
    }
}

/// The tiles of a map: about equal, in rows.
fn tiles_of(whole: MapShape) -> Vec<Tile> {
    let cuts = |length: usize| {
        let n = length.div_ceil(TILE);
        (0..n).map(move |i| (i * length / n, (i + 1) * length / n))
    };
    let part = |(top, bottom): (usize, usize), (left, right): (usize, usize)| Tile {
        top,
        left,
        height: bottom - top,
        width: right - left,
    };
    cuts(whole.height).flat_map(|rows| cuts(whole.width).map(move |columns| part(rows, columns))).collect()
}

/// The map of its tiles.
fn joined(tiles: &[Vec<i32>], whole: MapShape) -> Vec<i32> {
    let mut values = vec![0; whole.len()];
    for (part, tile) in tiles_of(whole).iter().zip(tiles) {
        let rows = tile.chunks_exact((part.width * whole.channels).max(1));
        part.rows(whole).zip(rows).for_each(|(to, row)| values[to].copy_from_slice(row));
    }
    values
}

fn squares(a: &Image, b: &Image) -> f64 {
    a.pixels.iter().zip(&b.pixels).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_a_map_once() {
        for (height, width) in [(1, 1), (64, 65), (130, 200)] {
            let whole = MapShape { height, width, channels: 2 };
            let values: Vec<i32> = (0..whole.len() as i32).collect();
            let tiles: Vec<Vec<i32>> = tiles_of(whole).iter().map(|part| part.cut(&values, whole)).collect();
            assert_eq!(tiles.iter().map(Vec::len).sum::<usize>(), values.len());
            assert!(tiles_of(whole).iter().all(|part| part.height <= TILE && part.width <= TILE));
            assert_eq!(joined(&tiles, whole), values);
        }
    }
}
