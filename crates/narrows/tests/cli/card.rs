//! `narrows report --card`: model cards of every kind of model.

use narrows_core::images::Channels;

use crate::drawing::{CODE, draw};
use crate::folder::Folder;

#[test]
fn a_card_is_markdown_with_a_front_matter() {
    let folder = Folder::with_model();
    folder.run("report m.narrows --card --license Apache-2.0 --repo me/words -o README.md").succeeds();
    let card = folder.read("README.md");
    assert!(card.starts_with("---\nlibrary_name: narrows\nlicense: apache-2.0\n"), "{card}");
    for words in [
        "# words",
        "| fitted to | `train.csv` |",
        "`word`",
        "narrows.from_pretrained(\"me/words\")",
        "narrows score m.narrows",
    ] {
        assert!(card.contains(words), "`{words}` is missing in {card}");
    }
    assert_eq!(folder.run("report m.narrows --card --license Apache-2.0 --repo me/words -o -").succeeds().stdout, card);
    // By default it is named like the model, and replaces nothing.
    folder.run("report m.narrows --card").succeeds();
    assert!(folder.read("m.md").contains("license: unknown"));
    folder.check_fails("report m.narrows --card", 2, &["exists"]);
    folder.check_fails("report m.narrows --card --license my:own -o x.md", 2, &["--license", "apache-2.0"]);
    folder.check_fails("report m.narrows --license mit -o x.html", 2, &["--card"]);
}

#[test]
fn labelled_data_give_the_card_metrics() {
    let folder = Folder::with_model();
    let line = "report m.narrows train.csv --label word --normal red --card -o README.md";
    folder.run(line).succeeds();
    let card = folder.read("README.md");
    assert!(
        card.contains("model-index:") && card.contains("- type: roc_auc") && card.contains("\"train.csv\""),
        "{card}"
    );
}

#[test]
fn encoders_and_images_have_cards() {
    let folder = Folder::with_model();
    folder.run("export m.narrows --encoder-only -o small.narrows").succeeds();
    let card = folder.run("report small.narrows --card -o -").succeeds().stdout;
    assert!(
        card.contains("pipeline_tag: feature-extraction") && card.contains("narrows encode small.narrows"),
        "{card}"
    );
    folder.check_fails("report small.narrows train.csv --card -o x.md", 3, &["without its decoder"]);
    draw(&folder, "clean", 12, 16, Channels::Grey);
    folder.run(&format!("fit clean -o i.narrows {CODE}")).succeeds();
    let card = folder.run("report i.narrows --card -o -").succeeds().stdout;
    assert!(card.contains("- image\n") && card.contains("# Autoencoder of `clean`"), "{card}");
}
