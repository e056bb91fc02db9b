//! Pictures that cannot be used, and models that were not made for them: a clear error, and nothing left behind.

use std::fs;

use narrows::pictures::{Channels, Photo};

use crate::folder::{Folder, QUICK};
use crate::pictures::{scene, with_code, with_denoiser, with_pictures, write};

/// The flags of the quickest fit.
const FIT: &str = "--set train.steps=2 --set backbone.channels=4 --set backbone.blocks=0 --set backbone.patch=8";

/// A PNG whose header promises a side of 60,000 pixels each way.
fn promising() -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(60_000_u32.to_be_bytes());
    header.extend(60_000_u32.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut crc = 0xFFFF_FFFF_u32;
    for byte in &header {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 });
    }
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(header);
    png.extend((!crc).to_be_bytes());
    png
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    let folder = Folder::new();
    fs::create_dir(folder.path("empty")).unwrap();
    folder.check_fails("fit empty -o m.narrows", 3, &["empty", "expected picture files"]);
    fs::create_dir(folder.path("texts")).unwrap();
    folder.write("texts/a.txt", "words");
    folder.check_fails("fit texts -o m.narrows", 3, &["texts", "expected picture files", "1 of other extensions"]);
    fs::create_dir(folder.path("broken")).unwrap();
    folder.write("broken/a.png", "words");
    folder.write("broken/b.png", promising());
    folder.check_fails("fit broken -o m.narrows", 3, &["expected at least one readable picture, got 2 unreadable"]);
    folder.check_fails("fit nowhere --kind images -o m.narrows", 3, &["nowhere"]);
}

#[test]
fn broken_pictures_are_named_counted_and_left_out() {
    let folder = with_pictures(5, Channels::Grey);
    folder.write("clean/text.png", "these are words");
    folder.write("clean/promise.png", promising());
    write(&folder, "clean/cut.jpg", &Photo::from(scene(24, 28, Channels::Grey, 7)));
    let whole = folder.bytes("clean/cut.jpg");
    folder.write("clean/cut.jpg", &whole[..whole.len() / 2]);
    let names = ["text.png", "promise.png", "cut.jpg"];
    let ran = folder.run(&format!("fit clean --corrupt gaussian:25 -o m.narrows {FIT}"));
    ran.fails(5, &names);
    ran.fails(5, &["60000", "5 read", "3 could not be read"]);
    assert!(folder.path("m.narrows").exists());
    let ran = folder.run("restore m.narrows clean out");
    ran.fails(5, &names);
    ran.fails(5, &["5 pictures restored; 3 pictures left out"]);
    assert_eq!(fs::read_dir(folder.path("out")).unwrap().count(), 5);
    folder.run("evaluate m.narrows clean").fails(5, &names);
    fs::remove_file(folder.path("clean/promise.png")).unwrap();
    let code = with_code();
    for name in ["text.png", "cut.jpg"] {
        code.write(&format!("clean/{name}"), folder.bytes(&format!("clean/{name}")));
    }
    let ran = code.run("score c.narrows clean");
    ran.fails(5, &["text.png", "cut.jpg", "6 pictures scored", "2 pictures left out"]);
    assert_eq!(ran.stdout.lines().count(), 7);
}

#[test]
fn pictures_of_all_sizes_and_channels_train_together() {
    let folder = with_pictures(4, Channels::Rgb);
    write(&folder, "clean/dot.png", &Photo::from(scene(1, 1, Channels::Grey, 0)));
    write(&folder, "clean/grey.png", &Photo::from(scene(50, 9, Channels::Grey, 0)));
    folder.run(&format!("fit clean --corrupt gaussian:25 -o r.narrows {FIT}")).succeeds();
    folder.run("fit clean -o c.narrows --set train.steps=2 --set backbone.channels=[4] --set data.side=8").succeeds();
    assert_eq!(folder.run("score c.narrows clean").succeeds().stdout.lines().count(), 7);
}

