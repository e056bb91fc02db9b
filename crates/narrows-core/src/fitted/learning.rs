//! Learning, common to all kinds of data: trains the networks, calibrates their errors, fits the baselines.

use narrows_engine::rng::{Purpose, Stream};
use narrows_engine::{Network, Params};
use rayon::prelude::*;

use super::core::Baselines;
use super::generation::{DensityCodes, FittedCodes};
use super::invariants::Evidence;
use super::linear::{self, LinearAutoencoder};
use super::scoring::{self, CalibratedThreshold, HeldOutScores, Resolution, Scorer};
use super::session::Session;
use super::split::Split;
use super::summary;
use crate::baseline::{Components, IsolationForest, Pca};
use crate::codec::Quantiser;
use crate::compute::Compute;
use crate::detect::residual::Slots;
use crate::ensemble::Ensemble;
use crate::error::Result;
use crate::model::{self, Shape};
use crate::prep::{Block, Prepared};
use crate::range::lit;
use crate::recipe::Recipe;
use crate::report::UnitsReport;
use crate::train::{self, PreparedSamples, SampleSource, Stop, Task, Trained, Training, TrainingEvent};

/// Most training scores kept for the `contamination` rule.
const TRAINING_SCORES: usize = 20_000;
/// Most values of rows used to fit the quantiser of codes.
const CODED_VALUES: usize = 1 << 22;
/// Most codes used to fit the code density.
const DENSITY_ROWS: usize = 20_000;
/// Memory that members trained side by side may take; one alone takes what it needs.
const TRAINING_BYTES: usize = 1 << 30;
/// Copies of the weights in a training: current and best ones, gradients, two moments, and a state to go back to.
const STATES: usize = 8;

/// Training, reference and calibration samples.
pub(super) struct TrainingData<'a> {
    /// The sample source of each member.
    pub(super) samples: Vec<Box<dyn SampleSource + 'a>>,
    /// The split into training and validation samples.
    pub(super) split: &'a Split,
    /// Training samples, for the baselines.
    pub(super) train: ChosenSamples<'a>,
    /// Reference samples for distances; validation samples are included.
    pub(super) references: ChosenSamples<'a>,
    /// Samples that never train.
    pub(super) calibration: Prepared,
    pub(super) blocks: &'a [Block],
    pub(super) slots: Slots,
    pub(super) shape: Shape,
}

/// Samples that are copied when it is their turn, so that not all copies lie in memory at once.
pub(super) enum ChosenSamples<'a> {
    /// Drawn for the purpose.
    Drawn(Prepared),
    /// These of prepared rows.
    Rows(&'a Prepared, Vec<u32>),
}

impl ChosenSamples<'_> {
    fn taken(self) -> Prepared {
        match self {
            ChosenSamples::Drawn(samples) => samples,
            ChosenSamples::Rows(prepared, rows) => prepared.take(&rows),
        }
    }
}

impl<'a> TrainingData<'a> {
    /// From fully prepared rows.
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
            train: ChosenSamples::Rows(prepared, split.train.clone()),
            references: ChosenSamples::Rows(prepared, split.not_calibration()),
            calibration: prepared.take(&split.calibration),
            blocks,
            slots,
            shape,
        }
    }
}

/// The result of training.
pub(super) struct TrainedModel {
    /// The recipe, listing the members that were trained.
    pub(super) recipe: Recipe,
    pub(super) scorer: Scorer,
    pub(super) baselines: Baselines,
    /// The density of the codes, for generation.
    pub(super) codes: FittedCodes,
    /// The quantiser of stored codes.
    pub(super) quantiser: Quantiser,
    pub(super) trainings: Vec<Training>,
    pub(super) warnings: Vec<String>,
}

