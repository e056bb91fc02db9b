//! docs/recipe.md against the types: every field is documented, and the table of preset values is generated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use narrows_core::recipe::DataKind;
use narrows_core::{Preset, Recipe};
use serde_json::Value;

/// Markers around the reference of fields, which is written by hand and checked here.
const FIELDS: (&str, &str) = ("<!-- checked: recipe fields -->", "<!-- end: recipe fields -->");
/// Markers around the generated table of preset values.
const VALUES: (&str, &str) = ("<!-- generated: preset values -->", "<!-- end: preset values -->");

/// Assignments that select the variants of the choices, so that all their fields occur.
const VARIANTS: &[&str] = &[
    "types.categorical=[\"zip\"]",
    "backbone=dense",
    "backbone=conv",
    "backbone={ kind = \"conv\", code = { kind = \"map\" } }",
    "backbone=lapped",
    "backbone=lstm",
    "backbone=restore",
    "latent=gaussian",
    "latent=quantised",
    "sparsity=l1",
    "sparsity=kl",
    "corruption=gaussian",
    "corruption=masking",
    "corruption=swap",
    "loss=huber",
    "loss=ssim",
    "loss=ms_ssim",
    "train.optimizer=adam_w",
    "train.schedule=cosine",
    "train.schedule=plateau",
    "detect.threshold={ rule = \"quantile\", q = 0.9 }",
    "detect.threshold=mean_std",
    "detect.threshold={ rule = \"contamination\", share = 0.1 }",
    "detect.threshold=pot",
    "detect.threshold={ rule = \"fixed\", value = 1.0 }",
];

#[test]
fn every_field_is_documented_and_no_other() {
    let page = fs::read_to_string(page()).unwrap();
    let documented: BTreeSet<String> = between(&page, FIELDS).lines().filter_map(first_cell).collect();
    let mut recipes = Preset::ALL.map(Recipe::preset).to_vec();
    recipes.extend(DataKind::ALL.map(|kind| Recipe::preset_for(Preset::Deep, kind)));
    recipes.extend(VARIANTS.iter().map(|assignment| {
        let mut recipe = Recipe::preset(Preset::Deep);
        recipe.set(assignment).unwrap();
        recipe
    }));
    let fields: BTreeSet<String> = recipes.iter().flat_map(|recipe| fields(recipe).into_keys()).collect();
    let missing: Vec<&String> = fields.iter().filter(|field| !is_documented(field, &documented)).collect();
    assert!(missing.is_empty(), "docs/recipe.md has no row for these fields; add them to `Fields`: {missing:?}");
    let is_known = |path: &String| fields.iter().any(|field| field == path || field.starts_with(&format!("{path}.")));
    let unknown: Vec<&String> = documented.iter().filter(|path| !is_known(path)).collect();
    assert!(unknown.is_empty(), "docs/recipe.md has rows for fields that do not exist; remove them: {unknown:?}");
}

#[test]
fn the_table_of_preset_values_is_up_to_date() {
    let path = page();
    let page = fs::read_to_string(&path).unwrap();
    let (now, expected) = (between(&page, VALUES), values());
    if now.trim() == expected.trim() {
        return;
    }
    if env::var_os("NARROWS_BLESS").is_some() {
        let (before, rest) = page.split_once(VALUES.0).unwrap();
        let (_, after) = rest.split_once(VALUES.1).unwrap();
        fs::write(&path, format!("{before}{}\n\n{expected}\n{}{after}", VALUES.0, VALUES.1)).unwrap();
        return;
    }
    let command = "NARROWS_BLESS=1 cargo test -p narrows-core --test suite recipe_reference";
    panic!("docs/recipe.md does not show the values of the presets; `{command}` rewrites it to:\n{expected}");
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recipe.md")
}

/// The text between two markers.
fn between<'a>(page: &'a str, (start, end): (&str, &str)) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("docs/recipe.md has no `{start}`"));
    rest.split_once(end).unwrap_or_else(|| panic!("docs/recipe.md has no `{end}`")).0
}

/// The path in the first cell of a row of a table.
fn first_cell(line: &str) -> Option<String> {
    Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned())
}

/// Whether a row describes the field; the tag of a choice may be described with the choice.
fn is_documented(field: &str, documented: &BTreeSet<String>) -> bool {
    let choice = field.strip_suffix(".kind").or_else(|| field.strip_suffix(".rule"));
    documented.contains(field) || choice.is_some_and(|choice| documented.contains(choice))
}

/// The values of all fields as JSON, by their dotted paths.
fn fields(recipe: &Recipe) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect(&serde_json::to_value(recipe).unwrap(), "", &mut found);
    found
}

fn collect(value: &Value, path: &str, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            collect(value, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, found);
        }),
        leaf => {
            found.insert(path.to_owned(), leaf.to_string());
        }
    }
}

/// The table: the value of each field in `deep`, and other values with the presets that have them.
fn values() -> String {
    let presets = Preset::ALL.map(|preset| (preset, fields(&Recipe::preset(preset))));
    let deep = fields(&Recipe::preset(Preset::Deep));
    let all: BTreeSet<&String> = presets.iter().flat_map(|(_, fields)| fields.keys()).collect();
    let mut lines = vec!["| field | `deep` | other presets |".to_owned(), "|---|---|---|".to_owned()];
    for field in all.into_iter().filter(|field| *field != "preset") {
        let usual = deep.get(field);
        let mut others: Vec<(&String, Vec<String>)> = Vec::new();
        for (preset, fields) in &presets {
            let Some(value) = fields.get(field).filter(|value| Some(*value) != usual) else { continue };
            let name = format!("`{preset}`");
            match others.iter_mut().find(|(other, _)| *other == value) {
                Some((_, names)) => names.push(name),
                None => others.push((value, vec![name])),
            }
        }
        let usual = usual.map_or_else(String::new, |value| format!("`{value}`"));
        let others: Vec<String> =
            others.iter().map(|(value, names)| format!("{}: `{value}`", names.join(", "))).collect();
        lines.push(format!("| `{field}` |{}|{}|", cell(&usual), cell(&others.join("; "))));
    }
    lines.join("\n") + "\n"
}

fn cell(text: &str) -> String {
    if text.is_empty() { " ".to_owned() } else { format!(" {text} ") }
}
