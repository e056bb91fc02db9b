//! Whatever the bytes of a checkpoint, a fit goes on from it or refuses it, never a crash. The checksum is not looked at.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use narrows_core::data::Table;
use narrows_core::file::{FileCheckpoints, Resume, TrainingSubject};
use narrows_core::{Compute, Dataset, Recipe, Session, fit};

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fn table() -> Table {
    let x = || (0..120).map(|i| f64::from(i) / 9.0);
    Table::from_columns(vec![("a", x().map(f64::sin).collect()), ("b", x().map(f64::cos).collect())]).expect("a table")
}

fuzz_target!(|bytes: &[u8]| {
    let mut recipe = Recipe::preset("simple".parse().expect("a preset"));
    recipe.set("train.steps=2").expect("a field");
    let path = FOLDER.path().join("a.checkpoint");
    std::fs::create_dir_all(&path).expect("a folder");
    std::fs::write(path.join("member-0.safetensors"), bytes).expect("a file");
    let dataset = Dataset::from(table());
    let subject = TrainingSubject::new(&recipe, &dataset);
    // What is no checkpoint of this training is refused here already.
    let Ok(checkpoints) = FileCheckpoints::new(&path, subject, Resume::Continue) else { return };
    let session = Session { compute: Compute::serial(), checkpoints: &checkpoints, ..Session::default() };
    let _ = fit(&recipe, dataset, &session);
});
