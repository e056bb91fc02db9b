//! Samples for the trials of a search, prepared once for every recipe that leaves their preparation unchanged. Rows
//! that a fit with the same seed would calibrate with take no part.

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
use crate::train::{NoCheckpoints, Observer, PreparedSamples, SampleSource, Stop};

/// Samples for the trials of a search.
pub(crate) struct TrialData {
    source: SampleOrigin,
    /// Indices into the source; the calibration part is held out.
    split: Split,
    /// Samples that trials may learn from.
    known: Prepared,
    /// Samples used neither for training nor for early stopping.
    held_out: Prepared,
    blocks: Vec<Block>,
    shape: Shape,
}

/// Source of the training samples.
enum SampleOrigin {
    /// Fully prepared rows.
    Rows(Prepared),
    /// Views of images, redrawn in every epoch.
    Views { draws: PatchSampler, damages: PreparedDamages },
}

/// A network, or an ensemble, trained in a trial.
pub(crate) struct TrialModel {
    ensemble: Ensemble,
    /// Total steps of all members.
    pub(crate) steps: u64,
}

impl TrialModel {
    /// Number of code units.
    pub(crate) fn code_size(&self) -> usize {
        self.ensemble.code_size()
    }

    /// Trainable parameters of one member.
    pub(crate) fn parameters(&self) -> usize {
        self.ensemble.network.n_params()
    }
}

impl TrialData {
    /// From fully prepared rows.
    pub(super) fn of_rows(prepared: Prepared, split: Split, blocks: Vec<Block>, shape: Shape) -> TrialData {
        let (known, held_out) = (prepared.take(&split.not_calibration()), prepared.take(&split.calibration));
        TrialData { source: SampleOrigin::Rows(prepared), split, known, held_out, blocks, shape }
    }

    /// From images; `known` and `held_out` are samples of them.
    pub(super) fn of_images(
        (draws, damages): (PatchSampler, PreparedDamages),
        drawn: Split,
        (known, held_out): (Prepared, Prepared),
        blocks: Vec<Block>,
        shape: Shape,
    ) -> TrialData {
        TrialData { source: SampleOrigin::Views { draws, damages }, split: drawn, known, held_out, blocks, shape }
    }

    /// Values per sample.
    pub(crate) fn width(&self) -> usize {
        self.held_out.width
    }

    /// Number of held-out samples.
    pub(crate) fn n_held_out(&self) -> usize {
        self.held_out.n
    }

    /// Which values belong to which column.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Maximum number of steps of a member with this recipe.
    pub(crate) fn planned_steps(&self, recipe: &Recipe) -> u64 {
        recipe.train.planned_steps(self.split.train.len())
    }

    /// Trains a recipe.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if interrupted, even if something was learnt by then; otherwise errors of the training.
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

    /// The unexplained variance of held-out, uncorrupted samples.
    pub(crate) fn unexplained(&self, model: &TrialModel) -> Unexplained {
        Unexplained::of(&self.held_out.target, &model.ensemble.output(&self.held_out.input), self.width())
    }

    /// The unexplained variance of PCA with each of these numbers of components, fitted to the training samples.
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
