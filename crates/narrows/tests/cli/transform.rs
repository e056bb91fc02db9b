//! The verbs that turn tables into tables: reconstruct, encode, decode, generate; and inspect.

use crate::folder::Folder;

fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_reconstruction_has_the_models_columns_in_original_units() {
    let folder = Folder::with_model();
    let rebuilt = rows(&folder.run("reconstruct m.narrows train.csv").succeeds().stdout);
    assert_eq!((rebuilt[0].join(","), rebuilt.len()), ("a,b,c,word".to_owned(), 301));
    for row in &rebuilt[1..] {
        let c: f64 = row[2].parse().unwrap();
        assert!((5.0..15.0).contains(&c) && ["red", "green", "blue"].contains(&row[3].as_str()), "{row:?}");
    }
}

#[test]
fn codes_decode_to_the_reconstruction() {
    let folder = Folder::with_model();
    let rebuilt = folder.run("reconstruct m.narrows train.csv").succeeds().stdout;
    folder.run("encode m.narrows train.csv -o codes.parquet").succeeds();
    let decoded = folder.run("decode m.narrows codes.parquet").succeeds().stdout;
    assert_eq!(decoded, rebuilt);
    let codes = folder.run("encode m.narrows train.csv --keep word").succeeds().stdout;
    assert!(codes.starts_with("word,code_0"), "{codes}");
    folder.check_fails("decode m.narrows train.csv -o x.csv", 3, &["code_0"]);
}

#[test]
fn generated_rows_depend_on_the_seed_alone() {
    let folder = Folder::with_model();
    let make = |flags: &str| folder.run(&format!("generate m.narrows {flags}")).succeeds().stdout;
    let (short, long) = (make("-n 10 --seed 1"), make("-n 20000 --seed 1"));
    assert_eq!(short.lines().count(), 11);
    assert!(long.starts_with(&short));
    assert_ne!(short, make("-n 10 --seed 2"));
    assert!(short.starts_with("a,b,c,word\n"), "{short}");
}

#[test]
fn a_model_says_what_it_is() {
    let folder = Folder::with_model();
    let text = folder.run("inspect m.narrows").succeeds().stdout;
    for words in ["narrows 0", "train.csv", "word", "category", "threshold", "recipe", "code", "simple"] {
        assert!(text.contains(words), "expected `{words}` in\n{text}");
    }
    let json = folder.run("inspect m.narrows --json").succeeds().json();
    assert_eq!(json["recipe"]["preset"], "simple");
    assert_eq!(json["schema"]["columns"].as_array().unwrap().len(), 4);
}
