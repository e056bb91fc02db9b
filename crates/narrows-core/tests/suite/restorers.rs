//! What the library promises of models of images, restorers and those with a code.

use std::sync::Arc;

use narrows_core::images::{Album, Channels, Image, Limits, Photo, Store};
use narrows_core::recipe::DataKind;
use narrows_core::{Dataset, ImageModel, ImageRoles, Model, Preset, Recipe, Restorer, demo, fit};

use crate::support::{compute, session, to_bytes};

/// Small parts of drawn scenes.
fn scenes(n: usize, side: usize, channels: Channels) -> Store {
    let scene = |i: usize| demo::scene(i, 5).crop(40, 8 * (i % 5), side, side).to_channels(channels);
    let album = Album::of("scenes", (0..n).map(|i| (format!("{i}"), scene(i))).collect()).unwrap();
    Store::take(album, 0).unwrap()
}

/// The preset, training for a moment only.
fn recipe(preset: Preset, changes: &[&str]) -> Recipe {
    let mut recipe = Recipe::preset_for(preset, DataKind::Images);
    changes.iter().for_each(|change| recipe.set(change).unwrap());
    recipe
}

fn restoring(damage: &str) -> Recipe {
    let small =
        ["backbone.channels=8", "backbone.blocks=1", "backbone.patch=16", "train.batch_size=4", "train.steps=15"];
    let mut recipe = recipe(Preset::Restore, &small);
    recipe.corrupt(damage).unwrap();
    recipe
}

fn restorer(damage: &str, threads: usize) -> Restorer {
    fit(&restoring(damage), scenes(6, 32, Channels::Rgb), &session(threads)).unwrap().into_restorer().unwrap()
}

const DAMAGES: [&str; 6] =
    ["gaussian:25", "grayscale", "downscale:2", "blocks:0.2,blur:1", "blocks:0.1:4px", "masking:0.3:any"];

#[test]
fn a_restorer_is_the_same_on_any_number_of_threads_and_so_is_what_it_restores() {
    for damage in DAMAGES {
        let one = restorer(damage, 1);
        let damaged = demo::scene(9, 5).crop(0, 0, 45, 71);
        let expected = one.restore(&damaged);
        for threads in [2, 3] {
            assert!(restorer(damage, threads) == one, "{damage} on {threads} threads: another model");
            assert!(
                one.clone().with_compute(&compute(threads)).restore(&damaged) == expected,
                "{damage} on {threads} threads"
            );
        }
    }
}

#[test]
fn a_saved_restorer_restores_the_same() {
    for damage in DAMAGES {
        let fitted = restorer(damage, 2);
        let bytes = to_bytes(&fitted);
        let loaded = Model::from_bytes(&bytes).unwrap().into_restorer().unwrap();
        let damaged = demo::scene(3, 5);
        assert!(loaded.restore(&damaged) == fitted.restore(&damaged), "{damage}");
        assert!(to_bytes(&loaded) == bytes, "{damage}: other bytes when saved again");
    }
}

/// Mean squared error over the pixels that are lost, or over the others.
fn error(truth: &Image, image: &Image, lost: &[bool], of_lost: bool) -> f64 {
    let pairs = truth.pixels.iter().zip(&image.pixels).enumerate().filter(|(i, _)| lost[i / 3] == of_lost);
    let errors: Vec<f64> = pairs.map(|(_, (a, b))| f64::from(a - b).powi(2)).collect();
    errors.iter().sum::<f64>() / errors.len() as f64
}

#[test]
fn holes_of_any_colour_are_found_and_filled() {
    let mut recipe = restoring("blocks:0.1:6px");
    ["backbone.patch=32", "train.steps=150", "train.batch_size=8", "backbone.channels=16"]
        .iter()
        .for_each(|change| recipe.set(change).unwrap());
    let model = fit(&recipe, scenes(12, 48, Channels::Rgb), &session(2)).unwrap().into_restorer().unwrap();
    assert_eq!(model.damages().to_string(), "blocks:0.1:6px:any");
    let truth = demo::scene(30, 5).crop(30, 8, 64, 64);
    let lost: Vec<bool> = (0..64 * 64).map(|at| (at / 64) % 16 < 6 && (at % 64) % 16 < 6).collect();
    for colour in [[0.0; 3], [1.0; 3], [0.8, 0.1, 0.2]] {
        let mut holed = truth.clone();
        let pixels = holed.pixels.chunks_exact_mut(3).zip(&lost);
        pixels.filter(|(_, lost)| **lost).for_each(|(pixel, _)| pixel.copy_from_slice(&colour));
        let before = error(&truth, &holed, &lost, true);
        let found = error(&truth, &model.restore(&holed), &lost, true);
        // Of other colours a network of 150 steps is not sure that they are holes.
        let is_extreme = colour[0] == colour[1];
        assert!(found < if is_extreme { before / 2.0 } else { before }, "{colour:?}: {before} to {found}");
        let told = model.fill(&holed, &lost).unwrap();
        let filled = error(&truth, &told, &lost, true);
        assert!(filled < before / 8.0, "{colour:?}: {before} to {filled}");
        assert_eq!(error(&truth, &told, &lost, false), 0.0);
    }
    // Where nothing is flat, nothing is changed.
    let mut rough = truth.clone();
    rough.pixels.iter_mut().enumerate().for_each(|(i, x)| *x = 0.9 * *x + 0.05 * ((i / 3) % 2) as f32);
    assert!(model.restore(&rough) == rough);
    assert!(restorer("gaussian:25", 1).fill(&truth, &lost).is_none(), "a model that knows of no holes");
}

