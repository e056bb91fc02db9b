//! From prepared rows to a scorer: networks trained, ordinary errors measured, baselines fitted. One way for every kind
//! of data.

use narrows_engine::rng::{Purpose, Stream};
use narrows_engine::{Network, Params, Threads};
use rayon::prelude::*;

use super::fit::Session;
use super::generation_quality::Codes;
use super::scorer::Scorer;
use super::split::Split;
use super::{Baselines, calibrate, summary};
use crate::baseline::{Components, IsolationForest, Pca};
use crate::codec::Quantiser;
use crate::detect::residual::Slots;
use crate::detect::{Calibration, Decision};
use crate::error::Result;
use crate::model::{self, Shape};
use crate::prep::{Block, Prepared};
use crate::range::lit;
use crate::recipe::Recipe;
use crate::report::UnitsReport;
use crate::train::{self, PreparedSamples, SampleSource, Stop, Task, Trained, Training, TrainingEvent};

/// Most training scores kept for the `contamination` rule.
pub(super) const TRAINING_SCORES: usize = 20_000;
/// Most values of rows that the rounding of codes is fitted to.
const CODED_VALUES: usize = 1 << 22;
/// Most codes that the density of generated rows is fitted to.
const DENSITY_ROWS: usize = 20_000;

/// SampleSource and what is known of them.
pub(super) struct TrainingData<'a> {
    /// What each member's training draws from.
    pub(super) samples: Vec<Box<dyn SampleSource + 'a>>,
    /// Which samples train, and which choose when to stop.
    pub(super) split: &'a Split,
    /// Training samples, for the baselines.
    pub(super) train: Prepared,
    /// SampleSource that distances are measured to: those that chose when to stop are as good as any.
    pub(super) references: Prepared,
    /// SampleSource that never train.
    pub(super) calibration: Prepared,
    pub(super) blocks: &'a [Block],
    pub(super) slots: Slots,
    pub(super) shape: Shape,
}

impl<'a> TrainingData<'a> {
    /// Rows that are all prepared.
    pub(super) fn of(
        recipe: &Recipe,
        prepared: &'a Prepared,
        split: &'a Split,
        blocks: &'a [Block],
        slots: Slots,
        shape: Shape,
    ) -> TrainingData<'a> {
        let under = |corruption| Box::new(PreparedSamples { prepared, blocks, corruption }) as Box<dyn SampleSource>;
        TrainingData {
            samples: recipe.corruptions().into_iter().map(under).collect(),
            split,
            train: prepared.take(&split.train),
            references: prepared.take(&split.not_calibration()),
            calibration: prepared.take(&split.calibration),
            blocks,
            slots,
            shape,
        }
    }
}

/// What was learnt from them.
pub(super) struct TrainedModel {
    /// The recipe with the members there are.
    pub(super) recipe: Recipe,
    pub(super) scorer: Scorer,
    pub(super) baselines: Baselines,
    /// What codes look like, for new rows.
    pub(super) codes: Codes,
    /// How codes are rounded when they are stored.
    pub(super) quantiser: Quantiser,
    pub(super) trainings: Vec<Training>,
    pub(super) warnings: Vec<String>,
}

/// Trains, calibrates the detector, and fits what a user would compare with.
pub(super) fn learn(recipe: &Recipe, material: TrainingData<'_>, session: &Session<'_>) -> Result<TrainedModel> {
    let TrainingData { samples, split, train, references, calibration, blocks, slots, shape } = material;
    let network = model::build(recipe.axes(), blocks, shape)?;
    let mut warnings = summary::cautions(recipe, &network, split.calibration.len());
    let planned = samples.len();
    let (recipe, trained) = train_members(recipe, &network, &samples, split, session)?;
    let (members, trainings): (Vec<Params>, Vec<_>) =
        trained.into_iter().map(|trained| (trained.params, trained.training)).unzip();

    let threads = &session.threads;
    let detector = calibrate::detector(&recipe, &network, &members, &slots, &references, &calibration, threads)?;
    let baselines = baselines(&train, network.code_size(), recipe.seed, threads)?;
    let codes = codes(&network, &members[0], &train, &calibration, recipe.seed, threads)?;
    warnings.extend(codes.units.as_ref().and_then(UnitsReport::warning));
    let quantiser = quantiser(&recipe, &network, &members[0], &train, threads);
    if trainings.iter().any(|training| training.stopped == Stop::Interrupted) {
        warnings.push(format!(
            "training was interrupted: {} of {planned} networks are there, with their best weights so far",
            members.len()
        ));
    }
    let scorer = Scorer { network, members, detector, slots };
    Ok(TrainedModel { recipe, scorer, baselines, codes, quantiser, trainings, warnings })
}

/// PatchSampler the line where a sample is what is judged: a row of a table, or a whole series.
pub(super) fn set_threshold_of_samples(
    recipe: &Recipe,
    scorer: &Scorer,
    prepared: &Prepared,
    split: &Split,
    anomalous: &[f64],
    threads: &Threads,
) -> Result<(Calibration, Decision)> {
    let held_out = scorer.score(&prepared.take(&split.calibration), threads);
    let sample = &split.train[..split.train.len().min(TRAINING_SCORES)];
    let training = scorer.score(&prepared.take(sample), threads);
    set_threshold(recipe, held_out, None, training, anomalous)
}

