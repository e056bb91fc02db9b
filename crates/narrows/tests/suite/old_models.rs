//! Models of every released format load and score as they did: the files under `testdata/models/` stay for ever.

use std::path::{Path, PathBuf};

use narrows::{Preset, Threads, file};

use crate::support::{fit_with, off_sheet, quick, sheet};

/// Another processor may fuse or widen differently; a wrong reading is off by far more.
const TOLERANCE: f64 = 1e-4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/models/v1")
}

#[test]
fn format_1_scores_as_it_did() {
    for preset in ["simple", "variational", "auto"] {
        let fitted = file::load(&folder().join(format!("{preset}.narrows"))).unwrap();
        let expected: Vec<f64> =
            serde_json::from_str(&std::fs::read_to_string(folder().join(format!("{preset}.json"))).unwrap()).unwrap();
        let found = fitted.score(&off_sheet(4), &Threads::serial()).unwrap().score;
        for (expected, found) in expected.iter().zip(&found) {
            assert!(
                (expected - found).abs() <= TOLERANCE * expected.abs(),
                "{preset}: expected {expected}, got {found}"
            );
        }
    }
}

/// Writes the files above. Run once a format, never again for a format that was released:
/// `cargo test -p narrows --test suite -- --ignored write_format_1`
#[test]
#[ignore = "writes the golden files"]
fn write_format_1() {
    for preset in [Preset::Simple, Preset::Variational, Preset::Auto] {
        let mut recipe = quick(preset);
        if preset == Preset::Auto {
            recipe.set("backbone.code_size=4").unwrap();
            recipe.set("backbone.nodes=[4]").unwrap();
        }
        let fitted = fit_with(&recipe, sheet(14, 1), 1).unwrap();
        file::save(&fitted, &folder().join(format!("{preset}.narrows"))).unwrap();
        let scores = fitted.score(&off_sheet(4), &Threads::serial()).unwrap().score;
        std::fs::write(folder().join(format!("{preset}.json")), serde_json::to_string(&scores).unwrap()).unwrap();
    }
}
