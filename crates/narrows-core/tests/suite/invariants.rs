//! What all training rows kept is compared with what comes later: constants, empty and complete columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray};
use arrow::datatypes::Float64Type;
use narrows_core::data::Table;
use narrows_core::detect::{Direction, Reason};
use narrows_core::recipe::DataKind;
use narrows_core::report::Role;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Dataset, Model, Preset, Recipe, Roles, ScoreFlag, SeriesModel, TableModel, TabularModel, fit};

use crate::support::{fit_with, hurried, quick, session, sheet, to_bytes};

const NAN: f64 = f64::NAN;

/// The rows of a sheet beside a state, a switch, a counter of errors and a spare column that never change, save in
/// `odd` rows.
fn machine(n: usize, seed: u64, odd: impl Fn(usize) -> bool) -> Table {
    let sheet = sheet(n, seed).without(&["x5"]);
    let mut columns: Vec<(String, ArrayRef)> =
        sheet.names().into_iter().map(|name| (name.to_owned(), sheet.column(name).unwrap().clone())).collect();
    let states: StringArray = (0..n).map(|row| Some(if odd(row) { "FAILED" } else { "ok" })).collect();
    let switches: BooleanArray = (0..n).map(|row| Some(odd(row))).collect();
    let errors: Float64Array = (0..n).map(|row| Some(if odd(row) { 37.0 } else { 0.0 })).collect();
    let spare: StringArray = (0..n).map(|row| odd(row).then_some("x")).collect();
    let more: [(&str, ArrayRef); 4] = [
        ("raid", Arc::new(states)),
        ("degraded", Arc::new(switches)),
        ("errors", Arc::new(errors)),
        ("spare", Arc::new(spare)),
    ];
    columns.extend(more.into_iter().map(|(name, array)| (name.to_owned(), array)));
    Table::from_arrays(columns, "made").unwrap()
}

fn fitted(n: usize) -> TableModel {
    fit_with(&quick(Preset::Deep), machine(n, 1, |_| false), 1).unwrap()
}

/// The table with other cells in one column.
fn with(table: &Table, column: &str, array: ArrayRef) -> Table {
    let columns = table.names().into_iter().map(|name| {
        let array = if name == column { array.clone() } else { table.column(name).unwrap().clone() };
        (name.to_owned(), array)
    });
    Table::from_arrays(columns.collect(), "new").unwrap()
}

fn told(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(Reason::to_string).collect()
}

#[test]
fn a_constant_that_changes_is_an_anomaly_whatever_the_rest_says() {
    let model = fitted(300);
    let columns = &model.report().columns;
    let compared: Vec<&str> =
        columns.iter().filter(|column| column.role == Role::Invariant).map(|column| column.name.as_str()).collect();
    assert_eq!(compared, ["raid", "degraded", "errors", "spare"]);
    assert_eq!(model.schema().names(), ["x0", "x1", "x2", "x3", "x4"]);
    assert_eq!(model.columns_read().names(), ["x0", "x1", "x2", "x3", "x4", "raid", "degraded", "errors", "spare"]);

    let usual = machine(6, 2, |_| false);
    let whole = machine(6, 2, |row| row == 3);
    let states: ArrayRef =
        Arc::new((0..6).map(|row| Some(if row == 3 { "FAILED" } else { "ok" })).collect::<StringArray>());
    let one = with(&usual, "raid", states);
    let plain = model.score(&usual).unwrap();
    for table in [&whole, &one] {
        let explained = model.explain(table, 9).unwrap();
        assert!(explained.scores.score[3] >= 1e6 && explained.scores.is_anomaly[3]);
        assert_eq!(explained.scores.p_value[3], 1.0 / 61.0);
        for row in [0, 1, 2, 4, 5] {
            assert_eq!(explained.scores.score[row].to_bits(), plain.score[row].to_bits(), "row {row}");
        }
        let first = &explained.reasons[3][0];
        assert_eq!((first.direction, first.share), (Direction::Broken, 0.0));
        let n = model.report().rows.train;
        assert_eq!(first.to_string(), format!("`raid`: always ok in {n} training rows, got FAILED"));
        let shares: f64 = explained.reasons[3].iter().map(|reason| reason.share).sum();
        assert!((shares - 1.0).abs() < 1e-9 && !explained.reasons[0].is_empty());
        assert_eq!(explained.scores.counts.broken[0].rows, 1);
    }
    // Alone, in a batch, and from a file.
    let back = Model::from_bytes(&to_bytes(&model)).unwrap().into_table().unwrap();
    assert_eq!(back, model);
    assert_eq!(back.score(&whole.slice(3, 1)).unwrap().score[0], model.score(&whole).unwrap().score[3]);
    assert_eq!(
        told(&model.explain(&whole, 4).unwrap().reasons[3])[1..],
        [
            "`degraded`: always false in 216 training rows, got true",
            "`errors`: always 0 in 216 training rows, got 37",
            "`spare`: always empty in 216 training rows, got x",
        ]
    );
}

