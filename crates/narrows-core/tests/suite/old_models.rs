//! Models of every released format load and score as they did: the files under `testdata/models/` stay for ever.

use std::path::PathBuf;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use narrows_core::data::Table;
use narrows_core::drift::DriftMonitor;
use narrows_core::images::{Album, Channels, Image, Store};
use narrows_core::recipe::DataKind;
use narrows_core::{Dataset, Encoder, Model, Preset, Recipe, ScoredDataReporter, TabularModel, fit};

use crate::generation::bookings;
use crate::support::{fit_with, off_sheet, quick, session, sheet};

/// Another processor may fuse or widen differently; a wrong reading is off by far more.
const TOLERANCE: f64 = 1e-4;

fn folder(format: u32) -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"))
        .join(format!("testdata/models/v{format}"))
}

fn load(format: u32, name: &str) -> Model {
    Model::load(folder(format).join(format!("{name}.narrows"))).unwrap()
}

/// Scores of the model called `name`, beside those it gave when it was made.
fn check(format: u32, name: &str, table: &Table) {
    let fitted = load(format, name).into_tabular().unwrap();
    let text = std::fs::read_to_string(folder(format).join(format!("{name}.json"))).unwrap();
    let expected: Vec<Option<f64>> = serde_json::from_str(&text).unwrap();
    let found = fitted.score(table).unwrap().score;
    assert_eq!(expected.len(), found.len(), "{name}");
    for (expected, found) in expected.iter().zip(&found) {
        match expected {
            Some(expected) => assert!(
                (expected - found).abs() <= TOLERANCE * expected.abs(),
                "{name}: expected {expected}, got {found}"
            ),
            None => assert!(found.is_nan(), "{name}: expected no score, got {found}"),
        }
    }
}

fn write(format: u32, name: &str, model: Model, table: &Table) {
    model.save(folder(format).join(format!("{name}.narrows"))).unwrap();
    let scores = model.into_tabular().unwrap().score(table).unwrap().score;
    let known: Vec<Option<f64>> = scores.iter().map(|score| (!score.is_nan()).then_some(*score)).collect();
    std::fs::write(folder(format).join(format!("{name}.json")), serde_json::to_string(&known).unwrap()).unwrap();
}

/// A wave of two channels with a gap and a missing cell, as points in time.
fn wave(n: u32, first: u32) -> Table {
    let times: Vec<u32> = (first..first + n + 3).filter(|t| !(first + 30..first + 33).contains(t)).collect();
    let at = |t: u32| f64::from(t) * 0.4;
    let b = times.iter().map(|t| if t % 50 == 7 { f64::NAN } else { at(*t).cos() }).collect();
    Table::from_columns(vec![
        ("second", times.iter().map(|t| f64::from(*t)).collect()),
        ("a", times.iter().map(|t| at(*t).sin()).collect()),
        ("b", b),
    ])
    .unwrap()
}

fn of_series(preset: Preset, changes: &[&str]) -> Recipe {
    let mut recipe = Recipe::preset_for(preset, DataKind::Series);
    let hurried = ["train.steps=60", "train.batch_size=32", "detect.references=100"];
    hurried.iter().chain(changes).for_each(|change| recipe.set(change).unwrap());
    recipe
}

#[test]
fn format_1_scores_as_it_did() {
    ["simple", "variational", "auto"].iter().for_each(|name| check(1, name, &off_sheet(4)));
}

#[test]
fn format_2_scores_as_it_did() {
    check(2, "seq2seq", &off_sheet(4));
    check(2, "points", &wave(60, 900));
}

/// Small images: a bright spot that wanders over a slope.
fn images(n: usize) -> Vec<Image> {
    let one = |i: usize| {
        let (top, left) = (3.0 + (i * 7 % 8) as f32, 3.0 + (i * 5 % 9) as f32);
        let pixel = |y: usize, x: usize| {
            let distance = (y as f32 - top).powi(2) + (x as f32 - left).powi(2);
            0.2 + 0.02 * x as f32 + 0.5 * (-distance / 6.0).exp()
        };
        let pixels = (0..14).flat_map(|y| (0..16).map(move |x| pixel(y, x))).collect();
        Image::new(14, 16, Channels::Grey, pixels)
    };
    (0..n).map(one).collect()
}

