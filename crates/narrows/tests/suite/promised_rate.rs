//! The promise of a threshold: no more false alarms on fresh normal rows than it says.

use narrows::{Preset, Recipe, Threads};

use crate::support::{fit_with, read, shared_data, sheet};

/// The share of fresh rows called anomalous must lie in the 95 % binomial interval around the promised rate, pooled
/// over splits: one split's rate also varies with the few calibration rows at its threshold.
fn check_rate(name: &str, called: usize, n: usize, rate: f64) {
    let deviation = 1.96 * (rate * (1.0 - rate) / n as f64).sqrt();
    let found = called as f64 / n as f64;
    eprintln!("{name}: {called} of {n} called, {found:.4}; promised {rate} +- {deviation:.4}");
    assert!((found - rate).abs() <= deviation, "{name}: {found:.4} is outside {rate} +- {deviation:.4}");
}

fn recipe(rate: f64, seed: u64) -> Recipe {
    let mut recipe = Recipe::preset(Preset::Simple);
    recipe.seed = seed;
    for change in ["train.steps=300", "detect.calibration=0.5", &format!("detect.threshold={{ rule = \"false_alarm_rate\", rate = {rate} }}")] {
        recipe.set(change).unwrap();
    }
    recipe
}

#[test]
fn on_made_data() {
    let (mut called, mut n) = (0, 0);
    for seed in 0..20 {
        let fitted = fit_with(&recipe(0.05, seed), sheet(1500, seed), 1).unwrap();
        let scores = fitted.score(&sheet(500, 100 + seed), &Threads::serial()).unwrap();
        called += scores.is_anomaly.iter().filter(|a| **a).count();
        n += 500;
    }
    check_rate("sheet", called, n, 0.05);
}
