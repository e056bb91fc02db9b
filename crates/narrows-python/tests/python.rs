//! Runs pytest over `python/tests`, with the extension that cargo has built.
//!
//! The package is put together in the target folder, and its virtual environment is kept there until
//! `python/tests/requirements.txt` changes. Without Python, or without the packages, nothing is tested and a message says so,
//! unless `NARROWS_REQUIRE_PYTHON=1`. `NARROWS_PYTHON` names the interpreter to use, `NARROWS_PYTEST` arguments for pytest.

use std::env;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX, EXE_SUFFIX};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The oldest Python that the extension is for.
const OLDEST: (u32, u32) = (3, 11);
const NAMES: [&str; 6] = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];

#[test]
fn the_python_package_passes_its_tests() {
    let folders = Folders::find();
    let python = match environment(&folders) {
        Ok(python) => python,
        Err(reason) => {
            let is_required = env::var("NARROWS_REQUIRE_PYTHON").is_ok_and(|value| value == "1");
            assert!(!is_required, "{reason}");
            return say(&format!("SKIPPED: the tests of the Python package in python/tests: {reason}"));
        }
    };
    assemble(&folders);
    write_networks(&folders);
    let summary = pytest(&folders, &python);
    say(&summary);
}

/// Where everything is.
struct Folders {
    root: PathBuf,
    /// Of the build profile, such as `target/debug`.
    profile: PathBuf,
    /// The package under test is in here.
    path: PathBuf,
    environment: PathBuf,
}

impl Folders {
    fn find() -> Folders {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a crate in crates/").to_owned();
        let test = env::current_exe().expect("the test's own file");
        let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST").to_owned();
        let target = profile.parent().expect("target/PROFILE").to_owned();
        Folders { root, path: profile.join("python"), environment: target.join("python-environment"), profile }
    }

    fn extension(&self) -> PathBuf {
        self.profile.join("deps").join(format!("{DLL_PREFIX}narrows_python{DLL_SUFFIX}"))
    }

    fn command(&self) -> PathBuf {
        self.profile.join(format!("narrows{EXE_SUFFIX}"))
    }

    /// Networks as ONNX files, with what they compute.
    fn networks(&self) -> PathBuf {
        self.path.join("networks")
    }

    fn python(&self) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.environment.join(folder).join(format!("python{EXE_SUFFIX}"))
    }
}

/// The interpreter of the virtual environment, which is made if it is not there or not of these requirements.
fn environment(folders: &Folders) -> Result<PathBuf, String> {
    let (name, version) = interpreter()?;
    let requirements = folders.root.join("python/tests/requirements.txt");
    let wanted = format!("{version}\n{}", fs::read_to_string(&requirements).expect("requirements.txt"));
    let (stamp, python) = (folders.environment.join("requirements"), folders.python());
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) && python.exists() {
        return Ok(python);
    }
    let _ = fs::remove_dir_all(&folders.environment);
    say(&format!("making {} with Python {version}, once", folders.environment.display()));
    run(Command::new(name).args(["-m", "venv"]).arg(&folders.environment))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(install.arg(&requirements))?;
    fs::write(&stamp, wanted).expect("a file in the virtual environment");
    Ok(python)
}

/// The first interpreter that is new enough, and its version.
fn interpreter() -> Result<(String, String), String> {
    let asked = env::var("NARROWS_PYTHON").ok();
    let names: Vec<String> = match &asked {
        Some(name) => vec![name.clone()],
        None => NAMES.map(str::to_owned).to_vec(),
    };
    for name in &names {
        let version = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
        let Ok(Output { status, stdout, .. }) = Command::new(name).args(["-c", version]).output() else { continue };
        let version = String::from_utf8_lossy(&stdout).trim().to_owned();
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if status.success() && found >= OLDEST {
            return Ok((name.clone(), version));
        }
    }
    Err(format!("expected Python {}.{} or later, found none as {}", OLDEST.0, OLDEST.1, names.join(", ")))
}

/// Runs a command that makes the environment; an error has its last words.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let words: Vec<&str> = words.lines().collect();
    Err(format!("{command:?} failed:\n{}", words[words.len().saturating_sub(12)..].join("\n")))
}

/// Puts the Python files and the extension into one folder.
fn assemble(folders: &Folders) {
    let extension = folders.extension();
    assert!(extension.is_file(), "expected the extension that cargo builds, at {}", extension.display());
    let package = folders.path.join("narrows");
    let _ = fs::remove_dir_all(&package);
    copy(&folders.root.join("python/narrows"), &package);
    let name = if cfg!(windows) { "_native.pyd" } else { "_native.abi3.so" };
    fs::copy(&extension, package.join(name)).expect("a copy of the extension");
}

/// Writes what runtimes of ONNX are held against: networks alone, which the package has no way to.
fn write_networks(folders: &Folders) {
    let networks = folders.networks();
    let _ = fs::remove_dir_all(&networks);
    fs::create_dir_all(&networks).expect("a folder in the target folder");
    narrows_onnx::contract::write(&networks).expect("networks as ONNX files");
}

/// Copies a folder without what was built in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder in the target folder");
    for entry in fs::read_dir(from).expect("the sources of the package") {
        let entry = entry.expect("an entry of a folder").path();
        let name = entry.file_name().expect("a name");
        let is_built = ["so", "pyd"].iter().any(|built| entry.extension().is_some_and(|extension| extension == *built));
        if entry.is_dir() && name != "__pycache__" {
            copy(&entry, &to.join(name));
        } else if entry.is_file() && !is_built {
            fs::copy(&entry, to.join(name)).expect("a copy of a source file");
        }
    }
}

/// Runs the tests and returns what was skipped, and the line that sums them up.
fn pytest(folders: &Folders, python: &Path) -> String {
    let binary = folders.command();
    assert!(
        binary.is_file(),
        "expected the command at {}, which `cargo test --workspace` builds; `cargo build -p narrows` builds it alone",
        binary.display()
    );
    let arguments = env::var("NARROWS_PYTEST").unwrap_or_default();
    let mut command = Command::new(python);
    command
        .args(["-m", "pytest", "--quiet", "--color=no", "--durations=5", "-o"])
        .arg(format!("cache_dir={}", folders.path.join("pytest").display()))
        .args(arguments.split_whitespace())
        .current_dir(&folders.root)
        .env("PYTHONPATH", &folders.path)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("RUFF_CACHE_DIR", folders.path.join("ruff"))
        .env("NARROWS_BINARY", &binary)
        .env("NARROWS_NETWORKS", folders.networks())
        .stdin(Stdio::null());
    if cfg!(feature = "remote") {
        // The extension must have been built with it, too.
        command.env("NARROWS_REQUIRE_REMOTE", "1");
    }
    let output = command.output().expect("the interpreter of the virtual environment");
    let words = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        panic!("pytest failed\n{words}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let skipped = words.lines().filter(|line| line.starts_with("SKIPPED")).map(|line| format!("{line}\n"));
    let sum = words.lines().last().unwrap_or_default().trim_matches(['=', ' ']);
    skipped.chain([sum.to_owned()]).collect()
}

/// Tells also when the test passes: what is printed by macros is heard only when it fails.
fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}
