//! From a table to a fitted model. [`fit`] reads as the way of the data.

use narrows_engine::rng::{Purpose, Stream};
use narrows_engine::{Network, Params, Threads};
use rayon::prelude::*;

use super::judge::{Judge, slots};
use super::roles::{Roles, Verdict, verdicts};
use super::split::Split;
use super::{Baselines, CodeDensity, Fitted, calibrate, summary};
use crate::baseline::{Components, IsolationForest, Pca};
use crate::data::{self, Dropped, Schema, Table};
use crate::detect::{Calibration, Decision};
use crate::error::{Error, Place, Result};
use crate::model::{self, Latent};
use crate::prep::{Pipeline, Prepared};
use crate::range::lit;
use crate::recipe::Recipe;
use crate::report::Label;
use crate::train::{self, Checkpoints, Event, NoCheckpoints, Observer, Silent, Stop, Task, Trained};

/// Fewer normal rows cannot be split into training and calibration.
const FEWEST_ROWS: usize = 10;
/// Most training scores kept for the `contamination` rule.
const TRAINING_SCORES: usize = 20_000;
/// Most codes that the density of generated rows is fitted to.
const DENSITY_ROWS: usize = 20_000;

/// What a fit runs on and who watches it.
pub struct Session<'a> {
    /// The threads to compute with; the result does not depend on their number.
    pub threads: Threads,
    /// Who watches.
    pub observer: &'a dyn Observer,
    /// Where snapshots are kept.
    pub checkpoints: &'a dyn Checkpoints,
}

impl Default for Session<'_> {
    fn default() -> Self {
        Session { threads: Threads::serial(), observer: &Silent, checkpoints: &NoCheckpoints }
    }
}

/// Fits a model to the normal rows of a raw table.
///
/// ```
/// use narrows::{Recipe, Roles, Session, data::Table, fit};
///
/// let x: Vec<f64> = (0..200).map(|i| f64::from(i) / 31.0).collect();
/// let table = Table::from_columns(vec![("a", x.iter().map(|x| x.sin()).collect()), ("b", x.iter().map(|x| x.cos()).collect())])?;
/// let mut recipe = Recipe::preset("simple".parse()?);
/// recipe.set("train.steps=200")?;
/// let fitted = fit(&recipe, table, &Roles::default(), &Session::default())?;
/// let far = Table::from_columns(vec![("a", vec![0.0]), ("b", vec![9.0])])?;
/// assert!(fitted.score(&far, &Session::default().threads)?.is_anomaly[0]);
/// # Ok::<(), narrows::Error>(())
/// ```
///
/// # Errors
/// [`Error::Recipe`] for an impossible recipe, [`Error::Mismatch`] and [`Error::Data`] for data that cannot be used,
/// [`Error::Diverged`] and [`Error::Interrupted`] from the training.
pub fn fit(recipe: &Recipe, table: Table, roles: &Roles, session: &Session<'_>) -> Result<Fitted> {
    recipe.check()?;
    let input = Input::choose(table, roles, session.observer)?;
    let split = Split::new(&input.normal, recipe);
    let features: Vec<String> = input.schema.names().into_iter().map(str::to_owned).collect();
    let (pipeline, prep_report) = Pipeline::fit(&input.table, &input.schema, &features, &split.train, &recipe.prep)?;
    let prepared = pipeline.transform(&input.table)?;

    let network = model::build(&recipe.backbone, &recipe.latent, &recipe.sparsity, &recipe.loss, pipeline.blocks())?;
    let mut warnings = summary::cautions(recipe, &network, split.calibration.len());
    let planned = recipe.corruptions().len();
    let (recipe, trained) = train_members(recipe, &network, &pipeline, &prepared, &split, session)?;
    let recipe = &recipe;
    let (members, trainings): (Vec<Params>, Vec<_>) =
        trained.into_iter().map(|trained| (trained.params, trained.training)).unzip();

    let threads = &session.threads;
    let train_rows = prepared.take(&split.train);
    // Rows that chose when to stop are as good as any to measure distances to.
    let references = prepared.take(&split.not_calibration());
    let calibration_rows = prepared.take(&split.calibration);
    let slots = slots(&pipeline, &input.schema);
    let detector = calibrate::detector(recipe, &network, &members, &slots, &references, &calibration_rows, threads)?;
    let baselines = baselines(&train_rows, network.code_size(), recipe.seed, threads)?;
    let density = density(&recipe.latent, &network, &members[0], &train_rows, threads);
    let judge = Judge { schema: input.schema.clone(), pipeline, network, members, detector };

    let anomalous = judge.score(&prepared.take(&input.anomalous), threads);
    let (calibration, decision) = draw_line(recipe, &judge, &train_rows, &calibration_rows, &anomalous, threads)?;
    if trainings.iter().any(|training| training.stopped == Stop::Interrupted) {
        warnings.push(format!(
            "training was interrupted: {} of {planned} networks are there, with their best weights so far",
            judge.members.len()
        ));
    }
    warnings.extend(decision.warning.clone());
    warnings.iter().for_each(|warning| session.observer.on_event(Event::Warned(warning)));
    let told = summary::Told {
        recipe,
        input: &input,
        prep: &prep_report,
        prepared: &prepared,
        split: &split,
        anomalous: &anomalous,
    };
    let report = summary::report(&told, &judge, &calibration, &decision, &baselines.pca, trainings, warnings, threads)?;
    Ok(Fitted { recipe: recipe.clone(), judge, calibration, decision, baselines, density, report })
}

