//! Pictures at the door: fitting with and without damage, restoring, measuring, scoring, codes.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use narrows::pictures::{Channels, Depth, Limits, Photo, Picture, luminance_and_chroma};

use crate::folder::{Folder, Ran};

/// The flags of a quick restorer.
const RESTORER: &str = "--set train.steps=40 --set train.batch_size=4 --set backbone.channels=8 --set backbone.blocks=1 \
                        --set backbone.patch=16";
/// The flags of a quick model with a code.
const CODE: &str = "--set train.steps=60 --set backbone.channels=[8] --set backbone.code_size=6";

/// A picture of a slope and a disc whose place depends on `i`.
pub(crate) fn scene(height: usize, width: usize, channels: Channels, i: usize) -> Picture {
    let (top, left) = ((3 + i * 5) % height, (2 + i * 7) % width);
    let mut picture = Picture::filled(height, width, channels, 0.0);
    for y in 0..height {
        for x in 0..width {
            let in_disc = y.abs_diff(top).pow(2) + x.abs_diff(left).pow(2) < 20;
            let slope = 0.2 + 0.4 * (x as f32 / width as f32);
            let colour = if in_disc { [0.9, 0.3, 0.2] } else { [slope, 0.5 * slope + 0.2, 0.8 - slope] };
            let c = channels.count();
            let pixel = &mut picture.row_mut(y)[x * c..(x + 1) * c];
            match channels {
                Channels::Grey => pixel[0] = colour[0],
                Channels::Rgb => pixel.copy_from_slice(&colour),
            }
        }
    }
    picture
}

pub(crate) fn write(folder: &Folder, name: &str, photo: &Photo) {
    let path = folder.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    photo.write(path).unwrap();
}

/// A folder with `clean/`: `n` pictures.
pub(crate) fn with_pictures(n: usize, channels: Channels) -> Folder {
    let folder = Folder::new();
    for i in 0..n {
        write(&folder, &format!("clean/{i:02}.png"), &Photo::from(scene(24, 28, channels, i)));
    }
    folder
}

/// A folder with `clean/` and a denoiser of grey pictures, fitted once for all tests.
pub(crate) fn with_denoiser() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    let folder = with_pictures(4, Channels::Grey);
    let model = MODEL.get_or_init(|| {
        let folder = with_pictures(10, Channels::Grey);
        folder.run(&format!("fit clean --corrupt gaussian:25 -o d.narrows {RESTORER}")).succeeds();
        folder.bytes("d.narrows")
    });
    folder.write("d.narrows", model);
    folder
}

/// A folder with `clean/` and a model of grey pictures with a code, fitted once for all tests.
pub(crate) fn with_code() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    let folder = with_pictures(6, Channels::Grey);
    let model = MODEL.get_or_init(|| {
        let folder = with_pictures(60, Channels::Grey);
        folder.run(&format!("fit clean -o c.narrows {CODE}")).succeeds();
        folder.bytes("c.narrows")
    });
    folder.write("c.narrows", model);
    folder
}

fn photo(path: &Path) -> Photo {
    Photo::read(path, &Limits::default()).unwrap()
}

#[test]
fn every_damage_can_be_learnt_and_undone() {
    let folder = with_pictures(6, Channels::Rgb);
    write(&folder, "logo.png", &Photo::from(scene(12, 12, Channels::Rgb, 0)));
    for (damage, scale) in [
        ("blocks:0.2", 1),
        ("masking:0.3", 1),
        ("watermark:logo.png:0.4", 1),
        ("watermark:\"SAMPLE\":0.4", 1),
        ("grayscale", 1),
        ("downscale:2", 2),
        ("grayscale,downscale:2", 2),
        ("blur:1.5,gaussian:10", 1),
        ("jpeg:10-40", 1),
        ("salt_pepper:0.1", 1),
    ] {
        let ran =
            folder.run(&format!("fit clean --corrupt {damage} -o m.narrows --force {RESTORER} --set train.steps=4"));
        let told = ran.succeeds().stderr;
        assert!(told.contains("without a bottleneck"), "{told}");
        folder.run("restore m.narrows clean out").succeeds();
        let restored = photo(&folder.path("out/03.png")).picture;
        assert_eq!((restored.height, restored.width), (24 * scale, 28 * scale), "{damage}");
        assert_eq!(restored.channels, Channels::Rgb, "{damage}");
        let quality = folder.run("evaluate m.narrows clean --json").succeeds().json();
        assert_eq!(quality["n"], 6);
        for who in ["restored", "input", "rival"] {
            let psnr = quality[who]["psnr"].as_f64().unwrap();
            assert!((5.0..90.0).contains(&psnr), "{damage}: {who} {psnr}");
            assert!(quality[who]["ssim"].is_f64() && quality[who]["mse"].is_f64(), "{damage}");
        }
    }
}

