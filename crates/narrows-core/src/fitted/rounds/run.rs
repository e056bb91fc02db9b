//! All rounds on one machine, part after part.

use super::change::WeightsChange;
use super::rounds_fit::RoundsFit;
use crate::data::{RoundRows, Table};
use crate::error::{Error, Result};
use crate::fitted::model::Model;
use crate::fitted::roles::Roles;
use crate::fitted::session::Session;
use crate::recipe::Recipe;

/// All rows of the data, to be read once a round.
pub trait Passes {
    /// Calls `each` with all rows in order, table by table.
    ///
    /// # Errors
    /// Those of reading, and of `each`.
    fn pass(&self, each: &mut dyn FnMut(&Table) -> Result<()>) -> Result<()>;
}

/// A table in memory.
impl Passes for Table {
    fn pass(&self, each: &mut dyn FnMut(&Table) -> Result<()>) -> Result<()> {
        each(self)
    }
}

/// Fits to a sample, then trains in rounds on the rows beyond it: those of `passes`, cut by row number into as many parts
/// as the recipe has partitions. Engines that train the same parts get the same model, to the last bit.
///
/// An interruption ends the rounds; the best weights so far are calibrated.
///
/// # Errors
/// As for [`fit`](crate::fit()), and those of `passes`.
pub fn fit_in_rounds(
    recipe: &Recipe,
    sample: Table,
    passes: &dyn Passes,
    roles: &Roles,
    session: &Session<'_>,
) -> Result<Model> {
    let rows = sample.population().map_or(sample.n_rows() as u64, |population| population.rows);
    let mut fit = RoundsFit::start(recipe, sample, roles, session)?;
    if let Some(state) = session.checkpoints.load_rounds()? {
        fit.resume(&state)?;
    }
    while let Some(job) = fit.job().filter(|_| !session.observer.interrupted()) {
        let mut parts: Vec<RoundRows> = (0..recipe.train.rounds.partitions).map(|_| job.rows()).collect();
        passes.pass(&mut |table| {
            for (part, slice) in cut(table, rows, parts.len() as u64)? {
                parts[part].add(&slice)?;
            }
            if session.observer.interrupted() { Err(Error::Interrupted) } else { Ok(()) }
        })?;
        let mut change = WeightsChange::default();
        for part in parts {
            change.add(fit.model().train_part(&job, part)?)?;
        }
        fit.end_round(&change, session)?;
        session.checkpoints.save_rounds(&|| fit.state())?;
    }
    fit.finish(session)
}

