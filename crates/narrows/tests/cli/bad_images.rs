//! Bad images and wrong words about them: a clear message, the right exit code, no file left behind.

use std::fs;
use std::sync::OnceLock;

use narrows_core::images::{Channels, Image};

use crate::drawing::{CODE, SMALL, draw, image, png_header, write};
use crate::folder::Folder;

/// A folder with images in `clean/`, a table in `train.csv`, and three models: `restorer.narrows`, `coder.narrows` and
/// `table.narrows`, fitted once for all tests.
fn full() -> Folder {
    static MODELS: OnceLock<[Vec<u8>; 3]> = OnceLock::new();
    const NAMES: [&str; 3] = ["restorer.narrows", "coder.narrows", "table.narrows"];
    let folder = Folder::with_model();
    fs::rename(folder.path("m.narrows"), folder.path("table.narrows")).unwrap();
    draw(&folder, "clean", 12, 16, Channels::Rgb);
    let models = MODELS.get_or_init(|| {
        folder.run(&format!("fit clean -o restorer.narrows --corrupt gaussian:25 {SMALL}")).succeeds();
        folder.run(&format!("fit clean -o coder.narrows {CODE}")).succeeds();
        NAMES.map(|name| folder.bytes(name))
    });
    NAMES.iter().zip(models).for_each(|(name, model)| folder.write(name, model));
    folder
}

fn fits() -> [String; 2] {
    [format!("--corrupt gaussian:25 {SMALL}"), CODE.to_owned()]
}

#[test]
fn a_folder_without_images() {
    let folder = Folder::new();
    fs::create_dir(folder.path("empty")).unwrap();
    fs::create_dir(folder.path("texts")).unwrap();
    folder.write("texts/a.txt", "a");
    folder.write("texts/b.md", "b\n1\n");
    for flags in fits() {
        folder.check_fails(
            &format!("fit empty -o m.narrows {flags}"),
            3,
            &["empty", "expected image files", "no file"],
        );
        folder.check_fails(&format!("fit texts -o m.narrows {flags}"), 3, &["texts", "1 .md, 1 .txt"]);
    }
    folder.check_fails(&format!("fit no/such -o m.narrows {SMALL} --corrupt gaussian:25"), 3, &["no/such"]);
    folder.write("texts/c.csv", "b\n1\n");
    let line = format!("fit texts -o m.narrows {SMALL} --corrupt gaussian:25");
    folder.check_fails(&line, 2, &["expected images to damage, got the table `texts`"]);
}

#[test]
fn a_broken_image_among_good_ones_is_left_out_and_counted() {
    let folder = full();
    folder.write("clean/text.png", "I am no image");
    let jpeg = narrows_core::images::Photo::from(image(16, 16, Channels::Rgb, 1));
    jpeg.write(folder.path("clean/cut.jpg")).unwrap();
    let whole = folder.bytes("clean/cut.jpg");
    folder.write("clean/cut.jpg", &whole[..whole.len() - 10]);
    folder.write("clean/vast.png", png_header(60_000, 60_000));
    folder.write("clean/notes.txt", "three of these are broken");
    for flags in fits() {
        let ran = folder.run(&format!("fit clean -o m.narrows --force {flags}"));
        ran.fails(
            5,
            &["skipped: text.png", "skipped: cut.jpg", "skipped: vast.png", "1 .txt", "12 read", "3 unreadable"],
        );
        assert!(folder.path("m.narrows").exists());
    }
    for line in [
        "score coder.narrows clean -o s.csv",
        "evaluate coder.narrows clean",
        "evaluate restorer.narrows clean",
        "encode coder.narrows clean -o codes.csv",
        "reconstruct coder.narrows clean -o rebuilt",
        "restore restorer.narrows clean restored",
    ] {
        folder.run(line).fails(5, &["skipped: text.png", "skipped: cut.jpg", "skipped: vast.png"]);
    }
    assert_eq!(folder.read("s.csv").lines().count(), 13);
    assert!(folder.path("restored/003.png").exists() && !folder.path("restored/text.png").exists());
}

