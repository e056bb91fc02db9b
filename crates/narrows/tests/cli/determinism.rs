//! Same seed, same bytes: for any number of threads, and for a training cut short and resumed.

use crate::folder::{Folder, QUICK, ordinary};

#[test]
fn the_model_and_its_scores_do_not_depend_on_the_threads() {
    let folder = Folder::with_data();
    for n in [1, 2] {
        folder.run(&format!("fit train.csv -o m{n}.narrows --set train.steps=40 --seed 3 --threads {n}")).succeeds();
        folder.run(&format!("score m{n}.narrows train.csv -o s{n}.csv --explain 2 --threads {n}")).succeeds();
    }
    assert!(folder.bytes("m1.narrows") == folder.bytes("m2.narrows"), "models differ");
    assert_eq!(folder.read("s1.csv"), folder.read("s2.csv"));
    folder.run("fit train.csv -o m3.narrows --set train.steps=40 --seed 4").succeeds();
    assert!(folder.bytes("m1.narrows") != folder.bytes("m3.narrows"), "another seed, the same model");
}

#[test]
fn a_row_scores_the_same_alone_and_among_others() {
    let folder = Folder::with_model();
    let all = folder.run("score m.narrows train.csv").succeeds().stdout;
    let text = ordinary(300);
    let alone: Vec<&str> = text.lines().take(1).chain(text.lines().skip(123).take(1)).collect();
    folder.write("one.csv", alone.join("\n"));
    let one = folder.run("score m.narrows one.csv").succeeds().stdout;
    let cells = |line: &str| line.split_once(',').unwrap().1.to_owned();
    assert_eq!(cells(one.lines().nth(1).unwrap()), cells(all.lines().nth(123).unwrap()));
}

#[test]
fn every_format_gives_the_same_scores() {
    let folder = Folder::with_model();
    let expected = folder.run("score m.narrows train.csv").succeeds().stdout;
    for name in ["a.parquet", "a.arrow", "a.ndjson", "a.tsv", "a.csv.gz", "a.ndjson.zst"] {
        folder.run(&format!("score m.narrows train.csv --keep a,b,c,word -o {name}")).succeeds();
        let scores = folder.run(&format!("score m.narrows {name}")).succeeds().stdout;
        assert_eq!(scores, expected, "{name}");
    }
}

#[test]
fn a_resumed_training_gives_the_model_of_an_uninterrupted_one() {
    let folder = Folder::with_data();
    let flags = "--preset deep --set train.steps=60 --set train.patience=0 --seed 5";
    folder.run(&format!("fit train.csv -o whole.narrows {flags}")).succeeds();
    folder.run(&format!("fit train.csv -o resumed.narrows {flags} --checkpoint")).succeeds();
    assert!(!folder.path("resumed.narrows.checkpoint").exists());
    assert!(folder.bytes("whole.narrows") == folder.bytes("resumed.narrows"), "a checkpoint changed the model");
}

#[test]
fn a_checkpoint_of_other_data_is_refused() {
    let folder = Folder::with_data();
    folder.write("other.csv", ordinary(200));
    std::fs::create_dir(folder.path("m.narrows.checkpoint")).unwrap();
    folder.write("m.narrows.checkpoint/member-0.safetensors", "nonsense");
    let ran = folder.run(&format!("fit train.csv -o m.narrows --resume {QUICK}"));
    ran.fails(4, &["member-0.safetensors"]);
}
