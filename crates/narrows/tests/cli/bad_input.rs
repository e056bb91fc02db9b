//! Data that cannot be used: every time a clear answer, exit code 3, and no file left behind.

use crate::folder::{Folder, QUICK, ordinary};

/// Fits on `content` in a file called `name`.
fn check_fit(name: &str, content: impl AsRef<[u8]>, fragments: &[&str]) {
    let folder = Folder::new();
    folder.write(name, content);
    folder.check_fails(&format!("fit {name} -o m.narrows {QUICK}"), 3, fragments);
}

/// Scores `content` with a model of ordinary rows.
fn check_score(content: &str, fragments: &[&str]) {
    let folder = Folder::with_model();
    folder.write("new.csv", content);
    folder.check_fails("score m.narrows new.csv -o scores.csv", 3, fragments);
}

/// `content` can be fitted and scored.
fn check_works(content: &str) -> (String, String) {
    let folder = Folder::new();
    folder.write("train.csv", content);
    let told = folder.run(&format!("fit train.csv -o m.narrows {QUICK}")).succeeds().stderr;
    let scores = folder.run("score m.narrows train.csv").succeeds().stdout;
    assert!(!scores.to_lowercase().contains("nan"), "{scores}");
    (told, scores)
}

/// Ordinary rows of which one cell is replaced.
fn with_cell(rows: usize, row: usize, column: usize, cell: &str) -> String {
    let text = ordinary(rows);
    let lines = text.lines().enumerate().map(|(i, line)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if i == row + 1 {
            cells[column] = cell;
        }
        cells.join(",") + "\n"
    });
    lines.collect()
}

#[test]
fn an_empty_file() {
    check_fit("train.csv", "", &["train.csv", "empty"]);
    check_fit("train.parquet", "", &["train.parquet"]);
    check_fit("train.ndjson", "", &["train.ndjson"]);
    check_score("", &["new.csv", "empty"]);
}

#[test]
fn a_header_and_nothing_else() {
    check_fit("train.csv", "a,b,c\n", &["train.csv", "row"]);
    check_score("a,b,c,word\n", &["new.csv", "expected at least one row"]);
}

#[test]
fn one_row() {
    check_fit("train.csv", "a,b\n1,2\n", &["expected at least", "got 1"]);
    let folder = Folder::with_model();
    folder.write("new.csv", ordinary(1));
    let scores = folder.run("score m.narrows new.csv").succeeds().stdout;
    assert_eq!(scores.lines().count(), 2, "{scores}");
}

#[test]
fn fewer_rows_than_a_batch() {
    let (_, scores) = check_works(&ordinary(20));
    assert_eq!(scores.lines().count(), 21);
}

#[test]
fn all_rows_equal() {
    let row = "1,2,x\n".repeat(50);
    let (stderr, scores) = check_works(&format!("a,b,word\n{row}"));
    assert!(
        stderr.contains("no column varies") && scores.lines().skip(1).all(|line| line.ends_with("false")),
        "{scores}"
    );
    check_fit("train.csv", "a,b\n".to_owned() + &",\n".repeat(50), &["no column is left to learn from", "`a`"]);
}

#[test]
fn a_column_all_missing() {
    let text: String = ordinary(100)
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{line},{}\n", if i == 0 { "empty" } else { "" }))
        .collect();
    let (told, _) = check_works(&text);
    assert!(told.contains("empty"), "{told}");
}

#[test]
fn not_a_number_is_missing() {
    let (_, scores) = check_works(&with_cell(100, 7, 0, "NaN"));
    assert_eq!(scores.lines().count(), 101);
    let folder = Folder::with_model();
    folder.write("new.csv", with_cell(10, 3, 1, "nan"));
    let ran = folder.run("score m.narrows new.csv").succeeds();
    assert!(ran.stderr.contains("1 missing cell"), "{}", ran.stderr);
}

