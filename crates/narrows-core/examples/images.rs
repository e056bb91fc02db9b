//! Defects in images: fit a convolutional autoencoder to images of good parts, score a chipped one, locate the defect.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::error::Error;

use narrows_core::demo::{PART_SIDE, part};
use narrows_core::images::{Album, Photo, Store};
use narrows_core::recipe::DataKind;
use narrows_core::{Preset, Recipe, Session, fit};

fn main() -> Result<(), Box<dyn Error>> {
    // Images in memory; a folder of files is opened by `Album::open`.
    let good = (0..120).map(|i| (format!("part {i}"), part(i, false, 7).image)).collect();
    let images = Store::take(Album::of("good parts", good)?, 0)?;

    let mut recipe = Recipe::preset_for(Preset::Conv, DataKind::Images);
    for change in
        ["train.steps=300", "train.epochs=1000", "train.batch_size=8", "backbone.channels=[8,16,32]", "loss=mse"]
    {
        recipe.set(change)?;
    }
    let model = fit(&recipe, images, &Session::default())?.into_images()?;
    println!("fitted to 120 good parts; threshold {:.2}", model.threshold());

    // Parts that did not train, the last one with a chip of 12 x 12 pixels out of it.
    let (fresh, mut spoilt) = (part(500, false, 7), part(501, false, 7));
    let is_chipped = |y: usize, x: usize| (30..42).contains(&y) && (30..42).contains(&x);
    let width = PART_SIDE * spoilt.image.channels.count();
    for (i, pixel) in spoilt.image.pixels.iter_mut().enumerate() {
        if is_chipped(i / width, i % width / spoilt.image.channels.count()) {
            *pixel = 0.0;
        }
    }
    let images = [fresh.image, spoilt.image];
    let scores = model.score(&images, true);
    for (name, score) in ["good part", "spoilt part"].iter().zip(&scores) {
        println!("{name}: score {:.2}, p-value {:.3}, anomaly: {}", score.score, score.p_value, score.is_anomaly);
    }

    // The heat map has the error of each pixel.
    let heat = &scores[1].heat;
    let hottest = (0..heat.len()).max_by(|a, b| heat[*a].total_cmp(&heat[*b])).unwrap_or(0);
    println!(
        "hottest pixel of the spoilt part: row {}, column {}; inside the defect: {}",
        hottest / PART_SIDE,
        hottest % PART_SIDE,
        is_chipped(hottest / PART_SIDE, hottest % PART_SIDE)
    );
    let path = std::env::temp_dir().join("narrows-example-heat.png");
    Photo::from(model.heat_map(&images[1], &scores[1])).write(&path)?;
    println!("heat map: {}", path.display());
    Ok(())
}
