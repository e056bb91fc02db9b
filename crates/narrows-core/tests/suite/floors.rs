//! Arrows only go down: reads the `use` lines of every module and fails on an edge that ARCHITECTURE.md does not draw.

use std::path::{Path, PathBuf};

/// Modules of the library by floor. A module may use its own floor's modules listed in [`SIDEWAYS`] and all below.
const FLOORS: [(&str, u32); 21] = [
    ("error", 1),
    ("range", 1),
    ("choice", 1),
    ("data", 2),
    ("compute", 2),
    ("demo", 3),
    ("prep", 3),
    ("model", 3),
    ("baseline", 3),
    ("patches", 3),
    ("ensemble", 3),
    ("codec", 4),
    ("train", 4),
    ("detect", 4),
    ("recipe", 5),
    ("sample_similarity", 5),
    ("report", 6),
    ("fitted", 6),
    ("compress", 6),
    ("file", 6),
    ("tune", 6),
];

/// Edges within a floor: the axes read the blocks of preparation; fitted makes reports; files hold fitted models;
/// a search trains on what a fit would.
const SIDEWAYS: [(&str, &str); 9] = [
    ("error", "range"),
    ("range", "error"),
    ("model", "prep"),
    ("fitted", "report"),
    ("compress", "fitted"),
    ("file", "fitted"),
    ("file", "report"),
    ("tune", "fitted"),
    ("choice", "error"),
];

fn floor_of(module: &str) -> u32 {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .unwrap_or_else(|| panic!("`{module}` has no floor: add it here and to ARCHITECTURE.md"))
        .1
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a source names as `crate::module`, tests and doc comments left out.
fn edges(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|line| {
            line.match_indices("crate::").map(|(at, found)| line[at + found.len()..].to_owned()).collect::<Vec<_>>()
        })
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn every_edge_goes_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("lib.rs")) {
        let module = file.strip_prefix(&src).unwrap().components().next().unwrap().as_os_str().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        for target in edges(&std::fs::read_to_string(file).unwrap()) {
            let is_module = FLOORS.iter().any(|(name, _)| *name == target);
            let is_down = is_module
                && (target == module
                    || floor_of(&target) < floor_of(module)
                    || SIDEWAYS.contains(&(module, target.as_str())));
            // Names re-exported at the root, such as `crate::Error`, belong to the lowest floor.
            if is_module && !is_down {
                wrong.push(format!(
                    "{}: {module} (floor {}) uses {target} (floor {})",
                    file.display(),
                    floor_of(module),
                    floor_of(&target)
                ));
            }
        }
        floor_of(module);
    }
    assert!(wrong.is_empty(), "edges that go up:\n{}", wrong.join("\n"));
}

#[test]
fn the_engine_knows_no_table_and_no_file() {
    let manifest =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../narrows-engine/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
    for banned in ["arrow", "parquet", "serde", "toml", "csv", "narrows-core"] {
        assert!(!dependencies.lines().any(|line| line.starts_with(banned)), "narrows-engine depends on {banned}");
    }
}

#[test]
fn only_the_engine_has_unsafe_code() {
    for krate in ["narrows", "narrows-core", "narrows-codec", "narrows-images"] {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src"), &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains("unsafe {") && !text.contains("unsafe fn"), "{}", file.display());
        }
    }
}
