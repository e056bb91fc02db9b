//! What is wrong in the demonstrations is found, and normal points are called no more often than promised.

use std::sync::LazyLock;

use arrow::array::AsArray;
use arrow::datatypes::TimestampSecondType;
use narrows_core::data::{Layout, Table};
use narrows_core::demo::{HEARTBEAT_LABEL, HEARTBEAT_NORMAL, MACHINES_DAY, MACHINES_LABEL, MACHINES_NORMAL_SHARE};
use narrows_core::recipe::DataKind;
use narrows_core::{Dataset, Evaluation, Preset, Recipe, Roles, Scores, SeriesModel, TabularModel, demo, fit};

use crate::support::session;
use crate::waves::{PERIOD, beats, machine, quick_series};

fn roles(label: &str, normal: &str) -> Roles {
    Roles { label: Some(label.to_owned()), normal: Some(normal.to_owned()), ..Roles::default() }
}

fn fitted(recipe: &Recipe, table: Table, roles: &Roles) -> SeriesModel {
    fit(recipe, Dataset::table(table, roles.clone()), &session(2)).unwrap().into_series().unwrap()
}

fn evaluated(fitted: &SeriesModel, table: &Table, label: &str, normal: &str) -> Evaluation {
    let mut evaluator = fitted.evaluator(label, Some(normal));
    evaluator.add(table).unwrap();
    evaluator.finish().unwrap()
}

fn recipe(preset: Preset, changes: &[&str]) -> Recipe {
    let mut recipe = Recipe::preset_for(preset, DataKind::Series);
    changes.iter().for_each(|change| recipe.set(change).unwrap());
    recipe
}

fn machine_roles() -> Roles {
    let name = |name: &str| Some(name.to_owned());
    Roles { id: name("machine").into_iter().collect(), time: name("time"), ..roles(MACHINES_LABEL, "0") }
}

/// A floor below what was measured, so that a change of bits does not fail and a broken model does.
fn check_machines(preset: Preset, floor: f64, event_precision: f64, changes: &[&str]) {
    static TABLE: LazyLock<Table> = LazyLock::new(|| demo::machines(14 * MACHINES_DAY, 2, 1));
    let fitted = fitted(&recipe(preset, changes), TABLE.clone(), &machine_roles());
    let found = evaluated(&fitted, &TABLE, MACHINES_LABEL, "0");
    let series = found.series.as_ref().unwrap();
    eprintln!(
        "{preset}: auc {:.3}, pca {:.3}, forest {:.3}; vus-pr {:.3} vus-roc {:.3}; events {:?} {:.3}; false alarms {:.4}",
        found.auc_roc,
        found.baselines.pca.auc_roc,
        found.baselines.isolation_forest.auc_roc,
        series.vus_pr,
        series.vus_roc,
        series.event_precision,
        series.event_recall,
        found.false_alarm_rate
    );
    assert!(found.auc_roc > floor, "{preset}: {:.3}", found.auc_roc);
    for share in [series.vus_pr, series.vus_roc, series.range_auc_pr, series.range_auc_roc] {
        assert!((0.0..=1.0).contains(&share), "{series:?}");
    }
    assert!(series.n_events >= 10 && series.buffer > 0, "{series:?}");
    // Windows that touch an anomaly do not draw the line, so that it stays low enough to find some.
    assert!(series.event_recall > 0.6 && series.event_precision.unwrap() > event_precision, "{series:?}");
    // Cells are missing in many rows, yet no row is empty.
    assert_eq!(found.unscored, 0);
}

const QUICK: [&str; 2] = ["data.window=48", "train.steps=300"];

#[test]
fn machines_that_go_wrong_are_found_by_a_dense_network() {
    check_machines(Preset::Deep, 0.85, 0.6, &QUICK);
}

#[test]
fn machines_that_go_wrong_are_found_by_auto() {
    check_machines(Preset::Auto, 0.85, 0.6, &[&QUICK[..], &["backbone.code_size=64", "backbone.nodes=[64]"]].concat());
}

#[test]
fn machines_that_go_wrong_are_found_by_convolutions() {
    // So short a training leaves it nervous: alarms break into pieces.
    check_machines(Preset::Conv, 0.85, 0.3, &["data.window=48", "train.steps=120"]);
}

fn check_heartbeats(preset: Preset, floor: f64, changes: &[&str]) {
    let mut recipe = recipe(preset, changes);
    recipe.set("data.layout=rows").unwrap();
    let label = roles(HEARTBEAT_LABEL, HEARTBEAT_NORMAL);
    let fitted = fitted(&recipe, demo::heartbeat(500, 0.05, 1), &label);
    let found = evaluated(&fitted, &demo::heartbeat(400, 0.2, 2), HEARTBEAT_LABEL, HEARTBEAT_NORMAL);
    eprintln!("{preset}: auc {:.3}, pca {:.3}", found.auc_roc, found.baselines.pca.auc_roc);
    assert!(found.auc_roc > floor, "{preset}: {:.3}", found.auc_roc);
    assert!(found.series.is_none(), "rows have no neighbours in time");
}

#[test]
fn abnormal_heartbeats_are_found_by_auto() {
    check_heartbeats(Preset::Auto, 0.95, &["train.steps=150"]);
}

