//! What was left out is told, whatever is asked to be silent, and what is told cannot command a terminal.

use narrows_core::images::Channels;

use crate::drawing::draw;
use crate::folder::{Folder, QUICK, ordinary};

#[test]
fn neither_quiet_nor_json_hides_what_was_skipped() {
    let folder = Folder::new();
    draw(&folder, "in", 12, 16, Channels::Grey);
    folder.run("fit in -o m.narrows --set train.steps=2 --set backbone.code_size=2").succeeds();
    let bytes = folder.bytes("in/000.png");
    folder.write("in/bad.png", &bytes[..bytes.len() / 2]);
    for (i, line) in
        ["score m.narrows in -o OUT.csv", "encode m.narrows in -o OUT.csv", "reconstruct m.narrows in -o OUT"]
            .into_iter()
            .enumerate()
    {
        let line = |flag: &str| format!("{} {flag}", line.replace("OUT", &format!("out{i}{flag}")));
        folder.run(&line("--quiet")).fails(5, &["skipped: ", "bad.png"]);
        let ran = folder.run(&line("--json"));
        assert_eq!((ran.code, ran.stderr.as_str()), (5, ""), "{}", line("--json"));
        let told = ran.json();
        assert!(told["skipped"][0]["name"].as_str().unwrap().contains("bad.png"), "{told}");
        assert!(told["notes"].is_array() && told["warnings"].is_array(), "{told}");
    }
    // Where the data takes stdout, the rest goes to stderr.
    let ran = folder.run("encode m.narrows in --json");
    assert!(ran.code == 5 && ran.stdout.starts_with("image,"), "{}", ran.stdout);
    let told: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert!(told["skipped"][0]["name"].as_str().unwrap().contains("bad.png"), "{told}");
}

#[test]
fn a_run_whose_result_is_a_file_tells_its_counts_as_json() {
    let folder = Folder::with_model();
    let told = folder.run("encode m.narrows train.csv -o codes.csv --json").succeeds().json();
    assert_eq!((told["rows"].as_u64(), &told["skipped"]), (Some(300), &serde_json::json!([])), "{told}");
    assert!(told["notes"].is_array() && told["warnings"].is_array(), "{told}");
    let explained = folder.run("explain m.narrows train.csv --row 0 --json").succeeds().json();
    assert!(explained["notes"].is_array() && explained["warnings"].is_array());
}

#[test]
#[cfg(unix)]
fn a_closed_stdout_loses_nothing_in_silence() {
    let folder = Folder::with_model();
    for line in ["score m.narrows train.csv", "inspect m.narrows", "explain m.narrows train.csv --row 0 --json"] {
        folder.shell(&format!("narrows {line} >&-")).fails(1, &["cannot write stdout"]);
    }
    folder.shell("narrows score m.narrows train.csv -o s.csv >&-").succeeds();
    folder.shell("narrows score m.narrows train.csv > /dev/null").succeeds();
    folder.shell("narrows score m.narrows train.csv <> /dev/null 1>&0").succeeds();
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_ends_every_verb_silently() {
    let folder = Folder::with_model();
    folder.run("compress m.narrows train.csv -o t.nrw").succeeds();
    folder.run("encode m.narrows train.csv -o codes.csv").succeeds();
    folder.write("labelled.csv", crate::folder::labelled(300, 20));
    for line in [
        "score m.narrows train.csv",
        "score m.narrows train.csv --format arrow",
        "score m.narrows train.csv --format parquet",
        "encode m.narrows train.csv",
        "decode m.narrows codes.csv",
        "reconstruct m.narrows train.csv",
        "generate m.narrows -n 1000",
        "compress m.narrows train.csv",
        "decompress m.narrows t.nrw",
        "inspect m.narrows",
        "inspect m.narrows --json",
        "explain m.narrows train.csv --row 0",
        "evaluate m.narrows labelled.csv --label bad --normal 0",
        "report m.narrows -o -",
        "completions bash",
        "man",
    ] {
        // The reader is gone before the first byte comes.
        let ran = folder.shell(&format!("narrows {line} -q 2> err > >(exec true); code=$?; cat err; exit $code"));
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{line}: {}", ran.stderr);
    }
}

#[test]
fn control_characters_of_the_data_are_shown_as_escapes() {
    let folder = Folder::new();
    let evil = "a\u{1b}]0;owned\u{7}";
    folder.write("train.csv", ordinary(300).replacen("a,", &format!("{evil},"), 1).replace("red", "r\u{1b}[2Jd"));
    folder.run(&format!("fit train.csv -o m.narrows {QUICK}")).succeeds();
    let name = "x\u{1b}[31m.csv";
    folder.write(name, "b\n1\n");
    let runs = [
        folder.run(&format!("fit train.csv -o n.narrows {QUICK}")),
        folder.run("inspect m.narrows"),
        folder.run("inspect m.narrows --json"),
        folder.run("explain m.narrows train.csv --row 0"),
        folder.run(&format!("score m.narrows {name}")),
        folder.run(&format!("score m.narrows {name} --json")),
        folder.run(&format!("score m.narrows --{name}")),
    ];
    for ran in runs {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text}");
    }
    assert!(folder.run("inspect m.narrows").stdout.contains("a\\u{1b}]0;owned\\u{7}"));
}