/// The columns and rows that take part.
pub(super) struct Input {
    /// The features, typed; all rows.
    pub(super) table: Table,
    /// The features.
    pub(super) schema: Schema,
    /// All columns as they came: name and kind.
    pub(super) all: Schema,
    /// Columns asked for that hold nothing to learn.
    pub(super) dropped: Vec<Dropped>,
    /// The label column.
    pub(super) label: Option<Label>,
    /// Rows that train and calibrate.
    pub(super) normal: Vec<u32>,
    /// Rows that the label calls anomalous.
    pub(super) anomalous: Vec<u32>,
    /// Rows whose label is missing.
    pub(super) unlabelled: u64,
    /// What was chosen, in words.
    pub(super) notes: Vec<String>,
}

impl Input {
    fn choose(table: Table, roles: &Roles, observer: &dyn Observer) -> Result<Input> {
        let names = roles.features(&table.names())?;
        let verdicts = match (&roles.label, &roles.normal) {
            (Some(label), Some(normal)) => verdicts(&table, label, normal)?,
            _ => vec![Verdict::Normal; table.n_rows()],
        };
        let rows =
            |wanted| (0..table.n_rows() as u32).filter(|row| verdicts[*row as usize] == wanted).collect::<Vec<u32>>();
        let (normal, anomalous) = (rows(Verdict::Normal), rows(Verdict::Anomalous));
        let unlabelled = (table.n_rows() - normal.len() - anomalous.len()) as u64;
        if normal.len() < FEWEST_ROWS {
            return Err(too_few(&table, roles, normal.len()));
        }

        let features = table.select(&names)?;
        let inferred = if normal.len() == table.n_rows() {
            data::infer(&features)?
        } else {
            data::infer(&features.take(&normal))?
        };
        let is_dropped = |name: &str| inferred.dropped.iter().any(|dropped| dropped.column == name);
        let kept: Vec<&str> = inferred.schema.names().into_iter().filter(|name| !is_dropped(name)).collect();
        if kept.is_empty() {
            let reasons: Vec<String> = inferred.dropped.iter().take(5).map(left_out).collect();
            return Err(Error::data(
                Place::source(table.source()),
                format!("no column is left to learn from: {}", reasons.join("; ")),
            ));
        }
        let schema = inferred.schema.select(&kept)?;
        let all = all_columns(&table, &inferred.schema);
        let mut notes: Vec<String> = inferred.dropped.iter().map(left_out).collect();
        notes.extend(inferred.notes.iter().cloned());
        notes.iter().for_each(|note| observer.on_event(Event::Noted(note)));
        let (typed, _) = data::conform(features, &schema)?;
        Ok(Input {
            table: typed,
            schema,
            all,
            dropped: inferred.dropped,
            label: roles.label.clone().map(|column| Label { column, normal: roles.normal.clone() }),
            normal,
            anomalous,
            unlabelled,
            notes,
        })
    }
}

/// Every column of the file, those that are no feature as text.
fn all_columns(table: &Table, features: &Schema) -> Schema {
    let column = |name: &&str| {
        features
            .get(name)
            .cloned()
            .unwrap_or_else(|| data::Column { name: (*name).to_owned(), kind: data::ColumnKind::Text })
    };
    Schema { columns: table.names().iter().map(column).collect() }
}

