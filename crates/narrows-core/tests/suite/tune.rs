//! What a search promises: the same result however it is run, never worse than its start, and no row of a fit's calibration.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use narrows_core::data::Table;
use narrows_core::images::{Album, Channels, Store};
use narrows_core::recipe::DataKind;
use narrows_core::train::Observer;
use narrows_core::tune::{
    Ended, Goal, Journal, Outcome, Ran, Runner, SearchPlan, SearchResult, SearchSubject, TrialRun, Trials, Unwatched,
    Watch, tune, tune_with,
};
use narrows_core::{Dataset, Error, ImageRoles, Preset, Recipe, Roles, demo, fit};

use crate::support::{compute, fit_with, session, sheet};
use crate::waves::{beats, machines};

fn plan(goal: Goal, preset: Preset, kind: DataKind, trials: usize) -> SearchPlan {
    let mut base = Recipe::preset_for(preset, kind);
    ["train.steps=300", "train.batch_size=32"].iter().for_each(|change| base.set(change).unwrap());
    SearchPlan { goal, base, held: Vec::new(), trials, time: None }
}

fn quick(trials: usize) -> SearchPlan {
    plan(Goal::Reconstruction, Preset::Deep, DataKind::Table, trials)
}

fn search(plan: &SearchPlan, table: Table, journal: &mut Journal, threads: usize) -> SearchResult {
    tune(plan, table, journal, &Unwatched, &compute(threads)).unwrap()
}

/// All but the seconds, which differ.
fn found(search: &SearchResult) -> String {
    let mut search = search.clone();
    search.trials.iter_mut().for_each(|trial| trial.seconds = 0.0);
    serde_json::to_string(&search).unwrap()
}

#[test]
fn the_same_search_finds_the_same_and_nothing_worse_than_its_start() {
    let plan = quick(8);
    let one = search(&plan, sheet(300, 1), &mut Journal::in_memory(), 1);
    assert_eq!(found(&one), found(&search(&plan, sheet(300, 1), &mut Journal::in_memory(), 3)));
    assert_eq!((one.trials.len(), one.ended), (8, Ended::Finished));
    assert_eq!(one.trials[0].recipe, plan.base);
    assert!(one.best.cost <= one.start().unwrap().cost, "{one:?}");
    assert!(one.trials.iter().any(|trial| trial.share < 1.0), "bad trials are stopped early");
    assert!(one.curve.points.len() >= 2 && one.curve.points.iter().all(|point| point.pca_unexplained.is_finite()));
    let other = SearchPlan { base: Recipe { seed: 1, ..plan.base.clone() }, ..plan };
    assert_ne!(found(&one), found(&search(&other, sheet(300, 1), &mut Journal::in_memory(), 1)));
    // What is written can be fitted, and its comments do no harm.
    let recipe = Recipe::default().overlay_toml(&one.to_toml("narrows tune\nx.csv")).unwrap();
    assert_eq!(recipe, one.recipe);
    fit_with(&recipe, sheet(100, 1), 1).unwrap();
}

#[test]
fn a_search_cut_short_anywhere_and_resumed_is_the_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.jsonl");
    let plan = quick(6);
    let subject = SearchSubject::new(plan.goal, &plan.base, &plan.held, 0, "");
    let whole = search(&plan, sheet(200, 1), &mut Journal::create(&path, &subject), 2);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() > 8, "{text}");
    for kept in [1, 2, lines.len() / 2, lines.len() - 1] {
        // The line after those kept was being written when the power went.
        let torn = format!("{}\n{}", lines[..kept].join("\n"), &lines[kept][..20]);
        std::fs::write(&path, torn).unwrap();
        let mut journal = Journal::resume(&path, &subject).unwrap();
        assert_eq!(journal.runs().len(), kept - 1);
        assert_eq!(found(&search(&plan, sheet(200, 1), &mut journal, 1)), found(&whole), "{kept} lines");
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), lines.len());
    }
    // A longer search begins with the trials of the shorter one.
    let longer = search(&quick(9), sheet(200, 1), &mut Journal::resume(&path, &subject).unwrap(), 1);
    assert_eq!(longer.trials[5].recipe, whole.trials[5].recipe);
    assert_eq!(found(&longer), found(&search(&quick(9), sheet(200, 1), &mut Journal::in_memory(), 1)));
}

/// Stops a search after so many runs.
struct StopAfter {
    runs: AtomicUsize,
    most: usize,
}

impl Watch for StopAfter {
    fn on_run(&self, _: &TrialRun, _: bool) {
        self.runs.fetch_add(1, Ordering::SeqCst);
    }