/// The slices of a table by the part that they belong to: part i of n has the rows from i/n to (i + 1)/n of all.
fn cut(table: &Table, rows: u64, parts: u64) -> Result<Vec<(usize, Table)>> {
    let (first, last) = (table.first_row(), table.first_row() + table.n_rows() as u64);
    if last > rows {
        return Err(Error::mismatch(format!("expected {rows} rows as in the first pass, got {last} or more")));
    }
    let start = |part: u64| (u128::from(part) * u128::from(rows) / u128::from(parts)) as u64;
    let slice = |part: u64| {
        let (from, to) = (start(part).max(first), start(part + 1).min(last));
        (from < to).then(|| (part as usize, table.slice((from - first) as usize, (to - from) as usize)))
    };
    Ok((0..parts).filter_map(slice).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fitted::{Dataset, fit};
    use crate::train::{Check, Observer, TrainingEvent};

    /// Two columns along a curve.
    fn table(n: u32) -> Table {
        let x = |i: u32| f64::from(i) * 0.37 % 6.0;
        Table::from_columns(vec![
            ("a", (0..n).map(|i| x(i).sin()).collect()),
            ("b", (0..n).map(|i| x(i).cos()).collect()),
            ("c", (0..n).map(|i| x(i) * 0.3).collect()),
        ])
        .unwrap()
    }

    fn recipe(partitions: u32) -> Recipe {
        let mut recipe = Recipe::preset("simple".parse().unwrap());
        let rounds = format!("train.rounds.partitions={partitions}");
        for field in
            ["train.steps=40", "train.sample_rows=600", "train.rounds.count=3", "train.rounds.steps=12", &rounds]
        {
            recipe.set(field).unwrap();
        }
        recipe
    }

    /// The model by hand: parts train in another order, jobs and changes cross as bytes, and one part is done twice.
    fn by_parts(recipe: &Recipe, table: &Table) -> Vec<u8> {
        let (roles, session) = (Roles::default(), Session::default());
        let sample = roles.sampled(table.clone(), recipe).unwrap();
        let mut fit = RoundsFit::start(recipe, sample, &roles, &session).unwrap();
        let bytes = Model::from(fit.model().clone()).to_bytes();
        while let Some(job) = fit.job() {
            let worker = Model::from_bytes(&bytes).unwrap().into_table().unwrap();
            let job = super::super::RoundJob::from_bytes(&job.to_bytes()).unwrap();
            let n = u64::from(recipe.train.rounds.partitions);
            let train = |part: u64| {
                let mut rows = job.rows();
                for (_, slice) in cut(table, 2_000, n).unwrap().into_iter().filter(|(i, _)| *i as u64 == part) {
                    rows.add(&slice).unwrap();
                }
                WeightsChange::from_bytes(&worker.train_part(&job, rows).unwrap().to_bytes()).unwrap()
            };
            assert_eq!(train(0), train(0));
            let mut change = WeightsChange::default();
            (0..n).rev().for_each(|part| change.add(train(part)).unwrap());
            fit.end_round(&change, &session).unwrap();
        }
        fit.finish(&session).unwrap().to_bytes()
    }

    #[test]
    fn parts_trained_anywhere_give_the_bytes_of_one_machine() {
        for partitions in [1, 3] {
            let (recipe, table) = (recipe(partitions), table(2_000));
            let model = fit(&recipe, Dataset::from(table.clone()), &Session::default()).unwrap();
            let report = model.clone().into_table().unwrap().report().clone();
            assert!(report.notes.last().unwrap().contains("trained in 3 rounds on"), "{:?}", report.notes);
            assert_eq!(report.training[0].history.len() as u64, 3 + checks_of_the_sample(&recipe, &table));
            assert!(model.to_bytes() == by_parts(&recipe, &table), "{partitions} partitions");
        }
    }

    fn checks_of_the_sample(recipe: &Recipe, table: &Table) -> u64 {
        let mut recipe = recipe.clone();
        recipe.set("train.rounds.count=0").unwrap();
        let model = fit(&recipe, Dataset::from(table.clone()), &Session::default()).unwrap();
        model.into_table().unwrap().report().training[0].history.len() as u64
    }

    #[test]
    fn rounds_lower_the_loss_on_rows_that_never_train() {
        let recipe = recipe(2);
        let model = fit(&recipe, Dataset::from(table(2_000)), &Session::default()).unwrap().into_table().unwrap();
        let training = &model.report().training[0];
        let losses: Vec<f64> = training.history.iter().map(|check: &Check| check.validation_loss).collect();
        assert!(losses[losses.len() - 1] < losses[losses.len() - 4], "{losses:?}");
        assert!(losses[training.best] <= losses.iter().copied().fold(f64::INFINITY, f64::min));
    }

    #[test]
    fn where_nothing_is_beyond_the_sample_rounds_are_refused() {
        let few = fit(&recipe(1), Dataset::from(table(500)), &Session::default()).unwrap_err();
        assert!(few.to_string().contains("expected more rows than the sample"), "{few}");
        let sample = Roles::default().sampled(table(2_000), &recipe(1)).unwrap();
        let error = fit(&recipe(1), Dataset::from(sample), &Session::default()).unwrap_err();
        assert!(error.to_string().contains("rows beyond the sample"), "{error}");
    }

    #[test]
    fn a_state_goes_on_where_it_was_and_fits_no_other() {
        let (roles, session, recipe) = (Roles::default(), Session::default(), recipe(1));
        let start = |seed: u64| {
            let recipe = Recipe { seed, ..recipe.clone() };
            let sample = roles.sampled(table(2_000), &recipe).unwrap();
            RoundsFit::start(&recipe, sample, &roles, &session).unwrap()
        };
        let round = |fit: &mut RoundsFit| {
            let job = fit.job().unwrap();
            let mut rows = job.rows();
            rows.add(&table(2_000)).unwrap();
            let change = fit.model().train_part(&job, rows).unwrap();
            fit.end_round(&change, &session).unwrap();
            change
        };
        let mut one = start(0);
        let first = round(&mut one);
        let state = one.state();
        round(&mut one);
        let mut other = start(0);
        other.resume(&state).unwrap();
        assert_eq!(other.rounds_done(), 1);
        assert!(other.end_round(&first, &session).unwrap_err().to_string().contains("expected the changes of round 1"));
        round(&mut other);
        assert!(one.state() == other.state());
        assert!(start(5).resume(&state).unwrap_err().to_string().contains("that of other data"));
        assert!(other.resume(&state[..9]).is_err());
    }

    #[test]
    fn rounds_are_watched_and_an_interruption_keeps_the_best_weights() {
        struct Impatient(std::sync::atomic::AtomicU32);
        impl Observer for Impatient {
            fn on_event(&self, event: TrainingEvent<'_>) {
                if let TrainingEvent::RoundEnded { done, rounds, .. } = event {
                    assert_eq!(rounds, 3);
                    self.0.store(done, std::sync::atomic::Ordering::Relaxed);
                }
            }
            fn interrupted(&self) -> bool {
                self.0.load(std::sync::atomic::Ordering::Relaxed) > 0
            }
        }
        let observer = Impatient(0.into());
        let session = Session { observer: &observer, ..Session::default() };
        let model = fit(&recipe(2), Dataset::from(table(2_000)), &session).unwrap().into_table().unwrap();
        assert!(model.report().notes.last().unwrap().contains("trained in 1 round on"), "{:?}", model.report().notes);
    }
}
