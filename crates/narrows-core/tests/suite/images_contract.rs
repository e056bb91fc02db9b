//! What every kind of autoencoder must do with images, seen whole and in pieces, grey and in colour. A new preset writes no
//! such tests; it is listed, and inherits them.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use narrows_core::detect::Threshold;
use narrows_core::detect::threshold::CHOICES;
use narrows_core::images::{Album, Channels, Image, Limits, Photo, Store};
use narrows_core::model::Backbone;
use narrows_core::recipe::DataKind;
use narrows_core::{Dataset, Encoder, ImageModel, ImageRoles, ImageScore, Model, Preset, Recipe, fit};

use crate::support::{check_resumes, compute, session, to_bytes};

/// Images of a store.
const IMAGES: usize = 24;

/// What the images of a store look like: in turn of each of the sizes.
#[derive(Debug, Clone, Copy)]
struct Look {
    channels: Channels,
    sizes: &'static [(usize, usize)],
}

const GREY: Look = Look { channels: Channels::Grey, sizes: &[(8, 10)] };
const RGB: Look = Look { channels: Channels::Rgb, sizes: &[(8, 8)] };
const GREY_OF_SIZES: Look = Look { channels: Channels::Grey, sizes: &[(8, 8), (12, 9), (10, 11)] };
const RGB_OF_SIZES: Look = Look { channels: Channels::Rgb, sizes: &[(12, 8), (9, 11)] };

impl Look {
    /// Image `i`: a faint spot that wanders over a slope.
    fn image(self, i: usize) -> Image {
        let (height, width) = self.sizes[i % self.sizes.len()];
        let centre = (1.0 + (i * 7 % 6) as f32, 1.0 + (i * 5 % 7) as f32);
        let pixel = |y: usize, x: usize, c: usize| {
            let distance = (y as f32 - centre.0).powi(2) + (x as f32 - centre.1).powi(2);
            0.4 + 0.01 * (x + y) as f32 + 0.03 * c as f32 + 0.1 * (-distance / 4.0).exp()
        };
        let c = self.channels.count();
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        let pixels = places.flat_map(|(y, x)| (0..c).map(move |c| pixel(y, x, c))).collect();
        Image::new(height, width, self.channels, pixels)
    }

    fn store(self, n: usize) -> Arc<Store> {
        let named = (0..n).map(|i| (format!("{i}"), self.image(i))).collect();
        Arc::new(Store::take(Album::of("spots", named).unwrap(), 0).unwrap())
    }

    /// Images that were not fitted to, one of each size at least.
    fn fresh(self, n: usize) -> Vec<Image> {
        (100..100 + n).map(|i| self.image(i)).collect()
    }
}

/// A chessboard: like no image that was fitted to.
fn odd(look: Look, i: usize) -> Image {
    let mut image = look.image(i);
    let (width, c) = (image.width, image.channels.count());
    for (place, pixel) in image.pixels.iter_mut().enumerate() {
        *pixel = ((place / c % width + place / c / width + i) % 2) as f32;
    }
    image
}

struct Case {
    name: String,
    look: Look,
    recipe: Recipe,
    model: ImageModel,
}

impl Case {
    fn new((name, look, recipe): (String, Look, Recipe)) -> Case {
        let model = fit_images(&recipe, look, 1).unwrap_or_else(|error| panic!("{name}: {error}"));
        Case { name, look, recipe, model }
    }

    /// Images to use the model on.
    fn fresh(&self) -> Vec<Image> {
        self.look.fresh(7)
    }

    /// Whether so few steps have left all codes the same, as a quantised code may be before it has grown.
    fn is_collapsed(&self) -> bool {
        let generated = self.model.generate(2, 0, 0);
        generated[0] == generated[1]
    }

    fn has_one_member(&self) -> bool {
        self.recipe.corruptions().len() == 1
    }
}

fn fit_images(recipe: &Recipe, look: Look, threads: usize) -> narrows_core::Result<ImageModel> {
    fit(recipe, Dataset::images(look.store(IMAGES), ImageRoles::default()), &session(threads))?.into_images()
}

