//! What is told as the reason of a score: the column that was moved comes first, and order, shares and expected values
//! do not contradict each other.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampMicrosecondArray};
use narrows_core::data::Table;
use narrows_core::detect::Reason;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Preset, Recipe, TableModel, TabularModel};

use crate::support::fit_with;

const MINUTE: i64 = 60_000_000;
const PLANTS: [&str; 3] = ["north", "south", "west"];

/// A machine: load, what follows from it, a count of faults, its plant, and the time of day.
#[derive(Clone)]
struct Machine {
    load: f64,
    heat: f64,
    noise: f64,
    faults: f64,
    plant: &'static str,
    grid: &'static str,
    minute: i64,
}

fn machines(n: usize, seed: u64) -> Vec<Machine> {
    let machine = |row: usize| {
        let mut stream = Stream::new(seed, Purpose::Demo, 0, row as u64);
        let mut normal = || f64::from(stream.normal());
        let load = 50.0 + 10.0 * normal();
        let (heat, noise) = (20.0 + 0.5 * load + normal(), 3.0 * normal());
        let plant = PLANTS[stream.below(3) as usize];
        let faults = f64::from(u8::from(stream.uniform() < 0.1)) + f64::from(u8::from(stream.uniform() < 0.05));
        let minute = i64::from(stream.below(30 * 24 * 60));
        let grid = if plant == "west" { "island" } else { "main" };
        Machine { load, heat: (10.0 * heat).round() / 10.0, noise, faults, plant, grid, minute }
    };
    (0..n).map(machine).collect()
}

fn table(rows: &[Machine]) -> Table {
    let numbers = |of: fn(&Machine) -> f64| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Float64Array>()) };
    let words = |of: fn(&Machine) -> &'static str| -> ArrayRef {
        Arc::new(rows.iter().map(of).map(Some).collect::<StringArray>())
    };
    let times: TimestampMicrosecondArray = rows.iter().map(|row| Some(row.minute * MINUTE)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("load", numbers(|row| row.load)),
        ("heat", numbers(|row| row.heat)),
        ("noise", numbers(|row| row.noise)),
        ("faults", numbers(|row| row.faults)),
        ("plant", words(|row| row.plant)),
        ("grid", words(|row| row.grid)),
        ("at", Arc::new(times)),
    ];
    Table::from_arrays(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect(), "made").unwrap()
}

static MODEL: LazyLock<TableModel> = LazyLock::new(|| {
    let mut recipe = Recipe::preset(Preset::Auto);
    for change in ["train.steps=400", "detect.references=1000", "backbone.code_size=64", "backbone.nodes=[64]"] {
        recipe.set(change).unwrap();
    }
    fit_with(&recipe, table(&machines(1500, 1)), 2).unwrap()
});

fn reasons(rows: &[Machine]) -> Vec<Vec<Reason>> {
    MODEL.explain(&table(rows), 3).unwrap().reasons
}

/// Rows of which one column each was moved, with its name.
fn moved(n: usize) -> (Vec<Machine>, Vec<&'static str>) {
    let mut rows = machines(n, 2);
    let change = |(i, row): (usize, &mut Machine)| match i % 5 {
        0 => {
            row.load += 60.0;
            "load"
        }
        1 => {
            row.heat -= 30.0;
            "heat"
        }
        2 => {
            row.noise += 18.0;
            "noise"
        }
        3 => {
            row.faults = 5.0;
            "faults"
        }
        _ => {
            row.grid = if row.plant == "west" { "main" } else { "island" };
            "grid"
        }
    };
    let names = rows.iter_mut().enumerate().map(change).collect();
    (rows, names)
}

#[test]
fn the_column_that_was_moved_is_told_first() {
    let (rows, names) = moved(200);
    // A grid that does not fit its plant is a plant that does not fit its grid.
    let one = |column: &str| if column == "plant" { "grid".to_owned() } else { column.to_owned() };
    let first = |reasons: &Vec<Reason>| reasons.first().map_or_else(String::new, |reason| one(&reason.column));
    let told: Vec<String> = reasons(&rows).iter().map(first).collect();
    for column in ["load", "heat", "noise", "faults", "grid"] {
        let of_column = || told.iter().zip(&names).filter(|(_, name)| **name == column);
        let right = of_column().filter(|(told, name)| *told == *name).count();
        assert!(right >= 35, "{column}: first in {right} of {} rows", of_column().count());
    }
}

#[test]
fn a_time_is_not_to_blame_for_a_spike() {
    let (rows, names) = moved(200);
    let spikes = reasons(&rows).into_iter().zip(names).filter(|(_, name)| *name != "grid");
    assert!(spikes.into_iter().all(|(reasons, _)| reasons[0].column != "at"));
}

#[test]
fn what_is_as_expected_is_no_reason_and_shares_fall() {
    let (rows, _) = moved(100);
    for reasons in reasons(&rows).iter().chain(&reasons(&machines(100, 3))) {
        assert!(reasons.iter().all(|reason| reason.expected != reason.got && reason.share > 0.0), "{reasons:?}");
        assert!(reasons.windows(2).all(|pair| pair[0].share >= pair[1].share), "{reasons:?}");
    }
}

#[test]
fn what_is_told_first_is_farthest_in_its_own_spread() {
    let train = machines(1500, 1);
    let spread = |of: fn(&Machine) -> f64| {
        let mean = train.iter().map(of).sum::<f64>() / train.len() as f64;
        (train.iter().map(|row| (of(row) - mean).powi(2)).sum::<f64>() / train.len() as f64).sqrt()
    };
    let spreads = [
        ("load", spread(|row| row.load)),
        ("heat", spread(|row| row.heat)),
        ("noise", spread(|row| row.noise)),
        ("faults", spread(|row| row.faults)),
    ];
    let (rows, _) = moved(100);
    for reasons in reasons(&rows) {
        let distance = |reason: &Reason| {
            let (_, spread) = spreads.iter().find(|(name, _)| *name == reason.column)?;
            let number = |text: &str| text.parse::<f64>().unwrap();
            Some((number(&reason.got) - number(&reason.expected)).abs() / spread)
        };
        let distances: Vec<f64> = reasons.iter().filter_map(distance).collect();
        // Numbers are told to some digits.
        assert!(distances.windows(2).all(|pair| pair[0] > pair[1] - 0.02), "{reasons:?}");
    }
}

#[test]
fn counts_are_told_as_counts_and_levels_as_levels() {
    let (rows, _) = moved(100);
    let told: Vec<Reason> = reasons(&rows).into_iter().chain(reasons(&machines(100, 3))).flatten().collect();
    let expected = |column: &str| -> Vec<String> {
        told.iter().filter(|reason| reason.column == column).map(|reason| reason.expected.clone()).collect()
    };
    let faults = expected("faults");
    assert!(faults.len() > 20 && faults.iter().all(|x| ["0", "1", "2"].contains(&x.as_str())), "{faults:?}");
    let plants = expected("plant").into_iter().chain(expected("grid"));
    assert!(
        plants.into_iter().all(|word| PLANTS.contains(&word.as_str()) || ["main", "island"].contains(&word.as_str()))
    );
    // One decimal, as in the training rows.
    assert!(expected("heat").iter().all(|x| (10.0 * x.parse::<f64>().unwrap()).fract().abs() < 1e-6));
}