/// The same as every fit gets them.
fn store(n: usize) -> Store {
    let named = images(n).into_iter().enumerate().map(|(i, image)| (format!("{i}"), image)).collect();
    Store::take(Album::of("made", named).unwrap(), 0).unwrap()
}

fn of_images(preset: Preset, changes: &[&str]) -> Recipe {
    let mut recipe = Recipe::preset_for(preset, DataKind::Images);
    let hurried = ["train.steps=40", "train.batch_size=8"];
    hurried.iter().chain(changes).for_each(|change| recipe.set(change).unwrap());
    recipe
}

/// Scores of a model of images, and pixels of a restored image.
fn numbers_of(model: &Model) -> Vec<f64> {
    match model {
        Model::Images(fitted) => fitted.score(&images(5), false).iter().map(|score| score.score).collect(),
        Model::Table(_) | Model::Series(_) | Model::Encoder(_) => unreachable!("no model that scores or makes images"),
        Model::Restorer(restorer) => {
            let restored = restorer.restore(&images(1)[0]);
            restored.pixels.iter().step_by(17).map(|pixel| f64::from(*pixel)).collect()
        }
    }
}

fn check_images(name: &str) {
    let model = load(3, name);
    let text = std::fs::read_to_string(folder(3).join(format!("{name}.json"))).unwrap();
    let expected: Vec<f64> = serde_json::from_str(&text).unwrap();
    let found = numbers_of(&model);
    assert_eq!(expected.len(), found.len(), "{name}");
    for (expected, found) in expected.iter().zip(&found) {
        assert!((expected - found).abs() <= TOLERANCE * expected.abs(), "{name}: expected {expected}, got {found}");
    }
}

fn write_images(name: &str, model: &Model) {
    model.save(folder(3).join(format!("{name}.narrows"))).unwrap();
    let numbers = serde_json::to_string(&numbers_of(model)).unwrap();
    std::fs::write(folder(3).join(format!("{name}.json")), numbers).unwrap();
}

#[test]
fn format_3_scores_and_restores_as_it_did() {
    ["whole", "pieces", "restorer"].into_iter().for_each(check_images);
}

#[test]
fn format_4_scores_encodes_and_generates_as_it_did() {
    check(4, "mixture", &off_sheet(4));
    let text = std::fs::read_to_string(folder(4).join("mixture.codes.json")).unwrap();
    let expected: Vec<f64> = serde_json::from_str(&text).unwrap();
    for name in ["mixture", "encoder"] {
        let encoder = load(4, name).into_encoder().unwrap();
        check_near(name, &expected, &codes_of(&encoder));
    }
    let fitted = load(4, "mixture").into_table().unwrap();
    let text = std::fs::read_to_string(folder(4).join("mixture.generated.json")).unwrap();
    check_near("generated", &serde_json::from_str::<Vec<f64>>(&text).unwrap(), &generated(&fitted));
}

#[test]
fn format_5_compares_and_scores_as_it_did() {
    check(5, "compared", &with_holes());
    check(5, "located", &wave(60, 900));
    check(5, "ranked", &wave(60, 900));
    check(5, "overview", &off_sheet(4));
    check(5, "distribution", &off_sheet(4));
    check(5, "mapped", &off_sheet(4));
    check(5, "sampled", &off_sheet(4));
    let sampled = load(5, "sampled").into_table().unwrap();
    let population = sampled.report().population.as_ref().unwrap();
    assert_eq!((population.rows, population.sampled, population.columns.len()), (400, 200, 6));
    assert_eq!((sampled.recipe().train.sample_rows, sampled.recipe().train.rounds.count), (200, 2));
    assert!(load(5, "compared").into_tabular().unwrap().columns_read().get("x5").is_some());
}