#[test]
fn infinity_in_training_names_its_place_or_is_told() {
    let folder = Folder::new();
    folder.write("train.csv", with_cell(100, 7, 0, "inf"));
    let ran = folder.run(&format!("fit train.csv -o m.narrows {QUICK}"));
    assert!(matches!(ran.code, 0 | 3), "{}", ran.stderr);
    assert!(ran.stderr.contains('a') && !ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn infinity_and_huge_numbers_score_high_and_finite() {
    for cell in ["inf", "-inf", "1e300"] {
        let folder = Folder::with_model();
        folder.write("new.csv", with_cell(10, 3, 1, cell));
        let ran = folder.run("score m.narrows new.csv").succeeds();
        let row = ran.stdout.lines().nth(4).unwrap();
        let score: f64 = row.split(',').nth(1).unwrap().parse().unwrap();
        assert!(score.is_finite() && row.ends_with("true"), "{cell}: {row}");
        assert!(ran.stderr.contains("clipped"), "{cell}: {}", ran.stderr);
    }
}

#[test]
fn a_huge_number_in_training_does_not_spoil_the_rest() {
    check_works(&with_cell(100, 7, 0, "1e300"));
}

#[test]
fn text_in_a_column_of_numbers_is_missing_and_told_with_column_and_row() {
    let folder = Folder::with_model();
    folder.write("new.csv", with_cell(30, 17, 1, "many"));
    let told = folder.run("score m.narrows new.csv -o s.csv").succeeds().stderr;
    assert!(told.contains("column `b`: 1 cell is not numbers, in row 17: `many`; taken as missing"), "{told}");
}

#[test]
fn text_in_a_column_of_numbers_is_told_where_only_normal_rows_train() {
    let folder = Folder::new();
    let labels = |i: usize| if i == 0 { "bad" } else { ["1", "0", "0"][i % 3] };
    let text: String =
        with_cell(100, 42, 1, "many").lines().enumerate().map(|(i, line)| format!("{line},{}\n", labels(i))).collect();
    folder.write("train.csv", text);
    let line = format!("fit train.csv -o m.narrows --label bad --normal 0 {QUICK}");
    let told = folder.run(&line).succeeds().stderr;
    assert!(told.contains("column `b`: 1 of") && told.contains("taken as missing: `many` (1)"), "{told}");
}

#[test]
fn names_that_occur_twice_are_numbered_and_told() {
    let (told, _) = check_works(&ordinary(100).replacen("a,b,c", "a,b, a", 1));
    assert!(told.contains("`a_2`"), "{told}");
}

#[test]
fn rows_of_different_length() {
    let mut text = ordinary(30);
    text.push_str("1,2\n");
    check_fit("train.csv", &text, &["train.csv", "row 30", "4", "2"]);
    check_score(&text, &["new.csv", "row 30"]);
}

#[test]
fn text_in_another_encoding_is_read_and_told_and_other_bytes_are_refused() {
    let mut bytes = ordinary(100).into_bytes();
    bytes.extend_from_slice(b"1,2,3,caf\xe9\n");
    let folder = Folder::new();
    folder.write("train.csv", bytes);
    let ran = folder.run(&format!("fit train.csv -o m.narrows {QUICK}")).succeeds();
    assert!(ran.stderr.contains("windows-1252"), "{}", ran.stderr);
    check_fit("train.csv", b"\x00\x01\xff,\x02\n", &["train.csv", "binary"]);
}

#[test]
fn a_label_that_is_not_there() {
    let folder = Folder::with_data();
    folder.check_fails("fit train.csv --label wrod --normal 0 -o m.narrows", 3, &["`wrod`", "hint: ", "word"]);
}

#[test]
fn a_label_without_the_normal_value() {
    let folder = Folder::with_data();
    folder.check_fails("fit train.csv --label word --normal purple -o m.narrows", 3, &["word", "purple"]);
}

#[test]
fn a_label_of_one_class() {
    let folder = Folder::with_model();
    let text: String = ordinary(30)
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{line},{}\n", if i == 0 { "bad" } else { "0" }))
        .collect();
    folder.write("test.csv", text);
    folder.check_fails("evaluate m.narrows test.csv --label bad --normal 0", 3, &["bad", "got 30"]);
    folder.check_fails("evaluate m.narrows test.csv --label bad --normal 7", 3, &["bad"]);
    folder.check_fails("evaluate m.narrows test.csv --label worse --normal 0", 3, &["worse"]);
}

#[test]
fn a_folder_or_nothing_in_place_of_a_file() {
    let folder = Folder::with_model();
    std::fs::create_dir(folder.path("data")).unwrap();
    for (verb, expected) in [
        ("fit {} -o n.narrows", "data: expected image files"),
        ("score m.narrows {}", "expected a table, as the model was fitted to, got images: `data`"),
        ("evaluate m.narrows {} --label a --normal 0", "expected a table"),
    ] {
        folder.check_fails(&verb.replace("{}", "data"), 3, &[expected, "hint: ", "`data/*.csv`"]);
        folder.check_fails(&verb.replace("{}", "none.csv"), 3, &["cannot read none.csv"]);
        folder.check_fails(&verb.replace("{}", "none*.csv"), 3, &["no file matches"]);
    }
}

#[test]
fn columns_that_are_missing_or_of_another_type() {
    check_score("a,c,word\n1,2,red\n", &["`b`"]);
    check_score("a,b,c,word\nx,1,2,red\ny,1,2,red\n", &["`a`"]);
}

#[test]
fn extra_and_reordered_columns_are_accepted_and_told() {
    let folder = Folder::with_model();
    folder.write("new.csv", "more,word,c,b,a\n9,red,10,1,0\n");
    folder.write("same.csv", "a,b,c,word\n0,1,10,red\n");
    let ran = folder.run("score m.narrows new.csv").succeeds();
    assert!(ran.stderr.contains("more"), "{}", ran.stderr);
    assert_eq!(ran.stdout, folder.run("score m.narrows same.csv").succeeds().stdout);
}

#[test]
fn a_model_file_that_is_none() {
    let folder = Folder::with_model();
    let model = folder.bytes("m.narrows");
    folder.write("short.narrows", &model[..model.len() / 2]);
    folder.write("empty.narrows", "");
    for name in ["train.csv", "short.narrows", "empty.narrows", "none.narrows"] {
        folder.check_fails(&format!("score {name} train.csv -o scores.csv"), 4, &[name]);
        folder.check_fails(&format!("inspect {name}"), 4, &[name]);
    }
}

#[test]
fn an_unknown_ending_is_looked_into() {
    let folder = Folder::with_model();
    folder.write("new.data", ordinary(5));
    assert_eq!(folder.run("score m.narrows new.data").succeeds().stdout.lines().count(), 6);
}