#[test]
fn holes_of_one_colour_are_filled_by_a_mask_whatever_theirs_is() {
    let model = restorer("blocks:0.1:6px:grey", 1);
    let truth = demo::scene(30, 5).crop(40, 8, 40, 40);
    let lost: Vec<bool> = (0..1600).map(|at| at % 7 == 0).collect();
    let of = |colour: f32| {
        let mut holed = truth.clone();
        let pixels = holed.pixels.chunks_exact_mut(3).zip(&lost);
        pixels.filter(|(_, lost)| **lost).for_each(|(pixel, _)| pixel.fill(colour));
        model.fill(&holed, &lost).unwrap()
    };
    assert!(of(0.0) == of(1.0));
    assert_eq!(error(&truth, &of(0.0), &lost, false), 0.0);
}

#[test]
fn a_damaged_restorer_file_is_refused() {
    let bytes = to_bytes(&restorer("gaussian:25", 2));
    for length in (0..bytes.len()).step_by(197).chain([0, 1, 7, 8, 9, bytes.len() - 1]) {
        assert!(Model::from_bytes(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
    for at in (0..bytes.len()).step_by(131) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(Model::from_bytes(&damaged).is_err(), "byte {at}");
    }
    assert!(Model::from_bytes(&bytes).unwrap().into_images().is_err(), "a restorer has no code");
}

#[test]
fn restored_images_are_images_of_the_size_that_was_promised() {
    for damage in DAMAGES {
        let restorer = restorer(damage, 2);
        for (height, width) in [(1, 1), (1, 30), (5, 2), (33, 17)] {
            for channels in [Channels::Grey, Channels::Rgb] {
                let damaged = demo::scene(2, 5).crop(30, 30, height, width).to_channels(channels);
                let restored = restorer.restore(&damaged);
                let scale = restorer.scale();
                assert_eq!((restored.height, restored.width), (height * scale, width * scale), "{damage}");
                assert!(restored.pixels.iter().all(|value| (0.0..=1.0).contains(value)), "{damage}");
            }
        }
    }
}

fn coder(changes: &[&str], threads: usize) -> ImageModel {
    let small = ["backbone.channels=[4,8]", "backbone.code_size=6", "train.epochs=2"];
    let recipe = recipe(Preset::Conv, &[&small, changes].concat());
    fit(&recipe, scenes(14, 24, Channels::Rgb), &session(threads)).unwrap().into_images().unwrap()
}

const VIEWS: [&[&str]; 2] = [&[], &["data.view=pieces", "data.side=12", "data.corrupt=\"gaussian:10\""]];

#[test]
fn a_model_with_a_code_keeps_the_contract_on_images() {
    let images: Vec<Image> = (20..29).map(|i| demo::scene(i, 5).crop(i, 20, 24 + i % 3, 24)).collect();
    for changes in VIEWS {
        let fitted = coder(changes, 2);
        let bytes = to_bytes(&fitted);
        assert!(bytes == to_bytes(&coder(changes, 2)), "{changes:?}: same seed, other bits");
        assert!(bytes == to_bytes(&coder(changes, 1)), "{changes:?}: other bits on one thread");

        let scores = fitted.score(&images, true);
        let serial = fitted.clone().with_compute(&compute(1));
        for (image, score) in images.iter().zip(&scores) {
            let alone = serial.score(std::slice::from_ref(image), true);
            assert!(alone[0] == *score, "{changes:?}: an image alone and among others");
            assert_eq!(score.heat.len(), image.height * image.width);
            assert!(score.score.is_finite() && (0.0..=1.0).contains(&score.p_value));
        }
        let loaded = Model::from_bytes(&bytes).unwrap().into_images().unwrap();
        assert!(loaded.score(&images, true) == scores, "{changes:?}: saved and loaded");
        assert!(to_bytes(&loaded) == bytes, "{changes:?}: other bytes when saved again");
        let rebuilt: Vec<Image> = images.iter().map(|image| fitted.reconstruct(image)).collect();
        assert!(rebuilt.iter().zip(&images).all(|(a, b)| (a.height, a.width) == (b.height, b.width)));
        assert!(images.iter().zip(&rebuilt).all(|(image, rebuilt)| loaded.reconstruct(image) == *rebuilt));
    }
}

#[test]
fn too_few_images_are_refused_in_words() {
    let recipe = recipe(Preset::Conv, &["train.epochs=1"]);
    let few = fit(&recipe, scenes(9, 16, Channels::Grey), &session(1)).unwrap_err();
    assert!(few.to_string().contains("expected at least 10 normal images to fit, got 9"), "{few}");
}

#[test]
fn images_without_differences_are_fitted_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..12 {
        let flat = Image::filled(8, 8, Channels::Grey, 0.5);
        Photo::from(flat).write(folder.path().join(format!("{i}.png"))).unwrap();
    }
    let store = Arc::new(Store::take(Album::open(folder.path(), &Limits::default()).unwrap(), u64::MAX).unwrap());
    let recipe = recipe(Preset::Conv, &["backbone.channels=[4]", "backbone.code_size=2", "train.epochs=2"]);
    let dataset = Dataset::images(store.clone(), ImageRoles::default());
    let fitted = fit(&recipe, dataset, &session(1)).unwrap();
    let loaded = Model::from_bytes(&fitted.to_bytes()).unwrap().into_images().unwrap();
    assert!(loaded.evaluate_reconstruction(&store).unwrap().pca.psnr.is_finite());
}
