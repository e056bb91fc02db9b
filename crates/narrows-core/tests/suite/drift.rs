//! Drift: unchanged data are reported no more often than the level says, changed ones are found and named.

use std::path::PathBuf;
use std::sync::Arc;

use narrows_core::data::Table;
use narrows_core::drift::{DriftMonitor, DriftReport};
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Model, Preset, TableModel, TabularModel};

use crate::support::{fit_with, off_sheet, quick, sheet, to_bytes};

const COLUMNS: [&str; 6] = ["x0", "x1", "x2", "x3", "x4", "x5"];

pub(crate) fn report(model: &dyn TabularModel, table: &Table, level: f64) -> DriftReport {
    let mut monitor = DriftMonitor::new(model, level.try_into().unwrap());
    monitor.add(table).unwrap();
    monitor.finish()
}

pub(crate) fn fitted(rows: usize) -> TableModel {
    fit_with(&quick(Preset::Simple), sheet(rows, 1), 1).unwrap()
}

/// The table with the cells of one column changed.
pub(crate) fn with_changed(table: &Table, column: &str, change: impl Fn(usize, f64) -> f64) -> Table {
    use arrow::array::AsArray;
    use arrow::datatypes::Float64Type;
    let cells = |name: &str| table.column(name).unwrap().as_primitive::<Float64Type>().clone();
    let read = |name: &str, row: usize| {
        let cells = cells(name);
        use arrow::array::Array;
        if cells.is_valid(row) { cells.value(row) } else { f64::NAN }
    };
    let of = |name: &&str| {
        let values = (0..table.n_rows()).map(|row| read(name, row));
        let changed = |(row, x)| if *name == column { change(row, x) } else { x };
        ((*name).to_owned(), values.enumerate().map(changed).collect())
    };
    Table::from_columns(COLUMNS.iter().map(of).collect()).unwrap()
}

#[test]
fn unchanged_data_are_reported_no_more_often_than_the_level_says() {
    // A level that can be counted; each split has a model of its own, as all new data share a model's calibration.
    let (level, splits) = (0.1, 200_u64);
    let mut significant = 0;
    let mut drifted = 0;
    let mut recipe = quick(Preset::Simple);
    recipe.set("train.steps=20").unwrap();
    for seed in 0..splits {
        recipe.seed = seed;
        let model = fit_with(&recipe, sheet(240, 1000 + seed), 1).unwrap();
        let found = report(&model, &sheet(160, 5000 + seed), level);
        let columns = found.columns.iter().flat_map(|c| [c.corrected, c.missing.corrected]).flatten();
        let least = columns.chain([found.score.corrected, found.threshold.corrected]).fold(1.0, f64::min);
        significant += u64::from(least <= level);
        drifted += u64::from(found.has_drifted);
    }
    eprintln!(
        "{significant} of {splits} significant, {drifted} called drift; at most {} on average",
        level * splits as f64
    );
    // Two standard deviations of a binomial above the level.
    assert!(significant <= 28, "{significant} of {splits}");
    assert!(drifted <= significant);
}

#[test]
fn changes_are_found_and_named_in_original_units() {
    let (model, new) = (fitted(1000), sheet(800, 2));
    let same = report(&model, &new, 0.01);
    assert!(!same.has_drifted && same.findings.is_empty(), "{:?}", same.findings);
    assert!((same.rows, same.independent, same.columns.len()) == (800, 800, 5), "{same:?}");

    let moved = report(&model, &with_changed(&new, "x4", |_, x| x + 30.0), 0.01);
    let names = |report: &DriftReport| {
        let moved = report.columns.iter().filter(|c| c.has_drifted || c.missing.has_drifted);
        moved.map(|c| c.column.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&moved), ["x4"]);
    assert!(moved.findings.iter().any(|words| words.starts_with("`x4`: median 13")), "{:?}", moved.findings);
    assert!(moved.score.has_drifted && !moved.threshold.stands, "{moved:?}");

    let wide = report(&model, &with_changed(&new, "x1", |_, x| 1.5 * x), 0.01);
    assert_eq!(names(&wide), ["x1"]);
    assert!(wide.findings.iter().any(|words| words.contains("`x1`: middle half")), "{:?}", wide.findings);

    let lacking = report(&model, &with_changed(&new, "x0", |row, x| if row % 20 == 0 { f64::NAN } else { x }), 0.01);
    assert_eq!(names(&lacking), ["x0"]);
    assert!(lacking.findings.iter().any(|words| words.contains("5.0 % of cells missing, was 0.0 %")));
    assert_eq!(lacking.broken.first().map(|broken| broken.rows), Some(40));
}