    fn interrupted(&self) -> bool {
        self.runs.load(Ordering::SeqCst) >= self.most
    }
}

/// Trains what it is told of, the last one first, and says that a run has ended only when it is asked again.
struct Workers<'a> {
    trials: &'a Trials,
    ended: Mutex<Vec<(Recipe, Ran)>>,
    is_late: AtomicUsize,
}

struct Unheard;

impl Observer for Unheard {}

impl Workers<'_> {
    fn ran(&self, recipe: &Recipe) -> Option<Ran> {
        let ended = self.ended.lock().unwrap();
        ended.iter().find(|(of, _)| of == recipe).map(|(_, ran)| ran.clone())
    }
}

impl Runner for Workers<'_> {
    fn lookahead(&self) -> usize {
        4
    }

    fn begin(&self, recipes: &[Recipe]) -> narrows_core::Result<()> {
        assert!(recipes.len() <= 4, "{}", recipes.len());
        for recipe in recipes.iter().rev().filter(|recipe| self.ran(recipe).is_none()).take(2) {
            let ran = self.trials.run(recipe, false, &Unheard, &compute(1))?;
            self.ended.lock().unwrap().push((recipe.clone(), ran));
        }
        Ok(())
    }

    fn known(&self, recipe: &Recipe) -> narrows_core::Result<Option<Outcome>> {
        Ok(self.ran(recipe).map(|ran| ran.outcome))
    }

    fn wait(&self, recipe: &Recipe, _: bool, _: &dyn Observer) -> narrows_core::Result<Option<Ran>> {
        let is_late = self.is_late.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        Ok(if is_late { None } else { self.ran(recipe) })
    }
}

#[test]
fn a_search_whose_runs_end_elsewhere_in_another_order_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let plan = quick(6);
    let subject = SearchSubject::new(plan.goal, &plan.base, &plan.held, 0, "");
    let alone = search(&plan, sheet(200, 1), &mut Journal::create(&path("alone"), &subject), 1);
    let trials = Trials::new(&plan, sheet(200, 1)).unwrap();
    let workers = Workers { trials: &trials, ended: Mutex::default(), is_late: AtomicUsize::new(0) };
    let mut journal = Journal::create(&path("together"), &subject);
    let together = tune_with(&plan, &trials, &workers, &mut journal, &Unwatched, &compute(1)).unwrap();
    assert_eq!(found(&together), found(&alone));
    let lines = |name: &str| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(path(name)).unwrap();
        let timeless = |line: &str| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["seconds"] = 0.into();
            line
        };
        text.lines().map(timeless).collect()
    };
    assert_eq!(lines("together"), lines("alone"));
}

#[test]
fn an_interrupted_search_gives_the_best_so_far_or_says_that_there_is_none() {
    let run = |most: usize| {
        let watch = StopAfter { runs: AtomicUsize::new(0), most };
        let mut journal = Journal::in_memory();
        tune(&quick(6), sheet(200, 1), &mut journal, &watch, &compute(1))
    };
    assert!(matches!(run(0), Err(Error::Interrupted)));
    let first = run(1).unwrap();
    assert_eq!((first.ended, first.trials.len(), &first.recipe), (Ended::Interrupted, 1, &quick(6).base));
    let some = run(5).unwrap();
    assert_eq!(some.ended, Ended::Interrupted);
    assert!(some.best.cost <= some.start().unwrap().cost);
    assert!(some.to_toml("x").contains("interrupted; resuming continues"));
}

#[test]
fn time_that_is_up_ends_a_search() {
    let plan = SearchPlan { time: Some(Duration::from_millis(400)), ..quick(100_000) };
    let search = search(&plan, sheet(200, 1), &mut Journal::in_memory(), 1);
    assert_eq!(search.ended, Ended::Time);
    assert!(search.trials.len() < 100_000 && search.to_toml("x").contains("the time limit was reached"));
}

