//! A restorer: a fully convolutional network that removes the corruption it was fitted with, for images of any size.
//!
//! It predicts a residual, so it has no code, no score and no threshold, and is not a [`Fitted`](crate::Fitted).

mod base;
mod evaluate;
mod fit;
mod holes;
mod run;
mod samples;

pub(crate) use base::Base as RestorerBase;
pub(super) use fit::fit;
pub(crate) use run::Residual;

use narrows_engine::{Network, Params};
use narrows_images::{Channels, Damages, Image, KeptMark, PreparedDamages};

use crate::compute::Compute;
use crate::error::Result;
use crate::model::Restore;
use crate::model::restore::Ends;
use crate::recipe::{Data, Recipe};
use crate::report::RestorerReport;

use base::Base;
use holes::Holed;

/// A fitted restorer.
#[derive(Debug, Clone)]
pub struct Restorer {
    pub(crate) recipe: Recipe,
    pub(crate) backbone: Restore,
    /// Channels of the training images.
    pub(crate) channels: Channels,
    pub(crate) params: Params,
    /// The watermarks of the corruption; none in files of older versions.
    pub(crate) marks: Vec<KeptMark>,
    pub(crate) report: RestorerReport,
    pub(crate) compute: Compute,
}

/// The compute backend is not compared.
impl PartialEq for Restorer {
    fn eq(&self, other: &Restorer) -> bool {
        let parts = |of: &Restorer| (of.recipe.clone(), of.channels);
        parts(self) == parts(other)
            && self.params == other.params
            && self.marks == other.marks
            && self.report == other.report
    }
}

impl Restorer {
    /// The network for corrupted patches of the training size.
    ///
    /// # Errors
    /// [`crate::Error::Recipe`] for settings out of range.
    pub(crate) fn network(recipe: &Recipe, backbone: &Restore, channels: Channels) -> Result<Network> {
        let ends = Base::of(damages(recipe), channels).ends();
        backbone.build(ends, (backbone.patch, backbone.patch), &recipe.loss)
    }

    /// The report of the fit.
    pub fn report(&self) -> &RestorerReport {
        &self.report
    }

    /// The recipe that the model was fitted with.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The corruption that it removes.
    pub fn damages(&self) -> &Damages {
        damages(&self.recipe)
    }

    /// The corruptions, with the watermarks that the model keeps, or of their files.
    ///
    /// # Errors
    /// If an image used by the corruption can no longer be read; only models of older versions need one.
    pub fn ready(&self) -> Result<PreparedDamages> {
        match self.marks.is_empty() {
            true => Ok(self.damages().ready()?),
            false => Ok(self.damages().ready_with(&self.marks)?),
        }
    }

    /// Returns the model with another compute backend; results do not change.
    #[must_use]
    pub fn with_compute(mut self, compute: &Compute) -> Restorer {
        self.compute = compute.clone();
        self
    }

    /// Channels of the images that the network sees; others are converted.
    pub fn input_channels(&self) -> Channels {
        self.base().input()
    }

    /// Scale factor of a restored image.
    pub fn scale(&self) -> usize {
        self.base().ends().scale
    }

    /// The restored image, `[height * scale, width * scale]`. A grey model restores each channel of a colour image
    /// separately; a colour model takes a grey image as one with equal channels.
    ///
    /// A watermark that is the only corruption, and is found, is undone exactly; the network has its say where none is found.
    /// A model of holes of any colour finds them by their size and flatness; [`Restorer::fill`] is told where they are.
    pub fn restore(&self, damaged: &Image) -> Image {
        let known = if self.marks.is_empty() { None } else { self.ready().ok() };
        if let Some(unmarked) = known.and_then(|ready| ready.without_mark(damaged)) {
            return unmarked;
        }
        match holes::side(self.damages()) {
            Some(side) => self.in_channels(damaged, &|image| self.without_holes(Holed::suspected(image, side))),
            None => self.in_channels(damaged, &|image| self.restore_known(image)),
        }
    }

    /// The image with these pixels restored, `[height, width]`, whatever their values; all others as they are. `None` if the
    /// model is not one of lost pixels.
    ///
    /// # Panics
    /// If `lost` is not of the image's size.
    pub fn fill(&self, damaged: &Image, lost: &[bool]) -> Option<Image> {
        let c = damaged.channels.count();
        assert_eq!(lost.len() * c, damaged.pixels.len(), "lost pixels of a {}x{} image", damaged.height, damaged.width);
        let look = self.damages().fill()?;
        if holes::side(self.damages()).is_some() {
            return Some(self.in_channels(damaged, &|image| self.without_holes(Holed::known(image, lost))));
        }
        let mut painted = damaged.clone();
        let value = look.value().unwrap_or(0.5);
        let pixels = painted.pixels.chunks_exact_mut(c).zip(lost);
        pixels.filter(|(_, lost)| **lost).for_each(|(pixel, _)| pixel.fill(value));
        let mut restored = self.restore(&painted);
        if (restored.height, restored.width) == (damaged.height, damaged.width) {
            let own = damaged.to_channels(restored.channels);
            let c = restored.channels.count();
            for at in (0..lost.len()).filter(|at| !lost[*at]) {
                restored.pixels[at * c..][..c].copy_from_slice(&own.pixels[at * c..][..c]);
            }
        }
        Some(restored)
    }

    /// The image after `restore`, which takes the channels of the network's input.
    fn in_channels(&self, damaged: &Image, restore: &dyn Fn(&Image) -> Image) -> Image {
        let base = self.base();
        match (base.input(), base.target(), damaged.channels) {
            (Channels::Grey, Channels::Grey, Channels::Rgb) => {
                Image::of_planes(&damaged.planes().map(|plane| restore(&plane)))
            }
            (Channels::Rgb, _, Channels::Grey) => {
                restore(&damaged.to_channels(Channels::Rgb)).to_channels(Channels::Grey)
            }
            (input, _, own) if input == own => restore(damaged),
            (input, _, _) => restore(&damaged.to_channels(input)),
        }
    }

    fn restore_known(&self, damaged: &Image) -> Image {
        let added = self.residual().of(&[damaged]);
        self.base().joined(damaged, &added)
    }

    fn without_holes(&self, holed: Holed) -> Image {
        if holed.clue.pixels.iter().all(|clue| *clue == 0.0) {
            return holed.image;
        }
        let added = self.residual().of(&[&holed.image, &holed.clue]);
        holed.restored(&added)
    }

    pub(crate) fn base(&self) -> Base {
        Base::of(self.damages(), self.channels)
    }

    fn ends(&self) -> Ends {
        self.base().ends()
    }
}

/// The corruptions of an image recipe.
fn damages(recipe: &Recipe) -> &Damages {
    match &recipe.data {
        Data::Images(images) => &images.corrupt,
        Data::Table | Data::Series(_) => unreachable!("a restorer's recipe is for images"),
    }
}
