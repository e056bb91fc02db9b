//! Ctrl-C: a fit keeps its best and says 130; anything else leaves nothing half-written.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use narrows_core::images::Channels;

use crate::drawing::{draw, read};
use crate::folder::{Folder, ordinary};

fn press_ctrl_c(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

fn wait(mut child: Child) -> i32 {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        if began.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            panic!("still running two minutes after Ctrl-C");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Far more steps than anybody waits for, with a checkpoint often.
const LONG: &str = "--preset deep --set train.steps=1000000 --set train.epochs=1000000 --set train.patience=0";

/// Starts a long fit and waits until it trains.
fn training(folder: &Folder, flags: &str) -> Child {
    let line = format!("fit train.csv -o m.narrows {LONG} --checkpoint {flags}");
    let mut child = folder.command().args(line.split_whitespace()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !folder.path("m.narrows.checkpoint/member-0.safetensors").exists() {
        if began.elapsed() > Duration::from_secs(120) || child.try_wait().unwrap().is_some() {
            let mut told = String::new();
            child.kill().ok();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("no checkpoint appeared: {told}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn a_fit_keeps_the_best_so_far() {
    let folder = Folder::with_data();
    let mut child = training(&folder, "");
    let stderr = child.stderr.take().unwrap();
    press_ctrl_c(&child);
    assert_eq!(wait(child), 130);
    let told: Vec<String> = BufReader::new(stderr).lines().map_while(Result::ok).collect();
    assert!(told.iter().any(|line| line.contains("best weights so far")), "{told:?}");
    assert_eq!(folder.run("score m.narrows train.csv").succeeds().stdout.lines().count(), 301);
    // The checkpoint stays, so that --resume can go on.
    assert!(folder.path("m.narrows.checkpoint").exists());
}

#[test]
fn a_fit_cut_short_and_resumed_is_the_uninterrupted_one() {
    let folder = Folder::new();
    folder.write("train.csv", ordinary(2000));
    let flags = "--preset deep --set train.steps=1500 --set train.epochs=1000000 --set train.patience=0 --set train.batch_size=32";
    folder.run(&format!("fit train.csv -o whole.narrows {flags}")).succeeds();
    let line = format!("fit train.csv -o m.narrows {flags} --checkpoint");
    let child = folder.command().args(line.split_whitespace()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !folder.path("m.narrows.checkpoint/member-0.safetensors").exists()
        && began.elapsed() < Duration::from_secs(60)
    {
        std::thread::sleep(Duration::from_millis(2));
    }
    press_ctrl_c(&child);
    // On a fast machine the fit may be over before the signal comes: then there is nothing to resume.
    let code = wait(child);
    assert!(matches!(code, 0 | 130), "{code}");
    if code == 130 {
        folder.run(&format!("fit train.csv -o m.narrows {flags} --resume")).succeeds();
    }
    assert!(folder.bytes("whole.narrows") == folder.bytes("m.narrows"), "a resumed training took other steps");
    assert!(!folder.path("m.narrows.checkpoint").exists());
}

#[test]
fn a_search_writes_the_best_so_far_and_goes_on_from_there() {
    let folder = Folder::with_data();
    let flags = "--trials 4 --set train.steps=900 --set train.epochs=100000 --set train.patience=0 --threads 1";
    folder.run(&format!("tune train.csv {flags} -o whole.toml")).succeeds();
    let line = format!("tune train.csv {flags}");
    let mut child = folder.command().args(line.split_whitespace()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    // The start has been measured once.
    assert!(stderr.any(|line| line.contains("(start)")));
    press_ctrl_c(&child);
    let told: Vec<String> = stderr.collect();
    // On a fast machine the search may be over before the signal comes.
    let code = wait(child);
    assert!(matches!(code, 0 | 130), "{code}: {told:?}");
    if code == 130 {
        assert!(told.iter().any(|line| line.contains("the best recipe so far is written")), "{told:?}");
        assert!(folder.read("best.toml").contains("interrupted; resuming continues"));
        folder.run(&format!("tune train.csv {flags} --resume")).succeeds();
    }
    assert_eq!(folder.read("best.toml"), folder.read("whole.toml"));
}

#[test]
fn scoring_leaves_no_partial_file() {
    let folder = Folder::with_model();
    let before = folder.names();
    let mut child = folder
        .command()
        .args(["score", "m.narrows", "-", "-o", "scores.csv"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The pipe stays open: the program waits for more rows when the signal comes.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(ordinary(20_000).as_bytes()).unwrap();
    stdin.flush().unwrap();
    let began = Instant::now();
    while folder.names() == before && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    press_ctrl_c(&child);
    assert_eq!(wait(child), 130);
    assert_eq!(folder.names(), before);
    drop(stdin);
}

/// Waits until a file is there, or the program is done.
fn until_there(child: &mut Child, path: &std::path::Path) {
    let began = Instant::now();
    while !path.exists() && child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_restorer_cut_short_and_resumed_is_the_uninterrupted_one() {
    let folder = Folder::new();
    draw(&folder, "clean", 8, 24, Channels::Rgb);
    let flags = "--corrupt gaussian:5-30 --set backbone.channels=8 --set backbone.blocks=1 --set backbone.patch=16 \
                 --set train.batch_size=4 --set train.steps=900";
    folder.run(&format!("fit clean -o whole.narrows {flags}")).succeeds();
    let line = format!("fit clean -o m.narrows {flags} --checkpoint");
    let mut child = folder.command().args(line.split_whitespace()).stderr(Stdio::null()).spawn().unwrap();
    until_there(&mut child, &folder.path("m.narrows.checkpoint/member-0.safetensors"));
    press_ctrl_c(&child);
    // On a fast machine the fit may be over before the signal comes: then there is nothing to resume.
    let code = wait(child);
    assert!(matches!(code, 0 | 130), "{code}");
    if code == 130 {
        folder.run("evaluate m.narrows clean").succeeds();
        folder.run(&format!("fit clean -o m.narrows {flags} --resume")).succeeds();
    }
    assert!(folder.bytes("whole.narrows") == folder.bytes("m.narrows"), "a resumed training took other steps");
    assert!(!folder.path("m.narrows.checkpoint").exists());
}

#[test]
fn restoring_stops_between_two_images() {
    let folder = Folder::new();
    draw(&folder, "clean", 4, 24, Channels::Rgb);
    draw(&folder, "in", 200, 96, Channels::Rgb);
    folder.run("fit clean -o m.narrows --corrupt gaussian:25 --set backbone.blocks=1 --set train.steps=2").succeeds();
    let line = ["restore", "m.narrows", "in", "out"];
    let mut child = folder.command().args(line).stderr(Stdio::piped()).spawn().unwrap();
    until_there(&mut child, &folder.path("out/000.png"));
    press_ctrl_c(&child);
    let stderr = child.stderr.take().unwrap();
    let code = wait(child);
    assert!(matches!(code, 0 | 130), "{code}");
    let written = std::fs::read_dir(folder.path("out")).unwrap().map(|entry| entry.unwrap().file_name());
    let written: Vec<String> = written.map(|name| name.into_string().unwrap()).collect();
    if code == 130 {
        let told: Vec<String> = BufReader::new(stderr).lines().map_while(Result::ok).collect();
        assert!(told.contains(&format!("{} restored", count(written.len()))), "{told:?}");
    }
    // None of them is half an image, and no temporary file is left.
    assert!(
        written.iter().all(|name| name.ends_with(".png") && read(&folder, &format!("out/{name}")).image.width == 96)
    );
}

fn count(images: usize) -> String {
    if images == 1 { "1 image".to_owned() } else { format!("{images} images") }
}
