//! Images at the door: restoring, scoring, codes, and what comes of files that hold more than colours.

use std::fs;
use std::sync::OnceLock;

use narrows_core::images::{Channels, Depth, Format, Image, Photo};

use crate::drawing::{CODE, SMALL, draw, exif, idx, image, npy, profile, read, rich, write};
use crate::folder::Folder;

/// A folder with `clean/` and `m.narrows`, a restorer of images in colour, fitted once for all tests.
pub(crate) fn denoiser() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    fitted(&MODEL, 24, Channels::Rgb, &format!("--corrupt gaussian:25 {SMALL}"))
}

/// The same of grey images.
fn grey_denoiser() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    fitted(&MODEL, 24, Channels::Grey, &format!("--corrupt gaussian:25 {SMALL}"))
}

/// A folder with `clean/` and `m.narrows`, a model with a code.
pub(crate) fn coder() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    fitted(&MODEL, 16, Channels::Grey, CODE)
}

fn fitted(model: &OnceLock<Vec<u8>>, side: usize, channels: Channels, flags: &str) -> Folder {
    let folder = Folder::new();
    draw(&folder, "clean", 12, side, channels);
    let model = model.get_or_init(|| {
        folder.run(&format!("fit clean -o m.narrows {flags}")).succeeds();
        folder.bytes("m.narrows")
    });
    folder.write("m.narrows", model);
    folder
}

