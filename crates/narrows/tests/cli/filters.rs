//! `--where`: which rows are read, with which verbs, and what is told of it.

use crate::folder::{Folder, QUICK, ordinary};

/// The rows of a scored table: their numbers and what else is kept.
fn rows(scores: &str) -> Vec<String> {
    scores.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

#[test]
fn rows_that_match_have_the_scores_and_numbers_that_they_have_in_the_whole() {
    let folder = Folder::with_model();
    let whole = folder.run("score m.narrows train.csv --keep word,a").succeeds().stdout;
    let ran =
        folder.shell("narrows score m.narrows train.csv --keep word,a --where \"word = 'red' and a > 0\"").succeeds();
    let expected: Vec<&str> = whole
        .lines()
        .enumerate()
        .filter(|(i, line)| {
            let cells: Vec<&str> = line.split(',').collect();
            *i == 0 || (cells[4] == "red" && cells[5].parse::<f64>().unwrap() > 0.0)
        })
        .map(|(_, line)| line)
        .collect();
    assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), expected);
    assert!(
        ran.stderr.contains(&format!("{} of 300 rows match word = 'red' and a > 0", expected.len() - 1)),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_filter_comes_before_limit_and_sample() {
    let folder = Folder::with_model();
    let line = "narrows score m.narrows train.csv --where \"word = 'green'\"";
    let limited = folder.shell(&format!("{line} --limit 3")).succeeds().stdout;
    assert_eq!(rows(&limited), ["1", "4", "7"]);
    let sampled = folder.shell(&format!("{line} --sample 5")).succeeds().stdout;
    assert!(rows(&sampled).len() == 5 && rows(&sampled).iter().all(|row| row.parse::<u64>().unwrap() % 3 == 1));
}

#[test]
fn a_model_is_fitted_to_the_rows_that_match() {
    let folder = Folder::with_data();
    folder.shell(&format!("narrows fit train.csv -o a.narrows {QUICK} --where \"word != 'blue'\"")).succeeds();
    let kept: Vec<String> = ordinary(300).lines().filter(|line| !line.ends_with("blue")).map(str::to_owned).collect();
    folder.write("kept.csv", kept.join("\n"));
    folder.run(&format!("fit kept.csv -o b.narrows {QUICK}")).succeeds();
    let scores = |model: &str| folder.run(&format!("score {model} kept.csv")).succeeds().stdout;
    assert_eq!(scores("a.narrows"), scores("b.narrows"));
}

#[test]
fn other_verbs_filter_alike() {
    let folder = Folder::with_model();
    let lines = |line: &str| folder.shell(line).succeeds().stdout.lines().count();
    assert_eq!(lines("narrows encode m.narrows train.csv --where \"word = 'red'\""), 101);
    assert_eq!(lines("narrows reconstruct m.narrows train.csv --where \"word in ('red', 'blue')\""), 201);
    let explained =
        folder.shell("narrows explain m.narrows train.csv --row 4 --json --where \"word = 'green'\"").succeeds();
    assert_eq!(explained.json()["row"], 4);
    folder
        .write("new.ndjson", "{\"a\":0,\"b\":1,\"c\":10,\"word\":\"red\"}\n{\"a\":0,\"b\":1,\"c\":10,\"word\":null}\n");
    let scored = folder.shell("narrows score m.narrows new.ndjson --where 'word is null'").succeeds().stdout;
    assert_eq!(rows(&scored), ["1"]);
}

#[test]
fn a_wrong_filter_is_told_with_its_place() {
    let folder = Folder::with_model();
    let check = |filter: &str, code: i32, expected: &[&str]| {
        let ran = folder.command().args(["score", "m.narrows", "train.csv", "--where", filter]).output().unwrap();
        crate::folder::Ran::new(&ran).fails(code, expected);
    };
    check(
        "word = red",
        2,
        &["--where: expected a number or a text in single quotes at character 8", "hint: texts stand"],
    );
    check("wrod = 'red'", 2, &["--where: there is no column `wrod`", "did you mean `word`?"]);
    check("a > 1000", 3, &["train.csv: expected rows that match a > 1000, got none among 300"]);
    check("word > 5", 3, &["could not be compared as the filter asks"]);
    folder.check_fails("score m.narrows train.csv --follow --where a>0", 2, &["--where: not possible with --follow"]);
}