#[test]
fn shapes_score_and_draw_as_they_did() {
    check(5, "shapes", &bookings(60));
    let fitted = load(5, "shapes").into_table().unwrap();
    let text = std::fs::read_to_string(folder(5).join("shapes.generated.json")).unwrap();
    let expected: Vec<Vec<String>> = serde_json::from_str(&text).unwrap();
    let found = written(&fitted);
    assert_eq!(expected.len(), found.len());
    // A processor that fuses differently may draw another level here and there.
    let cells = || expected.iter().flatten().zip(found.iter().flatten());
    let same = cells().filter(|(expected, found)| expected == found).count();
    assert!(same * 10 >= cells().count() * 9, "{same} of {} cells: {found:?}", cells().count());
    assert_eq!(expected[0], found[0], "identifiers");
}

/// The cells of new bookings, by column.
fn written(fitted: &dyn TabularModel) -> Vec<Vec<String>> {
    let rows = fitted.generate(20, 0, 3).unwrap();
    let column = |array: &ArrayRef| {
        let text = arrow::compute::cast(array, &arrow::datatypes::DataType::Utf8).unwrap();
        text.as_string::<i32>().iter().map(|cell| cell.unwrap_or_default().to_owned()).collect()
    };
    rows.batch().columns().iter().map(column).collect()
}

/// Encoded for generation, which models of this format were at first not.
#[test]
#[ignore = "writes the golden file"]
fn write_shapes() {
    let mut recipe = quick(Preset::Variational);
    ["backbone.code_size=3", "backbone.nodes=[8]"].iter().for_each(|change| recipe.set(change).unwrap());
    let fitted = fit_with(&recipe, bookings(400), 1).unwrap();
    std::fs::write(folder(5).join("shapes.generated.json"), serde_json::to_string(&written(&fitted)).unwrap()).unwrap();
    write(5, "shapes", fitted.into(), &bookings(60));
}

/// Rows off the sheet: all change the constant but the first, the second lacks a cell, and the last has none.
fn with_holes() -> Table {
    let rows = off_sheet(4);
    let columns = rows.names().into_iter().map(|name| {
        let cells = rows.column(name).unwrap().as_primitive::<Float64Type>();
        let is_hole = |row: usize| row == 3 || (row == 1 && name == "x0");
        (name.to_owned(), (0..4).map(|row| if is_hole(row) { f64::NAN } else { cells.value(row) }).collect())
    });
    Table::from_columns(columns.collect::<Vec<(String, Vec<f64>)>>()).unwrap()
}

/// Writes the files of format 5; as for format 2.
#[test]
#[ignore = "writes the golden files"]
fn write_format_5() {
    std::fs::create_dir_all(folder(5)).unwrap();
    let fitted = fit_with(&quick(Preset::Simple), sheet(200, 1), 1).unwrap();
    write(5, "compared", fitted.into(), &with_holes());
    write(5, "located", of_points(), &wave(60, 900));
}

/// Points scored by their windows, which models of this format were at first not.
#[test]
#[ignore = "writes the golden file"]
fn write_ranked_points() {
    write(5, "ranked", of_points(), &wave(60, 900));
}

/// Rows scored globally, too, which models of this format were at first not.
#[test]
#[ignore = "writes the golden file"]
fn write_overview() {
    let mut recipe = quick(Preset::Deep);
    let small = ["backbone.code_size=2", "backbone.nodes=[6]", "detect.score=mix", "detect.references=100"];
    small.iter().for_each(|change| recipe.set(change).unwrap());
    write(5, "overview", fit_with(&recipe, sheet(200, 1), 1).unwrap().into(), &off_sheet(4));
}

/// Images scored by their local patches, which models of this format at first were not.
#[test]
fn patches_are_compared_as_they_were() {
    let text = std::fs::read_to_string(folder(5).join("patches.json")).unwrap();
    check_near("patches", &serde_json::from_str::<Vec<f64>>(&text).unwrap(), &scores_of_textures(&load(5, "patches")));
}

fn scores_of_textures(model: &Model) -> Vec<f64> {
    let Model::Images(fitted) = model else { unreachable!("a model of images") };
    fitted.score(&textures(20..25), false).iter().map(|score| score.score).collect()
}

/// Stripes that differ in phase.
fn textures(which: std::ops::Range<usize>) -> Vec<Image> {
    let pixel = |i: usize, at: usize| {
        0.5 + 0.3 * ((at % 50) as f32 / 3.0 + (at / 50 * (1 + i % 3)) as f32 / 5.0 + i as f32).sin()
    };
    let one = |i: usize| Image::new(48, 50, Channels::Grey, (0..48 * 50).map(|at| pixel(i, at)).collect());
    which.map(one).collect()
}

