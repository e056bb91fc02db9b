//! A restorer: a fully convolutional network that undoes the damage it was fitted with, on images of any size.
//!
//! It is a thing of its own and no [`Fitted`](crate::Fitted): its output leans on its input, so it has no code, no
//! score and no threshold.

mod base;
mod evaluate;
mod fit;
mod run;
mod samples;

pub use fit::fit;

use narrows_engine::{Network, Params, Threads};
use narrows_images::{Channels, Damages, Image};

use crate::error::Result;
use crate::model::Restore;
use crate::model::restore::Ends;
use crate::recipe::{Data, Recipe};
use crate::report::RestorerReport;

use base::Base;

/// A fitted restorer.
#[derive(Debug, Clone, PartialEq)]
pub struct Restorer {
    pub(crate) recipe: Recipe,
    pub(crate) backbone: Restore,
    /// What the images had that it was fitted to.
    pub(crate) channels: Channels,
    pub(crate) params: Params,
    pub(crate) report: RestorerReport,
}

impl Restorer {
    /// The network for damaged pieces of the size that trained it.
    ///
    /// # Errors
    /// [`crate::Error::Recipe`] for settings out of range.
    pub(crate) fn network(recipe: &Recipe, backbone: &Restore, channels: Channels) -> Result<Network> {
        let ends = Base::of(damages(recipe), channels).ends();
        backbone.build(ends, (backbone.patch, backbone.patch), &recipe.loss)
    }

    /// What the fit found.
    pub fn report(&self) -> &RestorerReport {
        &self.report
    }

    /// Every choice that made the model.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The damage that it undoes.
    pub fn damages(&self) -> &Damages {
        damages(&self.recipe)
    }

    /// How many times larger a restored image is.
    pub fn scale(&self) -> usize {
        self.base().ends().scale
    }

    /// The restored image, `[height * scale, width * scale]`. A model of grey images restores each channel of an image
    /// in colour by itself; a model of colours sees a grey image as one whose colours are all grey.
    pub fn restore(&self, damaged: &Image, threads: &Threads) -> Image {
        let base = self.base();
        match (base.input(), base.target(), damaged.channels) {
            (Channels::Grey, Channels::Grey, Channels::Rgb) => {
                Image::of_planes(&damaged.planes().map(|plane| self.restore(&plane, threads)))
            }
            (Channels::Rgb, _, Channels::Grey) => {
                self.restore_known(&damaged.to_channels(Channels::Rgb), threads).to_channels(Channels::Grey)
            }
            (input, _, _) => self.restore_known(&damaged.to_channels(input), threads),
        }
    }

    fn restore_known(&self, damaged: &Image, threads: &Threads) -> Image {
        let added = run::added(self, damaged, run::TILE, threads);
        self.base().joined(damaged, &added)
    }

    fn base(&self) -> Base {
        Base::of(self.damages(), self.channels)
    }

    fn ends(&self) -> Ends {
        self.base().ends()
    }
}

/// The damages of a recipe for images.
fn damages(recipe: &Recipe) -> &Damages {
    match &recipe.data {
        Data::Images(images) => &images.corrupt,
        Data::Table | Data::Series(_) => unreachable!("a restorer's recipe is for images"),
    }
}
