//! `narrows doctor`: what the program runs on, and whether it works there.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args as ClapArgs;
use narrows_core::{Compute, Dataset, Error, Preset, Recipe, Session, TabularModel, demo, fit};
use serde::Serialize;

use crate::device::{self, DevicesFound};
use crate::failure::{Failure, Outcome};
use crate::flags::Common;
use crate::{output, version};

/// Rows of the self-test.
const ROWS: usize = 300;
/// Columns of the self-test.
const COLUMNS: usize = 4;

/// Show version, processor, graphics processors, memory and write access, and fit a small model as a self-test
///
/// Exits with code 1 if a folder cannot be written to or the self-test fails.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows doctor",
    before_long_help = "Examples:\n  narrows doctor\n  narrows doctor --json"
)]
pub(crate) struct Doctor {}

/// Output of `--json`.
#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    commit: Option<&'static str>,
    simd: &'static str,
    threads: usize,
    cores: usize,
    /// Cargo features of the library.
    features: Vec<&'static str>,
    memory: Option<Memory>,
    /// Graphics processors.
    gpu: DevicesFound,
    folders: Vec<FolderAccess>,
    self_test: SelfTest,
}

/// The machine's memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Memory {
    total: u64,
    available: u64,
}

#[derive(Debug, Serialize)]
struct FolderAccess {
    name: &'static str,
    path: PathBuf,
    /// Why it cannot be written to; `None` if it can.
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct SelfTest {
    rows: usize,
    seconds: f64,
    /// What went wrong, if anything did.
    error: Option<String>,
}

impl Doctor {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let compute = common.compute()?;
        let folders = [("folder", std::env::current_dir().unwrap_or_default()), ("temporary", std::env::temp_dir())];
        let findings = Findings {
            version: version::VERSION,
            commit: version::commit(),
            simd: version::simd(),
            threads: compute.n_threads(),
            cores: version::cores(),
            features: version::features(),
            memory: std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory(&text)),
            gpu: device::find(),
            folders: folders.into_iter().map(|(name, path)| access(name, path)).collect(),
            self_test: self_test(&compute),
        };
        if common.json {
            output::print_json(&findings)?;
        } else {
            output::print(&for_people(&findings))?;
        }
        findings.failure().map_or(Ok(Outcome::Done), |error| Err(error.into()))
    }
}

impl Findings {
    /// The first thing that does not work.
    fn failure(&self) -> Option<Error> {
        let failed = self.folders.iter().find_map(|folder| Some((folder.path.clone(), folder.error.as_ref()?)));
        let failed =
            failed.or_else(|| Some((PathBuf::from("the result of the self-test"), self.self_test.error.as_ref()?)));
        failed.map(|(path, why)| Error::write(path, std::io::Error::other(why.clone())))
    }
}

fn access(name: &'static str, path: PathBuf) -> FolderAccess {
    let probe = output::probe(&path.join(format!("narrows-doctor-{}", std::process::id())));
    let error = match probe {
        Ok(()) => None,
        Err(Failure::Library(Error::Write { source, .. })) => Some(source.to_string()),
        Err(_) => Some("cannot be written to".to_owned()),
    };
    FolderAccess { name, path, error }
}

/// Fits a small model twice, and compares the scores.
fn self_test(compute: &Compute) -> SelfTest {
    let began = Instant::now();
    let scores = || -> Result<Vec<f64>, Error> {
        let mut recipe = Recipe::preset(Preset::Simple);
        recipe.set("train.steps=100")?;
        let table = demo::wide(ROWS, COLUMNS, 0.0, 0);
        let session = Session { compute: compute.clone(), ..Session::default() };
        let model = fit(&recipe, Dataset::from(table.clone()), &session)?.into_table()?;
        Ok(model.score(&table)?.score)
    };
    let error = match (scores(), scores()) {
        (Err(error), _) | (_, Err(error)) => Some(error.to_string()),
        (Ok(first), Ok(_)) if !first.iter().all(|score| score.is_finite()) => Some("a score is not finite".to_owned()),
        (Ok(first), Ok(second)) if first != second => Some("two equal fits gave different scores".to_owned()),
        _ => None,
    };
    SelfTest { rows: ROWS, seconds: began.elapsed().as_secs_f64(), error }
}

/// Total and available memory from the text of `/proc/meminfo`.
fn memory(text: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(1024 * line.split_whitespace().next()?.parse::<u64>().ok()?)
    };
    Some(Memory { total: bytes("MemTotal:")?, available: bytes("MemAvailable:")? })
}

fn for_people(f: &Findings) -> String {
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    let mut lines = vec![
        format!("version     narrows {}, commit {}", f.version, f.commit.unwrap_or("unknown")),
        format!("simd        {}", f.simd),
        format!("threads     {} of {} cores", f.threads, f.cores),
        format!("features    {}", f.features.join(", ")),
    ];
    lines.push(match f.memory {
        Some(memory) => format!("memory      {}, {} available", gigabytes(memory.total), gigabytes(memory.available)),
        None => "memory      unknown on this system".to_owned(),
    });
    lines.extend(f.gpu.adapters.iter().map(|adapter| format!("gpu         {adapter}")));
    lines.extend(f.gpu.missing.iter().map(|why| format!("gpu         none for --device gpu: {why}")));
    for FolderAccess { name, path, error } in &f.folders {
        lines.push(match error {
            None => format!("{name:<11} {} is writable", shown(path)),
            Some(why) => format!("{name:<11} {} is not writable: {why}", shown(path)),
        });
    }
    lines.push(match &f.self_test.error {
        None => format!("self-test   two fits to {} rows agree, {:.2} s", f.self_test.rows, f.self_test.seconds),
        Some(why) => format!("self-test   failed: {why}"),
    });
    lines.join("\n")
}

fn shown(path: &Path) -> String {
    path.display().to_string().replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_linux_writes_it() {
        let text = "MemTotal:        8000 kB\nMemFree:  1 kB\nMemAvailable:    2000 kB\n";
        assert_eq!(memory(text), Some(Memory { total: 8_192_000, available: 2_048_000 }));
        assert_eq!(memory("MemTotal: none"), None);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        assert!(access("folder", folder.path().to_path_buf()).error.is_none());
        let missing = access("folder", folder.path().join("missing"));
        assert!(missing.error.is_some());
        let self_test = SelfTest { rows: 1, seconds: 0.1, error: None };
        let findings = Findings {
            version: "1",
            commit: None,
            simd: "none",
            threads: 1,
            cores: 1,
            features: Vec::new(),
            memory: None,
            gpu: DevicesFound { built: false, adapters: vec![], missing: None },
            folders: vec![missing],
            self_test,
        };
        assert!(matches!(findings.failure(), Some(Error::Write { .. })));
        assert!(for_people(&findings).contains("is not writable"));
    }
}