#[test]
#[ignore = "writes the golden file"]
fn write_patches() {
    let named = textures(0..20).into_iter().enumerate().map(|(i, image)| (format!("{i}"), image)).collect();
    let store = std::sync::Arc::new(Store::take(Album::of("made", named).unwrap(), 0).unwrap());
    let recipe = of_images(Preset::Auto, &["backbone.channels=[2]", "backbone.code_size=2", "detect.references=60"]);
    let model = fit(&recipe, Dataset::images(store, Default::default()), &session(1)).unwrap();
    model.save(folder(5).join("patches.narrows")).unwrap();
    let numbers = serde_json::to_string(&scores_of_textures(&model)).unwrap();
    std::fs::write(folder(5).join("patches.json"), numbers).unwrap();
}

/// Fitted to a sample and then in rounds, which recipes and reports of this format at first had not.
#[test]
#[ignore = "writes the golden file"]
fn write_sampled() {
    let mut recipe = quick(Preset::Deep);
    let small = ["backbone.code_size=2", "backbone.nodes=[6]", "detect.score=residual"];
    let sampled = ["train.sample_rows=200", "train.rounds.count=2", "train.rounds.partitions=2"];
    small.iter().chain(&sampled).for_each(|change| recipe.set(change).unwrap());
    write(5, "sampled", fit_with(&recipe, sheet(400, 1), 1).unwrap().into(), &off_sheet(4));
}

/// Where new rows lie on the code map, whose axes models of this format at first had not.
#[test]
fn new_rows_have_the_place_on_the_map_that_they_had() {
    let places = places(&load(5, "mapped"));
    let text = std::fs::read_to_string(folder(5).join("mapped.places.json")).unwrap();
    check_near("mapped", &serde_json::from_str::<Vec<f64>>(&text).unwrap(), &places);
    assert!(self::places(&load(5, "overview")).is_empty());
}

fn places(model: &Model) -> Vec<f64> {
    let model = model.clone().into_tabular().unwrap();
    let mut reporter = ScoredDataReporter::new(model.as_ref(), "sheet");
    reporter.add(&off_sheet(4)).unwrap();
    let rows = reporter.finish().unwrap().1.rows;
    rows.x.iter().zip(&rows.y).flat_map(|(x, y)| [f64::from(*x), f64::from(*y)]).collect()
}

#[test]
#[ignore = "writes the golden files"]
fn write_mapped() {
    let mut recipe = quick(Preset::Deep);
    let small = ["backbone.code_size=2", "backbone.nodes=[6]", "detect.score=residual"];
    small.iter().for_each(|change| recipe.set(change).unwrap());
    write(5, "mapped", fit_with(&recipe, sheet(200, 1), 1).unwrap().into(), &off_sheet(4));
    let text = serde_json::to_string(&places(&load(5, "mapped"))).unwrap();
    std::fs::write(folder(5).join("mapped.places.json"), text).unwrap();
}

/// Fitted by the command to 200 rows of the sheet as a text table.
#[test]
fn the_distribution_of_training_rows_is_read_as_it_was_written() {
    let model = load(5, "distribution").into_tabular().unwrap();
    let mut monitor = DriftMonitor::new(model.as_ref(), 0.01.try_into().unwrap());
    monitor.add(&off_sheet(40)).unwrap();
    let report = monitor.finish();
    let medians: Vec<Option<f64>> =
        report.columns.iter().map(|c| c.quartiles_were.map(|[_, median, _]| median)).collect();
    assert_eq!(medians.len(), 5);
    assert!(medians[4].is_some_and(|median| (median - 100.0).abs() < 5.0), "{medians:?}");
    assert!(report.columns.iter().all(|column| column.has_drifted), "{:?}", report.findings);
}

fn of_points() -> Model {
    let small =
        ["data.window=12", "backbone.code_size=4", "backbone.nodes=[8]", "detect.score=mix", "detect.mixing=squares"];
    let roles = narrows_core::Roles { time: Some("second".to_owned()), ..narrows_core::Roles::default() };
    let dataset = Dataset::table(wave(300, 0), roles);
    fit(&of_series(Preset::Deep, &small), dataset, &session(1)).unwrap()
}