#[test]
fn batches_make_no_difference() {
    let (model, new) = (fitted(300), sheet(200, 2));
    let mut monitor = DriftMonitor::new(&model, 0.01.try_into().unwrap());
    (0..4).for_each(|i| monitor.add(&new.slice(50 * i, 50)).unwrap());
    assert_eq!(monitor.finish(), report(&model, &new, 0.01));
    // Nothing read is nothing found.
    let nothing = DriftMonitor::new(&model, 0.01.try_into().unwrap()).finish();
    assert!(!nothing.has_drifted && nothing.rows == 0 && nothing.threshold.share == 0.0);
}

#[test]
fn the_distribution_is_kept_in_the_file() {
    let model = fitted(300);
    let read = Model::from_bytes(&to_bytes(&model)).unwrap().into_table().unwrap();
    assert_eq!(report(&read, &off_sheet(50), 0.01), report(&model, &off_sheet(50), 0.01));
}

#[test]
fn models_of_older_versions_compare_scores_and_say_that_columns_are_not() {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("testdata/models");
    for name in ["v1/simple", "v4/mixture", "v5/overview"] {
        let model = Model::load(folder.join(format!("{name}.narrows"))).unwrap().into_tabular().unwrap();
        let found = report(model.as_ref(), &off_sheet(60), 0.01);
        assert!(found.columns.is_empty() && found.score.has_drifted, "{name}: {found:?}");
        assert!(found.notes[0].starts_with("no reference distribution in this model"), "{name}: {:?}", found.notes);
    }
}

#[test]
fn points_of_series_count_as_independent_blocks() {
    use narrows_core::recipe::DataKind;
    use narrows_core::{Dataset, Recipe, fit};

    let wave = |n: usize, seed: u64, shift: f64| {
        let noise = |t: usize| 0.1 * f64::from(Stream::new(seed, Purpose::Demo, 1, t as u64).normal());
        let of = |phase: f64, shift: f64| (0..n).map(|t| (t as f64 * 0.4 + phase).sin() + noise(t) + shift).collect();
        Table::from_columns(vec![("a", of(0.0, shift)), ("b", of(1.5, 0.0))]).unwrap()
    };
    let mut recipe = Recipe::preset_for(Preset::Simple, DataKind::Series);
    ["train.steps=60", "train.batch_size=32"].iter().for_each(|change| recipe.set(change).unwrap());
    let dataset = Dataset::from(wave(3000, 1, 0.0));
    let model = fit(&recipe, dataset, &crate::support::session(1)).unwrap().into_series().unwrap();
    let same = report(&model, &wave(2000, 2, 0.0), 0.01);
    assert!(!same.has_drifted, "{:?}", same.findings);
    assert!(same.independent > 0 && same.independent < same.rows / 4, "{same:?}");
    // How many cells were missing in training is not known.
    let lacking: Vec<f64> = (0..2000).map(|t| if t % 9 == 0 { f64::NAN } else { (t as f64 * 0.4).sin() }).collect();
    let b = wave(2000, 2, 0.0).column("b").unwrap().clone();
    let lacking = Table::from_arrays(
        vec![("a".to_owned(), Arc::new(arrow::array::Float64Array::from(lacking)) as _), ("b".to_owned(), b)],
        "lacking",
    );
    let lacking = report(&model, &lacking.unwrap(), 0.01);
    assert!(lacking.columns[0].missing.share > 0.1 && lacking.columns[0].missing.p_value.is_none(), "{lacking:?}");
    let moved = report(&model, &wave(2000, 2, 3.0), 0.01);
    assert!(moved.columns[0].has_drifted && !moved.columns[1].has_drifted, "{:?}", moved.findings);
}

