//! Thresholds set anew on other normal data, without training.

use std::sync::Arc;

use narrows_core::data::Table;
use narrows_core::images::{Album, Channels, Image, Store};
use narrows_core::recipe::DataKind;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{
    Dataset, Error, ErrorKind, ImageRoles, Model, NormalRows, Preset, Recipe, Roles, SeriesModel, TableModel,
    TabularModel, fit,
};

use crate::drift::{fitted, report, with_changed};
use crate::support::{off_sheet, session, sheet, to_bytes};

#[test]
fn a_threshold_is_set_anew_on_other_normal_rows_without_training() {
    let model = fitted(1000);
    let moved = |seed| with_changed(&sheet(1000, seed), "x4", |_, x| x + 30.0);
    let before = report(&model, &moved(3), 0.01);
    assert!(!before.threshold.stands);
    let (again, found) = model.clone().recalibrated(&NormalRows::all(&moved(2))).unwrap();
    let after = report(&again, &moved(3), 0.01);
    assert!(after.threshold.stands && !after.score.has_drifted, "{:?}", after.findings);
    assert_eq!(again.score(&off_sheet(5)).unwrap().score, model.score(&off_sheet(5)).unwrap().score);
    assert_eq!(again.report().detection.threshold, again.threshold());
    let read = Model::from_bytes(&to_bytes(&again)).unwrap();
    assert!(read == Model::Table(again));
    assert_eq!((found.used, found.independent, found.anomalous), (1000, 1000, 0));
}

#[test]
fn rows_that_are_too_few_for_the_promise_are_refused_with_the_number_needed() {
    let model = fitted(1000);
    let refused = |model: TableModel, rows: usize| model.recalibrated(&NormalRows::all(&sheet(rows, 2))).unwrap_err();
    let error = refused(model.clone(), 60);
    let words = "expected at least 99 normal rows for the promised false-alarm rate of 0.0100, got 60, which can promise 0.0164";
    assert!(matches!(error, Error::Data { .. }) && error.to_string().contains(words), "{error}");
    // Of a model that promises less, fewer are needed; without a promise, ten.
    let [few, none] = ["false_alarm_rate=0.05", "mean_std=3"]
        .map(|rule| model.clone().with_threshold(&rule.parse().unwrap()).unwrap());
    assert!(refused(few.clone(), 18).to_string().contains("at least 19 normal rows"));
    assert_eq!(few.recalibrated(&NormalRows::all(&sheet(19, 2))).unwrap().1.used, 19);
    assert!(refused(none.clone(), 9).to_string().contains("at least 10 normal rows"));
    assert_eq!(none.recalibrated(&NormalRows::all(&sheet(10, 2))).unwrap().1.promised_rate, None);
    let of_training = model.with_threshold(&"contamination=0.05".parse().unwrap()).unwrap();
    assert_eq!(refused(of_training, 500).kind(), ErrorKind::Usage);
}

/// A sheet with a column `is_bad`, true in every tenth row, and empty in the last.
fn labelled(rows: usize, seed: u64) -> Table {
    let table = sheet(rows, seed);
    let words =
        (0..rows).map(|row| if row + 1 == rows { None } else { Some(if row % 10 == 0 { "yes" } else { "no" }) });
    let mut arrays: Vec<(String, arrow::array::ArrayRef)> =
        table.names().into_iter().map(|name| (name.to_owned(), table.column(name).unwrap().clone())).collect();
    arrays.push(("is_bad".to_owned(), Arc::new(words.collect::<arrow::array::StringArray>())));
    Table::from_arrays(arrays, "labelled").unwrap()
}

#[test]
fn rows_labelled_anomalous_are_refused_or_left_out() {
    let mut recipe = Recipe::preset(Preset::Simple);
    recipe.set("train.steps=20").unwrap();
    let roles = Roles { label: Some("is_bad".to_owned()), ..Roles::default() };
    let dataset = Dataset::table(labelled(600, 1), roles);
    let model = fit(&recipe, dataset, &session(1)).unwrap().into_table().unwrap();
    let table = labelled(300, 2);
    let error = NormalRows::of(&model, &table, None, None).unwrap_err();
    assert!(error.to_string().contains("got 30 of 300 rows that `is_bad` calls anomalous"), "{error}");
    let rows = NormalRows::of(&model, &table, Some("is_bad"), None).unwrap();
    let (_, found) = model.clone().recalibrated(&rows).unwrap();
    assert_eq!((found.used, found.anomalous, found.unlabelled), (269, 30, 1));
    assert!(NormalRows::of(&model, &table, Some("is_bad"), Some("maybe")).is_err());
    assert!(NormalRows::of(&model, &table, Some("nothing"), None).is_err());
    // Without the column, or without an anomalous row in it, all are normal.
    assert_eq!(NormalRows::of(&model, &sheet(20, 2), None, None).unwrap().anomalous(), 0);
}

