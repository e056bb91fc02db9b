//! What the trials of a search are made on: samples that are prepared once, for any recipe that leaves their preparation as
//! it is. Rows that a fit of the same seed would calibrate with have no part in it.

use narrows_engine::{Network, Params, Threads};
use narrows_images::PreparedDamages;

use super::fit::Session;
use super::image_samples::ImageSamples;
use super::learning::train_members;
use super::split::Split;
use super::unexplained::Unexplained;
use crate::baseline::{Components, Pca};
use crate::error::{Error, Result};
use crate::model::{self, Corruption, Shape};
use crate::patches::PatchSampler;
use crate::prep::{Block, Prepared};
use crate::recipe::Recipe;
use crate::train::{self, NoCheckpoints, Observer, PreparedSamples, SampleSource, Stop};

/// SampleSource that recipes are tried on.
pub(crate) struct TrialData<'a> {
    source: SampleOrigin<'a>,
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
enum SampleOrigin<'a> {
    /// Rows that are all prepared.
    Rows(Prepared),
    /// Views of images, fresh in every epoch.
    Views { draws: PatchSampler<'a>, damages: PreparedDamages },
}

/// A network, or an ensemble, that was tried.
pub(crate) struct TrialModel {
    network: Network,
    members: Vec<Params>,
    /// Steps that all members took together.
    pub(crate) steps: u64,
}

impl TrialModel {
    /// Units of the code.
    pub(crate) fn code_size(&self) -> usize {
        self.network.code_size()
    }

    /// Trainable numbers of one member.
    pub(crate) fn parameters(&self) -> usize {
        self.network.n_params()
    }

    /// The mean of the members' outputs, `[n, width]`.
    fn output(&self, rows: &Prepared, threads: &Threads) -> Vec<f32> {
        super::scorer::mean_output(&self.network, &self.members, rows, threads)
    }
}

impl<'a> TrialData<'a> {
    /// Of rows that are all prepared.
    pub(super) fn of_rows(prepared: Prepared, split: Split, blocks: Vec<Block>, shape: Shape) -> TrialData<'static> {
        let (known, held_out) = (prepared.take(&split.not_calibration()), prepared.take(&split.calibration));
        TrialData { source: SampleOrigin::Rows(prepared), split, known, held_out, blocks, shape }
    }

    /// Of images; `known` and `held_out` are samples of them.
    pub(super) fn of_images(
        (draws, damages): (PatchSampler<'a>, PreparedDamages),
        drawn: Split,
        (known, held_out): (Prepared, Prepared),
        blocks: Vec<Block>,
        shape: Shape,
    ) -> TrialData<'a> {
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
    pub(crate) fn tried(&self, recipe: &Recipe, observer: &dyn Observer, threads: &Threads) -> Result<TrialModel> {
        recipe.check()?;
        let network = model::build(recipe.axes(), &self.blocks, self.shape)?;
        let samples: Vec<Box<dyn SampleSource + '_>> =
            recipe.corruptions().into_iter().map(|c| self.samples(c)).collect();
        let session = Session { threads: threads.clone(), observer, checkpoints: &NoCheckpoints };
        let (_, trained) = train_members(recipe, &network, &samples, &self.split, &session)?;
        if trained.iter().any(|trained| trained.training.stopped == Stop::Interrupted) {
            return Err(Error::Interrupted);
        }
        let steps = trained.iter().map(|trained| trained.training.steps).sum();
        Ok(TrialModel { network, members: trained.into_iter().map(|trained| trained.params).collect(), steps })
    }

    /// What is lost of held-out samples, undamaged, on their way through the code.
    pub(crate) fn unexplained(&self, tried: &TrialModel, threads: &Threads) -> Unexplained {
        Unexplained::of(&self.held_out.target, &tried.output(&self.held_out, threads), self.width())
    }

    /// The same of PCA with each of these numbers of components, fitted to what trials learn from.
    pub(crate) fn pca_unexplained(&self, sizes: &[usize], seed: u64, threads: &Threads) -> Result<Vec<f64>> {
        let Some(most) = sizes.iter().copied().max() else { return Ok(Vec::new()) };
        let (known, width) = (&self.known, self.width());
        let held_out = self.held_out.finite();
        threads.install(|| {
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