/// Trains the networks, calibrates the detector, and fits the baselines.
pub(super) fn learn(recipe: &Recipe, material: TrainingData<'_>, session: &Session<'_>) -> Result<TrainedModel> {
    let TrainingData { samples, split, train, references, calibration, blocks, slots, shape } = material;
    let network = model::build(recipe.axes(), blocks, shape)?;
    let mut warnings = summary::cautions(recipe, &network, split.calibration.len());
    let usual = Recipe::preset_for(recipe.preset, recipe.data.kind()).train;
    warnings.extend(recipe.train.contradiction(&usual, split.train.len()));
    let planned = samples.len();
    let bytes = training_bytes(&network);
    if bytes > TRAINING_BYTES {
        let (gigabytes, inputs) = (bytes as f64 / 1e9, slots.width());
        warnings
            .push(format!("{inputs} inputs make a large network: training takes about {gigabytes:.1} GB of memory"));
    }
    let (recipe, trained) = train_members(recipe, &network, &samples, split, session)?;
    let (members, trainings): (Vec<Params>, Vec<_>) =
        trained.into_iter().map(|trained| (trained.params, trained.training)).unzip();

    let compute = &session.compute;
    let mut ensemble = Ensemble::new(network, members, compute.clone());
    let mut recipe = recipe;
    let mut known_baselines = None;
    if let (true, ChosenSamples::Drawn(train)) = (linear::may_be_linear(&recipe), &train) {
        let fitted = baselines(train, ensemble.code_size(), recipe.seed, compute)?;
        let found = LinearAutoencoder::if_better(&recipe, &ensemble, &fitted.pca, &calibration, (blocks, shape))?;
        if let Some(linear) = found {
            ensemble = Ensemble::new(linear.network, vec![linear.params], compute.clone());
            recipe = linear.recipe;
            warnings.push(linear.reason);
        }
        known_baselines = Some(fitted);
    }
    let references = references.taken();
    let resolution = Resolution::of(&references, blocks, compute);
    let detector = scoring::detector(&recipe, &ensemble, (&slots, blocks), references, &calibration, &resolution)?;
    let train = train.taken();
    let baselines = match known_baselines {
        Some(known) => known,
        None => baselines(&train, ensemble.code_size(), recipe.seed, compute)?,
    };
    let codes = codes(&ensemble, &train, &calibration, recipe.seed)?;
    warnings.extend(codes.units.as_ref().and_then(UnitsReport::warning));
    let quantiser = quantiser(&recipe, &ensemble, &train);
    if trainings.iter().any(|training| training.stopped == Stop::Interrupted) {
        warnings.push(format!(
            "training was interrupted: {} of {planned} networks are there, with their best weights so far",
            ensemble.members.len()
        ));
    }
    let scorer = Scorer { ensemble, detector, slots };
    Ok(TrainedModel { recipe, scorer, baselines, codes, quantiser, trainings, warnings })
}

impl TrainedModel {
    /// Scores of samples, by their numbers, with what they say of the invariants.
    pub(super) fn sample_scores(&self, prepared: &Prepared, samples: &[u32], evidence: &Evidence) -> Vec<f64> {
        evidence.judged(samples.iter().copied(), self.scorer.score(&prepared.take(samples)))
    }

    /// Sets the threshold if scores are per sample: per row of a table, or per series. `is_labelled`: a label says that the
    /// held-out rows are normal.
    pub(super) fn sample_threshold(
        &self,
        prepared: &Prepared,
        split: &Split,
        evidence: &Evidence,
        anomalous: &[f64],
        is_labelled: bool,
    ) -> Result<CalibratedThreshold> {
        let scores = self.sample_scores(prepared, &split.calibration, evidence);
        let sample = &split.train[..split.train.len().min(TRAINING_SCORES)];
        let training = self.sample_scores(prepared, sample, evidence);
        self.threshold(HeldOutScores { scores, blocks: None, training, anomalous, is_labelled })
    }

    /// Sets the threshold by the recipe's rule, see [`CalibratedThreshold::set`].
    pub(super) fn threshold(&self, held_out: HeldOutScores<'_>) -> Result<CalibratedThreshold> {
        CalibratedThreshold::set(&self.recipe.detect.threshold, &self.recipe.train.contamination, held_out)
    }
}