#[test]
fn nothing_but_broken_images() {
    let folder = full();
    fs::create_dir(folder.path("broken")).unwrap();
    for i in 0..3 {
        folder.write(&format!("broken/{i}.png"), "no image");
    }
    for flags in fits() {
        let words = ["broken", "3 unreadable", "0.png"];
        folder.check_fails(&format!("fit broken -o m.narrows {flags}"), 3, &words);
    }
    folder.check_fails("restore restorer.narrows broken out", 3, &["broken", "3 unreadable"]);
    folder.check_fails("score coder.narrows broken -o s.csv", 3, &["broken", "3 unreadable"]);
    // Headers that promise more than there is are found out only while reading.
    let png = {
        write(&image(16, 16, Channels::Rgb, 0).into(), &folder.path("broken/0.png"));
        folder.bytes("broken/0.png")
    };
    for i in 0..3 {
        folder.write(&format!("broken/{i}.png"), &png[..png.len() / 2]);
    }
    for line in ["restore restorer.narrows broken out", "score coder.narrows broken -o s.csv --heatmaps heat"] {
        folder.run(line).fails(3, &["expected", "got"]);
        assert!(!folder.path("s.csv").exists());
    }
}

#[test]
fn an_image_that_promises_billions_of_pixels() {
    let folder = full();
    folder.write("vast.png", png_header(60_000, 60_000));
    folder.check_fails("score coder.narrows vast.png", 3, &["vast.png", "at most 32768 pixels a side", "60000"]);
    folder.check_fails("restore restorer.narrows vast.png out.png", 3, &["at most 32768 pixels a side"]);
}

#[test]
fn small_images_and_mixed_ones() {
    let folder = Folder::new();
    draw(&folder, "dots", 12, 1, Channels::Grey);
    draw(&folder, "mixed", 8, 9, Channels::Rgb);
    for (i, (height, width)) in [(1, 1), (1, 40), (33, 2), (50, 50)].into_iter().enumerate() {
        write(&image(height, width, Channels::Grey, i).into(), &folder.path(&format!("mixed/g{i}.png")));
    }
    for source in ["dots", "mixed"] {
        for flags in fits() {
            let ran = folder.run(&format!("fit {source} -o m.narrows --force {flags}")).succeeds();
            assert!(ran.stderr.contains("training"), "{}", ran.stderr);
            folder.run(&format!("evaluate m.narrows {source} --sheet sheet.png --force")).succeeds();
        }
        folder.run(&format!("score m.narrows {source} --heatmaps heat -o s.csv --force")).succeeds();
        folder.run(&format!("reconstruct m.narrows {source} -o rebuilt-{source}")).succeeds();
    }
    for damage in ["downscale:4", "blocks:0.2:0.3", "watermark", "blur:3", "jpeg:20"] {
        folder.run(&format!("fit mixed -o m.narrows --force --corrupt {damage} {SMALL}")).succeeds();
        folder.run("evaluate m.narrows mixed").succeeds();
    }
    write(&Image::filled(1, 1, Channels::Grey, 0.5).into(), &folder.path("one.png"));
    folder.run(&format!("fit one.png -o m.narrows --force --corrupt gaussian:25 {SMALL}")).succeeds();
    folder.run("restore m.narrows one.png restored.png --force").succeeds();
    let ran = folder.run(&format!("fit one.png -o m.narrows --force {CODE}"));
    ran.fails(3, &["one.png", "at least 10 normal images", "got 1", "hint: "]);
}

#[test]
fn inputs_are_never_written_over() {
    let folder = full();
    let before = folder.bytes("clean/000.png");
    for line in [
        "restore restorer.narrows clean clean",
        "restore restorer.narrows clean ./clean/",
        "restore restorer.narrows clean/000.png clean",
        "restore restorer.narrows clean/*.png .",
        "restore restorer.narrows clean/000.png clean/000.png",
        "reconstruct coder.narrows clean -o clean",
        "score coder.narrows clean --heatmaps clean",
    ] {
        folder.check_fails(line, 2, &["expected another", "000.png"]);
        assert!(folder.bytes("clean/000.png") == before, "{line}");
    }
    folder.check_fails("restore restorer.narrows clean train.csv --force", 2, &["expected a folder", "train.csv"]);
}

