//! One thing, one name: in the recipe, on the command line, in JSON.

use narrows_core::{Preset, Recipe};

use crate::folder::{Folder, QUICK};

/// Every leaf of a tree, as a dotted path.
fn paths(value: &serde_json::Value, here: &str, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) if !fields.contains_key("kind") && !fields.contains_key("rule") => {
            for (key, value) in fields {
                paths(value, if here.is_empty() { key.clone() } else { format!("{here}.{key}") }.as_str(), found);
            }
        }
        _ => found.push(here.to_owned()),
    }
}

#[test]
fn what_json_shows_of_a_recipe_can_be_set() {
    let folder = Folder::with_data();
    let report = folder.run(&format!("fit train.csv -o m.narrows --json {QUICK}")).succeeds().json();
    let tree = serde_json::to_value(Recipe::preset(Preset::Simple)).unwrap();
    let (mut in_json, mut in_rust) = (Vec::new(), Vec::new());
    paths(&report["recipe"], "", &mut in_json);
    paths(&tree, "", &mut in_rust);
    assert_eq!(in_json, in_rust);
    for path in in_rust {
        let error = folder.run(&format!("fit train.csv -o x.narrows --set {path}.no_such_field=1"));
        assert_eq!(error.code, 2, "{path}: {}", error.stderr);
        assert!(
            !error.stderr.contains(&format!("unknown field `{}` of the recipe", path.split('.').next().unwrap())),
            "{}",
            error.stderr
        );
    }
}

#[test]
fn presets_have_their_names_in_the_help() {
    let help = Folder::new().run("fit --help").succeeds().stdout;
    for preset in Preset::ALL {
        assert!(help.contains(preset.name()), "{preset}");
    }
    for flag in [
        "--label",
        "--normal",
        "--columns",
        "--ignore",
        "--preset",
        "--set",
        "--recipe",
        "--seed",
        "--threads",
        "--threshold",
        "--quiet",
        "--force",
        "--json",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn scores_have_the_same_names_everywhere() {
    let folder = Folder::with_model();
    let header = folder.run("score m.narrows train.csv").succeeds().stdout;
    assert!(header.starts_with("row,score,p_value,is_anomaly\n"), "{header}");
    let row = folder.run("score m.narrows train.csv --format ndjson").succeeds().stdout;
    let row: serde_json::Value = serde_json::from_str(row.lines().next().unwrap()).unwrap();
    let explained = folder.run("explain m.narrows train.csv --row 0 --json").succeeds().json();
    for name in ["row", "score", "p_value", "is_anomaly"] {
        assert_eq!(row[name], explained[name], "{name}");
    }
}
