//! `narrows fit`: what it says, what it prints, what it reads.

use crate::folder::{Folder, QUICK, ordinary};

#[test]
fn people_are_told_what_became_of_their_data() {
    let folder = Folder::new();
    let text: String = ordinary(200)
        .lines()
        .enumerate()
        .map(|(i, line)| if i == 0 { format!("{line},id,same\n") } else { format!("{line},user-{i},7\n") })
        .collect();
    folder.write("train.csv", text);
    let ran = folder.run(&format!("fit train.csv -o m.narrows --ignore b {QUICK}")).succeeds();
    assert_eq!(ran.stdout, "");
    for words in [
        "verdict     ",
        "columns",
        "a (num",
        "word (category",
        "id: ",
        "never changed: same (always 7 in ",
        "ignored     b",
        "rows",
        "200 read",
        "threshold",
        "m.narrows (",
        "next: narrows score m.narrows new.csv",
    ] {
        assert!(ran.stderr.contains(words), "expected `{words}` in\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("bottleneck"), "{}", ran.stderr);
    let verbose = folder.run(&format!("fit train.csv -o m.narrows --force --verbose {QUICK}")).succeeds().stderr;
    for words in ["verdict     ", "network ", "loss", "training ", "PCA", "bottleneck", "generation"] {
        assert!(verbose.contains(words), "expected `{words}` in\n{verbose}");
    }
    let progress = ran.stderr.lines().filter(|line| line.starts_with("training  ") && line.contains(" % ")).count();
    assert!((1..=10).contains(&progress), "{}", ran.stderr);
}

#[test]
fn quiet_says_nothing_but_warnings() {
    let folder = Folder::with_data();
    let ran = folder.run(&format!("fit train.csv -o m.narrows --quiet {QUICK}")).succeeds();
    assert!(ran.stdout.is_empty() && ran.stderr.lines().all(|line| line.starts_with("warning: ")), "{}", ran.stderr);
    let ran = folder.run("score m.narrows train.csv -q -o scores.csv").succeeds();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn json_is_the_report() {
    let folder = Folder::with_data();
    let ran = folder.run(&format!("fit train.csv -o m.narrows --json {QUICK}")).succeeds();
    assert_eq!(ran.stderr, "");
    let report = ran.json();
    assert_eq!((report["rows"]["read"].as_u64(), report["recipe"]["preset"].as_str()), (Some(300), Some("simple")));
    assert!(report["verdict"]["grade"].is_string() && report["verdict"]["concerns"].is_array(), "{report}");
    let inspected = folder.run("inspect m.narrows --json").succeeds().json();
    assert_eq!(inspected["detection"], report["detection"]);
}

#[test]
fn the_model_is_named_after_the_input_unless_told() {
    let folder = Folder::with_data();
    folder.run(&format!("fit train.csv {QUICK}")).succeeds();
    assert!(folder.path("train.narrows").exists());
}

#[test]
fn several_files_patterns_and_stdin_are_one_table() {
    let folder = Folder::new();
    let text = ordinary(200);
    let header = text.lines().next().unwrap();
    let rows: Vec<&str> = text.lines().skip(1).collect();
    folder.write("all.csv", &text);
    for (i, half) in rows.chunks(100).enumerate() {
        folder.write(&format!("part-{i}.csv"), format!("{header}\n{}\n", half.join("\n")));
    }
    folder.run(&format!("fit all.csv -o a.narrows {QUICK}")).succeeds();
    folder.run(&format!("fit part-0.csv part-1.csv -o b.narrows {QUICK}")).succeeds();
    folder.run(&format!("fit part-*.csv -o c.narrows {QUICK}")).succeeds();
    folder.shell(&format!("narrows fit - -o d.narrows {QUICK} < all.csv")).succeeds();
    let expected = folder.run("score a.narrows all.csv").succeeds().stdout;
    for model in ["b", "c", "d"] {
        assert_eq!(folder.run(&format!("score {model}.narrows all.csv")).succeeds().stdout, expected, "{model}");
    }
}

#[test]
fn columns_are_chosen_by_name_and_pattern() {
    let folder = Folder::with_data();
    folder.run(&format!("fit train.csv -o m.narrows --columns a,w* {QUICK}")).succeeds();
    let model = folder.run("inspect m.narrows --json").succeeds().json();
    let names: Vec<&str> =
        model["schema"]["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "word"]);
}

#[test]
fn a_report_is_written_beside_the_model() {
    let folder = Folder::with_data();
    folder.run(&format!("fit train.csv -o m.narrows --report r.html {QUICK}")).succeeds();
    assert!(folder.read("r.html").contains("<html"));
    folder.run("report m.narrows").succeeds();
    assert_eq!(folder.read("m.html"), folder.read("r.html"));
    assert_eq!(folder.run("report m.narrows -o -").succeeds().stdout, folder.read("m.html"));
}

#[test]
fn every_preset_fits_and_scores() {
    let folder = Folder::with_data();
    for preset in ["auto", "simple", "sparse", "deep", "denoising", "variational"] {
        folder.run(&format!("fit train.csv -o {preset}.narrows --preset {preset} --set train.steps=20")).succeeds();
        let scores = folder.run(&format!("score {preset}.narrows train.csv")).succeeds().stdout;
        assert_eq!(scores.lines().count(), 301, "{preset}");
    }
}

#[test]
fn a_threshold_of_the_users_is_kept_in_the_model() {
    let folder = Folder::with_data();
    folder.run(&format!("fit train.csv -o m.narrows --threshold fixed=123.5 {QUICK}")).succeeds();
    assert_eq!(folder.run("inspect m.narrows --json").succeeds().json()["threshold"], 123.5);
}