/// The names of all files below a folder of the folder, in order.
fn below(folder: &Folder, name: &str) -> Vec<String> {
    let entries = fs::read_dir(folder.path(name)).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The largest difference of two images of one size.
fn farthest(a: &Image, b: &Image) -> f32 {
    assert_eq!((a.height, a.width, a.channels), (b.height, b.width, b.channels));
    a.pixels.iter().zip(&b.pixels).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn every_damage_is_learnt_undone_and_measured() {
    let folder = Folder::new();
    draw(&folder, "clean", 6, 24, Channels::Rgb);
    write(&image(6, 8, Channels::Rgb, 0).into(), &folder.path("logo.png"));
    for (damage, baseline, scale) in [
        ("gaussian:25", "non-local means", 1),
        ("blocks:0.2", "", 1),
        ("watermark:logo.png:0.4", "", 1),
        ("watermark:\"SAMPLE\":0.4", "", 1),
        ("grayscale", "grey", 1),
        ("downscale:2", "bicubic", 2),
        ("blur:1.5,gaussian:10", "", 1),
    ] {
        let ran = folder.run(&format!("fit clean -o m.narrows --force --corrupt {damage} {SMALL}")).succeeds();
        assert!(ran.stderr.contains("removes") && ran.stderr.contains("dB corrupted"), "{damage}: {}", ran.stderr);
        folder.run("restore m.narrows clean out --force").succeeds();
        assert_eq!(below(&folder, "out").len(), 6, "{damage}");
        let restored = read(&folder, "out/000.png").image;
        let expected = (24 * scale, 24 * scale, Channels::Rgb);
        assert_eq!((restored.height, restored.width, restored.channels), expected, "{damage}");
        let told = folder.run("evaluate m.narrows clean --json").succeeds().json();
        for who in [&told["restored"], &told["input"], &told["baseline"]] {
            for measure in ["psnr", "ssim", "mse"] {
                assert!(who[measure].is_number(), "{damage}: {measure} in {told}");
            }
        }
        assert!(told["damage"].as_str().unwrap().starts_with(damage), "{told}");
        let named = told["baseline"]["name"].as_str().unwrap();
        assert!(named.contains(baseline) && !named.is_empty(), "{damage}: {named}");
    }
}

#[test]
fn images_of_any_size_are_restored() {
    let folder = denoiser();
    fs::create_dir(folder.path("in")).unwrap();
    let sizes = [(1, 1), (1, 9), (7, 1), (2, 2), (3, 5), (17, 33), (96, 40), (210, 199)];
    for (height, width) in sizes {
        let name = format!("in/{height}x{width}.png");
        write(&image(height, width, Channels::Rgb, 1).into(), &folder.path(&name));
        write(&image(height, width, Channels::Grey, 1).into(), &folder.path(&name.replace("in/", "in/grey-")));
    }
    let ran = folder.run("restore m.narrows in out").succeeds();
    assert!(ran.stderr.contains("16 images restored"), "{}", ran.stderr);
    for (height, width) in sizes {
        for (name, channels) in [("", Channels::Rgb), ("grey-", Channels::Grey)] {
            let restored = read(&folder, &format!("out/{name}{height}x{width}.png")).image;
            assert_eq!((restored.height, restored.width, restored.channels), (height, width, channels));
        }
    }
}

#[test]
fn colours_pass_through_a_model_of_grey_images() {
    let folder = grey_denoiser();
    let colourful = image(19, 23, Channels::Rgb, 2);
    write(&colourful.clone().into(), &folder.path("a.png"));
    folder.run("restore m.narrows a.png b.png").succeeds();
    let restored = read(&folder, "b.png").image;
    assert_eq!(restored.channels, Channels::Rgb);
    // Each channel by itself.
    for (i, plane) in read(&folder, "a.png").image.planes().into_iter().enumerate() {
        write(&plane.into(), &folder.path("plane.png"));
        folder.run("restore m.narrows plane.png restored.png -f").succeeds();
        assert!(farthest(&read(&folder, "restored.png").image, &restored.planes()[i]) < 1e-6, "channel {i}");
    }
}

#[test]
fn what_stands_beside_the_colours_is_kept() {
    let folder = denoiser();
    fs::create_dir(folder.path("in")).unwrap();
    write(&rich(20, 14), &folder.path("in/rich.png"));
    // A camera held upright: what the file has as rows are columns.
    let turned = Photo { exif: Some(exif(6)), ..Photo::from(image(10, 30, Channels::Rgb, 4)) };
    write(&turned, &folder.path("in/turned.png"));
    folder.run("restore m.narrows in out").succeeds();
    let (before, after) = (read(&folder, "in/rich.png"), read(&folder, "out/rich.png"));
    assert_eq!((after.depth, after.format), (Depth::Sixteen, Format::Png));
    assert_eq!((&after.alpha, &after.icc, &after.exif), (&before.alpha, &Some(profile()), &Some(exif(1))));
    assert_ne!(after.image, before.image);
    let upright = read(&folder, "out/turned.png");
    assert_eq!((upright.image.height, upright.image.width, upright.exif), (30, 10, Some(exif(1))));
}

#[test]
fn what_a_format_cannot_hold_is_told() {
    let folder = denoiser();
    fs::create_dir(folder.path("in")).unwrap();
    write(&rich(8, 8), &folder.path("in/rich.png"));
    let ran = folder.run("restore m.narrows in out --format jpg").succeeds();
    assert!(ran.stderr.contains("warning: out/rich.jpg lost the alpha channel"), "{}", ran.stderr);
    assert_eq!(read(&folder, "out/rich.jpg").format, Format::Jpeg);
}

#[test]
fn colouring_keeps_the_luminance() {
    let folder = Folder::new();
    draw(&folder, "clean", 8, 24, Channels::Rgb);
    folder.run(&format!("fit clean -o m.narrows --corrupt grayscale {SMALL}")).succeeds();
    let grey = image(21, 34, Channels::Grey, 5);
    let photo = Photo { depth: Depth::Sixteen, ..Photo::from(grey) };
    write(&photo, &folder.path("a.png"));
    folder.run("restore m.narrows a.png b.png").succeeds();
    let (before, after) = (read(&folder, "a.png").image, read(&folder, "b.png").image);
    assert_eq!(after.channels, Channels::Rgb);
    let half_a_step = 0.5 / 65_535.0 + 1e-6;
    assert!(farthest(&before, &after.to_channels(Channels::Grey)) <= half_a_step);
}

#[test]
fn enlarging_makes_transparency_larger_too() {
    let folder = Folder::new();
    draw(&folder, "clean", 6, 32, Channels::Rgb);
    folder.run(&format!("fit clean -o m.narrows --corrupt downscale:2 {SMALL}")).succeeds();
    write(&rich(9, 7), &folder.path("a.png"));
    folder.run("restore m.narrows a.png b.png").succeeds();
    let after = read(&folder, "b.png");
    assert_eq!((after.image.height, after.image.width), (18, 14));
    assert_eq!(after.alpha.map(|alpha| alpha.len()), Some(18 * 14));
}

#[test]
fn folders_keep_their_shape() {
    let folder = denoiser();
    draw(&folder, "in/a/b", 2, 10, Channels::Rgb);
    draw(&folder, "in/c", 1, 10, Channels::Rgb);
    folder.run("restore m.narrows in out").succeeds();
    assert!(folder.path("out/a/b/001.png").exists() && folder.path("out/c/000.png").exists());
    folder.run("restore m.narrows in/a/b/*.png flat").succeeds();
    assert!(folder.path("flat/in/a/b/001.png").exists(), "named as the pattern found them");
}

#[test]
fn images_are_scored_and_shown() {
    let folder = coder();
    draw(&folder, "new/good", 5, 16, Channels::Grey);
    draw(&folder, "new/bad", 4, 16, Channels::Grey);
    for i in 0..4 {
        write(&Image::filled(16, 16, Channels::Grey, 1.0).into(), &folder.path(&format!("new/bad/{i:03}.png")));
    }
    let ran = folder.run("score m.narrows new --heatmaps heat -o scores.csv").succeeds();
    assert!(ran.stderr.contains("9 images scored"), "{}", ran.stderr);
    let scores = folder.read("scores.csv");
    let lines: Vec<&str> = scores.lines().collect();
    assert_eq!((lines[0], lines.len()), ("image,score,p_value,is_anomaly", 10));
    assert!(lines[1].starts_with("bad/000.png,") && lines[9].starts_with("good/004.png,"), "{scores}");
    assert_eq!(below(&folder, "heat/bad").len() + below(&folder, "heat/good").len(), 9);
    let map = read(&folder, "heat/good/000.png").image;
    assert_eq!((map.height, map.width, map.channels), (16, 16, Channels::Rgb));

    let told = folder.run("evaluate m.narrows new --normal good --json").succeeds().json();
    assert!(told["auc_roc"].is_number() && told["baselines"]["pca"]["auc_roc"].is_number(), "{told}");
    assert_eq!((&told["n"], &told["n_anomalies"]), (&9.into(), &4.into()));
    let told = folder.run("evaluate m.narrows new --json").succeeds().json();
    assert!(told["model"]["psnr"].is_number() && told["pca"]["psnr"].is_number(), "{told}");
    folder.run("evaluate m.narrows new --sheet sheet.png").succeeds();
    assert!(read(&folder, "sheet.png").image.width > 200);
}

#[test]
fn folders_say_what_is_normal() {
    let folder = Folder::new();
    draw(&folder, "all/good", 12, 16, Channels::Grey);
    draw(&folder, "all/bad", 3, 16, Channels::Grey);
    let ran = folder.run(&format!("fit all --normal good -o m.narrows {CODE} --json")).succeeds();
    assert_eq!(ran.json()["rows"]["not_normal"], 3);
    folder.check_fails(&format!("fit all --normal fine -o n.narrows {CODE}"), 3, &["`fine`", "`bad`, `good`"]);
}

#[test]
fn codes_go_out_and_come_back() {
    let folder = coder();
    folder.run("encode m.narrows clean -o codes.csv").succeeds();
    let codes = folder.read("codes.csv");
    assert!(codes.starts_with("image,code_0,code_1,code_2,code_3\n000.png,"), "{codes}");
    assert_eq!(codes.lines().count(), 13);
    folder.run("decode m.narrows codes.csv -o decoded").succeeds();
    folder.run("reconstruct m.narrows clean -o rebuilt").succeeds();
    assert_eq!(below(&folder, "decoded").len(), 12);
    let (decoded, rebuilt) = (read(&folder, "decoded/007.png"), read(&folder, "rebuilt/007.png"));
    assert!(farthest(&decoded.image, &rebuilt.image) < 1.5 / 255.0);
    let piped = folder.shell("narrows encode m.narrows clean | narrows decode m.narrows - -o piped").succeeds();
    assert_eq!(piped.stdout, "");
    assert_eq!(folder.bytes("piped/007.png"), folder.bytes("decoded/007.png"));
}

#[test]
fn new_images_go_to_a_folder_or_into_one_image() {
    let folder = coder();
    folder.run("generate m.narrows -n 5 --seed 3 -o new").succeeds();
    assert_eq!(below(&folder, "new").len(), 5);
    folder.run("generate m.narrows -n 5 --seed 3 -o sheet.png").succeeds();
    assert!(read(&folder, "sheet.png").image.width > 16);
    folder.run("generate m.narrows -n 9 --seed 3 -o more").succeeds();
    assert_eq!(
        folder.bytes("new/000004.png"),
        folder.bytes("more/000004.png"),
        "a longer row begins with a shorter one"
    );
    folder.check_fails("generate m.narrows -n 5", 2, &["--output", "expected a folder"]);
}

#[test]
fn restorers_are_inspected_and_reported() {
    let folder = denoiser();
    let told = folder.run("inspect m.narrows").succeeds().stdout;
    assert!(told.contains("removes     gaussian:25") && told.contains("held out"), "{told}");
    let told = folder.run("inspect m.narrows --json").succeeds().json();
    assert_eq!(told["damage"], "gaussian:25");
    folder.run("report m.narrows -o r.html").succeeds();
    let page = folder.read("r.html");
    assert!(page.contains("gaussian:25") && page.contains("data:image/png;base64,") && !page.contains("src=\"http"));
}

#[test]
fn arrays_of_images_are_images() {
    let folder = Folder::new();
    folder.write("digits-idx3-ubyte", idx(30, 12));
    folder.write("digits.npy", npy(30, 12));
    let archive = std::fs::File::create(folder.path("digits.npz")).unwrap();
    stored(archive, "X.npy", &npy(30, 12));
    let mut models = Vec::new();
    for source in ["digits-idx3-ubyte", "digits.npy", "digits.npz", "digits.npz:X"] {
        let ran = folder.run(&format!("fit {source} -o m.narrows --force {CODE}")).succeeds();
        assert!(ran.stderr.contains("30 read, 12 x 12 pixels, grey"), "{source}: {}", ran.stderr);
        models.push(folder.run(&format!("score m.narrows {source}")).succeeds().stdout);
        let names = models[models.len() - 1].lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
        assert!(names.contains("#0"), "{names}");
    }
    folder
        .run("fit digits.npy -o r.narrows --corrupt gaussian:25 --set backbone.patch=8 --set train.steps=3")
        .succeeds();
    folder.run("restore r.narrows digits.npy out").succeeds();
    assert_eq!(below(&folder, "out").len(), 30);
}

/// A ZIP archive of one file, stored as it is.
fn stored(mut archive: std::fs::File, name: &str, content: &[u8]) {
    use std::io::Write;
    let mut crc = !0_u32;
    for byte in content {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 });
    }
    let size = (content.len() as u32).to_le_bytes();
    let mut entry = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    entry.extend((!crc).to_le_bytes());
    [size, size].iter().for_each(|size| entry.extend(size));
    entry.extend((name.len() as u16).to_le_bytes());
    entry.extend([0, 0]);
    let mut file = b"PK\x03\x04".to_vec();
    file.extend(&entry);
    file.extend(name.as_bytes());
    file.extend(content);
    let start = file.len() as u32;
    file.extend(b"PK\x01\x02\x14\0");
    file.extend(&entry);
    file.extend([0; 14]);
    file.extend(name.as_bytes());
    let length = file.len() as u32 - start;
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend(length.to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    archive.write_all(&file).unwrap();
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = Folder::new();
    draw(&folder, "clean", 12, 16, Channels::Rgb);
    for flags in [format!("--corrupt blocks:0.2,gaussian:10-30 {SMALL}"), CODE.to_owned()] {
        for n in [1, 2] {
            folder.run(&format!("fit clean -o m{n}.narrows --force --seed 3 --threads {n} {flags}")).succeeds();
        }
        assert!(folder.bytes("m1.narrows") == folder.bytes("m2.narrows"), "{flags}");
    }
    folder.run(&format!("fit clean -o r.narrows --corrupt gaussian:25 {SMALL}")).succeeds();
    folder.run("restore r.narrows clean one --threads 1").succeeds();
    folder.run("restore r.narrows clean two --threads 2").succeeds();
    assert!(folder.bytes("one/003.png") == folder.bytes("two/003.png"));
}

#[test]
fn a_restorer_fitted_with_a_checkpoint_is_the_one_fitted_without() {
    let folder = Folder::new();
    draw(&folder, "clean", 8, 24, Channels::Rgb);
    let flags = format!("--corrupt gaussian:25 {SMALL}");
    folder.run(&format!("fit clean -o whole.narrows {flags}")).succeeds();
    folder.run(&format!("fit clean -o kept.narrows {flags} --checkpoint")).succeeds();
    assert!(folder.bytes("whole.narrows") == folder.bytes("kept.narrows"), "a checkpoint changed the model");
    assert!(!folder.path("kept.narrows.checkpoint").exists());
    folder.run(&format!("fit clean -o kept.narrows {flags} --resume")).fails(2, &["expected a checkpoint"]);
    assert!(folder.bytes("whole.narrows") == folder.bytes("kept.narrows"));
}
