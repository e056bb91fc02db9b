//! The promise of a threshold: no more false alarms on fresh normal rows than it says.
//!
//! The share of fresh rows that are called must lie in the binomial 95 % interval around the promised rate, pooled over
//! splits. A split's own rate also varies with its calibration rows, so the fresh rows are few beside them.

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use narrows_core::data::Table;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Preset, Recipe, TabularModel};

use crate::invariants::flags;
use crate::support::{fit_with, read, shared_data, sheet};

const RATE: f64 = 0.05;
const FRESH: usize = 300;
const SPLITS: u64 = 10;

fn check_rate(name: &str, rows: impl Fn(u64) -> (Table, Table)) {
    let (mut called, mut n) = (0, 0);
    for seed in 0..SPLITS {
        let (train, fresh) = rows(seed);
        let fitted = fit_with(&recipe(seed), train, 1).unwrap();
        let is_anomaly = fitted.score(&fresh).unwrap().is_anomaly;
        called += is_anomaly.iter().filter(|called| **called).count();
        n += is_anomaly.len();
    }
    let deviation = 1.96 * (RATE * (1.0 - RATE) / n as f64).sqrt();
    let found = called as f64 / n as f64;
    eprintln!("{name}: {called} of {n} called, {found:.4}; promised {RATE} +- {deviation:.4}");
    assert!((found - RATE).abs() <= deviation, "{name}: {found:.4} is outside {RATE} +- {deviation:.4}");
}

fn recipe(seed: u64) -> Recipe {
    let mut recipe = Recipe::preset(Preset::Simple);
    recipe.seed = seed;
    let threshold = format!("detect.threshold={{ rule = \"false_alarm_rate\", rate = {RATE} }}");
    for change in ["train.steps=200", "detect.calibration=0.5", &threshold] {
        recipe.set(change).unwrap();
    }
    recipe
}

/// The normal rows of a public table, shuffled by the seed: most to fit on, some fresh.
fn check_table(file: &str) {
    let Some(path) = shared_data(&format!("adbench/{file}.npz")) else { return };
    let table = read(&path);
    let label = arrow::compute::cast(table.column("y").unwrap(), &arrow::datatypes::DataType::Float64).unwrap();
    let label = label.as_primitive::<Float64Type>();
    let normal: Vec<u32> = (0..table.n_rows() as u32).filter(|row| label.value(*row as usize) == 0.0).collect();
    let features = table.without(&["y"]);
    check_rate(file, |seed| {
        let mut rows = normal.clone();
        Stream::new(seed, Purpose::Demo, 0, 0).shuffle(&mut rows);
        let train = rows.split_off(FRESH);
        (features.take(&train), features.take(&rows))
    });
}

#[test]
fn on_made_data() {
    check_rate("sheet", |seed| (sheet(3000, seed), sheet(FRESH, 100 + seed)));
}

#[test]
fn on_columns_that_are_constant_by_chance() {
    check_rate("rare flags", |seed| (flags(3000, seed, 0.0005), flags(FRESH, 100 + seed, 0.0005)));
}

#[test]
fn on_annthyroid() {
    check_table("2_annthyroid");
}

#[test]
fn on_pendigits() {
    check_table("28_pendigits");
}

#[test]
fn on_satellite() {
    check_table("30_satellite");
}
