//! No floating point in this crate: not in its arithmetic, not in its types.

use std::fs;

fn sources(folder: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            sources(&name, found);
        } else {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_floating_point() {
    let mut found = Vec::new();
    sources(concat!(env!("CARGO_MANIFEST_DIR"), "/src"), &mut found);
    assert!(found.len() > 10, "the sources of this crate were not found");
    for (name, text) in found {
        for (number, line) in text.lines().enumerate() {
            for word in line.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
                assert!(
                    !matches!(word, "f16" | "f32" | "f64" | "f128")
                        && !word.ends_with("_f32")
                        && !word.ends_with("_f64"),
                    "{name}:{}: {word} in a crate without floating point",
                    number + 1
                );
            }
        }
    }
}