#[test]
fn a_stream_is_compared_with_its_own_calibration_and_alarms_once() {
    use narrows_core::drift::DriftAlarm;
    use narrows_core::recipe::DataKind;
    use narrows_core::{Dataset, Recipe, Scores, StreamScore, fit};

    let wave = |n: usize, seed: u64, noisy: f64| {
        let noise = |t: usize| noisy * f64::from(Stream::new(seed, Purpose::Demo, 1, t as u64).normal());
        let of = |phase: f64| (0..n).map(|t| (t as f64 * 0.4 + phase).sin() + noise(t)).collect();
        Table::from_columns(vec![("a", of(0.0)), ("b", of(1.5))]).unwrap()
    };
    let mut recipe = Recipe::preset_for(Preset::Simple, DataKind::Series);
    ["train.steps=60", "data.window=16"].iter().for_each(|change| recipe.set(change).unwrap());
    let dataset = Dataset::from(wave(3000, 1, 0.1));
    let model = fit(&recipe, dataset, &crate::support::session(1)).unwrap().into_series().unwrap();
    let follow = |rows: &Table| {
        let mut scorer = model.stream().unwrap();
        let mut monitor = DriftMonitor::of_stream(&model, 0.01.try_into().unwrap());
        let mut alarm = DriftAlarm::new(&model, 0.01.try_into().unwrap());
        assert_eq!(alarm.window(), 16);
        let mut alarms = 0;
        for row in 0..rows.n_rows() {
            let row = rows.slice(row, 1);
            let StreamScore { score, p_value, is_anomaly, flag, series, .. } = scorer.push(&row).unwrap();
            let counts = scorer.row_counts().clone();
            let (score, p_value, is_anomaly) = (vec![score], vec![p_value], vec![is_anomaly]);
            alarms += usize::from(alarm.add(&series, score[0]));
            monitor.add_scored(&row, &Scores { score, p_value, is_anomaly, flag: vec![flag], counts }).unwrap();
        }
        assert_eq!(monitor.rows(), rows.n_rows() as u64);
        (monitor.finish(), alarms, alarm.raised())
    };
    let (same, alarms, _) = follow(&wave(1500, 2, 0.1));
    assert!(!same.has_drifted && alarms == 0, "{:?}", same.findings);
    assert!(same.independent < same.rows / 10 && same.unscored == 15, "{same:?}");
    let (changed, alarms, raised) = follow(&wave(1500, 2, 0.4));
    assert!(changed.score.has_drifted && alarms == 1 && raised.is_some(), "{changed:?}");
}

#[test]
fn images_are_compared_by_scores_and_simple_measures() {
    use narrows_core::drift::ImageDriftMonitor;
    use narrows_core::images::{Album, Channels, Image, Store};
    use narrows_core::recipe::DataKind;
    use narrows_core::{Dataset, ImageRoles, Recipe, fit};

    let image = |i: u64, light: f32| {
        let mut noise = Stream::new(i, Purpose::Demo, 2, 0);
        let phase = 6.0 * noise.uniform();
        let pixel = |p: usize| light + 0.2 * (p as f32 * 0.3 + phase).sin();
        let noisy = (0..64).map(|p| (pixel(p) + 0.05 * noise.normal()).clamp(0.0, 1.0)).collect();
        Image::new(8, 8, Channels::Grey, noisy)
    };
    let named = (0..120).map(|i| (i.to_string(), image(i, 0.4))).collect();
    let store = Arc::new(Store::take(Album::of("waves", named).unwrap(), 0).unwrap());
    let mut recipe = Recipe::preset_for(Preset::Deep, DataKind::Images);
    ["train.steps=30", "backbone.code_size=4"].iter().for_each(|change| recipe.set(change).unwrap());
    let dataset = Dataset::images(store, ImageRoles::default());
    let model = fit(&recipe, dataset, &crate::support::session(1)).unwrap().into_images().unwrap();
    let compared = |model: &narrows_core::ImageModel, light: f32| {
        let mut monitor = ImageDriftMonitor::new(model, 0.01.try_into().unwrap());
        let all: Vec<Image> = (1000..1080).map(|i| image(i, light)).collect();
        all.chunks(50).for_each(|some| monitor.add(some));
        monitor.finish()
    };
    let same = compared(&model, 0.4);
    assert!(!same.has_drifted && same.rows == 80 && same.unit == "image", "{:?}", same.findings);
    let names: Vec<&str> = same.columns.iter().map(|column| column.column.as_str()).collect();
    assert_eq!(names, ["brightness", "contrast", "colourfulness", "sharpness", "height", "width"]);
    let brighter = compared(&model, 0.6);
    let moved: Vec<&str> =
        brighter.columns.iter().filter(|column| column.has_drifted).map(|column| column.column.as_str()).collect();
    assert_eq!(moved, ["brightness"]);
    assert!(brighter.findings.iter().any(|words| words.starts_with("`brightness`: median 0.6")), "{brighter:?}");
    // The distribution is in the file.
    let read = Model::from_bytes(&to_bytes(&model)).unwrap().into_images().unwrap();
    assert_eq!(compared(&read, 0.6), brighter);
}
