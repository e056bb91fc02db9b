//! A restorer: a fully convolutional network that removes the corruption it was fitted with, for images of any size.
//!
//! It predicts a residual, so it has no code, no score and no threshold, and is not a [`Fitted`](crate::Fitted).

mod base;
mod evaluate;
mod fit;
mod run;
mod samples;

pub(super) use fit::fit;

use narrows_engine::{Network, Params};
use narrows_images::{Channels, Damages, Image};

use crate::compute::Compute;
use crate::error::Result;
use crate::model::Restore;
use crate::model::restore::Ends;
use crate::recipe::{Data, Recipe};
use crate::report::RestorerReport;

use base::Base;

/// A fitted restorer.
#[derive(Debug, Clone)]
pub struct Restorer {
    pub(crate) recipe: Recipe,
    pub(crate) backbone: Restore,
    /// Channels of the training images.
    pub(crate) channels: Channels,
    pub(crate) params: Params,
    pub(crate) report: RestorerReport,
    pub(crate) compute: Compute,
}

/// The compute backend is not compared.
impl PartialEq for Restorer {
    fn eq(&self, other: &Restorer) -> bool {
        let parts = |of: &Restorer| (of.recipe.clone(), of.channels);
        parts(self) == parts(other) && self.params == other.params && self.report == other.report
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

    /// Returns the model with another compute backend; results do not change.
    #[must_use]
    pub fn with_compute(mut self, compute: &Compute) -> Restorer {
        self.compute = compute.clone();
        self
    }

    /// Scale factor of a restored image.
    pub fn scale(&self) -> usize {
        self.base().ends().scale
    }

    /// The restored image, `[height * scale, width * scale]`. A grey model restores each channel of a colour image
    /// separately; a colour model takes a grey image as one with equal channels.
    pub fn restore(&self, damaged: &Image) -> Image {
        let base = self.base();
        match (base.input(), base.target(), damaged.channels) {
            (Channels::Grey, Channels::Grey, Channels::Rgb) => {
                Image::of_planes(&damaged.planes().map(|plane| self.restore(&plane)))
            }
            (Channels::Rgb, _, Channels::Grey) => {
                self.restore_known(&damaged.to_channels(Channels::Rgb)).to_channels(Channels::Grey)
            }
            (input, _, _) => self.restore_known(&damaged.to_channels(input)),
        }
    }

    fn restore_known(&self, damaged: &Image) -> Image {
        let added = run::added(self, damaged, run::TILE);
        self.base().joined(damaged, &added)
    }

    fn base(&self) -> Base {
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
