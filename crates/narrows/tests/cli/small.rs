//! Small data: how long a fit trains, and what is said of a network that has learnt hardly anything.

use narrows_core::images::Channels;

use crate::drawing::draw;
use crate::folder::{Folder, ordinary};

const TINY: &str = "--set backbone.channels=[4,8] --set backbone.code_size=4";

/// The steps that a fit took, by its report.
fn steps(folder: &Folder, line: &str) -> u64 {
    let report = folder.run(&format!("fit {line} -o m.narrows --force --json")).succeeds().json();
    report["training"].as_array().unwrap().iter().map(|training| training["steps"].as_u64().unwrap()).max().unwrap()
}

#[test]
fn a_few_images_train_for_a_least_number_of_steps_unless_told() {
    let folder = Folder::new();
    draw(&folder, "good", 30, 16, Channels::Grey);
    assert_eq!(steps(&folder, &format!("good {TINY}")), 1000);
    assert_eq!(steps(&folder, &format!("good {TINY} --preset variational")), 1000);
    assert_eq!(steps(&folder, &format!("good {TINY} --set train.least_steps=40")), 40);
    assert_eq!(steps(&folder, &format!("good {TINY} --set train.epochs=7")), 7);
    assert_eq!(steps(&folder, &format!("good {TINY} --set train.steps=1200")), 1200);
}

#[test]
fn limits_that_contradict_each_other_are_told() {
    let folder = Folder::new();
    draw(&folder, "good", 30, 16, Channels::Grey);
    let line = format!("fit good {TINY} -o m.narrows --set train.steps=500 --set train.epochs=7");
    let told = folder.run(&line).succeeds().stderr;
    assert!(told.contains("warning: train.epochs=7 ends the training after 7 steps, before train.steps=500"), "{told}");
    let told = folder.run(&format!("{line} --quiet --force")).succeeds().stderr;
    assert!(told.contains("warning: train.epochs=7"), "{told}");
}

#[test]
fn a_network_that_hardly_learnt_is_not_called_good() {
    let folder = Folder::new();
    draw(&folder, "good", 120, 16, Channels::Grey);
    let fit = format!("fit good {TINY} -o m.narrows --force --set train.steps=2");
    let told = folder.run(&fit).succeeds().stderr;
    let verdict = told.lines().find(|line| line.starts_with("verdict")).unwrap();
    assert!(!verdict.contains("good:") && verdict.contains("unexplained") || verdict.contains("failed"), "{verdict}");
    let told = folder.run(&format!("{fit} --quiet")).succeeds().stderr;
    assert!(told.contains("warning: "), "{told}");
}

#[test]
fn a_search_of_networks_that_learnt_nothing_warns() {
    let folder = Folder::new();
    draw(&folder, "good", 60, 16, Channels::Grey);
    let ran = folder.run(&format!("tune good --trials 2 --set train.steps=2 {TINY}")).succeeds();
    assert!(ran.stderr.contains("warning: best of 2 trials: "), "{}", ran.stderr);
    assert!(ran.stdout.contains("elbow: none"), "{}", ran.stdout);
    assert!(folder.read("best.toml").contains("# warning:"));
}

#[test]
fn a_column_that_rises_is_told_at_fit_at_score_and_in_an_evaluation() {
    let folder = Folder::new();
    let with_total = |n: usize, first: usize| -> String {
        let rows = ordinary(n);
        let rows = rows.lines().enumerate().map(|(i, line)| match i {
            0 => format!("{line},total,bad\n"),
            i => format!("{line},{},{}\n", first + i * i, u8::from(i % 40 == 7)),
        });
        rows.collect()
    };
    folder.write("train.csv", with_total(200, 0));
    folder.write("later.csv", with_total(100, 90_000));
    let fit = "fit train.csv -o m.narrows --label bad --normal 0 --preset simple --set train.steps=50";
    let told = folder.run(fit).succeeds().stderr;
    assert!(told.contains("column `total` rises throughout"), "{told}");
    let beyond = "all rows are above the training range of `total`";
    let told = folder.run("score m.narrows later.csv -o scores.csv").succeeds().stderr;
    assert!(told.contains(beyond), "{told}");
    let told = folder.run("evaluate m.narrows later.csv").succeeds().stdout;
    assert!(told.contains(beyond), "{told}");

    let series = "fit train.csv -o s.narrows --kind series --ignore bad,word --preset simple --set train.steps=50";
    let told = folder.run(series).succeeds().stderr;
    assert!(told.contains("channel `total` rises throughout"), "{told}");
    let told = folder.run("score s.narrows later.csv -o points.csv").succeeds().stderr;
    assert!(told.contains(beyond), "{told}");
    let told = folder.run(&format!("{series} --force --set data.transform=difference")).succeeds().stderr;
    assert!(!told.contains("rises throughout"), "{told}");
}
