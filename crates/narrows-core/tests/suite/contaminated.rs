//! Fits to unlabelled rows with a cluster of anomalies among them, which are then scored themselves.

use narrows_core::data::Table;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Preset, Recipe, TabularModel};

use crate::support::{fit_with, hurried};

const NORMAL: usize = 600;
const CLUSTER: usize = 24;
const COLUMNS: usize = 6;

/// Rows of three clusters, and last a tight cluster far away.
fn rows(seed: u64) -> Table {
    let mut columns = vec![Vec::new(); COLUMNS];
    for row in 0..NORMAL + CLUSTER {
        let mut stream = Stream::new(seed, Purpose::Demo, 0, row as u64);
        for (j, column) in columns.iter_mut().enumerate() {
            let (centre, spread) =
                if row < NORMAL { (4.0 * ((row + j) % 3) as f64, 1.0) } else { (25.0 - j as f64, 0.05) };
            column.push(centre + spread * f64::from(stream.normal()));
        }
    }
    Table::from_columns(columns.into_iter().enumerate().map(|(j, column)| (format!("x{j}"), column)).collect()).unwrap()
}

/// The share of pairs of a normal row and one of the cluster in which the latter scores higher.
fn auc(changes: &[&str], seed: u64) -> f64 {
    let mut recipe = hurried(Recipe::preset(Preset::Auto));
    recipe.seed = seed;
    for change in changes.iter().chain(&["detect.references=5000"]) {
        recipe.set(change).unwrap();
    }
    let table = rows(seed);
    let scores = fit_with(&recipe, table.clone(), 1).unwrap().score(&table).unwrap().score;
    let (normal, cluster) = scores.split_at(NORMAL);
    let below = cluster.iter().map(|score| normal.iter().filter(|normal| *normal < score).count()).sum::<usize>();
    below as f64 / (NORMAL * CLUSTER) as f64
}

#[test]
fn a_cluster_of_anomalies_does_not_hide_itself() {
    for seed in 0..3 {
        let (both, global) = (auc(&[], seed), auc(&["train.contamination=0.05"], seed));
        let local = auc(&["detect.scope=local"], seed);
        assert!(both > 0.99 && global > 0.99 && local < 0.5, "{both} {global} {local}");
    }
}