#[test]
fn cells_of_another_type_break_a_constant_and_are_no_error() {
    let model = fitted(300);
    let usual = machine(2, 2, |_| false);
    let words = |a: &str, b: &str| -> ArrayRef { Arc::new(StringArray::from(vec![a, b])) };
    let explained = model.explain(&with(&usual, "errors", words("0.0", "timeout")), 1).unwrap();
    assert!(explained.scores.score[0] < 1e6 && explained.scores.is_anomaly[1]);
    assert!(told(&explained.reasons[1])[0].ends_with("got timeout"), "{:?}", explained.reasons[1]);
    let spelled = model.score(&with(&usual, "degraded", words("No", "yes"))).unwrap();
    assert!(spelled.score[0] < 1e6 && spelled.score[1] >= 1e6);
    // What is not there cannot be compared, which is told.
    let scores = model.score(&usual.without(&["raid", "spare"])).unwrap();
    assert_eq!(scores.counts.lacking, ["raid", "spare"]);
    assert_eq!(scores.score, model.score(&usual).unwrap().score);
}

#[test]
fn a_constant_of_few_rows_counts_by_their_number() {
    let model = fitted(20);
    let n = model.report().rows.train as f64;
    let usual = machine(2, 2, |_| false);
    let states: ArrayRef = Arc::new(StringArray::from(vec!["ok", "FAILED"]));
    let score = |table: &Table| model.score(table).unwrap().score[1];
    let (before, after) = (score(&usual), score(&with(&usual, "raid", states)));
    assert_eq!(after, before.max(1.0) * (1.0 + n));
    assert!(after < 1e6);
}

#[test]
fn a_cell_that_was_never_missing_is_evidence_and_less_than_a_change() {
    let model = fitted(300);
    let usual = machine(3, 2, |_| false);
    let x0 = usual.column("x0").unwrap().as_primitive::<Float64Type>().clone();
    let holed: ArrayRef = Arc::new((0..3).map(|row| (row != 1).then(|| x0.value(row))).collect::<Float64Array>());
    let explained = model.explain(&with(&usual, "x0", holed), 1).unwrap();
    let n = model.report().rows.train;
    assert_eq!(told(&explained.reasons[1]), [format!("`x0`: never missing in {n} training rows, got nothing")]);
    let score = explained.scores.score[1];
    assert!(score >= 1.0 + (n as f64).sqrt() && score < 1e6 && explained.scores.is_anomaly[1], "{score}");
    // Training had cells missing in `x4`.
    let x4: ArrayRef = Arc::new(Float64Array::new_null(3));
    let reasons = model.explain(&with(&usual, "x4", x4), 9).unwrap().reasons;
    assert!(reasons.iter().flatten().all(|reason| reason.direction != Direction::Broken));
}

#[test]
fn a_row_without_a_value_has_no_score_and_says_so() {
    let model = fitted(300);
    let none = |name: &str| -> (String, ArrayRef) {
        let array: ArrayRef = match name {
            "raid" | "spare" => Arc::new(StringArray::new_null(2)),
            "degraded" => Arc::new(BooleanArray::new_null(2)),
            _ => Arc::new(Float64Array::new_null(2)),
        };
        (name.to_owned(), array)
    };
    let names = model.columns_read();
    let empty = Table::from_arrays(names.names().into_iter().map(none).collect(), "empty").unwrap();
    let explained = model.explain(&empty, 3).unwrap();
    let scores = &explained.scores;
    assert!(scores.score.iter().chain(&scores.p_value).all(|x| x.is_nan()) && !scores.is_anomaly[0]);
    assert_eq!((scores.flag.as_slice(), scores.counts.unscored), (&[ScoreFlag::Missing; 2][..], 2));
    assert!(explained.reasons.iter().all(Vec::is_empty));
    // A changed constant needs nothing else.
    let states: ArrayRef = Arc::new(StringArray::from(vec![None, Some("FAILED")]));
    let scores = model.score(&with(&empty, "raid", states)).unwrap();
    assert!(scores.score[0].is_nan() && scores.score[1] >= 1e6 && scores.is_anomaly[1]);
}

