//! Folders as tables: the files below, and columns in the names of folders.

use std::fs;

use crate::folder::{Folder, QUICK, ordinary};

/// A folder `big/` with the rows of `train.csv` by word, in folders `word=red/`, without that column, and marks of engines.
fn partitioned() -> Folder {
    let folder = Folder::with_model();
    for word in ["red", "green", "blue"] {
        let rows: Vec<String> = ordinary(300)
            .lines()
            .filter(|line| line.ends_with(word))
            .map(|line| line.rsplit_once(',').unwrap().0.to_owned())
            .collect();
        fs::create_dir_all(folder.path(&format!("big/word={word}"))).unwrap();
        folder.write(&format!("big/word={word}/part-0.csv"), format!("a,b,c\n{}\n", rows.join("\n")));
        folder.write(&format!("big/word={word}/.part-0.csv.crc"), "crc");
    }
    folder.write("big/_SUCCESS", "");
    folder
}

#[test]
fn a_folder_is_the_tables_below_with_the_columns_in_the_names_of_folders() {
    let folder = partitioned();
    let scores = folder.run("score m.narrows big/ --keep word,a").succeeds().stdout;
    assert_eq!(scores.lines().count(), 301);
    assert_eq!(scores.lines().filter(|line| line.contains(",red,")).count(), 100);
    let by_pattern = folder.shell("narrows score m.narrows 'big/word=*/part-*.csv' --keep word,a").succeeds().stdout;
    assert_eq!(scores, by_pattern);
    // The same rows in one file have the same scores.
    let sorted: Vec<String> = ["blue", "green", "red"]
        .iter()
        .flat_map(|word| {
            ordinary(300).lines().filter(|line| line.ends_with(word)).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    folder.write("flat.csv", format!("a,b,c,word\n{}\n", sorted.join("\n")));
    assert_eq!(folder.run("score m.narrows flat.csv --keep word,a").succeeds().stdout, scores);
    folder.run(&format!("fit big -o n.narrows {QUICK}")).succeeds();
    assert!(folder.run("inspect n.narrows --json").succeeds().stdout.contains("\"word\""));
}

#[test]
fn folders_that_cannot_match_are_not_opened() {
    let folder = partitioned();
    folder.write("big/word=blue/part-0.csv", [0xff, 0x00, 0xfe, 0x01]);
    let ran = folder.shell("narrows score m.narrows big --where \"word in ('red', 'green')\"").succeeds();
    assert_eq!(ran.stdout.lines().count(), 201);
    assert!(ran.stderr.contains("1 of 3 files are not read"), "{}", ran.stderr);
}

#[test]
fn folders_that_are_no_tables_are_refused_in_sentences() {
    let folder = Folder::with_model();
    fs::create_dir_all(folder.path("mixed/day=1")).unwrap();
    fs::create_dir_all(folder.path("empty")).unwrap();
    folder.write("mixed/a.csv", ordinary(5));
    folder.write("mixed/day=1/b.csv", ordinary(5));
    folder.check_fails("score m.narrows mixed", 3, &["mixed/day=1/b.csv: expected the keys", "none, got `day`"]);
    folder.write("mixed/day=1/b.parquet", "x");
    folder.check_fails("score m.narrows mixed", 3, &["expected tables of one format", "csv", "parquet"]);
    folder.check_fails("fit empty -o n.narrows", 3, &["empty: expected image files", "got no file"]);
    folder.check_fails("score m.narrows empty", 3, &["`empty` is a folder"]);
    // Beside images, tables are labels and notes.
    folder.write("empty/a.png", "x");
    folder.write("empty/labels.csv", ordinary(5));
    folder.check_fails("score m.narrows empty", 3, &["`empty` is a folder", "`empty/*.csv`"]);
}

#[test]
fn an_output_that_is_a_table_in_the_folder_is_refused() {
    let folder = partitioned();
    let line = "score m.narrows big -o big/word=red/part-0.csv --force";
    folder.check_fails(line, 2, &["expected another file than the input"]);
}
