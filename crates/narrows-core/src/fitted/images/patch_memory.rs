//! The score of images by their local patches: how far each is from the patches of the training images.
//!
//! A small defect changes the error of a whole image, or of a large patch, by less than texture and lighting do. Patches
//! are therefore small, freed from lighting ([`local_contrast`]), at a resolution that suits the image, and compared with
//! those of the training images wherever these were.

use narrows_engine::rng::{Purpose, Stream};
use narrows_images::{Channels, Filter, Image, Store, local_contrast};
use rayon::prelude::*;

use crate::baseline::MemoryBank;
use crate::compute::Compute;
use crate::detect::scale::SQUARED;
use crate::detect::{DistanceTerm, LogRatio};
use crate::error::Result;
use crate::patches::TileGrid;

/// Side of a patch, in pixels of the reduced image.
const SIDE: usize = 8;
/// Pixels between patches, at most.
const STRIDE: usize = 4;
/// Images with a smaller side have too few patches.
pub(super) const LEAST_SIDE: usize = 48;
/// Longest side of a reduced image, about.
const LONGEST: f64 = 256.0;
/// The least reduction: neighbouring pixels of a photograph say much the same.
const LEAST_REDUCTION: usize = 2;
/// Share of patches that are farther away than the score of an image: a speck of dust is no defect.
const FARTHEST: f64 = 0.01;
/// Training images that patches are taken from, at most.
const MOST_IMAGES: usize = 1_000;
/// Patches that the code is fitted to, about.
const MOST_PATCHES: usize = 50_000;
/// Images whose patches are measured together.
const TOGETHER: usize = 16;
/// Largest reduction that a file may ask for.
const MOST_REDUCTION: usize = 1024;

/// How patches are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PatchCut {
    /// Rows and columns of pixels that become one.
    pub(crate) reduction: usize,
    pub(crate) channels: Channels,
}

impl PatchCut {
    /// Standard deviation of the Gaussian that weights the surroundings which contrast is relative to, in reduced pixels.
    pub(crate) const SURROUNDINGS: f32 = 16.0;

    /// For images whose longest sides are typically this long, in pixels.
    fn for_longest_side(longest: usize, channels: Channels) -> PatchCut {
        PatchCut { reduction: ((longest as f64 / LONGEST).round() as usize).max(LEAST_REDUCTION), channels }
    }

    /// Values of a patch.
    fn width(self) -> usize {
        SIDE * SIDE * self.channels.count()
    }

    /// Height and width of an image of this size as patches are cut from it.
    pub(crate) fn size(self, (height, width): (usize, usize)) -> (usize, usize) {
        ((height / self.reduction).max(1), (width / self.reduction).max(1))
    }

    /// Where patches are cut from an image that has this size when they are.
    pub(crate) fn grid(size: (usize, usize)) -> TileGrid {
        TileGrid::new((SIDE, SIDE), STRIDE, size)
    }

    /// An image as patches are cut from it, and where.
    fn reduced(self, image: &Image) -> (Image, TileGrid) {
        let (height, width) = self.size((image.height, image.width));
        let small = image.to_channels(self.channels).resized(height, width, Filter::Area);
        (local_contrast(&small, PatchCut::SURROUNDINGS), PatchCut::grid((height, width)))
    }
}

/// The patches of the training images, and typical distances from them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PatchMemory {
    pub(crate) bank: MemoryBank,
    pub(crate) cut: PatchCut,
    /// The distance of a typical image.
    pub(crate) term: DistanceTerm,
}

/// How far the patches of an image are.
pub(super) struct PatchDistances {
    grid: TileGrid,
    distances: Vec<f64>,
}

impl PatchDistances {
    /// The distance of an image: all but a few of its patches are nearer.
    pub(super) fn of_image(&self) -> f64 {
        let mut sorted = self.distances.clone();
        let at = sorted.len() - 1 - PatchMemory::farther(sorted.len());
        *sorted.select_nth_unstable_by(at, f64::total_cmp).1
    }
}

impl PatchMemory {
    /// Heat of a patch as far away as the score of a typical image, where a heat map begins.
    pub(crate) const TYPICAL_HEAT: f32 = 3.0;
    /// Heat rises with this power of the distance.
    pub(crate) const HEAT_POWER: i32 = 4;

    /// How many of so many patches are farther away than their image.
    pub(crate) fn farther(patches: usize) -> usize {
        (FARTHEST * patches as f64) as usize
    }

    /// Whether all these images are large enough.
    pub(super) fn suits(images: &Store, which: &[u32]) -> bool {
        which.iter().all(|i| {
            let (height, width, _) = images.size(*i as usize);
            height.min(width) >= LEAST_SIDE
        })
    }