#[test]
fn noise_is_taken_off_and_the_figures_say_so() {
    let folder = with_denoiser();
    let quality = folder.run("evaluate d.narrows clean --json --sheet sheet.png").succeeds().json();
    let psnr = |who: &str| quality[who]["psnr"].as_f64().unwrap();
    assert!(psnr("restored") > psnr("input") + 3.0, "{quality}");
    assert_eq!(quality["rival"]["name"], "non-local means");
    assert!(photo(&folder.path("sheet.png")).picture.width > 500);
    let told = folder.run("evaluate d.narrows clean").succeeds().stdout;
    assert!(told.contains("PSNR dB") && told.contains("non-local means"), "{told}");
}

#[test]
fn what_a_picture_carries_is_kept() {
    let folder = with_denoiser();
    let deep = Photo { depth: Depth::Sixteen, ..Photo::from(scene(21, 33, Channels::Grey, 1)) };
    write(&folder, "in/deep/deep.png", &deep);
    let clear: Vec<f32> = (0..15 * 19).map(|i| (i % 256) as f32 / 255.0).collect();
    write(
        &folder,
        "in/clear.png",
        &Photo { alpha: Some(clear.clone()), ..Photo::from(scene(15, 19, Channels::Rgb, 2)) },
    );
    write(&folder, "in/colour.jpg", &Photo::from(scene(40, 9, Channels::Rgb, 3)));
    write(&folder, "in/dot.png", &Photo::from(scene(1, 1, Channels::Grey, 0)));
    write(&folder, "in/wide.png", &Photo::from(scene(3, 500, Channels::Grey, 0)));
    folder.run("restore d.narrows in out").succeeds();
    let restored = photo(&folder.path("out/deep/deep.png"));
    assert_eq!((restored.depth, restored.picture.height, restored.picture.width), (Depth::Sixteen, 21, 33));
    assert_eq!(photo(&folder.path("out/clear.png")).alpha, Some(clear));
    assert_eq!(photo(&folder.path("out/colour.jpg")).picture.channels, Channels::Rgb);
    for (name, height, width) in [("dot", 1, 1), ("wide", 3, 500)] {
        let picture = photo(&folder.path(&format!("out/{name}.png"))).picture;
        assert_eq!((picture.height, picture.width), (height, width), "{name}");
    }
    folder.run("restore d.narrows in/colour.jpg one.webp").succeeds();
    assert_eq!(photo(&folder.path("one.webp")).picture.height, 40);
}

#[test]
fn colouring_keeps_the_luminance() {
    let folder = with_pictures(6, Channels::Rgb);
    folder.run(&format!("fit clean --corrupt grayscale -o m.narrows {RESTORER}")).succeeds();
    let grey = scene(30, 22, Channels::Rgb, 9).to_channels(Channels::Grey);
    write(&folder, "in/a.png", &Photo { depth: Depth::Sixteen, ..Photo::from(grey) });
    folder.run("restore m.narrows in out").succeeds();
    let before = photo(&folder.path("in/a.png")).picture;
    let after = photo(&folder.path("out/a.png")).picture;
    assert_eq!(after.channels, Channels::Rgb);
    let luma = luminance_and_chroma(&after).0;
    let worst = luma.pixels.iter().zip(&before.pixels).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 2.0 / 65_535.0, "{worst}");
}

#[test]
fn pictures_are_scored_with_heat_maps() {
    let folder = with_code();
    let mut odd = scene(24, 28, Channels::Grey, 3);
    (8..16).for_each(|y| odd.row_mut(y)[10..18].iter_mut().enumerate().for_each(|(x, p)| *p = ((x + y) % 2) as f32));
    write(&folder, "test/good/0.png", &Photo::from(scene(24, 28, Channels::Grey, 61)));
    write(&folder, "test/good/1.png", &Photo::from(scene(24, 28, Channels::Grey, 62)));
    write(&folder, "test/odd/0.png", &Photo::from(odd));
    let told = folder.run("score c.narrows test --heatmaps maps").succeeds();
    let lines: Vec<Vec<&str>> = told.stdout.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["picture", "score", "p_value", "is_anomaly"]);
    let scores: Vec<f64> = lines[1..].iter().map(|line| line[1].parse().unwrap()).collect();
    assert_eq!(lines[3][0], "odd/0.png");
    assert!(scores[2] > scores[0] && scores[2] > scores[1], "{scores:?}");
    let map = photo(&folder.path("maps/odd/0.png")).picture;
    assert_eq!((map.height, map.width, map.channels), (24, 28, Channels::Rgb));
    let evaluation = folder.run("evaluate c.narrows test --normal good --json").succeeds().json();
    assert_eq!((evaluation["n"].as_u64(), evaluation["n_anomalies"].as_u64()), (Some(3), Some(1)));
    assert_eq!(evaluation["auc_roc"], 1.0);
    let quality = folder.run("evaluate c.narrows clean --json").succeeds().json();
    assert!(quality["model"]["bce"].is_f64() && quality["pca"]["mse"].is_f64(), "{quality}");
}