/// A preset for images that trains for a moment only.
fn quick(preset: Preset, changes: &[&str]) -> Recipe {
    let mut recipe = Recipe::preset_for(preset, DataKind::Images);
    let small: &[&str] = match recipe.backbone {
        Backbone::Conv(_) => &["backbone.channels=[3,4]"],
        _ => &[],
    };
    let hurried = ["train.steps=20", "train.batch_size=8", "backbone.code_size=4", "detect.references=100"];
    hurried.iter().chain(small).chain(changes).for_each(|change| recipe.set(change).unwrap());
    recipe
}

/// Every preset that reads images and has a code, and points of the axes that no preset names.
fn recipes() -> Vec<(String, Look, Recipe)> {
    // A restorer has no code, and what is recurrent reads series.
    let presets = Preset::ALL.into_iter().filter(|preset| ![Preset::Restore, Preset::Seq2seq].contains(preset));
    let mut all: Vec<_> = presets.map(|preset| (preset.to_string(), GREY, quick(preset, &[]))).collect();
    let variants: [(Preset, Look, &[&str]); 16] = [
        (Preset::Conv, RGB, &[]),
        (Preset::Deep, RGB, &["latent=gaussian", "data.flips=true"]),
        (Preset::Conv, GREY_OF_SIZES, &["data.view=whole", "data.side=8"]),
        (Preset::Conv, GREY, &["data.view=pieces", "data.side=6"]),
        (Preset::Variational, RGB_OF_SIZES, &["data.view=pieces", "data.side=7"]),
        (Preset::Denoising, RGB_OF_SIZES, &["data.side=8", "data.flips=true", "data.turns=true"]),
        (Preset::Compressing, GREY_OF_SIZES, &["data.view=pieces", "data.side=8"]),
        (
            Preset::Compressing,
            RGB_OF_SIZES,
            &["backbone={ kind = \"lapped\", channels = 3, blocks = 1 }", "data.side=8"],
        ),
        (Preset::Conv, GREY, &["backbone.code={ kind = \"map\", channels = 2 }", "backbone.norm=batch"]),
        (Preset::Deep, GREY, &["latent=quantised", "loss=mae"]),
        (Preset::Deep, GREY, &["sparsity=kl"]),
        (Preset::Deep, GREY, &["members=[{ kind = \"none\" }, { kind = \"none\" }]"]),
        (Preset::Conv, GREY, &["data.channels=rgb", "detect.score=neighbour"]),
        (Preset::Deep, GREY, &["detect.score=mahalanobis", "train.contamination=0.1"]),
        (Preset::Deep, RGB, &["data.channels=grey", "detect.score=mix"]),
        (Preset::Conv, RGB, &["data.view=pieces", "data.side=5", "members=[{ kind = \"none\" }, { kind = \"none\" }]"]),
    ];
    for (preset, look, changes) in variants {
        all.push((format!("{preset} {look:?} {}", changes.join(" ")), look, quick(preset, changes)));
    }
    all
}

/// Fitted once for all tests.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| recipes().into_iter().map(Case::new).collect());

fn each(check: impl Fn(&Case)) {
    for case in CASES.iter() {
        eprintln!("{}", case.name);
        check(case);
    }
}

fn bits(scores: &[ImageScore]) -> Vec<u64> {
    scores.iter().map(|score| score.score.to_bits()).collect()
}

/// Scores, p-values, verdicts and heat, to the bit.
fn all_bits(scores: &[ImageScore]) -> Vec<(u64, u64, bool, Vec<u32>)> {
    let one = |score: &ImageScore| {
        let heat = score.heat.iter().map(|heat| heat.to_bits()).collect();
        (score.score.to_bits(), score.p_value.to_bits(), score.is_anomaly, heat)
    };
    scores.iter().map(one).collect()
}

fn form(image: &Image) -> (usize, usize, Channels) {
    (image.height, image.width, image.channels)
}