#[test]
fn two_images_never_share_a_file() {
    let folder = full();
    fs::create_dir(folder.path("in")).unwrap();
    write(&image(8, 8, Channels::Rgb, 0).into(), &folder.path("in/a.png"));
    write(&image(8, 8, Channels::Rgb, 1).into(), &folder.path("in/a.bmp"));
    folder.check_fails("restore restorer.narrows in out --format png", 2, &["a.bmp", "a.png"]);
    folder.run("restore restorer.narrows in out").succeeds();
}

#[test]
fn a_single_file_is_for_a_single_image() {
    let folder = full();
    folder.write("digits.npy", crate::drawing::npy(5, 12));
    folder.check_fails("restore restorer.narrows digits.npy out.png", 2, &["out.png", "5 images"]);
    let words = ["--format", "out.png"];
    folder.check_fails("restore restorer.narrows clean/000.png out.png --format jpg", 2, &words);
}

#[test]
fn a_model_of_one_kind_of_data_given_another() {
    let folder = full();
    for verb in ["score", "evaluate", "encode", "reconstruct"] {
        let flags = if verb == "reconstruct" { "-o out" } else { "" };
        folder.check_fails(&format!("{verb} table.narrows clean {flags}"), 3, &["expected a table", "images"]);
        folder.check_fails(&format!("{verb} coder.narrows train.csv {flags}"), 3, &["expected images", "train.csv"]);
    }
    folder.check_fails("explain coder.narrows train.csv --row 0", 3, &["images"]);
    folder.check_fails("explain coder.narrows clean --row 0", 3, &["images"]);
    folder.check_fails("restore table.narrows clean out", 3, &["expected a model of images"]);
    folder.check_fails("restore restorer.narrows train.csv out", 3, &["expected images", "train.csv"]);
    folder.check_fails("evaluate restorer.narrows train.csv", 3, &["expected images", "train.csv"]);
    folder.check_fails("restore coder.narrows clean out", 3, &["fitted with --corrupt", "hint: "]);
    folder.shell("narrows score coder.narrows - --follow < train.csv").fails(3, &["to follow"]);
}

#[test]
fn a_restorer_has_no_code_and_no_score() {
    let folder = full();
    for line in [
        "score restorer.narrows clean",
        "encode restorer.narrows clean",
        "generate restorer.narrows -n 3 -o new",
        "reconstruct restorer.narrows clean -o out",
        "decode restorer.narrows train.csv -o out",
        "explain restorer.narrows clean --row 0",
    ] {
        folder.check_fails(line, 3, &["expected a model with a code", "hint: it is for narrows restore"]);
    }
    folder.check_fails("evaluate restorer.narrows clean --normal clean", 2, &["--normal", "restorer"]);
    folder.check_fails("evaluate restorer.narrows clean --threshold max", 2, &["--threshold", "restorer"]);
}

#[test]
fn words_that_make_no_sense() {
    let folder = full();
    let fit = |flags: &str, code, words: &[&str]| folder.check_fails(&format!("fit {flags} -o m.narrows"), code, words);
    fit("clean --corrupt gausian:25", 2, &["--corrupt", "got `gausian`", "did you mean `gaussian`?"]);
    fit("clean --corrupt gaussian:-3", 2, &["--corrupt", "sigma"]);
    fit("clean --corrupt downscale:1", 2, &["--corrupt", "factor"]);
    fit("clean --corrupt watermark:no-such-logo.png:0.4", 3, &["no-such-logo.png"]);
    fit("train.csv --corrupt gaussian:25", 2, &["--corrupt", "train.csv"]);
    fit("train.csv --kind table --corrupt gaussian:25", 2, &["--corrupt"]);
    fit("clean clean", 2, &["INPUT", "several inputs", "the folder `clean`"]);
    fit("clean/[.png", 2, &["clean/["]);
    fit("clean --label a --normal 0", 2, &["--label", "no columns"]);
    fit("clean --normal clean --corrupt gaussian:25", 2, &["--normal"]);
    fit("clean --set data.side=2", 2, &["data.side"]);
    fit("clean --kind table", 3, &["clean"]);
    fit("train.csv --kind images", 3, &["expected images", "train.csv"]);
    folder.check_fails(
        "score table.narrows train.csv --heatmaps heat",
        2,
        &["--heatmaps", "expected a model of images"],
    );
    folder.check_fails("score coder.narrows clean --explain 3", 2, &["--explain"]);
    folder.check_fails("encode coder.narrows clean --keep a", 2, &["--keep"]);
    folder.check_fails("evaluate coder.narrows clean --label a", 2, &["--label"]);
    folder.check_fails("evaluate coder.narrows clean --normal nothing", 3, &["`nothing`", "`clean`"]);
}