#[test]
fn pictures_become_codes_and_come_back() {
    let folder = with_code();
    let codes = folder.run("encode c.narrows clean -o codes.csv").succeeds();
    drop(codes);
    let text = folder.read("codes.csv");
    assert!(text.starts_with("picture,code_0,code_1"), "{text}");
    assert_eq!(text.lines().count(), 7);
    folder.run("decode c.narrows codes.csv -o decoded").succeeds();
    folder.run("reconstruct c.narrows clean -o rebuilt").succeeds();
    // From the code alone the same picture comes back as through the whole network.
    let decoded = photo(&folder.path("decoded/000002.png")).picture;
    let rebuilt = photo(&folder.path("rebuilt/02.png")).picture;
    let worst = decoded.pixels.iter().zip(&rebuilt.pixels).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 2.0 / 255.0, "{worst}");
    folder.run("generate c.narrows -n 5 -o new").succeeds();
    assert_eq!(fs::read_dir(folder.path("new")).unwrap().count(), 5);
    folder.run("generate c.narrows -n 9 -o all.png").succeeds();
    assert!(photo(&folder.path("all.png")).picture.width > 84);
}

#[test]
fn arrays_are_pictures_too() {
    let folder = Folder::new();
    let mut idx = vec![0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 12, 0, 0, 0, 12];
    (0..40).for_each(|i| {
        idx.extend(scene(12, 12, Channels::Grey, i).pixels.iter().map(|x| (x * 255.0) as u8));
    });
    folder.write("digits-idx3-ubyte", &idx);
    let told = folder.run(&format!("fit digits-idx3-ubyte -o m.narrows {CODE} --preset conv")).succeeds().stderr;
    assert!(told.contains("40 read, 12 x 12 pixels, grey"), "{told}");
    let scores = folder.run("score m.narrows digits-idx3-ubyte").succeeds().stdout;
    assert_eq!(scores.lines().count(), 41);
    folder
        .run(&format!(
            "fit digits-idx3-ubyte --preset simple --corrupt gaussian:50:clip -o r.narrows {}",
            "--set train.steps=30"
        ))
        .succeeds();
    folder.run("restore r.narrows digits-idx3-ubyte out").succeeds();
    assert_eq!(fs::read_dir(folder.path("out")).unwrap().count(), 40);
}

#[test]
fn the_same_seed_gives_the_same_model_on_any_number_of_threads() {
    let folder = with_pictures(5, Channels::Rgb);
    for (kind, flags) in [("r", format!("--corrupt downscale:2 {RESTORER}")), ("c", CODE.to_owned())] {
        for threads in [1, 2, 3] {
            folder
                .run(&format!("fit clean -o {kind}{threads}.narrows --threads {threads} --seed 4 {flags}"))
                .succeeds();
        }
        let first = folder.bytes(&format!("{kind}1.narrows"));
        assert!(
            first == folder.bytes(&format!("{kind}2.narrows")) && first == folder.bytes(&format!("{kind}3.narrows"))
        );
    }
}

#[test]
fn a_restorer_can_be_looked_at() {
    let folder = with_denoiser();
    let told = folder.run("inspect d.narrows").succeeds().stdout;
    assert!(told.contains("undoes      gaussian:25") && told.contains("without a bottleneck"), "{told}");
    let report = folder.run("inspect d.narrows --json").succeeds().json();
    assert_eq!(report["damage"], "gaussian:25");
    folder.run("report d.narrows -o r.html").succeeds();
    assert!(folder.read("r.html").contains("gaussian:25"));
    let folder = with_code();
    let told = folder.run("inspect c.narrows").succeeds().stdout;
    assert!(told.contains("convolutional, with a bottleneck"), "{told}");
    folder.run("report c.narrows -o c.html").succeeds();
}

#[test]
fn a_fit_that_was_cut_short_goes_on_to_the_same_model() {
    let folder = with_pictures(5, Channels::Grey);
    let fit = |name: &str, more: &str| -> Ran {
        folder.run(&format!("fit clean --corrupt gaussian:25 -o {name}.narrows {RESTORER} --set train.steps=30 {more}"))
    };
    fit("whole", "").succeeds();
    fit("parts", "--checkpoint").succeeds();
    assert!(folder.bytes("whole.narrows") == folder.bytes("parts.narrows"));
}