/// Trains all members, in parallel if there are threads for it; each gives the same result as alone. The returned
/// recipe lists the members that remain: an interruption leaves out those that had hardly begun.
pub(super) fn train_members(
    recipe: &Recipe,
    network: &Network,
    samples: &[Box<dyn SampleSource + '_>],
    split: &Split,
    session: &Session<'_>,
) -> Result<(Recipe, Vec<Trained>)> {
    let steps = recipe.train.planned_steps(split.train.len());
    session.observer.on_event(TrainingEvent::Started { members: samples.len(), steps });
    let (wanted, room) = (samples.len().min(session.compute.n_threads()), TRAINING_BYTES / training_bytes(network));
    let side_by_side = wanted.min(room).max(1);
    let inner = session.compute.split(side_by_side);
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
    let members: Vec<usize> = (0..samples.len()).collect();
    let mut trained: Vec<Trained> = Vec::with_capacity(members.len());
    // With room for all threads each takes the next member as it gets free.
    let at_once = if side_by_side > 1 && room >= wanted { members.len() } else { side_by_side };
    for group in members.chunks(at_once) {
        if let [member] = group {
            trained.push(one(*member)?);
            continue;
        }
        let group = || group.par_iter().with_max_len(1).map(|member| one(*member)).collect::<Result<Vec<Trained>>>();
        trained.extend(session.compute.install(group)?);
    }
    Ok(without_beginners(recipe, trained))
}

/// Memory of a training beside its samples.
fn training_bytes(network: &Network) -> usize {
    network.n_params().saturating_mul(STATES * size_of::<f32>()).max(1)
}

/// Drops members that were interrupted before their first regular check, unless there are no others.
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

/// A separate seed for each member; the first one's is the recipe's.
pub(super) fn member_seed(seed: u64, member: usize) -> u64 {
    if member == 0 {
        return seed;
    }
    let mut stream = Stream::new(seed, Purpose::Member, 0, member as u64);
    u64::from(stream.next_u32()) << 32 | u64::from(stream.next_u32())
}

/// PCA at the same code size and an isolation forest, on the same rows.
fn baselines(train: &Prepared, code_size: usize, seed: u64, compute: &Compute) -> Result<Baselines> {
    let components =
        if code_size < train.width { Components::Count(code_size) } else { Components::Variance(lit!(Rate, 0.9)) };
    compute.install(|| {
        Ok(Baselines {
            pca: Pca::fit(&train.finite(), train.n, train.width, components, seed)?,
            isolation_forest: IsolationForest::fit(&train.finite(), train.n, train.width, seed)?,
        })
    })
}

/// The quantiser of stored codes.
fn quantiser(recipe: &Recipe, ensemble: &Ensemble, train: &Prepared) -> Quantiser {
    let rows = train.n.min((CODED_VALUES / train.width).max(1)) * train.width;
    let units = recipe.backbone.code_channels().unwrap_or(ensemble.code_size());
    let is_rounded = matches!(recipe.backbone, crate::model::Backbone::Lapped(_));
    Quantiser::fit(ensemble, (&train.input[..rows], &train.target[..rows]), units, is_rounded)
}

/// The density of codes, for generation.
fn codes(ensemble: &Ensemble, train: &Prepared, held_out: &Prepared, seed: u64) -> Result<FittedCodes> {
    let some = |rows: &Prepared| rows.input[..rows.n.min(DENSITY_ROWS) * rows.width].to_vec();
    FittedCodes::of(&DensityCodes::of(ensemble, &some(train), &some(held_out)), ensemble.code_size(), seed)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use narrows_engine::{Latent, Layer, Loss, Output};

    use super::*;
    use crate::Preset;
    use crate::model::Corruption;
    use crate::prep::PrepCounts;
    use crate::train::Check;

    /// A member that stopped after this number of checks.
    fn trained(stopped: Stop, checks: usize) -> Trained {
        let (encoder, decoder) = (vec![Layer::dense(2, 1)], vec![Layer::dense(1, 2)]);
        let network = Network::new(encoder, Latent::Point, decoder, Output::single(2, Loss::Mse)).unwrap();
        let check = Check { step: 1, epoch: 1.0, train_loss: 1.0, validation_loss: 1.0, learning_rate: 1e-3 };
        let training = Training {
            corruption: "none".to_owned(),
            steps: checks as u64,
            epochs: 1.0,
            stopped,
            best: 0,
            recoveries: 0,
            mean_activity: 0.0,
            history: vec![check; checks],
        };
        Trained { params: network.init(0), training }
    }

    /// Checks which members are kept, by their swap rates, 0.1, 0.2 and so on.
    fn check_kept(members: &[(Stop, usize)], expected: &[f64]) {
        let mut recipe = Recipe::preset(Preset::Deep);
        let listed: Vec<String> = (1..=members.len()).map(|i| format!("{{ kind = \"swap\", rate = 0.{i} }}")).collect();
        recipe.set(&format!("members=[{}]", listed.join(", "))).unwrap();
        let all = members.iter().map(|(stopped, checks)| trained(*stopped, *checks)).collect();
        let (recipe, kept) = without_beginners(&recipe, all);
        let rate = |corruption: &Corruption| match corruption {
            Corruption::Swap { rate } => rate.get(),
            other => panic!("{other}"),
        };
        assert_eq!(recipe.members.iter().map(rate).collect::<Vec<f64>>(), expected);
        assert_eq!(kept.len(), expected.len());
    }

    #[test]
    fn members_that_had_hardly_begun_are_left_out_of_an_interrupted_ensemble() {
        use Stop::{Early, Finished, Interrupted};
        check_kept(&[(Finished, 9), (Early, 5), (Interrupted, 2)], &[0.1, 0.2, 0.3]);
        check_kept(&[(Interrupted, 1), (Finished, 9), (Interrupted, 1), (Interrupted, 3)], &[0.2, 0.4]);
        // A completed training of one check is kept.
        check_kept(&[(Finished, 1), (Interrupted, 1)], &[0.1]);
        // Early interrupted members are kept if there are no others.
        check_kept(&[(Interrupted, 1), (Interrupted, 1)], &[0.1, 0.2]);
    }

    #[test]
    fn a_single_network_is_kept_however_early_it_was_interrupted() {
        let recipe = Recipe::preset(Preset::Deep);
        let (same, kept) = without_beginners(&recipe, vec![trained(Stop::Interrupted, 1)]);
        assert_eq!((same, kept.len()), (recipe, 1));
    }

    #[test]
    fn members_have_seeds_of_their_own_and_the_first_has_the_recipes() {
        for seed in [0, 7, u64::MAX] {
            assert_eq!(member_seed(seed, 0), seed);
        }
        let seeds: HashSet<u64> = (0..5).flat_map(|seed| (0..64).map(move |m| member_seed(seed, m))).collect();
        assert_eq!(seeds.len(), 5 * 64);
        assert_eq!(member_seed(3, 9), member_seed(3, 9));
    }

    /// Rows along a line in three dimensions, with a little noise across it.
    fn line(n: usize) -> Prepared {
        let mut stream = Stream::new(1, Purpose::Demo, 0, 0);
        let rows: Vec<f32> = (0..n)
            .flat_map(|i| {
                let t = i as f32 / 10.0;
                [t, 2.0 * t, -t].map(|x| x + 0.01 * stream.normal())
            })
            .collect();
        Prepared { target: rows.clone(), input: rows, n, width: 3, counts: PrepCounts::default() }
    }

    #[test]
    fn pca_has_as_many_components_as_the_code_has_units_unless_it_would_copy() {
        let components = |code_size| baselines(&line(60), code_size, 0, &Compute::serial()).unwrap().pca.n_components();
        assert_eq!([components(1), components(2)], [1, 2]);
        // As wide as the rows or wider: the components that explain 90 % of the variance, here one.
        assert_eq!([components(3), components(50)], [1, 1]);
    }

    #[test]
    fn baselines_score_the_same_on_any_number_of_threads() {
        let (serial, shared) = (Compute::serial(), Compute::with_threads(3).unwrap());
        let one = baselines(&line(100), 1, 5, &serial).unwrap();
        assert_eq!(baselines(&line(100), 1, 5, &shared).unwrap(), one);
        assert_eq!(one.scores(&line(40), &shared), one.scores(&line(40), &serial));
        assert_ne!(baselines(&line(100), 1, 6, &serial).unwrap().isolation_forest, one.isolation_forest);
    }

    #[test]
    fn samples_are_shared_out_as_the_split_says() {
        let prepared = line(10);
        let split = Split { train: vec![0, 3, 5], validation: vec![1], calibration: vec![8, 9] };
        let mut recipe = Recipe::preset(Preset::Deep);
        recipe.set("members=[{ kind = \"gaussian\" }, { kind = \"masking\" }]").unwrap();
        let data = TrainingData::of(&recipe, &prepared, &split, &[], Slots::new(vec![0, 1, 2]), Shape::Row);
        assert_eq!(data.train.taken().input, prepared.take(&[0, 3, 5]).input);
        // Validation rows may be distance references; calibration rows may not.
        assert_eq!(data.references.taken().input, prepared.take(&[0, 1, 3, 5]).input);
        assert_eq!(data.calibration.input, prepared.take(&[8, 9]).input);
        let damages: Vec<String> = data.samples.iter().map(|samples| samples.damage()).collect();
        assert!(damages.len() == 2 && damages[0].contains("gaussian") && damages[1].contains("masking"), "{damages:?}");
    }
}
