//! The scripts of the interactive page: plain ES modules, which a server hands out one by one and a file contains.
//!
//! Modules import each other by relative paths. A page opened from a disk has no addresses that these could be relative to:
//! there, an import map names each module and holds it as a `data:` address.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, json};

/// How modules import each other, and what a file has instead.
const RELATIVE: &str = " from \"./";
const NAMED: &str = " from \"narrows/";

macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../templates/page/", $name)))),*]
    };
}

/// All modules by their names.
static MODULES: [(&str, &str); 49] = modules![
    "address.js",
    "agreement.js",
    "agreement_panel.js",
    "announcer.js",
    "bins.js",
    "calibration.js",
    "code_map.js",
    "column_drawing.js",
    "column_shape.js",
    "command.js",
    "copy_button.js",
    "csv.js",
    "data_table.js",
    "deviations.js",
    "dom.js",
    "drift_columns.js",
    "drift_panel.js",
    "drift_trends.js",
    "drop_zone.js",
    "explorer.js",
    "filter_bar.js",
    "image_panel.js",
    "label_panel.js",
    "main.js",
    "models_page.js",
    "numbers.js",
    "panel_pen.js",
    "place_index.js",
    "polygon.js",
    "print_table.js",
    "ranking.js",
    "row_dialog.js",
    "row_form.js",
    "row_grid.js",
    "row_list.js",
    "save_bar.js",
    "score_axis.js",
    "score_histogram.js",
    "series_panel.js",
    "service.js",
    "small_histogram.js",
    "store.js",
    "stretches.js",
    "threshold_panel.js",
    "tile.js",
    "timeline.js",
    "trouble.js",
    "typed_row.js",
    "zoom.js",
];

/// The style of the interactive parts.
pub(super) const STYLE: &str = include_str!("../../../templates/page/explorer.css");

/// The source of a module, by its name, as a server hands it out.
pub fn module(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

/// An import map that holds the modules of a page.
pub(super) fn import_map() -> String {
    let address =
        |source: &str| format!("data:text/javascript;base64,{}", STANDARD.encode(source.replace(RELATIVE, NAMED)));
    let imports: Map<String, serde_json::Value> =
        MODULES.iter().map(|(name, source)| (format!("narrows/{name}"), json!(address(source)))).collect();
    json!({ "imports": imports }).to_string()
}

/// A document as JSON that can stand in a `script` element: no text in it ends the element.
pub(super) fn embedded(document: &impl serde::Serialize) -> serde_json::Result<String> {
    Ok(serde_json::to_string(document)?.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_module_is_known_and_imports_only_known_ones() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/page");
        let mut files: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".js"))
            .collect();
        files.sort();
        let mut known: Vec<&str> = MODULES.iter().map(|(name, _)| *name).collect();
        known.sort_unstable();
        assert_eq!(files, known);
        for (name, source) in &MODULES {
            for line in source.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from ")) {
                let (_, rest) = line.split_once(RELATIVE).unwrap_or_else(|| panic!("{name}: {line}"));
                let imported = rest.split('"').next().unwrap();
                assert!(module(imported).is_some(), "{name} imports {imported}, which is not there");
            }
            assert!(!source.contains("import("), "{name} imports dynamically");
            assert!(!source.contains("innerHTML") && !source.contains("eval("), "{name} makes markup or code of text");
        }
    }

    #[test]
    fn a_file_names_its_modules() {
        let map: serde_json::Value = serde_json::from_str(&import_map()).unwrap();
        let main = map["imports"]["narrows/main.js"].as_str().unwrap();
        let source = STANDARD.decode(main.split_once(',').unwrap().1).unwrap();
        assert!(!String::from_utf8(source).unwrap().contains(RELATIVE));
    }
}
