//! Runs the tests of the interactive pages: those of their modules with Node, and those in `page/` with pytest and a Chromium.
//!
//! Without Node, Python or the browser, nothing is tested and a message says so, unless `NARROWS_REQUIRE_BROWSER=1`. The virtual
//! environment is kept in the target folder until `page/requirements.txt` changes. `NARROWS_PYTHON` names the interpreter,
//! `NARROWS_CHROMIUM` the browser, `NARROWS_PAGE_PYTEST` arguments for pytest.

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[test]
fn the_modules_compute_what_they_should() {
    let tests = root().join("crates/narrows-core/templates/page/test");
    if Command::new("node").arg("--version").output().is_err() {
        return skip("the tests of the modules of pages", "expected Node as `node`, found none");
    }
    ran(Command::new("node").arg("--test").arg(tests)).unwrap_or_else(|words| panic!("{words}"));
}

#[test]
fn the_pages_work_in_a_browser() {
    let what = "the tests of pages in crates/narrows/tests/page";
    if !cfg!(feature = "serve") {
        return say(&format!("SKIPPED: {what}: they need a build with the feature `serve`"));
    }
    let chromium = env::var("NARROWS_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    if !Path::new(&chromium).is_file() {
        return skip(what, &format!("expected a browser at {chromium}, found none; NARROWS_CHROMIUM names another"));
    }
    let python = match environment() {
        Ok(python) => python,
        Err(reason) => return skip(what, &reason),
    };
    let arguments = env::var("NARROWS_PAGE_PYTEST").unwrap_or_default();
    let mut pytest = Command::new(python);
    pytest
        .args(["-m", "pytest", "--quiet", "--color=no", "-p", "no:cacheprovider"])
        .args(arguments.split_whitespace())
        .arg(folder())
        .env("NARROWS_BIN", env!("CARGO_BIN_EXE_narrows"))
        .env("NARROWS_CHROMIUM", chromium)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    let words = ran(&mut pytest).unwrap_or_else(|words| panic!("{words}"));
    say(words.lines().last().unwrap_or_default());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a crate in crates/").to_owned()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page")
}

/// The interpreter of the virtual environment, which is made if it is not there or not of these requirements.
fn environment() -> Result<PathBuf, String> {
    let test = env::current_exe().expect("the test's own file");
    let place = test.ancestors().nth(3).expect("target/PROFILE/deps/TEST").join("page-environment");
    let requirements = folder().join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).expect("requirements.txt");
    let stamp = place.join("requirements");
    let python = place.join(if cfg!(windows) { "Scripts" } else { "bin" }).join(format!("python{EXE_SUFFIX}"));
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) && python.exists() {
        return Ok(python);
    }
    let _ = fs::remove_dir_all(&place);
    say(&format!("making {}, once", place.display()));
    let name = env::var("NARROWS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    ran(Command::new(name).args(["-m", "venv"]).arg(&place))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    ran(Command::new(&python).args(install).arg(&requirements))?;
    fs::write(&stamp, wanted).expect("a file in the virtual environment");
    Ok(python)
}

/// Runs a command to its end; an error has its words.
fn ran(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(words),
        false => Err(format!("{command:?} failed:\n{words}\n{}", String::from_utf8_lossy(&output.stderr))),
    }
}

fn skip(what: &str, reason: &str) {
    let is_required = env::var("NARROWS_REQUIRE_BROWSER").is_ok_and(|value| value == "1");
    assert!(!is_required, "{reason}");
    say(&format!("SKIPPED: {what}: {reason}"));
}

/// Tells also when the test passes: what is printed by macros is heard only when it fails.
fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}
