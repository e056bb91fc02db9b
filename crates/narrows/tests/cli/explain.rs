//! `narrows explain`, and the reasons beside scores.

use crate::folder::{Folder, QUICK, ordinary};

fn folder() -> Folder {
    let folder = Folder::with_model();
    folder.write("new.csv", ordinary(5) + "0.5,0.5,99,red\n");
    folder
}

#[test]
fn the_column_to_blame_comes_first_in_its_own_units() {
    let text = folder().run("explain m.narrows new.csv --row 5").succeeds().stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("row 5: score ") && lines[0].ends_with(": an anomaly"), "{text}");
    assert!(lines[2].trim_start().starts_with("c ") && lines[2].contains("█") && lines[2].contains("got 99"), "{text}");
    assert!(!text.contains('\x1b'), "colour although this is no terminal");
}

#[test]
fn json_says_the_same_as_score() {
    let folder = folder();
    let explanation = folder.run("explain m.narrows new.csv --row 5 --top 2 --json").succeeds().json();
    assert_eq!((explanation["row"].as_u64(), explanation["is_anomaly"].as_bool()), (Some(5), Some(true)));
    let first = &explanation["reasons"][0];
    assert_eq!((first["column"].as_str(), first["direction"].as_str()), (Some("c"), Some("above")));
    assert!(explanation["reasons"].as_array().unwrap().len() <= 2);
    let scores = folder.run("score m.narrows new.csv").succeeds().stdout;
    let score: f64 = scores.lines().nth(6).unwrap().split(',').nth(1).unwrap().parse().unwrap();
    assert_eq!(explanation["score"].as_f64(), Some(score));
}

#[test]
fn a_row_beyond_the_last_is_refused() {
    folder().check_fails(
        "explain m.narrows new.csv --row 6",
        3,
        &["new.csv", "expected a row below 6, got 6", "hint: "],
    );
}

#[test]
fn score_adds_reasons_in_words() {
    let scores = folder().run("score m.narrows new.csv --explain 2").succeeds().stdout;
    let mut lines = scores.lines();
    assert_eq!(lines.next(), Some("row,score,p_value,is_anomaly,reason_1,reason_2"));
    let last = lines.last().unwrap();
    assert!(last.contains("`c`: expected about") && last.contains("got 99"), "{last}");
}

#[test]
fn several_rows_and_the_worst_are_explained() {
    let folder = folder();
    let rows = |flags: &str| -> Vec<u64> {
        let found = folder.run(&format!("explain m.narrows new.csv {flags} --json")).succeeds().json();
        found["rows"].as_array().unwrap().iter().map(|row| row["row"].as_u64().unwrap()).collect()
    };
    assert_eq!(rows("--row 5,0,2-3"), [0, 2, 3, 5]);
    assert_eq!(rows("--worst 1"), [5]);
    assert_eq!(rows("").len(), 3);
    assert_eq!(rows("")[0], 5);
    let text = folder.run("explain m.narrows new.csv --row 4-5").succeeds().stdout;
    assert!(text.starts_with("row 4: score ") && text.contains("\n\nrow 5: score "), "{text}");
    folder.check_fails("explain m.narrows new.csv --row 1,9", 3, &["expected a row below 6, got 9"]);
    folder.check_fails("explain m.narrows new.csv --row 5-3", 2, &["3,17,40-42"]);
}

#[test]
fn rows_are_found_by_their_id() {
    let folder = Folder::new();
    let with_ids = |n: usize| -> String {
        let lines = ordinary(n);
        let rows = lines.lines().enumerate();
        rows.map(|(i, line)| if i == 0 { format!("{line},id\n") } else { format!("{line},user-{i}\n") }).collect()
    };
    folder.write("train.csv", with_ids(200));
    folder.run(&format!("fit train.csv -o m.narrows {QUICK}")).succeeds();
    folder.write("new.csv", with_ids(20));
    let found = folder.run("explain m.narrows new.csv --id user-7 --id user-9 --json").succeeds().json();
    let rows: Vec<u64> = found["rows"].as_array().unwrap().iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!((rows, found["rows"][0]["index"]["id"].as_str()), (vec![6, 8], Some("user-7")));
    let text = folder.run("explain m.narrows new.csv --id word=red --worst 2").succeeds().stdout;
    assert_eq!(text.matches("\n  id user-").count(), 2, "{text}");
    folder.check_fails("explain m.narrows new.csv --id user-99", 3, &["`user-99` in `id`"]);
}
