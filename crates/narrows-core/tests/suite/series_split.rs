//! Training, validation and calibration of one series are stretches of time, a window apart, so that no window of one
//! shares a point with a window of another: what happens in one part leaves no trace in what another part decides.

use narrows_core::data::{Layout, Table};
use narrows_core::{Dataset, Preset, Recipe, Roles, SeriesModel, Session, TabularModel, fit};

use crate::waves::{PERIOD, machine, quick_series};

const POINTS: usize = 400;
/// By 72, 8 and 20 %, windows of [`PERIOD`] points and gaps of one point less.
const TRAIN_ENDS: usize = 272;
const VALIDATION: std::ops::Range<usize> = 283..313;
const CALIBRATION_BEGINS: usize = 324;

fn recipe() -> Recipe {
    let mut recipe = quick_series(Preset::Deep, Layout::Long);
    recipe.set("detect.score=mix").unwrap();
    recipe
}

/// One series; points in `odd` are far off, and said to be where a label is asked for.
fn series(odd: &[usize], offset: f64) -> Table {
    let points = machine("north", 0, POINTS);
    let column =
        |c: usize| points.iter().enumerate().map(move |(t, x)| if odd.contains(&t) { x[c] + offset } else { x[c] });
    let label = (0..POINTS).map(|t| f64::from(u8::from(odd.contains(&t))));
    Table::from_columns(vec![("a", column(0).collect()), ("b", column(1).collect()), ("bad", label.collect())]).unwrap()
}

fn fitted(table: Table, normal: Option<&str>) -> SeriesModel {
    let roles = Roles { label: Some("bad".to_owned()), normal: normal.map(str::to_owned), ..Roles::default() };
    fit(&recipe(), Dataset::table(table, roles), &Session::default()).unwrap().into_series().unwrap()
}

/// What the weights and the scales make of other points, and the threshold.
fn traces(fitted: &SeriesModel) -> (Table, f64) {
    let fresh = Table::from_columns(vec![("a", vec![20.0; 2 * PERIOD]), ("b", vec![0.0; 2 * PERIOD])]).unwrap();
    (fitted.reconstruct(&fresh).unwrap(), fitted.threshold())
}

/// What an odd point there changes: nothing, the threshold alone, or the weights.
fn check(point: usize, expected: &str) {
    let (plain, odd) = (traces(&fitted(series(&[], 0.0), None)), traces(&fitted(series(&[point], 30.0), None)));
    let found = match (plain.0.batch() == odd.0.batch(), plain.1 == odd.1) {
        (true, true) => "nothing",
        (true, false) => "the threshold",
        (false, _) => "the weights",
    };
    assert_eq!(found, expected, "point {point}");
}

#[test]
fn a_calibration_point_has_no_say_in_the_weights() {
    check(CALIBRATION_BEGINS, "the threshold");
    check(POINTS - 1, "the threshold");
}

#[test]
fn a_training_point_has() {
    check(0, "the weights");
    check(TRAIN_ENDS - 1, "the weights");
}

#[test]
fn points_between_the_parts_have_no_say_in_anything() {
    for point in [TRAIN_ENDS, VALIDATION.start - 1, VALIDATION.end, CALIBRATION_BEGINS - 1] {
        check(point, "nothing");
    }
}

/// What the values of points that the label calls anomalous change, beside other values of the same points.
fn check_labelled(points: &[usize]) {
    let (one, other) = (fitted(series(points, 30.0), Some("0")), fitted(series(points, -2000.0), Some("0")));
    let ((one, line), (other, other_line)) = (traces(&one), traces(&other));
    assert_eq!(one.batch(), other.batch(), "{points:?}: the weights");
    assert_eq!(line, other_line, "{points:?}: the threshold");
}

#[test]
fn labelled_anomalies_have_no_say_wherever_they_are() {
    check_labelled(&[100, 101]);
    check_labelled(&[VALIDATION.start + 3]);
    check_labelled(&[360]);
}

#[test]
fn parts_and_windows_are_told() {
    let fitted = fitted(series(&[100], 30.0), Some("0"));
    let rows = &fitted.report().rows;
    let windows = |points: usize| (points - PERIOD + 1) as u64;
    // The windows that touch the odd point are left out.
    assert_eq!(rows.train, windows(TRAIN_ENDS) - PERIOD as u64);
    assert_eq!((rows.validation, rows.calibration), (windows(30), windows(POINTS - CALIBRATION_BEGINS)));
    assert_eq!((rows.read, rows.not_normal), (POINTS as u64, 1));
}
