//! A recipe of one's own: typed fields, TOML and back, the error for a misspelt field, a fit.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::error::Error;

use narrows_core::data::Table;
use narrows_core::detect::{Detect, Threshold, Weighting};
use narrows_core::model::backbone::Activation;
use narrows_core::model::{Backbone, Corruption, Dense, Norm};
use narrows_core::range::{Fraction, Positive, Rate};
use narrows_core::train::{Schedule, Train};
use narrows_core::{Choice, Model, Preset, Recipe, Session, TabularModel, fit};

fn main() -> Result<(), Box<dyn Error>> {
    // What is not named comes from the preset. Numbers with a range are checked when they are made.
    let deep = Recipe::preset(Preset::Deep);
    let recipe = Recipe {
        seed: 11,
        backbone: Backbone::Dense(Dense {
            nodes: Choice::Given(vec![32, 16]),
            code_size: Choice::Given(2),
            activation: Activation::Gelu,
            norm: Norm::Layer,
            ..Dense::default()
        }),
        corruption: Corruption::Gaussian { sigma: Positive::try_from(0.2)? },
        train: Train {
            steps: 600,
            learning_rate: Positive::try_from(3e-3)?,
            schedule: Schedule::Cosine { warm_up: Fraction::try_from(0.1)? },
            ..deep.train
        },
        detect: Detect {
            weighting: Weighting::Calibrated,
            threshold: Threshold::FalseAlarmRate { rate: Rate::try_from(0.05)? },
            ..deep.detect
        },
        ..deep
    };
    recipe.check()?;

    // The text holds every field, so it is the same recipe when read again.
    let text = recipe.to_toml();
    println!("{text}");
    let read = Recipe::from_toml(&text)?;
    println!("read again, it is the same recipe: {}", read == recipe);
    if let Err(error) = Recipe::from_toml("preset = \"deep\"\n[train]\nbatchsize = 32") {
        println!("a misspelt field: {error} ({})", error.hint_text().unwrap_or_default());
    }

    // The same recipe, the same data: the same model to the last bit.
    let wave = |speed: f64| (0..500).map(|i| (f64::from(i) * speed).sin()).collect::<Vec<f64>>();
    let table = Table::from_columns(vec![("a", wave(0.11)), ("b", wave(0.22)), ("c", wave(0.33))])?;
    let model = fit(&recipe, table.clone(), &Session::default())?.into_table()?;
    let twin = fit(&read, table, &Session::default())?;
    println!("fitted again, it is the same model: {}", twin == Model::from(model.clone()));
    let odd = Table::from_columns(vec![("a", vec![0.9]), ("b", vec![-3.0]), ("c", vec![0.1])])?;
    println!("an odd row scores {:.1}, threshold {:.1}", model.score(&odd)?.score[0], model.threshold());
    Ok(())
}