#[test]
fn a_plan_without_trials_or_time_and_too_few_rows_are_refused() {
    let check = |plan: SearchPlan, rows: usize, expected: &str| {
        let mut journal = Journal::in_memory();
        let tuned = tune(&plan, sheet(rows, 1), &mut journal, &Unwatched, &compute(1));
        let error = tuned.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(quick(0), 100, "trials: expected at least 1");
    check(SearchPlan { time: Some(Duration::ZERO), ..quick(3) }, 100, "limit: expected some time");
    check(quick(3), 1, "expected at least 10 rows to fit, got 1");
    let mut wide = quick(3);
    wide.base.set("backbone.code_size=50").unwrap();
    check(wide, 100, "backbone.code_size: expected a code narrower than the input");
}

#[test]
fn the_fewest_rows_are_enough() {
    let search = search(&quick(3), sheet(10, 1), &mut Journal::in_memory(), 1);
    assert!(search.best.cost.is_finite() && search.held_out >= 1);
}

#[test]
fn two_directions_hidden_in_many_columns_get_a_narrow_code() {
    let rows = 600;
    let hidden = |row: usize| [(row as f64 * 0.71).sin(), (row as f64 * 1.37).cos()];
    let column = |j: usize| {
        let [a, b] = [(j as f64).sin(), (j as f64 * 2.3).cos()];
        (format!("x{j}"), (0..rows).map(|row| a * hidden(row)[0] + b * hidden(row)[1]).collect::<Vec<f64>>())
    };
    let table = Table::from_columns((0..12).map(column).collect::<Vec<_>>()).unwrap();
    let mut plan = quick(6);
    ["train.learning_rate=0.005", "train.steps=900"].iter().for_each(|change| plan.base.set(change).unwrap());
    let search = search(&plan, table, &mut Journal::in_memory(), 2);
    assert!((2..=3).contains(&search.best.code_size), "{search:?}");
    // A third of these few steps may leave two units with more to learn than four.
    assert!(matches!(search.curve.elbow, Some(2 | 4)), "{:?}", search.curve);
    let at = |size: usize| search.curve.points.iter().find(|point| point.code_size == size).unwrap();
    assert!(at(1).pca_unexplained > 0.1 && at(2).pca_unexplained < 1e-6, "{:?}", search.curve);
}

#[test]
fn detection_starts_from_an_ensemble_and_keeps_it_restrained() {
    let mut plan = plan(Goal::Detection, Preset::Auto, DataKind::Table, 4);
    for change in ["backbone.code_size=24", "backbone.nodes=[24]", "detect.references=200", "train.steps=100"] {
        plan.base.set(change).unwrap();
    }
    let search = search(&plan, sheet(200, 1), &mut Journal::in_memory(), 2);
    assert!(search.trials.iter().all(|trial| trial.recipe.members.len() == 2));
    assert!(search.best.cost <= search.start().unwrap().cost);
}

#[test]
fn series_of_both_layouts_are_searched() {
    let check = |preset: Preset, table: Table, layout: &str, roles: Roles| {
        let mut plan = plan(Goal::Reconstruction, preset, DataKind::Series, 3);
        for change in [&format!("data.layout={layout}"), "train.steps=20", "train.batch_size=8"] {
            plan.base.set(change).unwrap();
        }
        let mut journal = Journal::in_memory();
        let dataset = Dataset::table(table, roles);
        let search = tune(&plan, dataset.clone(), &mut journal, &Unwatched, &compute(2)).unwrap();
        assert!(search.best.cost <= search.start().unwrap().cost, "{preset}");
        fit(&search.recipe, dataset, &session(2)).unwrap();
    };
    let long = Roles { time: Some("minute".into()), id: vec!["machine".into()], ..Roles::default() };
    for preset in [Preset::Deep, Preset::Conv, Preset::Seq2seq] {
        check(preset, machines(400), "long", long.clone());
        check(preset, beats(60, 12, 1), "rows", Roles::default());
    }
}

#[test]
fn images_are_searched_and_what_has_no_code_is_refused() {
    let scene = |i: usize| demo::scene(i, 5).crop(40, 8 * (i % 5), 16, 16).to_channels(Channels::Grey);
    let album = Album::of("scenes", (0..24).map(|i| (format!("{i}"), scene(i))).collect()).unwrap();
    let dataset = Dataset::images(Arc::new(Store::take(album, 0).unwrap()), ImageRoles::default());
    let mut plan = plan(Goal::Reconstruction, Preset::Conv, DataKind::Images, 3);
    plan.base.set("train.steps=10").unwrap();
    let run = |plan: &SearchPlan| tune(plan, dataset.clone(), &mut Journal::in_memory(), &Unwatched, &compute(2));
    let search = run(&plan).unwrap();
    assert!(search.best.cost <= search.start().unwrap().cost && search.curve.points.len() > 3);
    plan.base = Recipe::preset(Preset::Restore);
    plan.base.corrupt("gaussian:25").unwrap();
    let error = run(&plan).unwrap_err().to_string();
    assert!(error.contains("got restore, which has none"), "{error}");
}