fn left_out(dropped: &Dropped) -> String {
    format!("column `{}` left out: {}", dropped.column, dropped.reason)
}

fn too_few(table: &Table, roles: &Roles, n: usize) -> Error {
    let place = Place::source(table.source());
    match (&roles.label, &roles.normal) {
        (Some(label), Some(normal)) => {
            let message = format!(
                "expected at least {FEWEST_ROWS} rows whose `{label}` is `{normal}`, got {n} of {}",
                table.n_rows()
            );
            Error::data(place, message).with_hint("--normal names the label's value for normal rows")
        }
        _ => Error::data(place, format!("expected at least {FEWEST_ROWS} rows to fit, got {n}")),
    }
}

/// Trains every member: side by side where there are threads for it, each with the same result as alone. The recipe
/// that comes back lists the members there are: an interruption leaves out those that had hardly begun.
fn train_members(
    recipe: &Recipe,
    network: &Network,
    pipeline: &Pipeline,
    prepared: &Prepared,
    split: &Split,
    session: &Session<'_>,
) -> Result<(Recipe, Vec<Trained>)> {
    let corruptions = recipe.corruptions();
    let steps = train::planned_steps(&recipe.train, split.train.len());
    session.observer.on_event(Event::Started { members: corruptions.len(), steps });
    let side_by_side = corruptions.len().min(session.threads.n()).max(1);
    let inner = Threads::new(session.threads.n() / side_by_side);
    let one = |member: usize| {
        let task = Task {
            member,
            seed: member_seed(recipe.seed, member),
            network,
            blocks: pipeline.blocks(),
            prepared,
            rows: &split.train,
            validation: &split.validation,
            corruption: corruptions[member],
            latent: &recipe.latent,
            sparsity: &recipe.sparsity,
            config: &recipe.train,
        };
        train::run(&task, session.checkpoints, session.observer, &inner)
    };
    let trained: Vec<Trained> = if side_by_side == 1 {
        (0..corruptions.len()).map(one).collect::<Result<_>>()?
    } else {
        session
            .threads
            .install(|| (0..corruptions.len()).into_par_iter().with_max_len(1).map(one).collect::<Result<_>>())?
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
            pca: Pca::fit(&train.input, train.n, train.width, components, seed)?,
            isolation_forest: IsolationForest::fit(&train.input, train.n, train.width, seed)?,
        })
    })
}

/// What codes look like, for new rows.
fn density(latent: &Latent, network: &Network, params: &Params, train: &Prepared, threads: &Threads) -> CodeDensity {
    if let Latent::Gaussian(_) = latent {
        return CodeDensity::Standard;
    }
    let n = train.n.min(DENSITY_ROWS);
    let mut codes = vec![0.0; n * network.code_size()];
    network.encode(params, &train.input[..n * train.width], &mut codes, threads);
    CodeDensity::normal(&codes, network.code_size())
}

/// Draws the line: the rule on the scores of calibration rows.
fn draw_line(
    recipe: &Recipe,
    judge: &Judge,
    train: &Prepared,
    calibration: &Prepared,
    anomalous: &[f64],
    threads: &Threads,
) -> Result<(Calibration, Decision)> {
    let mut scores = judge.score(calibration, threads);
    // Where a share of the rows is expected to be anomalous, the same share of the held-out rows is.
    let contamination = recipe.train.contamination.get();
    if contamination > 0.0 {
        scores.sort_unstable_by(f64::total_cmp);
        scores.truncate(scores.len() - (contamination * scores.len() as f64).round() as usize);
    }
    let sample: Vec<u32> = (0..train.n.min(TRAINING_SCORES) as u32).collect();
    let training = judge.score(&train.take(&sample), threads);
    let labelled = (!anomalous.is_empty()).then(|| {
        let labels: Vec<bool> = scores.iter().map(|_| false).chain(anomalous.iter().map(|_| true)).collect();
        ([scores.as_slice(), anomalous].concat(), labels)
    });
    let calibration = Calibration::new(scores, training)?;
    let labelled = labelled.as_ref().map(|(scores, labels)| (scores.as_slice(), labels.as_slice()));
    let decision = recipe.detect.threshold.decide(&calibration, labelled)?;
    Ok((calibration, decision))
}