/// Waves of another length between two beats, as rows of any length.
#[test]
fn rows_of_another_rhythm_are_found_by_seq2seq() {
    let mut recipe = quick_series(Preset::Seq2seq, Layout::Rows);
    ["train.steps=300", "train.learning_rate=0.01"].iter().for_each(|change| recipe.set(change).unwrap());
    let fitted = fitted(&recipe, beats(300, PERIOD, 1), &Roles::default());
    let (normal, odd) = (beats(100, PERIOD, 2), beats(100, PERIOD / 2, 3));
    let scores = |table: &Table| fitted.score(table).unwrap();
    let (normal, odd) = (scores(&normal), scores(&odd));
    let called = |scores: &Scores| scores.is_anomaly.iter().filter(|flag| **flag).count();
    eprintln!("{} of 100 normal and {} of 100 odd rows called", called(&normal), called(&odd));
    assert!(called(&normal) <= 10 && called(&odd) >= 90);
}

const RATE: f64 = 0.05;

/// The share of fresh normal points that are called, pooled over fits, beside the promised rate.
///
/// Neighbouring points share their windows, so that a rate is known no better than from as many rows as there are
/// windows side by side: `pieces` fresh ones, and as many that calibrated. The tolerance is the 95 % interval of a
/// difference of two such shares.
fn check_promise(name: &str, called: usize, n: usize, pieces: usize) {
    let found = called as f64 / n as f64;
    let tolerance = 1.96 * (2.0 * RATE * (1.0 - RATE) / pieces as f64).sqrt();
    eprintln!("{name}: {called} of {n} called, {found:.4}; promised {RATE}, {pieces} pieces, +- {tolerance:.4}");
    assert!((found - RATE).abs() <= tolerance, "{name}: {found:.4} is outside {RATE} +- {tolerance:.4}");
}

fn promising(seed: u64, window: usize) -> Recipe {
    let mut recipe = quick_series(Preset::Simple, Layout::Long);
    recipe.seed = seed;
    let threshold = format!("detect.threshold={{ rule = \"false_alarm_rate\", rate = {RATE} }}");
    for change in ["train.steps=200", "detect.calibration=0.5", &format!("data.window={window}"), &threshold] {
        recipe.set(change).unwrap();
    }
    recipe
}

fn called(fitted: &SeriesModel, table: &Table) -> (usize, usize) {
    let scores = fitted.score(table).unwrap();
    let scored = scores.score.iter().filter(|score| !score.is_nan()).count();
    (scores.is_anomaly.iter().filter(|flag| **flag).count(), scored)
}

#[test]
fn fresh_points_of_a_wave_are_called_as_often_as_promised() {
    let (mut all_called, mut all, mut pieces) = (0, 0, 0);
    let window = 12;
    for seed in 0..5 {
        let table = |first: usize, n: usize| {
            let points = machine("north", 100_000 * seed as usize + first, n);
            let column = |c: usize| points.iter().map(|x| x[c]).collect::<Vec<f64>>();
            Table::from_columns(vec![("a", column(0)), ("b", column(1))]).unwrap()
        };
        let fitted = fitted(&promising(seed, window), table(0, 2400), &Roles::default());
        let (called, scored) = called(&fitted, &table(2400, 1200));
        all_called += called;
        all += scored;
        pieces += scored / window;
    }
    check_promise("waves", all_called, all, pieces);
}

/// Two weeks to fit on, a week of each part, and the week after: working days and a weekend in all of them.
#[test]
fn fresh_points_of_machines_are_called_as_often_as_promised() {
    let (mut all_called, mut all, mut pieces) = (0, 0, 0);
    let window = 24;
    for seed in 0..3 {
        let week = 7 * MACHINES_DAY;
        let table = demo::machines((3.0 * week as f64 / MACHINES_NORMAL_SHARE).ceil() as usize, 2, seed);
        let times = table.column("time").unwrap().as_primitive::<TimestampSecondType>().values().to_vec();
        let until = |points: usize| times.iter().filter(|time| **time < times[0] + 300 * points as i64).count();
        let (fitting, normal) = (until(2 * week), until(3 * week));
        let fitted = fitted(&promising(seed, window), table.slice(0, fitting), &machine_roles());
        let (called, scored) = called(&fitted, &table.slice(fitting, normal - fitting));
        all_called += called;
        all += scored;
        pieces += scored / window;
    }
    check_promise("machines", all_called, all, pieces);
}

#[test]
fn rows_of_nothing_are_left_out_of_an_evaluation() {
    let mut recipe = quick_series(Preset::Simple, Layout::Rows);
    recipe.set("train.steps=5").unwrap();
    let column = |t: usize| (0..40).map(|row| if row % 10 == 7 { f64::NAN } else { (row * t) as f64 }).collect();
    let label = (0..40).map(|row| f64::from(row % 5 == 2)).collect();
    let mut columns: Vec<(String, Vec<f64>)> = (0..6).map(|t| (format!("t{t}"), column(t))).collect();
    columns.push(("bad".to_owned(), label));
    let table = Table::from_columns(columns).unwrap();
    let found = evaluated(&fitted(&recipe, table.clone(), &roles("bad", "0")), &table, "bad", "0");
    assert_eq!((found.n, found.n_anomalies, found.unscored), (36, 4, 4));
}
