//! Denoising: fit a restorer to clean images and the damage that it is to undo, restore a damaged image.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::error::Error;

use narrows_core::demo::scene;
use narrows_core::images::compare::psnr;
use narrows_core::images::{Album, Store};
use narrows_core::model::{Backbone, Restore};
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Preset, Recipe, Session, fit};

fn main() -> Result<(), Box<dyn Error>> {
    // Clean images; the damage is drawn anew for each training step.
    let clean = (0..24).map(|i| (format!("scene {i}"), scene(i, 5))).collect();
    let images = Store::take(Album::of("scenes", clean)?, 0)?;

    let mut recipe = Recipe::preset(Preset::Restore);
    recipe.corrupt("gaussian:25")?;
    recipe.backbone = Backbone::Restore(Restore { channels: 16, blocks: 2, patch: 24, ..Restore::default() });
    recipe.train.steps = 1000;
    recipe.train.epochs = 10_000;
    recipe.train.patience = 100;
    recipe.set("train.learning_rate=0.005")?;
    let restorer = fit(&recipe, images, &Session::default())?.into_restorer()?;

    // A scene that did not train, with noise of a standard deviation of 25 of 255 levels.
    let truth = scene(100, 5);
    let damaged = restorer.damages().ready()?.apply(&truth, &mut Stream::new(1, Purpose::Demo, 0, 0));
    let restored = restorer.restore(&damaged);
    println!("PSNR of the noisy image:    {:.1} dB", psnr(&truth, &damaged.clone().clipped()));
    println!("PSNR of the restored image: {:.1} dB", psnr(&truth, &restored));

    // The same for a set of images, beside a classical method.
    let held_out = (200..208).map(|i| (format!("scene {i}"), scene(i, 5))).collect();
    let means = restorer.evaluate(&Store::take(Album::of("held out", held_out)?, 0)?)?.means;
    println!(
        "mean of 8 others: noisy {:.1} dB, restored {:.1} dB, {} {:.1} dB",
        means.input.psnr, means.restored.psnr, means.baseline.name, means.baseline.similarity.psnr
    );
    Ok(())
}