/// PatchSampler the line: the rule on the scores of what never trained.
///
/// `blocks` is how many independent pieces the held-out scores come from; `training` and `anomalous` are scores for the
/// rules that ask for them.
pub(super) fn set_threshold(
    recipe: &Recipe,
    mut scores: Vec<f64>,
    blocks: Option<usize>,
    training: Vec<f64>,
    anomalous: &[f64],
) -> Result<(Calibration, Decision)> {
    // Where a share of the rows is expected to be anomalous, the same share of the held-out rows is.
    let contamination = recipe.train.contamination.get();
    if contamination > 0.0 {
        scores.sort_unstable_by(f64::total_cmp);
        scores.truncate(scores.len() - (contamination * scores.len() as f64).round() as usize);
    }
    let labelled = (!anomalous.is_empty()).then(|| {
        let labels: Vec<bool> = scores.iter().map(|_| false).chain(anomalous.iter().map(|_| true)).collect();
        ([scores.as_slice(), anomalous].concat(), labels)
    });
    let mut calibration = Calibration::new(scores, training)?;
    if let Some(blocks) = blocks {
        calibration = calibration.in_blocks(blocks);
    }
    let labelled = labelled.as_ref().map(|(scores, labels)| (scores.as_slice(), labels.as_slice()));
    let decision = recipe.detect.threshold.decide(&calibration, labelled)?;
    Ok((calibration, decision))
}

/// Trains every member: side by side where there are threads for it, each with the same result as alone. The recipe
/// that comes back lists the members there are: an interruption leaves out those that had hardly begun.
pub(super) fn train_members(
    recipe: &Recipe,
    network: &Network,
    samples: &[Box<dyn SampleSource + '_>],
    split: &Split,
    session: &Session<'_>,
) -> Result<(Recipe, Vec<Trained>)> {
    let steps = train::planned_steps(&recipe.train, split.train.len());
    session.observer.on_event(TrainingEvent::Started { members: samples.len(), steps });
    let side_by_side = samples.len().min(session.threads.n()).max(1);
    let inner = Threads::new(session.threads.n() / side_by_side);
    let one = |member: usize| {
        let task = Task {
            member,
            seed: member_seed(recipe.seed, member),
            network,
            samples: samples[member].as_ref(),
            rows: &split.train,
            validation: &split.validation,
            latent: &recipe.latent,
            sparsity: &recipe.sparsity,
            config: &recipe.train,
        };
        train::run(&task, session.checkpoints, session.observer, &inner)
    };
    let trained: Vec<Trained> = if side_by_side == 1 {
        (0..samples.len()).map(one).collect::<Result<_>>()?
    } else {
        session
            .threads
            .install(|| (0..samples.len()).into_par_iter().with_max_len(1).map(one).collect::<Result<_>>())?
    };
    Ok(without_beginners(recipe, trained))
}

/// Leaves out members that an interruption met before their first regular check, unless there are no others.
fn without_beginners(recipe: &Recipe, trained: Vec<Trained>) -> (Recipe, Vec<Trained>) {
    let is_beginner =
        |trained: &Trained| trained.training.stopped == Stop::Interrupted && trained.training.history.len() < 2;
    let mut recipe = recipe.clone();
    if recipe.members.is_empty() || trained.iter().all(is_beginner) {
        return (recipe, trained);
    }
    let keep: Vec<bool> = trained.iter().map(|trained| !is_beginner(trained)).collect();
    let mut kept = keep.iter();
    recipe.members.retain(|_| *kept.next().unwrap_or(&true));
    let trained = trained.into_iter().zip(&keep).filter(|(_, keep)| **keep).map(|(trained, _)| trained).collect();
    (recipe, trained)
}

/// A seed of its own for each member; the first one's is the recipe's.
fn member_seed(seed: u64, member: usize) -> u64 {
    if member == 0 {
        return seed;
    }
    let mut stream = Stream::new(seed, Purpose::Member, 0, member as u64);
    u64::from(stream.next_u32()) << 32 | u64::from(stream.next_u32())
}

/// PCA at the same code size and an isolation forest, on the same rows.
fn baselines(train: &Prepared, code_size: usize, seed: u64, threads: &Threads) -> Result<Baselines> {
    let components =
        if code_size < train.width { Components::Count(code_size) } else { Components::Variance(lit!(Rate, 0.9)) };
    threads.install(|| {
        Ok(Baselines {
            pca: Pca::fit(&train.finite(), train.n, train.width, components, seed)?,
            isolation_forest: IsolationForest::fit(&train.finite(), train.n, train.width, seed)?,
        })
    })
}

/// How codes are rounded when they are stored.
fn quantiser(recipe: &Recipe, network: &Network, params: &Params, train: &Prepared, threads: &Threads) -> Quantiser {
    let rows = train.n.min((CODED_VALUES / train.width).max(1)) * train.width;
    let units = recipe.backbone.code_channels().unwrap_or(network.code_size());
    Quantiser::fit(network, params, (&train.input[..rows], &train.target[..rows]), units, threads)
}

/// What codes look like, for new rows.
fn codes(
    network: &Network,
    params: &Params,
    train: &Prepared,
    held_out: &Prepared,
    seed: u64,
    threads: &Threads,
) -> Result<Codes> {
    let k = network.code_size();
    let encoded = |rows: &Prepared| {
        let n = rows.n.min(DENSITY_ROWS);
        let mut codes = vec![0.0; n * k];
        network.encode(params, &rows.input[..n * rows.width], &mut codes, threads);
        codes
    };
    Codes::of(network.latent, &encoded(train), &encoded(held_out), k, seed)
}
