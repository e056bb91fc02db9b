//! `narrows tune`: a recipe that can be fitted, the same however the search was cut, and clear words for what is wrong.

use crate::drawing::draw;
use crate::folder::{Folder, labelled, ordinary};
use narrows_core::images::Channels;

/// A search that takes a moment.
const QUICK: &str = "--trials 5 --set train.steps=150 --set train.batch_size=32 --threads 1";

#[test]
fn the_recipe_that_is_found_is_written_told_and_fitted() {
    let folder = Folder::with_data();
    let ran = folder.run(&format!("tune train.csv {QUICK}")).succeeds();
    for words in ["for reconstruction", "5 trials, seed 0", "start", "criterion", "chosen", "PCA", "elbow", "best: "] {
        assert!(ran.stdout.contains(words), "expected `{words}` in\n{}", ran.stdout);
    }
    for words in
        ["trial   1/5 (start)", "trial   5/5", "code size", "searching   code size", "narrows fit --recipe best.toml"]
    {
        assert!(ran.stderr.contains(words), "expected `{words}` in\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("resumed"), "{}", ran.stderr);
    let recipe = folder.read("best.toml");
    let comments: Vec<&str> = recipe.lines().take_while(|line| line.starts_with('#')).collect();
    assert!(comments[0].starts_with("# written by: narrows tune train.csv --trials 5"), "{comments:?}");
    for words in ["criterion:", "this:", "start:", "trials:     5"] {
        assert!(comments.iter().any(|line| line.contains(words)), "{words}: {comments:?}");
    }
    folder.run("fit train.csv -o m.narrows --recipe best.toml").succeeds();
    let inspected = folder.run("inspect m.narrows").succeeds().stdout;
    let line = inspected.lines().find(|line| line.starts_with("bottleneck  ")).expect("a line on the bottleneck");
    assert!(line.contains("code units active") && line.contains("of noise variance reconstructed"), "{line}");
    assert_eq!(folder.names(), ["best.jsonl", "best.toml", "m.narrows", "train.csv"]);
}

#[test]
fn json_is_the_search() {
    let folder = Folder::with_data();
    let ran = folder.run(&format!("tune train.csv {QUICK} --json")).succeeds();
    assert_eq!(ran.stderr, "");
    let found = ran.json();
    assert_eq!(found["trials"].as_array().map(Vec::len), Some(5));
    assert_eq!((found["ended"].as_str(), found["goal"].as_str()), (Some("finished"), Some("reconstruction")));
    assert!(found["best"]["cost"].as_f64() <= found["trials"][0]["outcome"]["done"]["cost"].as_f64());
}

#[test]
fn a_search_cut_short_and_resumed_writes_the_same_recipe() {
    let folder = Folder::with_data();
    folder.run(&format!("tune train.csv {QUICK}")).succeeds();
    let (whole, journal) = (folder.read("best.toml"), folder.read("best.jsonl"));
    let kept: Vec<&str> = journal.lines().take(4).collect();
    folder.write("best.jsonl", format!("{}\n{{\"stage\":", kept.join("\n")));
    let ran = folder.run(&format!("tune train.csv {QUICK} --time 1h --resume")).succeeds();
    assert!(ran.stderr.contains("resumed     3 trainings read from the journal"), "{}", ran.stderr);
    assert_eq!(folder.read("best.toml"), whole);
    assert_eq!(folder.read("best.jsonl").lines().count(), journal.lines().count());
}

#[test]
fn what_is_set_is_held() {
    let folder = Folder::with_data();
    let flags = "--set backbone.code_size=2 --set loss=mae --journal j.jsonl -o r.toml";
    folder.run(&format!("tune train.csv {QUICK} {flags}")).succeeds();
    let recipe = folder.read("r.toml");
    assert!(recipe.contains("code_size = 2") && recipe.contains("kind = \"mae\""), "{recipe}");
    for line in folder.read("j.jsonl").lines().filter(|line| line.contains("\"stage\":\"trial\"")) {
        assert!(line.contains("\"code_size\":2"), "{line}");
    }
}

#[test]
fn detection_searches_on_normal_rows() {
    let folder = Folder::new();
    folder.write("all.csv", labelled(200, 9));
    let flags = "--for detection --label bad --normal 0 --trials 2 --set train.steps=60 --set detect.references=100";
    let ran = folder.run(&format!("tune all.csv {flags}")).succeeds();
    assert!(ran.stdout.starts_with("for detection"), "{}", ran.stdout);
    folder.run("fit all.csv -o m.narrows --label bad --normal 0 --recipe best.toml").succeeds();
}

#[test]
fn images_are_searched_too() {
    let folder = Folder::new();
    draw(&folder, "clean", 16, 16, Channels::Grey);
    let ran = folder.run("tune clean --trials 2 --set train.steps=5").succeeds();
    assert!(ran.stdout.contains("conv 16-32-64"), "{}", ran.stdout);
    folder.run("fit clean -o m.narrows --recipe best.toml").succeeds();
    folder.check_fails(
        "tune clean --preset restore --corrupt gaussian:25 -o r.toml",
        2,
        &["got restore, which has none", "--preset conv"],
    );
}

#[test]
fn what_makes_no_sense_is_refused_before_the_work() {
    let folder = Folder::with_data();
    folder.check_fails("tune train.csv --trials 0", 2, &["--trials: expected at least 1"]);
    folder.check_fails("tune train.csv --trials many", 2, &["--trials"]);
    for time in ["5", "soon", "0s", "-5m"] {
        folder.check_fails(
            &format!("tune train.csv --time-limit={time}"),
            2,
            &["--time-limit: expected a time such as 30s, 5m or 1h"],
        );
    }
    folder.check_fails("tune train.csv --for fun", 2, &["reconstruction", "detection"]);
    folder.check_fails("tune train.csv -o -", 2, &["--output: expected a file of its own, got `-`"]);
    folder.check_fails("tune train.csv -o b.toml --journal b.toml", 2, &["expected a file of its own"]);
    folder.check_fails("tune train.csv --resume --set no.such=1", 2, &["unknown field"]);
    folder.check_fails("tune no.csv", 3, &["no.csv"]);
    folder.write("best.toml", "seed = 1\n");
    folder.check_fails("tune train.csv", 2, &["`best.toml` exists", "--force"]);
    folder.check_fails("tune train.csv -o b.toml --journal best.toml", 2, &["`best.toml` exists", "--resume"]);
}

#[test]
fn too_few_rows_are_told() {
    let folder = Folder::new();
    for (rows, name) in [(0, "none.csv"), (1, "one.csv")] {
        folder.write(name, ordinary(rows));
        let ran = folder.run(&format!("tune {name} -o x-{rows}.toml"));
        ran.fails(3, &["row"]);
    }
}

#[test]
fn the_journal_of_other_data_another_seed_or_nonsense_is_refused() {
    let folder = Folder::with_data();
    folder.run(&format!("tune train.csv {QUICK}")).succeeds();
    let recipe = folder.read("best.toml");
    folder.write("other.csv", ordinary(299));
    folder.check_fails(&format!("tune other.csv {QUICK} --resume"), 3, &["best.jsonl", "one of other data", "--force"]);
    folder.check_fails(&format!("tune train.csv {QUICK} --resume --seed 1"), 3, &["one of seed 0 and not 1"]);
    folder.check_fails(&format!("tune train.csv {QUICK} --resume --set loss=mae"), 3, &["another recipe"]);
    folder.write("best.jsonl", "nonsense\n");
    folder.check_fails(&format!("tune train.csv {QUICK} --resume"), 3, &["line 1: expected a line of a journal"]);
    assert_eq!(folder.read("best.toml"), recipe, "what was found stays");
    folder.run(&format!("tune train.csv {QUICK} --force")).succeeds();
}

#[test]
fn series_are_searched_and_the_time_column_has_the_flag_of_fit() {
    let folder = Folder::new();
    let mut text = "ts,value\n".to_owned();
    for t in 0..400 {
        text.push_str(&format!("{t},{:.4}\n", (f64::from(t) * std::f64::consts::TAU / 12.0).sin()));
    }
    folder.write("s.csv", text);
    let flags = "--trials 2 --set train.steps=20 --set train.batch_size=16 --time ts";
    let ran = folder.run(&format!("tune s.csv {flags} --time-limit 1h")).succeeds();
    assert!(ran.stdout.contains("2 trials, seed 0"), "{}", ran.stdout);
    folder.run("fit s.csv --time ts -o m.narrows --recipe best.toml").succeeds();
    folder.check_fails("tune s.csv -o x.toml --time-limit ts", 2, &["got `ts`", "--time-limit"]);
}