#[test]
fn colours_cannot_be_learnt_from_grey_images() {
    let folder = Folder::new();
    draw(&folder, "grey", 6, 16, Channels::Grey);
    let words = ["grey", "expected images in colour"];
    folder.check_fails(&format!("fit grey -o m.narrows --corrupt grayscale {SMALL}"), 3, &words);
    folder.check_fails(&format!("fit grey -o m.narrows --corrupt grayscale,downscale:2 {SMALL}"), 3, &words);
}

#[test]
fn codes_that_are_none() {
    let folder = full();
    folder.write("codes.csv", "code_0,code_1,code_2,code_3\n1,2,3,4\n1,2,x,4\n");
    folder.check_fails("decode coder.narrows train.csv -o out", 3, &["code_0"]);
    folder.run("decode coder.narrows codes.csv -o out").fails(3, &["code_2"]);
    folder.check_fails("reconstruct coder.narrows clean -o out.csv", 2, &["--output", "expected a folder", "out.csv"]);
}

#[test]
#[cfg(target_os = "linux")]
fn places_that_cannot_be_written() {
    let folder = full();
    folder.check_fails("restore restorer.narrows clean/000.png /proc/none/out.png", 1, &["/proc/none"]);
    folder.check_fails("restore restorer.narrows clean /proc/none", 1, &["cannot write /proc/none"]);
    folder.check_fails("score coder.narrows clean --heatmaps /proc/none", 1, &["cannot write /proc/none"]);
    folder.check_fails("score coder.narrows clean -o /dev/full", 1, &["cannot write /dev/full"]);
    folder.check_fails("generate coder.narrows -n 3 -o /proc/none", 1, &["cannot write /proc/none"]);
    folder.check_fails(
        "evaluate coder.narrows clean --sheet no/such/sheet.png",
        1,
        &["cannot write no/such/sheet.png"],
    );
    folder.check_fails("evaluate coder.narrows clean --sheet sheet.txt", 2, &["sheet.txt"]);
    let ran = folder
        .shell("mkdir in && cp clean/000.png in && trap '' XFSZ; ulimit -f 0; narrows restore restorer.narrows in out");
    ran.fails(1, &["cannot write out/000.png"]);
    assert!(fs::read_dir(folder.path("out")).unwrap().next().is_none(), "a partial file");
}

#[test]
fn a_model_that_is_cut_or_changed() {
    let folder = full();
    let whole = folder.bytes("restorer.narrows");
    folder.write("cut.narrows", &whole[..whole.len() / 2]);
    folder.check_fails("restore cut.narrows clean out", 4, &["cut.narrows"]);
    let mut changed = whole.clone();
    let middle = changed.len() * 3 / 4;
    changed[middle] ^= 1;
    folder.write("changed.narrows", changed);
    folder.check_fails("restore changed.narrows clean out", 4, &["changed.narrows"]);
    folder.check_fails("restore clean/000.png clean out", 4, &["000.png"]);
}

#[test]
fn an_image_that_comes_back_without_any_error() {
    let folder = Folder::new();
    draw(&folder, "clean", 6, 16, Channels::Rgb);
    // Grey images among colourful ones lose nothing by losing their colour.
    for i in 0..6 {
        let path = folder.path(&format!("clean/grey-{i}.png"));
        write(&Image::filled(16, 16, Channels::Grey, 0.1 * i as f32).into(), &path);
    }
    folder.run(&format!("fit clean -o m.narrows --corrupt grayscale {SMALL}")).succeeds();
    let told = folder.run("evaluate m.narrows clean --json").succeeds().json();
    assert!(told["input"]["psnr"].is_number(), "{told}");
}
