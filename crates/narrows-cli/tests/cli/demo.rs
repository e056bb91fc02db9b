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
