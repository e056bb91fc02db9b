//! `fit --checkpoint` and `--resume`: which training goes on, and which files are touched.
#![cfg(unix)]

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::folder::{Folder, labelled};

/// Far more steps than anybody waits for.
const LONG: &str = "--preset deep --set train.steps=1000000 --set train.epochs=1000000 --set train.patience=0";

/// A folder with `train.csv` and the checkpoint of a fit of it that was killed.
fn killed(flags: &str) -> Folder {
    let folder = Folder::new();
    folder.write("train.csv", labelled(300, 20));
    let mut child = training(&folder, flags);
    child.kill().unwrap();
    child.wait().unwrap();
    folder
}

/// A fit that has written a checkpoint, and goes on.
fn training(folder: &Folder, flags: &str) -> Child {
    let line = format!("fit train.csv -o m.narrows {LONG} --checkpoint {flags}");
    let mut child = folder.command().args(line.split_whitespace()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !folder.path("m.narrows.checkpoint/member-0.safetensors").exists() {
        assert!(began.elapsed() < Duration::from_secs(120) && child.try_wait().unwrap().is_none(), "no checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn a_training_of_other_rows_columns_or_recipe_does_not_go_on_from_a_checkpoint() {
    let folder = killed("--label bad --normal 0");
    let snapshot = folder.bytes("m.narrows.checkpoint/member-0.safetensors");
    for (flags, difference) in [
        ("--label bad --normal 1", "`normal` was \"0\", and is \"1\""),
        ("--label bad --normal 0 --ignore word", "`ignore` was []"),
        ("--ignore bad", "`label` was \"bad\", and is nothing"),
        ("--label bad --normal 0 --seed 5", "`seed` was 0, and is 5"),
    ] {
        let line = format!("fit train.csv -o m.narrows {LONG} --resume {flags}");
        folder.check_fails(&line, 3, &["checkpoint of this training, got one of another", difference, "hint: "]);
    }
    folder.write("train.csv", labelled(299, 21));
    let line = format!("fit train.csv -o m.narrows {LONG} --label bad --normal 0");
    folder.check_fails(&format!("{line} --resume"), 3, &["the data have other values"]);
    // A new training does not throw the old one away unasked.
    folder.check_fails(&format!("{line} --checkpoint"), 2, &["checkpoint of an interrupted fit", "hint: --resume"]);
    assert!(folder.bytes("m.narrows.checkpoint/member-0.safetensors") == snapshot);
}

#[test]
fn nothing_to_resume_is_an_error_and_leaves_the_model() {
    let folder = Folder::with_model();
    let before = folder.bytes("m.narrows");
    folder.check_fails("fit train.csv -o m.narrows --resume", 2, &["expected a checkpoint in `m.narrows.checkpoint`"]);
    assert_eq!(folder.bytes("m.narrows"), before);
}

#[test]
fn foreign_files_in_the_folder_of_checkpoints_stay() {
    let folder = Folder::with_data();
    std::fs::create_dir(folder.path("m.narrows.checkpoint")).unwrap();
    folder.write("m.narrows.checkpoint/notes.txt", "mine");
    folder.run("fit train.csv -o m.narrows --preset simple --set train.steps=20 --checkpoint").succeeds();
    let left = std::fs::read_dir(folder.path("m.narrows.checkpoint")).unwrap().count();
    assert_eq!((left, folder.read("m.narrows.checkpoint/notes.txt")), (1, "mine".to_owned()));
}

#[test]
fn two_fits_do_not_share_a_folder_of_checkpoints() {
    let folder = Folder::new();
    folder.write("train.csv", labelled(300, 20));
    let mut first = training(&folder, "");
    let second = folder.run(&format!("fit train.csv -o m.narrows {LONG} --checkpoint --force"));
    let third = folder.run(&format!("fit train.csv -o m.narrows {LONG} --resume"));
    let lives = first.try_wait().unwrap().is_none();
    first.kill().unwrap();
    first.wait().unwrap();
    second.fails(1, &["m.narrows.checkpoint", "another fit"]);
    third.fails(1, &["m.narrows.checkpoint", "another fit"]);
    assert!(lives && folder.path("m.narrows.checkpoint/member-0.safetensors").exists());
}