    /// Takes patches of the training images, and keeps at most `cap` of them, drawn by `seed`. Distances are in units of the
    /// code until they are [`calibrated`](Self::calibrated).
    ///
    /// # Errors
    /// If an image can no longer be read.
    pub(super) fn fit(
        images: &Store,
        train: &[u32],
        channels: Channels,
        (cap, seed): (usize, u64),
        compute: &Compute,
    ) -> Result<PatchMemory> {
        let longest = |i: &u32| {
            let (height, width, _) = images.size(*i as usize);
            height.max(width)
        };
        let mut sides: Vec<usize> = train.iter().map(longest).collect();
        let middle = sides.len() / 2;
        let cut = PatchCut::for_longest_side(*sides.select_nth_unstable(middle).1, channels);
        let step = train.len().div_ceil(MOST_IMAGES).max(1);
        let chosen: Vec<u32> = train.iter().copied().step_by(step).collect();
        let share = MOST_PATCHES.div_ceil(chosen.len());
        let patches_of = |index: &u32| {
            let (image, grid) = cut.reduced(&images.get(*index as usize)?);
            let padded = grid.padded(&image);
            let mut stream = Stream::new(seed, Purpose::View, 0, u64::from(*index));
            let one = |at: usize| grid.cut_some(&padded, at..at + 1);
            Ok(if grid.len() <= share {
                grid.cut(&image)
            } else {
                (0..share).flat_map(|_| one(stream.below(grid.len() as u32) as usize)).collect()
            })
        };
        let patches: Vec<f32> = in_groups(&chosen, compute, patches_of)?.concat();
        let n = patches.len() / cut.width();
        let bank = compute.install(|| MemoryBank::fit(&patches, n, cut.width(), cap, seed))?;
        let term = DistanceTerm { ratio: LogRatio { median: 1.0, floor: 0.0 }, exchange: SQUARED };
        Ok(PatchMemory { bank, cut, term })
    }

    /// With the typical distance of normal images that were not taken from. Beside `residuals`, the logarithms of other
    /// scores of these images, distances have the same spread; alone they count squared, as errors do.
    ///
    /// # Errors
    /// If there are no images.
    pub(super) fn calibrated(mut self, distances: &[f64], residuals: Option<&[f64]>) -> Result<PatchMemory> {
        self.term = match residuals {
            Some(residuals) => DistanceTerm::fit(distances, 0.0, residuals)?,
            None => DistanceTerm { ratio: LogRatio::fit(distances, 0.0)?, exchange: SQUARED },
        };
        Ok(self)
    }

    /// How far the patches of an image are.
    pub(super) fn measure(&self, image: &Image) -> PatchDistances {
        let (image, grid) = self.cut.reduced(image);
        let distances = self.bank.distance(&grid.cut(&image));
        PatchDistances { grid, distances }
    }

    /// The distances of some images of a store.
    ///
    /// # Errors
    /// If an image can no longer be read.
    pub(super) fn distances(&self, images: &Store, which: &[u32], compute: &Compute) -> Result<Vec<f64>> {
        in_groups(which, compute, |i| Ok(self.measure(&images.get(*i as usize)?).of_image()))
    }

    /// Logarithm of the score by patches alone: 0 for a typical image.
    pub(super) fn log(&self, distance: f64) -> f64 {
        self.term.log(distance)
    }

    /// The heat of every pixel of an image: that of the patches which cover it.
    pub(super) fn heat(&self, measured: &PatchDistances, image: &Image) -> Vec<f32> {
        let typical = self.term.ratio.typical();
        let heat = |distance: &f64| Self::TYPICAL_HEAT * ((distance / typical) as f32).powi(Self::HEAT_POWER);
        let PatchDistances { grid, distances } = measured;
        let of_patch = |distance: &f64| std::iter::repeat_n(heat(distance), SIDE * SIDE);
        let values: Vec<f32> = distances.iter().flat_map(of_patch).collect();
        let (height, width) = self.cut.size((image.height, image.width));
        let map = Image::new(height, width, Channels::Grey, grid.merge(&values, (height, width)));
        let mut heat = map.resized(image.height, image.width, Filter::Bicubic).pixels;
        heat.iter_mut().for_each(|heat| *heat = heat.max(0.0));
        heat
    }

    /// Rejects one whose parts do not fit.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (expected, got) = (self.cut.width(), self.bank.width());
        if expected != got {
            return Err(format!("expected patches of {expected} values, got {got}"));
        }
        if !(1..=MOST_REDUCTION).contains(&self.cut.reduction) {
            return Err(format!("expected a reduction from 1 to {MOST_REDUCTION}, got {}", self.cut.reduction));
        }
        let DistanceTerm { ratio, exchange } = &self.term;
        if !(ratio.is_sound() && exchange.is_finite() && *exchange > 0.0) {
            return Err(format!("expected a finite typical distance above 0, got {}", ratio.median));
        }
        Ok(())
    }
}

/// What is found of each image, in order, and so many images in memory at a time.
fn in_groups<T: Send>(which: &[u32], compute: &Compute, one: impl Fn(&u32) -> Result<T> + Sync) -> Result<Vec<T>> {
    let mut all = Vec::with_capacity(which.len());
    for group in which.chunks(TOGETHER) {
        let found: Vec<Result<T>> = compute.install(|| group.par_iter().map(&one).collect());
        for found in found {
            all.push(found?);
        }
    }
    Ok(all)
}
