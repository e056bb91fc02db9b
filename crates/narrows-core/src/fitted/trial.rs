//! What the trials of a search train on: samples that are prepared once, for every recipe that leaves their preparation
//! unchanged. Rows that a fit of the same seed would calibrate with take no part.

use narrows_images::PreparedDamages;

use super::images::ImageSamples;
use super::learning::train_members;
use super::scoring::Unexplained;
use super::session::Session;
use super::split::Split;
use crate::baseline::{Components, Pca};
use crate::compute::Compute;
use crate::ensemble::Ensemble;
use crate::error::{Error, Result};
use crate::model::{self, Corruption, Shape};
use crate::patches::PatchSampler;
use crate::prep::{Block, Prepared};
use crate::recipe::Recipe;
use crate::train::{self, NoCheckpoints, Observer, PreparedSamples, SampleSource, Stop};

/// Samples that recipes are tried on.
pub(crate) struct TrialData {
    source: SampleOrigin,
    /// In the source's numbers; its calibration part is what is held out.
    split: Split,
    /// What trials may learn from.
    known: Prepared,
    /// What no trial trains on, nor chooses when to stop by.
    held_out: Prepared,
    blocks: Vec<Block>,
    shape: Shape,
}

/// Where training samples come from.
enum SampleOrigin {
    /// Rows that are all prepared.
    Rows(Prepared),
    /// Views of images, fresh in every epoch.
    Views { draws: PatchSampler, damages: PreparedDamages },
}

/// A network, or an ensemble, that was tried.
pub(crate) struct TrialModel {
    ensemble: Ensemble,
    /// Steps that all members took together.
    pub(crate) steps: u64,
}

impl TrialModel {
    /// Units of the code.
    pub(crate) fn code_size(&self) -> usize {
        self.ensemble.code_size()
    }

    /// Trainable numbers of one member.
    pub(crate) fn parameters(&self) -> usize {
        self.ensemble.network.n_params()
    }
}

impl TrialData {
    /// Of rows that are all prepared.
    pub(super) fn of_rows(prepared: Prepared, split: Split, blocks: Vec<Block>, shape: Shape) -> TrialData {
        let (known, held_out) = (prepared.take(&split.not_calibration()), prepared.take(&split.calibration));
        TrialData { source: SampleOrigin::Rows(prepared), split, known, held_out, blocks, shape }
    }

    /// Of images; `known` and `held_out` are samples of them.
    pub(super) fn of_images(
        (draws, damages): (PatchSampler, PreparedDamages),
        drawn: Split,
        (known, held_out): (Prepared, Prepared),
        blocks: Vec<Block>,
        shape: Shape,
    ) -> TrialData {
        TrialData { source: SampleOrigin::Views { draws, damages }, split: drawn, known, held_out, blocks, shape }
    }

    /// Values of a sample.
    pub(crate) fn width(&self) -> usize {
        self.held_out.width
    }

    /// Held-out samples.
    pub(crate) fn n_held_out(&self) -> usize {
        self.held_out.n
    }

    /// Which values belong to which column.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Most steps that a member of this recipe takes.
    pub(crate) fn planned_steps(&self, recipe: &Recipe) -> u64 {
        train::planned_steps(&recipe.train, self.split.train.len())
    }

    /// Trains what a recipe says.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where the observer asks for it, whatever was learnt by then; else what the training says.
    pub(crate) fn train(&self, recipe: &Recipe, observer: &dyn Observer, compute: &Compute) -> Result<TrialModel> {
        recipe.check()?;
        let network = model::build(recipe.axes(), &self.blocks, self.shape)?;
        let samples: Vec<Box<dyn SampleSource + '_>> =
            recipe.corruptions().into_iter().map(|c| self.samples(c)).collect();
        let session = Session { compute: compute.clone(), observer, checkpoints: &NoCheckpoints };
        let (_, trained) = train_members(recipe, &network, &samples, &self.split, &session)?;
        if trained.iter().any(|trained| trained.training.stopped == Stop::Interrupted) {
            return Err(Error::Interrupted);
        }
        let steps = trained.iter().map(|trained| trained.training.steps).sum();
        let members = trained.into_iter().map(|trained| trained.params).collect();
        Ok(TrialModel { ensemble: Ensemble::new(network, members, compute.clone()), steps })
    }

    /// What is lost of held-out samples, undamaged, on their way through the code.
    pub(crate) fn unexplained(&self, model: &TrialModel) -> Unexplained {
        Unexplained::of(&self.held_out.target, &model.ensemble.output(&self.held_out.input), self.width())
    }

    /// The same of PCA with each of these numbers of components, fitted to what trials learn from.
    pub(crate) fn pca_unexplained(&self, sizes: &[usize], seed: u64, compute: &Compute) -> Result<Vec<f64>> {
        let Some(most) = sizes.iter().copied().max() else { return Ok(Vec::new()) };
        let (known, width) = (&self.known, self.width());
        let held_out = self.held_out.finite();
        compute.install(|| {
            let pca = Pca::fit(&known.finite(), known.n, width, Components::Count(most), seed)?;
            let lost =
                |k: &usize| Unexplained::of(&self.held_out.target, &pca.first(*k).rebuilt(&held_out), width).share;
            Ok(sizes.iter().map(lost).collect())
        })
    }

    fn samples(&self, corruption: Corruption) -> Box<dyn SampleSource + '_> {
        match &self.source {
            SampleOrigin::Rows(prepared) => Box::new(PreparedSamples { prepared, blocks: &self.blocks, corruption }),
            SampleOrigin::Views { draws, damages } => Box::new(ImageSamples { draws, width: self.width(), damages }),
        }
    }
}
