//! Models without a decoder: for `encode` and nothing else.

use narrows_core::images::Channels;

use crate::drawing::{CODE, SMALL, draw};
use crate::folder::{Folder, QUICK};

#[test]
fn an_exported_encoder_encodes_as_the_model_does() {
    let folder = Folder::with_model();
    let ran = folder.run("export m.narrows --encoder-only -o small.narrows").succeeds();
    assert!(ran.stderr.contains("small.narrows"), "{}", ran.stderr);
    assert!(folder.bytes("small.narrows").len() < folder.bytes("m.narrows").len() / 2);
    let line = |model: &str| format!("encode {model} train.csv --keep word");
    assert_eq!(folder.run(&line("small.narrows")).succeeds().stdout, folder.run(&line("m.narrows")).succeeds().stdout);
    let text = folder.run("inspect small.narrows").succeeds().stdout;
    assert!(text.contains("encoder only, fitted on train.csv") && text.contains("word (category)"), "{text}");
    assert_eq!(folder.run("inspect small.narrows --json").succeeds().json()["recipe"]["preset"], "simple");
    // Exported again it is the same file, and an existing one is only replaced when asked to.
    folder.run("export small.narrows --encoder-only -o again.narrows").succeeds();
    assert_eq!(folder.bytes("again.narrows"), folder.bytes("small.narrows"));
    folder.check_fails("export m.narrows --encoder-only -o again.narrows", 2, &["exists"]);
    folder.run("export m.narrows --encoder-only -o again.narrows --force").succeeds();
    folder.check_fails("export m.narrows -o x.narrows", 2, &["--encoder-only"]);
}

#[test]
fn a_fit_saves_the_encoder_alone() {
    let folder = Folder::with_model();
    folder.run(&format!("fit train.csv -o e.narrows --encoder-only {QUICK}")).succeeds();
    folder.run("export m.narrows --encoder-only -o small.narrows").succeeds();
    assert_eq!(folder.bytes("e.narrows"), folder.bytes("small.narrows"));
}

#[test]
fn every_other_verb_says_that_there_is_no_decoder() {
    let folder = Folder::with_model();
    folder.run("export m.narrows --encoder-only -o small.narrows").succeeds();
    for line in [
        "score small.narrows train.csv",
        "explain small.narrows train.csv --row 1",
        "evaluate small.narrows train.csv --label word --normal red",
        "reconstruct small.narrows train.csv",
        "decode small.narrows train.csv",
        "generate small.narrows -n 3",
        "restore small.narrows in out",
        "report small.narrows -o r.html",
    ] {
        folder.check_fails(line, 3, &["without its decoder", "narrows encode"]);
    }
}

#[test]
fn encoders_of_images_encode_and_restorers_have_none() {
    let folder = Folder::new();
    draw(&folder, "clean", 12, 16, Channels::Grey);
    folder.run(&format!("fit clean -o m.narrows {CODE}")).succeeds();
    folder.run(&format!("fit clean -o e.narrows --encoder-only {CODE}")).succeeds();
    let codes = |model: &str| folder.run(&format!("encode {model} clean")).succeeds().stdout;
    assert_eq!(codes("e.narrows"), codes("m.narrows"));
    folder.check_fails("generate e.narrows -n 2 -o x", 3, &["without its decoder"]);
    let line = format!("fit clean -o x.narrows --encoder-only --corrupt gaussian:25 {SMALL}");
    folder.check_fails(&line, 2, &["--encoder-only", "has none"]);
    folder.run(&format!("fit clean -o r.narrows --corrupt gaussian:25 {SMALL}")).succeeds();
    folder.check_fails("export r.narrows --encoder-only -o x.narrows", 3, &["has none"]);
    folder.check_fails("encode r.narrows clean", 3, &["has none"]);
}