fn check_near(name: &str, expected: &[f64], found: &[f64]) {
    assert_eq!(expected.len(), found.len(), "{name}");
    for (expected, found) in expected.iter().zip(found) {
        assert!((expected - found).abs() <= TOLERANCE * expected.abs().max(1.0), "{name}: {expected} and {found}");
    }
}

fn values(table: &Table) -> Vec<f64> {
    let column = |name: &&str| {
        let column = table.column(name).unwrap().as_primitive::<Float64Type>().clone();
        column.iter().flatten().collect::<Vec<f64>>()
    };
    table.names().iter().flat_map(column).collect()
}

fn codes_of(encoder: &Encoder) -> Vec<f64> {
    values(&encoder.encode(&off_sheet(4)).unwrap())
}

fn generated(fitted: &dyn TabularModel) -> Vec<f64> {
    values(&fitted.generate(5, 0, 3).unwrap())
}

/// Writes the files of format 4; as for format 2.
#[test]
#[ignore = "writes the golden files"]
fn write_format_4() {
    std::fs::create_dir_all(folder(4)).unwrap();
    let mut recipe = quick(Preset::Deep);
    ["backbone.code_size=2", "backbone.nodes=[6]"].iter().for_each(|change| recipe.set(change).unwrap());
    let fitted = fit_with(&recipe, sheet(400, 1), 1).unwrap();
    assert!(fitted.report().generation.as_ref().unwrap().density.components > 1, "no mixture");
    write(4, "mixture", fitted.clone().into(), &off_sheet(4));
    let encoder = Encoder::from(&fitted);
    Model::from(encoder.clone()).save(folder(4).join("encoder.narrows")).unwrap();
    let text = |numbers: &[f64]| serde_json::to_string(numbers).unwrap();
    std::fs::write(folder(4).join("mixture.codes.json"), text(&codes_of(&encoder))).unwrap();
    std::fs::write(folder(4).join("mixture.generated.json"), text(&generated(&fitted))).unwrap();
}

/// Writes the files of format 3; as for format 2.
#[test]
#[ignore = "writes the golden files"]
fn write_format_3() {
    std::fs::create_dir_all(folder(3)).unwrap();
    let store = std::sync::Arc::new(store(24));
    let fit = |recipe: &Recipe| fit(recipe, Dataset::images(store.clone(), Default::default()), &session(1)).unwrap();
    let conv = ["backbone.channels=[4]", "backbone.code_size=3"];
    write_images("whole", &fit(&of_images(Preset::Conv, &conv)));
    let map =
        ["backbone.channels=[4]", "backbone.code={ kind = \"map\", channels = 1 }", "data.view=pieces", "data.side=8"];
    write_images("pieces", &fit(&of_images(Preset::Conv, &map)));
    let mut recipe = of_images(Preset::Restore, &["backbone.channels=4", "backbone.blocks=1", "backbone.patch=8"]);
    recipe.corrupt("gaussian:25").unwrap();
    write_images("restorer", &fit(&recipe));
}

/// Writes the files of format 2. Run once a format, never again for a format that was released:
/// `cargo test -p narrows-core --test suite -- --ignored write_format_2`
#[test]
#[ignore = "writes the golden files"]
fn write_format_2() {
    std::fs::create_dir_all(folder(2)).unwrap();
    let recipe = of_series(Preset::Seq2seq, &["data.layout=rows", "backbone.nodes=[5]", "backbone.code_size=2"]);
    write(2, "seq2seq", fit(&recipe, sheet(40, 1), &session(1)).unwrap(), &off_sheet(4));
    let small = ["data.window=12", "backbone.code_size=4", "backbone.nodes=[8]", "detect.score=mix"];
    let recipe = of_series(Preset::Deep, &small);
    let roles = narrows_core::Roles { time: Some("second".to_owned()), ..narrows_core::Roles::default() };
    let fitted = fit(&recipe, Dataset::table(wave(300, 0), roles), &session(1)).unwrap();
    write(2, "points", fitted, &wave(60, 900));
}
