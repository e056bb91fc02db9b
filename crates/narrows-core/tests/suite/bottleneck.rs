//! What the bottleneck buys is measured, and a network that copies is told so.

use narrows_core::data::Table;
use narrows_core::report::Bottleneck;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Preset, Recipe};

use crate::support::{fit_with, quick, sheet};

/// `n` rows of six normal numbers that have nothing to do with each other.
fn noise(n: usize) -> Table {
    let column = |j: usize| {
        let value = |row| f64::from(Stream::new(9, Purpose::Demo, j as u64, row as u64).normal());
        (format!("x{j}"), (0..n).map(value).collect::<Vec<f64>>())
    };
    Table::from_columns((0..6).map(column).collect::<Vec<_>>()).unwrap()
}

fn recipe(changes: &[&str]) -> Recipe {
    let mut recipe = Recipe::preset(Preset::Deep);
    let common = ["train.steps=1500", "train.batch_size=64", "train.learning_rate=0.003", "train.patience=0"];
    common.iter().chain(changes).for_each(|change| recipe.set(change).unwrap());
    recipe
}

fn bottleneck(recipe: &Recipe, table: Table) -> Bottleneck {
    fit_with(recipe, table, 2).unwrap().report().bottleneck.unwrap()
}

#[test]
fn an_overcomplete_network_without_restraint_copies_pure_noise_and_is_told_so() {
    let wide = bottleneck(&recipe(&["backbone.code_size=24", "backbone.nodes=[48]"]), noise(600));
    assert!(wide.copies() && wide.noise_passed > 0.95, "{wide:?}");
    assert!(wide.unexplained < 0.05 && wide.pca_unexplained.is_none(), "{wide:?}");
    assert!(
        wide.describe().ends_with("of noise variance reconstructed: the network learnt the identity"),
        "{}",
        wide.describe()
    );
}

#[test]
fn a_narrow_code_does_not_copy_noise() {
    let narrow = bottleneck(&recipe(&["backbone.code_size=2", "backbone.nodes=[48]"]), noise(600));
    assert!(!narrow.copies() && narrow.noise_passed < 0.6, "{narrow:?}");
    assert!(!narrow.describe().contains("copies"), "{}", narrow.describe());
    assert_eq!((narrow.code_size, narrow.active_units), (2, 2));
}

#[test]
fn a_wide_code_held_back_by_strong_noise_lets_less_noise_through_than_one_that_is_not() {
    let wide = ["backbone.code_size=24", "backbone.nodes=[48]"];
    let free = bottleneck(&recipe(&wide), sheet(800, 1));
    let held =
        bottleneck(&recipe(&[&wide[..], &["corruption={ kind = \"swap\", rate = 0.4 }"]].concat()), sheet(800, 1));
    assert!(held.noise_passed < free.noise_passed - 0.1, "{held:?} {free:?}");
}

#[test]
fn on_a_curved_sheet_two_units_are_beyond_pca() {
    let found = bottleneck(&recipe(&["backbone.code_size=2", "backbone.nodes=[48, 24]"]), sheet(1500, 1));
    assert!(found.unexplained < found.pca_unexplained.unwrap(), "{found:?}");
}

#[test]
fn every_preset_and_thread_count_says_the_same_of_the_bottleneck() {
    for preset in [Preset::Auto, Preset::Simple, Preset::Sparse, Preset::Variational] {
        let of = |threads| fit_with(&quick(preset), sheet(200, 1), threads).unwrap().report().bottleneck.unwrap();
        let one = of(1);
        assert_eq!(one, of(3), "{preset}");
        assert!(one.unexplained.is_finite() && (0.0..=1.0).contains(&one.noise_passed), "{preset}: {one:?}");
        assert!(one.active_units <= one.code_size, "{preset}: {one:?}");
    }
}