#[test]
fn views_channels_and_latents_of_all_kinds_are_listed() {
    let views: HashSet<bool> = CASES.iter().map(|case| case.model.sees_patches()).collect();
    assert_eq!(views.len(), 2);
    let channels: HashSet<&str> = CASES.iter().map(|case| case.model.generate(1, 0, 0)[0].channels.name()).collect();
    assert_eq!(channels.len(), 2);
    let gaussian = CASES.iter().filter(|case| Encoder::from(&case.model).is_gaussian()).count();
    assert!(gaussian >= 3 && gaussian < CASES.len());
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() {
    each(|case| {
        let one = to_bytes(&case.model);
        for threads in [2, 3, 5] {
            let bytes = to_bytes(&fit_images(&case.recipe, case.look, threads).unwrap());
            assert!(bytes == one, "{}: 1 and {threads} threads", case.name);
        }
    });
}

#[test]
fn another_seed_gives_another_model() {
    for (name, look, mut recipe) in recipes() {
        recipe.seed = 1;
        let other = fit_images(&recipe, look, 1).unwrap();
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        assert!(to_bytes(&other) != to_bytes(&case.model), "{name}");
        let image = look.image(100);
        assert!(case.is_collapsed() || other.reconstruct(&image) != case.model.reconstruct(&image), "{name}");
    }
}

#[test]
fn a_model_does_the_same_on_any_number_of_threads() {
    each(|case| {
        let images = case.fresh();
        let (a, b) = (&images[0], &images[case.look.sizes.len()]);
        let scores = all_bits(&case.model.score(&images, true));
        for threads in [2, 3, 5] {
            let shared = case.model.clone().with_compute(&compute(threads));
            assert!(all_bits(&shared.score(&images, true)) == scores, "{}: {threads} threads", case.name);
            assert!(shared.reconstruct(a) == case.model.reconstruct(a));
            assert_eq!(shared.encode(a), case.model.encode(a));
            assert!(shared.generate(4, 2, 8) == case.model.generate(4, 2, 8));
            assert!(shared.vary(a, 0.4, 3, 1) == case.model.vary(a, 0.4, 3, 1));
            assert!(shared.interpolate(a, b, 3).unwrap() == case.model.interpolate(a, b, 3).unwrap());
        }
    });
}

#[test]
fn an_image_scores_the_same_alone_in_a_batch_and_anywhere_in_it() {
    each(|case| {
        let images = case.look.fresh(30);
        let together = case.model.score(&images, true);
        for i in [0, 1, 13, 29] {
            let alone = case.model.score(&images[i..=i], true);
            assert!(all_bits(&alone) == all_bits(&together[i..=i]), "{}: image {i}", case.name);
        }
        let backwards: Vec<Image> = images.iter().rev().cloned().collect();
        let mut reversed = case.model.score(&backwards, true);
        reversed.reverse();
        assert!(all_bits(&reversed) == all_bits(&together), "{}", case.name);
        assert!(case.model.score(&[], true).is_empty());
    });
}

#[test]
fn scores_are_numbers_and_heat_has_the_size_of_its_image() {
    each(|case| {
        let images = [case.fresh(), vec![odd(case.look, 0), Image::filled(8, 10, case.look.channels, 0.0)]].concat();
        let (plain, heated) = (case.model.score(&images, false), case.model.score(&images, true));
        assert_eq!(bits(&plain), bits(&heated), "{}: heat changes the score", case.name);
        assert!(plain.iter().all(|score| score.heat.is_empty()));
        for (image, score) in images.iter().zip(&heated) {
            assert!(score.score.is_finite() && score.score > 0.0, "{}: {score:?}", case.name);
            assert!(score.p_value > 0.0 && score.p_value <= 1.0, "{}: {score:?}", case.name);
            assert_eq!(score.is_anomaly, score.score > case.model.threshold());
            assert_eq!(score.heat.len(), image.height * image.width, "{}", case.name);
            assert!(score.heat.iter().all(|heat| heat.is_finite()), "{}", case.name);
            let shown = case.model.heat_map(image, score);
            assert_eq!((shown.height, shown.width), (image.height, image.width));
            assert!(shown.pixels.iter().all(|pixel| (0.0..=1.0).contains(pixel)), "{}", case.name);
        }
    });
}

#[test]
fn images_like_no_other_score_above_ordinary_ones_and_are_hot() {
    each(|case| {
        let near = case.model.score(&case.look.fresh(20), true);
        let far = case.model.score(&[odd(case.look, 0), odd(case.look, 1)], true);
        let highest = near.iter().map(|score| score.score).fold(0.0, f64::max);
        assert!(far.iter().all(|score| score.score > highest), "{}: {highest}", case.name);
        let mean = |score: &ImageScore| score.heat.iter().sum::<f32>() / score.heat.len() as f32;
        let warmest = near.iter().map(mean).fold(0.0, f32::max);
        assert!(far.iter().all(|score| mean(score) > warmest), "{}: {warmest}", case.name);
    });
}

#[test]
fn saved_and_loaded_it_does_the_same_to_the_bit_and_saves_the_same_bytes() {
    each(|case| {
        let bytes = to_bytes(&case.model);
        let loaded = Model::from_bytes(&bytes).unwrap().into_images().unwrap();
        assert!(to_bytes(&loaded) == bytes, "{}: other bytes when saved again", case.name);
        assert!(loaded == case.model, "{}", case.name);
        let images = case.fresh();
        assert!(all_bits(&loaded.score(&images, true)) == all_bits(&case.model.score(&images, true)), "{}", case.name);
        assert!(images.iter().all(|image| loaded.reconstruct(image) == case.model.reconstruct(image)));
        assert!(images.iter().all(|image| loaded.encode(image) == case.model.encode(image)));
        assert!(loaded.generate(3, 0, 1) == case.model.generate(3, 0, 1));
    });
}

#[test]
fn a_cut_and_resumed_training_gives_the_same_bytes() {
    each(|case| {
        let store = case.look.store(IMAGES);
        let dataset = Dataset::images(Arc::clone(&store), ImageRoles::default());
        check_resumes(&case.name, &case.recipe, &dataset, &to_bytes(&case.model));
    });
}

#[test]
fn every_rule_moves_the_verdicts_and_nothing_else() {
    each(|case| {
        let images = [case.fresh(), vec![odd(case.look, 0)]].concat();
        let before = case.model.score(&images, false);
        for rule in CHOICES {
            let threshold = rule.parse().unwrap();
            let moved = match case.model.clone().with_threshold(&threshold) {
                Ok(moved) => moved,
                Err(error) => {
                    assert_eq!(rule, "best_f1", "{}: {error}", case.name);
                    continue;
                }
            };
            assert_ne!(rule, "best_f1", "labels are not kept");
            assert_eq!((&moved.decision().rule, &moved.recipe().detect.threshold), (&threshold, &threshold));
            let after = moved.score(&images, false);
            assert_eq!(bits(&after), bits(&before), "{}: {rule}", case.name);
            assert!(after.iter().zip(&before).all(|(a, b)| a.p_value == b.p_value));
            assert!(after.iter().all(|score| score.is_anomaly == (score.score > moved.threshold())));
            let mut recipe = moved.recipe().clone();
            recipe.detect.threshold = case.recipe.detect.threshold.clone();
            assert_eq!(&recipe, case.model.recipe());
            let bytes = to_bytes(&moved);
            let loaded = Model::from_bytes(&bytes).unwrap().into_images().unwrap();
            assert_eq!(loaded.threshold().to_bits(), moved.threshold().to_bits());
            // Back to the rule it was fitted with, it is the model it was.
            let back = moved.with_threshold(&case.recipe.detect.threshold).unwrap();
            assert!(back == case.model, "{}: {rule} and back", case.name);
        }
        let calls = |rule: &str| {
            let moved = case.model.clone().with_threshold(&rule.parse().unwrap()).unwrap();
            moved.score(&images, false).iter().filter(|score| score.is_anomaly).count()
        };
        assert!(calls("quantile=0.01") > calls("fixed=1e9"), "{}", case.name);
        assert_eq!(calls("fixed=1e-9"), images.len(), "{}", case.name);
    });
}

#[test]
fn a_model_fitted_with_a_rule_is_one_moved_to_it() {
    for rule in ["quantile=0.5", "mean_std=2", "max", "fixed=3.2"] {
        let mut recipe = quick(Preset::Conv, &[]);
        recipe.detect.threshold = rule.parse().unwrap();
        let fitted = fit_images(&recipe, GREY, 1).unwrap();
        let case = CASES.iter().find(|case| case.name == "conv").unwrap();
        let moved = case.model.clone().with_threshold(&recipe.detect.threshold).unwrap();
        assert_eq!(fitted.threshold().to_bits(), moved.threshold().to_bits(), "{rule}");
        assert_eq!(fitted.decision(), moved.decision(), "{rule}");
    }
}

#[test]
fn images_are_rebuilt_in_their_own_size_and_channels() {
    each(|case| {
        for (i, channels) in [Channels::Grey, Channels::Rgb].into_iter().enumerate() {
            for (height, width) in [(8, 10), (3, 17), (1, 1)] {
                let image = case.look.image(i).resized(height, width, narrows_core::images::Filter::Bicubic).clipped();
                let rebuilt = case.model.reconstruct(&image.to_channels(channels));
                assert_eq!(form(&rebuilt), (height, width, channels), "{}", case.name);
                assert!(rebuilt.pixels.iter().all(|pixel| (0.0..=1.0).contains(pixel)), "{}", case.name);
            }
        }
    });
}

#[test]
fn a_batch_gives_what_its_images_give_alone_to_the_bit() {
    each(|case| {
        let images = [case.fresh(), vec![odd(case.look, 0)]].concat();
        let alone = |of: &dyn Fn(&Image) -> Image| images.iter().map(of).collect::<Vec<_>>();
        assert!(
            case.model.reconstruct_batch(&images) == alone(&|image| case.model.reconstruct(image)),
            "{}",
            case.name
        );
        let codes: Vec<_> = images.iter().map(|image| case.model.encode(image)).collect();
        assert!(case.model.encode_batch(&images) == codes, "{}", case.name);
        assert!(Encoder::from(&case.model).encode_batch(&images).unwrap() == codes, "{}", case.name);
        assert!(case.model.reconstruct_batch(&[]).is_empty() && case.model.encode_batch(&[]).is_empty());
    });
}

#[test]
fn codes_have_their_width_and_decode_to_samples() {
    each(|case| {
        let encoder = Encoder::from(&case.model);
        assert_eq!((encoder.code_size(), encoder.sees_patches()), (case.model.code_size(), case.model.sees_patches()));
        for image in case.fresh() {
            let codes = case.model.encode(&image);
            assert!(codes.iter().all(|code| code.len() == case.model.code_size()), "{}", case.name);
            assert!(codes.iter().flatten().all(|unit| unit.is_finite()), "{}", case.name);
            assert_eq!(encoder.encode_image(&image).unwrap(), codes, "{}", case.name);
            let decoded = case.model.decode(&codes.concat());
            assert_eq!(decoded.len(), codes.len());
            assert!(decoded.iter().flat_map(|image| &image.pixels).all(|pixel| (0.0..=1.0).contains(pixel)));
            if case.model.sees_patches() {
                assert!(codes.len() > 1 || image.height.max(image.width) <= decoded[0].height, "{}", case.name);
                // A patch that is an image by itself has the same code.
                let corner = image.crop(0, 0, decoded[0].height, decoded[0].width);
                assert_eq!(case.model.encode(&corner)[0], codes[0], "{}", case.name);
            } else {
                assert_eq!(codes.len(), 1, "{}", case.name);
                if case.has_one_member() && form(&decoded[0]) == form(&image) {
                    assert!(decoded[0] == case.model.reconstruct(&image), "{}", case.name);
                }
            }
        }
    });
}

#[test]
fn codes_of_one_member_decode_to_the_reconstruction_somewhere() {
    let is_held = |case: &&Case| {
        let image = case.look.image(100);
        let sees_it_as_it_is = form(&case.model.generate(1, 0, 0)[0]) == form(&image);
        case.has_one_member() && !case.model.sees_patches() && sees_it_as_it_is
    };
    assert!(CASES.iter().filter(is_held).count() >= 10, "the comparison of the test before is not for nothing");
}

#[test]
fn generated_images_are_the_same_in_one_piece_or_in_many() {
    each(|case| {
        let whole = case.model.generate(6, 0, 9);
        assert!(whole == [case.model.generate(2, 0, 9), case.model.generate(4, 2, 9)].concat(), "{}", case.name);
        assert!(case.is_collapsed() || whole != case.model.generate(6, 0, 10), "{}", case.name);
        assert!(whole.iter().all(|image| form(image) == form(&whole[0])));
        assert!(whole.iter().flat_map(|image| &image.pixels).all(|pixel| (0.0..=1.0).contains(pixel)), "{}", case.name);
        assert!(case.model.generate(0, 0, 9).is_empty());
    });
}

#[test]
fn variations_begin_at_the_reconstruction_and_interpolations_end_at_both() {
    each(|case| {
        let (a, b) = (case.look.image(100), case.look.image(100 + case.look.sizes.len()));
        let rebuilt = |image: &Image| case.model.vary(image, 0.0, 1, 0);
        if case.has_one_member() {
            assert!(rebuilt(&a) == case.model.reconstruct(&a), "{}", case.name);
        }
        let varied = case.model.vary(&a, 0.5, 1, 0);
        assert_eq!(form(&varied), form(&a), "{}", case.name);
        assert!(varied == case.model.vary(&a, 0.5, 1, 0), "{}", case.name);
        assert!(case.is_collapsed() || varied != case.model.vary(&a, 0.5, 1, 1), "{}", case.name);
        let way = case.model.interpolate(&a, &b, 5).unwrap();
        assert!(way.len() == 5 && way[0] == rebuilt(&a) && way[4] == rebuilt(&b), "{}", case.name);
        let turned = Image::filled(a.width + 1, a.height, a.channels, 0.5);
        assert_eq!(case.model.interpolate(&a, &turned, 3).is_err(), case.model.sees_patches(), "{}", case.name);
        assert_eq!(case.model.manifold(2).is_err(), case.model.code_size() != 2, "{}", case.name);
    });
}

#[test]
fn a_manifold_has_the_form_of_a_sample_whatever_the_view() {
    for (look, changes) in [(GREY, &[][..]), (RGB, &["data.view=pieces", "data.side=6"])] {
        for latent in ["point", "gaussian", "quantised"] {
            let latent = format!("latent={latent}");
            let changes = [changes, &["backbone.code_size=2", &latent]].concat();
            let model = fit_images(&quick(Preset::Conv, &changes), look, 1).unwrap();
            let grid = model.manifold(3).unwrap();
            let sample = &model.generate(1, 0, 0)[0];
            assert!(grid.len() == 9 && grid.iter().all(|image| form(image) == form(sample)), "{changes:?}");
        }
    }
}

#[test]
fn reports_tell_what_was_fitted() {
    each(|case| {
        let report = case.model.report();
        let (name, found) = (&case.name, report.images.as_ref().unwrap());
        assert!(found.quality.model.psnr.is_finite() && found.quality.pca.psnr.is_finite(), "{name}");
        assert!(found.quality.negative_elbo.is_none() || Encoder::from(&case.model).is_gaussian(), "{name}");
        assert_eq!(found.stride.is_some(), case.model.sees_patches(), "{name}");
        assert!(report.generation.as_ref().unwrap().sheet.is_some(), "{name}");
        assert_eq!(report.training.len(), case.recipe.corruptions().len(), "{name}");
        assert!(report.detection.threshold.is_finite() && report.bottleneck.is_some(), "{name}");
        let store = case.look.store(5);
        let quality = case.model.evaluate_reconstruction(&store).unwrap();
        assert!(quality.model.psnr.is_finite() && quality.n == 5, "{name}: {quality:?}");
        let sheet = case.model.sheet(&store).unwrap();
        assert!(sheet.pixels.iter().all(|pixel| (0.0..=1.0).contains(pixel)), "{name}");
    });
}

/// Images in folders `good` and `bad`.
fn folders(look: Look) -> (tempfile::TempDir, impl Fn(u64) -> Arc<Store>) {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["good", "bad"] {
        std::fs::create_dir(folder.path().join(kind)).unwrap();
    }
    for i in 0..IMAGES + 6 {
        let (kind, image) = if i < IMAGES { ("good", look.image(i)) } else { ("bad", odd(look, i)) };
        Photo::from(image).write(folder.path().join(format!("{kind}/{i:02}.png"))).unwrap();
    }
    let path = folder.path().to_owned();
    let store = move |budget| Arc::new(Store::take(Album::open(&path, &Limits::default()).unwrap(), budget).unwrap());
    (folder, store)
}

#[test]
fn images_that_are_read_ahead_train_the_same_on_any_number_of_threads() {
    for (look, changes) in [(GREY, &[][..]), (RGB_OF_SIZES, &["data.view=pieces", "data.side=6"])] {
        let (_folder, store) = folders(look);
        let recipe = quick(Preset::Conv, changes);
        let bytes = |budget, threads| {
            let dataset = Dataset::images(store(budget), ImageRoles { normal: vec!["good".to_owned()] });
            fit(&recipe, dataset, &session(threads)).unwrap().to_bytes()
        };
        // Images that do not fit into memory are drawn in an order that reads each once an epoch: another model.
        for budget in [0, 2_000, u64::MAX] {
            assert!(bytes(budget, 3) == bytes(budget, 1), "{changes:?}, {budget} bytes");
        }
    }
}

#[test]
fn folders_say_what_is_normal_and_are_told_apart() {
    let (_folder, store) = folders(GREY);
    let store = store(u64::MAX);
    let roles = ImageRoles { normal: vec!["good".to_owned()] };
    for preset in [Preset::Deep, Preset::Conv] {
        let dataset = Dataset::images(Arc::clone(&store), roles.clone());
        let mut recipe = quick(preset, &[]);
        let model = fit(&recipe, dataset.clone(), &session(2)).unwrap().into_images().unwrap();
        let found = model.evaluate(&store, &roles).unwrap();
        assert_eq!((found.n, found.n_anomalies), (IMAGES as u64 + 6, 6));
        assert!(found.auc_roc > 0.99, "{preset}: {found:?}");
        // Labels are there when a model is fitted.
        recipe.detect.threshold = Threshold::BestF1;
        let best = fit(&recipe, dataset, &session(2)).unwrap().into_images().unwrap();
        assert!(best.evaluate(&store, &roles).unwrap().f1 > 0.9, "{preset}");
        let all = model.evaluate(&store, &ImageRoles::default()).unwrap_err().to_string();
        assert!(all.contains("got 30 of the first and 0 of the second"), "{all}");
        let unknown = ImageRoles { normal: vec!["fine".to_owned()] };
        let refused = model.evaluate(&store, &unknown).unwrap_err().to_string();
        assert!(refused.contains("expected images in a folder `fine`, got the folders `bad`, `good`"), "{refused}");
    }
}

#[test]
fn what_does_not_read_images_or_other_data_is_refused_by_name() {
    let refused = |recipe: &Recipe, dataset: Dataset| fit(recipe, dataset, &session(1)).unwrap_err().to_string();
    let images = || Dataset::images(GREY.store(IMAGES), ImageRoles::default());
    let recurrent = refused(&quick(Preset::Seq2seq, &[]), images());
    assert!(recurrent.contains("expected conv, dense or restore for images, got lstm"), "{recurrent}");
    let table = refused(&Recipe::preset(Preset::Deep), images());
    assert!(table.contains("expected images for images, got table"), "{table}");
    let rows = refused(&quick(Preset::Deep, &[]), crate::support::sheet(20, 1).into());
    assert!(rows.contains("expected table or series for a table, got images"), "{rows}");
    let damaged = refused(&quick(Preset::Deep, &["corruption=gaussian"]), images());
    assert!(damaged.contains("which are corrupted by `data.corrupt`"), "{damaged}");
}

#[test]
fn fewer_images_than_a_batch_fit_and_too_few_are_refused_with_their_number() {
    for (name, look, recipe) in recipes().into_iter().step_by(4) {
        let run = |n| {
            let dataset = Dataset::images(look.store(n), ImageRoles::default());
            fit(&recipe, dataset, &session(1))
        };
        run(10).unwrap_or_else(|error| panic!("{name}: {error}"));
        for n in [1, 9] {
            let error = run(n).unwrap_err().to_string();
            assert!(error.contains(&format!("expected at least 10 normal images to fit, got {n}")), "{name}: {error}");
        }
    }
}