#[test]
fn the_input_is_never_written_over() {
    let folder = with_denoiser();
    let before = folder.bytes("clean/00.png");
    folder.check_fails("restore d.narrows clean clean", 2, &["expected another folder than the input"]);
    folder.check_fails("restore d.narrows clean ./clean/", 2, &["expected another folder than the input"]);
    folder.check_fails("restore d.narrows clean/00.png clean/00.png", 2, &["expected another file than the input"]);
    assert!(before == folder.bytes("clean/00.png"));
    folder.write("file", "");
    folder.check_fails("restore d.narrows clean file", 2, &["expected a folder, got the file"]);
    let code = with_code();
    code.check_fails("score c.narrows clean --heatmaps clean", 2, &["expected another folder than the input"]);
    code.check_fails("reconstruct c.narrows clean -o clean", 2, &["expected another folder than the input"]);
}

#[test]
fn models_and_data_of_different_kinds_are_told_apart() {
    let tables = Folder::with_model();
    write(&tables, "photos/a.png", &Photo::from(scene(8, 8, Channels::Grey, 0)));
    for line in ["score m.narrows photos", "encode m.narrows photos", "explain m.narrows photos --row 0"] {
        tables.check_fails(line, 3, &["expected a table", "got pictures"]);
    }
    tables.check_fails("evaluate m.narrows photos --label a --normal 0", 3, &["expected a table"]);
    tables.check_fails("restore m.narrows photos out", 3, &["expected a model of pictures"]);
    tables.check_fails("score m.narrows train.csv --heatmaps maps", 2, &["--heatmaps", "expected a model of pictures"]);
    tables.check_fails(&format!("fit train.csv --corrupt gaussian:25 -o n.narrows {QUICK}"), 2, &["train.csv"]);

    let code = with_code();
    code.write("t.csv", "a,b\n1,2\n");
    for line in ["score c.narrows t.csv", "encode c.narrows t.csv", "evaluate c.narrows t.csv"] {
        code.check_fails(line, 3, &["t.csv"]);
    }
    code.check_fails("restore c.narrows clean out", 3, &["expected a model fitted with a damage", "--corrupt"]);
    code.check_fails("explain c.narrows clean --row 0", 3, &["pictures", "--heatmaps"]);
    code.check_fails("score c.narrows clean --explain 2", 2, &["--explain"]);
    code.check_fails("evaluate c.narrows clean --label x --normal y", 2, &["--label"]);
    code.check_fails("evaluate c.narrows clean --normal nowhere", 3, &["nowhere", "clean"]);

    let restorer = with_denoiser();
    for verb in ["score d.narrows clean", "encode d.narrows clean", "generate d.narrows -n 3 -o out"] {
        restorer.check_fails(verb, 3, &["expected a model with a code, got one that restores pictures"]);
    }
    restorer.check_fails("evaluate d.narrows clean --normal clean", 2, &["--normal", "restorer"]);
    restorer.check_fails("evaluate d.narrows clean --threshold max", 2, &["--threshold", "restorer"]);
}

#[test]
fn wrong_damages_are_named() {
    let folder = with_pictures(3, Channels::Grey);
    for (damage, fragment) in [
        ("gausian:25", "gaussian"),
        ("gaussian:-3", "gaussian"),
        ("gaussian:nan", "gaussian"),
        ("blocks:1.5", "blocks"),
        ("downscale:1", "downscale"),
        ("grayscale,grayscale", "at most once"),
    ] {
        folder.check_fails(&format!("fit clean --corrupt {damage} -o m.narrows {FIT}"), 2, &[fragment]);
    }
    folder.check_fails(&format!("fit clean --corrupt watermark:gone.png:0.4 -o m.narrows {FIT}"), 3, &["gone.png"]);
    folder.check_fails(
        &format!("fit clean --corrupt grayscale -o m.narrows {FIT}"),
        3,
        &["expected pictures in colour"],
    );
    folder.check_fails("fit clean --preset restore -o m.narrows", 2, &["data.corrupt", "expected a damage to undo"]);
    folder.check_fails("fit clean --set corruption=gaussian -o m.narrows", 2, &["corruption", "--corrupt"]);
    folder.check_fails("fit clean --label a --normal b -o m.narrows", 2, &["--label", "no columns"]);
    folder.check_fails(
        &format!("fit clean --corrupt gaussian -o m.narrows {FIT} --set loss=bce"),
        2,
        &["loss", "got bce"],
    );
    folder.check_fails("fit clean --preset seq2seq --kind images -o m.narrows", 2, &["backbone", "lstm"]);
}