#[test]
fn rows_without_a_value_neither_train_nor_calibrate() {
    let rows = |blank: bool| {
        let sheet = sheet(120, 3);
        let cell = |x: Option<f64>, row: usize| x.filter(|_| !blank || !row.is_multiple_of(6));
        let columns = sheet.names().into_iter().map(|name| {
            let numbers = sheet.column(name).unwrap().as_primitive::<Float64Type>();
            let cells = numbers.iter().enumerate().map(|(row, x)| cell(x, row)).collect::<Float64Array>();
            (name.to_owned(), Arc::new(cells) as ArrayRef)
        });
        Table::from_arrays(columns.collect(), "made").unwrap()
    };
    let model = fit_with(&quick(Preset::Simple), rows(true), 1).unwrap();
    let note = "20 rows without any value, which neither train nor calibrate";
    assert!(model.report().notes.iter().any(|told| told == note), "{:?}", model.report().notes);
    let counts = &model.report().rows;
    assert_eq!((counts.read, counts.train + counts.validation + counts.calibration), (120, 100));
    // They do not make missing cells usual either.
    let holed = model.explain(&rows(true).slice(0, 1), 1).unwrap();
    assert!(holed.scores.score[0].is_nan());
    let few = rows(true).take(&(0..11).collect::<Vec<u32>>());
    let refused = fit_with(&quick(Preset::Simple), few, 1).unwrap_err().to_string();
    assert!(refused.contains("expected at least 10 rows with values to fit, got 9"), "{refused}");
}

#[test]
fn where_nothing_varies_the_constants_alone_decide() {
    let same = |n: usize, odd: Option<usize>| {
        let states: StringArray = (0..n).map(|row| Some(if Some(row) == odd { "FAILED" } else { "ok" })).collect();
        let columns: Vec<(String, ArrayRef)> = vec![
            ("volts".to_owned(), Arc::new(Float64Array::from(vec![5.0; n]))),
            ("raid".to_owned(), Arc::new(states)),
        ];
        Table::from_arrays(columns, "same").unwrap()
    };
    let model = fit_with(&quick(Preset::Simple), same(200, None), 1).unwrap();
    assert!(model.report().notes[0].starts_with("no column varies"), "{:?}", model.report().notes);
    assert!(model.report().columns.iter().all(|column| column.role == Role::Invariant));
    assert!(model.report().verdict().concerns.is_empty(), "{}", model.report().verdict().sentence);
    let explained = model.explain(&same(4, Some(2)), 3).unwrap();
    assert_eq!(explained.scores.score, [1.0, 1.0, 1e6, 1.0]);
    assert_eq!(explained.scores.is_anomaly, [false, false, true, false]);
    assert_eq!((explained.reasons[2].len(), explained.reasons[0].len()), (1, 0));
    let back = Model::from_bytes(&to_bytes(&model)).unwrap().into_table().unwrap();
    assert_eq!(back, model);
    let none = Table::from_columns(vec![("a", vec![NAN; 30]), ("b", vec![NAN; 30])]).unwrap();
    assert!(fit_with(&quick(Preset::Simple), none, 1).is_err());
}

/// A wave with a gauge and a state that never change, save at `odd` points.
fn points(n: usize, odd: &[usize]) -> Table {
    let wave = |t: usize| {
        let noise = f64::from(Stream::new(5, Purpose::Demo, 0, t as u64).normal());
        (t as f64 * 0.4).sin() + 0.05 * noise
    };
    let states: StringArray = (0..n).map(|t| Some(if odd.contains(&t) { "FAILED" } else { "ok" })).collect();
    let gauge: Float64Array = (0..n).map(|t| Some(if odd.contains(&t) { 3.5 } else { 3.0 })).collect();
    let numbers =
        |of: &dyn Fn(usize) -> f64| -> ArrayRef { Arc::new((0..n).map(|t| Some(of(t))).collect::<Float64Array>()) };
    let columns: Vec<(String, ArrayRef)> = vec![
        ("second".to_owned(), numbers(&|t| t as f64)),
        ("a".to_owned(), numbers(&wave)),
        ("b".to_owned(), numbers(&|t| wave(t + 4))),
        ("gauge".to_owned(), Arc::new(gauge)),
        ("raid".to_owned(), Arc::new(states)),
    ];
    Table::from_arrays(columns, "points").unwrap()
}

fn fitted_points(table: Table) -> SeriesModel {
    let mut recipe = hurried(Recipe::preset_for(Preset::Simple, DataKind::Series));
    ["data.window=12", "backbone.code_size=4"].iter().for_each(|change| recipe.set(change).unwrap());
    let roles = Roles { time: Some("second".to_owned()), ..Roles::default() };
    fit(&recipe, Dataset::table(table, roles), &session(1)).unwrap().into_series().unwrap()
}

