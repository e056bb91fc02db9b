//! `narrows demo`: the first thing anybody runs.

use crate::folder::Folder;

#[test]
fn the_whole_way_from_data_to_a_report() {
    let folder = Folder::new();
    // Fewer rows than by default; the steps are the same.
    let ran = folder.run("demo --rows 600 --dir here").succeeds();
    for step in ["$ narrows fit ", "$ narrows score ", "$ narrows evaluate ", "$ narrows explain ", "$ narrows report "]
    {
        assert!(ran.stderr.contains(step), "{step}: {}", ran.stderr);
    }
    assert!(ran.stdout.contains("AUC-ROC") && ran.stdout.contains("an anomaly"), "{}", ran.stdout);
    for name in ["train.csv", "test.csv", "payments.narrows", "scores.csv", "report.html"] {
        assert!(folder.path("here").join(name).exists(), "{name}");
    }
    folder.check_fails("demo --rows 600 --dir here", 2, &["`here`", "hint: --force"]);
}

#[test]
fn data_alone_in_any_format() {
    let folder = Folder::new();
    folder.run("demo wide --data-only --rows 500 --features 5 -o wide.parquet").succeeds();
    folder.run("demo --data-only --rows 50 -o payments.ndjson").succeeds();
    assert_eq!(folder.read("payments.ndjson").lines().count(), 50);
    folder
        .run("fit wide.parquet --label is_anomaly --normal 0 -o m.narrows --preset simple --set train.steps=20")
        .succeeds();
    folder.check_fails("demo wide", 2, &["--data-only"]);
}

#[test]
fn images_are_drawn_restored_and_inspected() {
    let folder = Folder::new();
    let ran = folder.run("demo images --rows 4 --dir here").succeeds();
    for step in ["--corrupt gaussian:25", "--corrupt grayscale", "--corrupt downscale:2", "--heatmaps", "--normal good"]
    {
        assert!(ran.stderr.contains(step), "{step}: {}", ran.stderr);
    }
    for words in ["corrupted input", "non-local means", "bicubic", "AUC-ROC"] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    for name in
        ["denoise.png", "colour.png", "enlarge.png", "defects.png", "report.html", "clean/003.png", "test/001.png"]
    {
        assert!(folder.path("here").join(name).exists(), "{name}");
    }
    folder.run("demo images --data-only --rows 3 -o drawn").succeeds();
    assert!(folder.path("drawn/parts/test/scratched/001.png").exists());
    folder.check_fails("demo images --data-only --rows 1 -o one", 2, &["--rows"]);
}
