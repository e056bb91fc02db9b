//! Tables and recipes for the tests, made from a seed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use narrows_core::data::{Source, Table};
use narrows_core::file::{FileCheckpoints, Resume, TrainingSubject};
use narrows_core::rng::{Purpose, Stream};
use narrows_core::train::{Observer, TrainingEvent};
use narrows_core::{Compute, Dataset, Model, Preset, Recipe, Session, TableModel, fit};

/// `n` rows on a curved sheet in six columns, one of them constant, a few cells missing.
pub(crate) fn sheet(n: usize, seed: u64) -> Table {
    let mut columns: Vec<(String, Vec<f64>)> = (0..6).map(|j| (format!("x{j}"), Vec::with_capacity(n))).collect();
    for row in 0..n {
        let mut stream = Stream::new(seed, Purpose::Demo, 0, row as u64);
        let (a, b) = (f64::from(stream.normal()), f64::from(stream.normal()));
        let noise = |stream: &mut Stream| 0.05 * f64::from(stream.normal());
        let missing = stream.uniform() < 0.02;
        let values = [
            a,
            b,
            a * b + noise(&mut stream),
            (2.0 * a).sin() + noise(&mut stream),
            if missing { f64::NAN } else { 100.0 + 10.0 * (a - b) },
            7.0,
        ];
        columns.iter_mut().zip(values).for_each(|((_, column), value)| column.push(value));
    }
    Table::from_columns(columns).unwrap()
}

/// Rows off the sheet.
pub(crate) fn off_sheet(n: usize) -> Table {
    let ramp = |from: f64| (0..n).map(|i| from + i as f64 * 0.1).collect::<Vec<f64>>();
    Table::from_columns(vec![
        ("x0", ramp(1.0)),
        ("x1", ramp(1.0)),
        ("x2", ramp(-6.0)),
        ("x3", ramp(4.0)),
        ("x4", ramp(300.0)),
        ("x5", ramp(7.0)),
    ])
    .unwrap()
}

/// A preset that trains for a moment only.
pub(crate) fn quick(preset: Preset) -> Recipe {
    hurried(Recipe::preset(preset))
}

/// The recipe, training for a moment only.
pub(crate) fn hurried(mut recipe: Recipe) -> Recipe {
    for change in ["train.steps=60", "train.batch_size=32", "detect.references=200"] {
        recipe.set(change).unwrap();
    }
    if recipe.preset == Preset::Auto {
        for change in ["backbone.code_size=24", "backbone.nodes=[24]"] {
            recipe.set(change).unwrap();
        }
    }
    recipe
}

/// Some number of threads.
pub(crate) fn compute(threads: usize) -> Compute {
    Compute::with_threads(threads).unwrap()
}

/// A fit on some number of threads, unwatched.
pub(crate) fn session(threads: usize) -> Session<'static> {
    Session { compute: compute(threads), ..Session::default() }
}

/// A fit to the rows of a table on some number of threads.
pub(crate) fn fit_with(recipe: &Recipe, table: Table, threads: usize) -> narrows_core::Result<TableModel> {
    fit(recipe, table, &session(threads))?.into_table()
}

/// Stops a training after a number of checks.
struct Cut {
    after: usize,
    seen: AtomicUsize,
}

impl Observer for Cut {
    fn on_event(&self, event: TrainingEvent<'_>) {
        if let TrainingEvent::Checked { .. } = event {
            self.seen.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn interrupted(&self) -> bool {
        self.seen.load(Ordering::Relaxed) >= self.after
    }
}

/// A training that is cut short after some checks and taken up again ends with the bytes of `whole`, a fit that nothing
/// interrupted; a checkpoint of another recipe is refused.
pub(crate) fn check_resumes(name: &str, recipe: &Recipe, dataset: &Dataset, whole: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let run = |resume, after| {
        let subject = TrainingSubject::new(recipe, dataset);
        let checkpoints = FileCheckpoints::new(folder.path(), subject, resume).unwrap();
        let cut = Cut { after, seen: AtomicUsize::new(0) };
        let session = Session { compute: Compute::serial(), observer: &cut, checkpoints: &checkpoints };
        fit(recipe, dataset.clone(), &session).unwrap().to_bytes()
    };
    assert!(run(Resume::Fresh, 4) != whole, "{name}: the first run was not cut short");
    assert!(run(Resume::Continue, usize::MAX) == whole, "{name}: resumed");

    let mut other = recipe.clone();
    other.seed += 1;
    let subject = TrainingSubject::new(&other, dataset);
    let error = FileCheckpoints::new(folder.path(), subject, Resume::Continue).unwrap_err().to_string();
    assert!(error.contains("got one of another: `seed` was"), "{name}: {error}");
}

/// The bytes of a model's file.
pub(crate) fn to_bytes(model: &(impl Clone + Into<Model>)) -> Vec<u8> {
    model.clone().into().to_bytes()
}

/// The shared data folder, or nothing and a word on what is skipped.
pub(crate) fn shared_data(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("NARROWS_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent; NARROWS_DATA names the folder that holds {file}", path.display());
    None
}

/// All rows of a file.
pub(crate) fn read(path: &std::path::Path) -> Table {
    let source = Source::parse(&[path.to_str().unwrap()]).unwrap();
    let tables: Vec<Table> = source.open(65_536, None).unwrap().map(Result::unwrap).collect();
    Table::concat(&tables).unwrap()
}