#[test]
fn points_of_series_keep_their_constants_too() {
    let model = fitted_points(points(400, &[]));
    assert_eq!(model.columns_read().names(), ["second", "a", "b", "gauge", "raid"]);
    let new = points(60, &[30, 31]);
    let explained = model.explain(&new, 3).unwrap();
    let plain = model.score(&points(60, &[])).unwrap();
    for (row, score) in explained.scores.score.iter().enumerate() {
        let is_odd = [30, 31].contains(&row);
        assert_eq!(is_odd, explained.scores.score[row] >= 1e6, "row {row}: {score}");
        assert!(is_odd || score.to_bits() == plain.score[row].to_bits(), "row {row}");
    }
    assert_eq!(
        told(&explained.reasons[30])[..2],
        ["`gauge`: always 3 in 400 training rows, got 3.5", "`raid`: always ok in 400 training rows, got FAILED",]
    );
    let events = model.events(&new).unwrap();
    let event = events.iter().find(|event| event.peak >= 1e6).unwrap();
    assert_eq!((event.first_row, event.last_row, event.reasons[0].column.as_str()), (30, 31, "gauge"));
    let back = Model::from_bytes(&to_bytes(&model)).unwrap().into_series().unwrap();
    assert_eq!(back, model);

    // In a stream a changed constant needs no window.
    let mut stream = model.stream().unwrap();
    let early = points(20, &[3, 15]);
    for row in 0..20 {
        let score = stream.push(&early.slice(row, 1)).unwrap();
        let is_odd = [3, 15].contains(&row);
        assert_eq!((score.score >= 1e6, score.is_anomaly), (is_odd, is_odd || score.is_anomaly), "row {row}");
        assert_eq!(score.flag == ScoreFlag::WarmUp, row < 11 && !is_odd, "row {row}");
        assert_eq!(is_odd, score.reasons.first().is_some_and(|reason| reason.direction == Direction::Broken));
    }
    assert_eq!(stream.counts().broken.iter().map(|broken| broken.rows).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn a_series_that_never_changes_is_watched() {
    let model = fitted_points(points(400, &[]).without(&["a", "b"]));
    assert!(model.report().notes.iter().any(|note| note.starts_with("no column varies")));
    let scores = model.score(&points(60, &[7]).without(&["a", "b"])).unwrap();
    assert!((0..60).all(|row| (scores.score[row] == 1.0) == (row != 7) && scores.is_anomaly[row] == (row == 7)));
    let mut stream = model.stream().unwrap();
    let new = points(20, &[4]).without(&["a", "b"]);
    let found: Vec<bool> = (0..20).map(|row| stream.push(&new.slice(row, 1)).unwrap().is_anomaly).collect();
    assert!((0..20).all(|row| found[row] == (row == 4)));
}

/// A sheet beside flags that are set in few rows, as pixels at the margin of images are.
pub(crate) fn flags(n: usize, seed: u64, rate: f32) -> Table {
    let sheet = sheet(n, seed);
    let mut columns: Vec<(String, Vec<f64>)> = sheet
        .names()
        .into_iter()
        .map(|name| {
            let numbers = sheet.column(name).unwrap().as_primitive::<Float64Type>();
            (name.to_owned(), (0..n).map(|row| if numbers.is_valid(row) { numbers.value(row) } else { NAN }).collect())
        })
        .collect();
    for j in 0..40_u64 {
        let is_set = |row: usize| Stream::new(seed, Purpose::Demo, j + 1, row as u64).uniform() < rate;
        columns.push((format!("flag{j}"), (0..n).map(|row| f64::from(u8::from(is_set(row)))).collect()));
    }
    Table::from_columns(columns).unwrap()
}

#[test]
fn breaks_that_training_shows_to_be_chance_are_worth_as_much_as_they_are_rare() {
    let mut recipe = quick(Preset::Simple);
    recipe.set("train.steps=100").unwrap();
    let model = fit_with(&recipe, flags(400, 1, 0.002), 1).unwrap();
    let compared = model.report().columns.iter().filter(|column| column.role == Role::Invariant).count();
    assert!(compared > 10, "{compared}");
    let explained = model.explain(&flags(400, 2, 0.002), 1).unwrap();
    let breaks = |row: &usize| explained.reasons[*row].first().is_some_and(|r| r.direction == Direction::Broken);
    let broken: Vec<f64> = (0..400).filter(breaks).map(|row| explained.scores.score[row]).collect();
    let certain = broken.iter().filter(|score| **score >= 1e6).count();
    assert!(broken.len() > 5 && certain * 10 < broken.len(), "{certain} of {}", broken.len());
}
