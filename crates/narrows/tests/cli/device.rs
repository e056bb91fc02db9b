//! `--device`: where networks are trained.

#[cfg(feature = "gpu")]
use crate::folder::Ran;
use crate::folder::{Folder, QUICK};

#[test]
fn auto_trains_small_networks_on_the_cpu() {
    let folder = Folder::with_data();
    let fit = |name: &str, device: &str| {
        folder.run(&format!("fit train.csv -o {name} {QUICK} --device {device}")).succeeds();
        folder.bytes(name)
    };
    assert!(fit("a.narrows", "cpu") == fit("b.narrows", "auto"), "another model");
}

#[cfg(not(feature = "gpu"))]
#[test]
fn a_build_without_the_feature_says_what_to_install() {
    let folder = Folder::with_data();
    let words = ["--device", "expected cpu or auto, got gpu", "cargo install narrows --features gpu"];
    folder.check_fails(&format!("fit train.csv -o m.narrows {QUICK} --device gpu"), 2, &words);
    assert!(!folder.path("m.narrows").exists());
}

/// On a graphics processor, or on a driver that computes on the processor; skipped with a message where there is neither.
#[cfg(feature = "gpu")]
#[test]
fn a_model_that_a_gpu_trained_is_one_like_all_others() {
    let folder = Folder::with_data();
    let found = folder.run("doctor --json").succeeds().json();
    let has_adapter = found["gpu"]["adapters"].as_array().is_some_and(|adapters| !adapters.is_empty());
    if !has_adapter {
        assert!(std::env::var_os("NARROWS_REQUIRE_GPU").is_none(), "{found}");
        eprintln!("skipped: {found}");
        return;
    }
    let fit = |name: &str, device: &str| {
        let line = format!("fit train.csv -o {name} {QUICK} --device {device}");
        let mut command = folder.command();
        command.args(line.split_whitespace()).env("NARROWS_SOFTWARE_GPU", "1");
        Ran::new(&command.output().unwrap()).succeeds().stderr
    };
    let told = fit("gpu.narrows", "gpu");
    assert!(told.contains("networks train on"), "{told}");
    fit("cpu.narrows", "cpu");
    // Near, not equal: another order of sums, over some steps.
    let scores = |model: &str| -> Vec<f64> {
        let csv = folder.run(&format!("score {model} train.csv")).succeeds().stdout;
        let (header, rows) = csv.split_once('\n').expect("a header");
        let column = header.split(',').position(|name| name == "score").expect("a column of scores");
        rows.lines().map(|row| row.split(',').nth(column).unwrap().parse().unwrap()).collect()
    };
    let (ours, cpus) = (scores("gpu.narrows"), scores("cpu.narrows"));
    assert!(ours.len() == 300 && ours.len() == cpus.len());
    for (a, b) in ours.iter().zip(&cpus) {
        assert!((a - b).abs() < 0.01 * b.abs().max(1.0), "{a} {b}");
    }
}