/// Two waves with noise of so many times the usual size.
fn wave(n: usize, seed: u64, noisy: f64) -> Table {
    let noise = |t: usize| 0.1 * noisy * f64::from(Stream::new(seed, Purpose::Demo, 1, t as u64).normal());
    let of = |phase: f64| (0..n).map(|t| (t as f64 * 0.4 + phase).sin() + noise(t)).collect();
    Table::from_columns(vec![("a", of(0.0)), ("b", of(1.5))]).unwrap()
}

fn waves() -> SeriesModel {
    let mut recipe = Recipe::preset_for(Preset::Simple, DataKind::Series);
    ["train.steps=60", "data.window=16", "detect.threshold.rate=0.05"].iter().for_each(|c| recipe.set(c).unwrap());
    fit(&recipe, Dataset::from(wave(3000, 1, 1.0)), &session(1)).unwrap().into_series().unwrap()
}

#[test]
fn thresholds_of_points_and_of_streams_are_set_anew_by_windows() {
    let model = waves();
    let flagged = |model: &SeriesModel| {
        let scores = model.score(&wave(1500, 3, 4.0)).unwrap();
        scores.is_anomaly.iter().filter(|is| **is).count() as f64 / 1500.0
    };
    let flagged_of_stream = |model: &SeriesModel| {
        let (rows, mut scorer) = (wave(600, 3, 4.0), model.stream().unwrap());
        (0..600).filter(|row| scorer.push(&rows.slice(*row, 1)).unwrap().is_anomaly).count() as f64 / 600.0
    };
    assert!(flagged(&model) > 0.2 && flagged_of_stream(&model) > 0.2);
    let (again, found) = model.clone().recalibrated(&NormalRows::all(&wave(1600, 2, 4.0))).unwrap();
    assert_eq!((found.used, found.independent), (1600, 100));
    let (series, stream) = (flagged(&again), flagged_of_stream(&again));
    assert!(series < 0.1 && stream < 0.1, "{series} {stream}");
    assert!(report(&again, &wave(1500, 3, 4.0), 0.01).threshold.stands);
    let read = Model::from_bytes(&to_bytes(&again)).unwrap();
    assert!(read == Model::Series(again.clone()));
    assert_eq!(again.report().detection.threshold, again.threshold());
    // The rows of the fit give what the fit gave: of its calibration part, the same number of blocks.
    let error = model.clone().recalibrated(&NormalRows::all(&wave(200, 2, 1.0))).unwrap_err().to_string();
    assert!(error.contains("expected at least 19 independent windows of 16 normal points"), "{error}");
    assert!(error.contains("got 12"), "{error}");
    let error = model.recalibrated(&NormalRows::all(&wave(15, 2, 1.0))).unwrap_err().to_string();
    assert!(error.contains("a stretch of at least 16 normal points"), "{error}");
}

#[test]
fn the_threshold_of_a_fit_comes_back_from_the_rows_that_it_was_set_on() {
    let model = waves();
    // The report counts windows, of 16 points each and at every point.
    let calibration = model.report().rows.calibration as usize + 15;
    let all = wave(3000, 1, 1.0);
    let (again, found) =
        model.clone().recalibrated(&NormalRows::all(&all.slice(3000 - calibration, calibration))).unwrap();
    assert_eq!(found.used as usize, calibration);
    assert!((again.threshold() - model.threshold()).abs() < 1e-6 * model.threshold(), "{found:?}");
}

#[test]
fn images_set_a_threshold_anew() {
    let image = |i: u64, noisy: f32| {
        let mut noise = Stream::new(i, Purpose::Demo, 2, 0);
        let pixel = |p: usize| 0.5 + 0.2 * (p as f32 * 0.3).sin();
        let noisy = (0..64).map(|p| (pixel(p) + noisy * noise.normal()).clamp(0.0, 1.0)).collect();
        Image::new(8, 8, Channels::Grey, noisy)
    };
    let store = |first: u64, n: u64, noisy: f32| {
        let named = (first..first + n).map(|i| (i.to_string(), image(i, noisy))).collect();
        Arc::new(Store::take(Album::of("waves", named).unwrap(), 0).unwrap())
    };
    let mut recipe = Recipe::preset_for(Preset::Deep, DataKind::Images);
    let changes = ["train.steps=30", "backbone.code_size=4", "detect.threshold.rate=0.05"];
    changes.iter().for_each(|change| recipe.set(change).unwrap());
    let dataset = Dataset::images(store(0, 150, 0.03), ImageRoles::default());
    let model = fit(&recipe, dataset, &session(1)).unwrap().into_images().unwrap();
    let flagged = |model: &narrows_core::ImageModel| {
        let all: Vec<Image> = (2000..2050).map(|i| image(i, 0.1)).collect();
        model.score(&all, false).iter().filter(|score| score.is_anomaly).count()
    };
    assert!(flagged(&model) > 25);
    let (again, found) = model.clone().recalibrated(&store(1000, 100, 0.1), &ImageRoles::default()).unwrap();
    assert!(found.used == 100 && flagged(&again) < 12, "{found:?} {}", flagged(&again));
    let error = model.recalibrated(&store(1000, 12, 0.1), &ImageRoles::default()).unwrap_err().to_string();
    assert!(error.contains("at least 19 normal images"), "{error}");
}
