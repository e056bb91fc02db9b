//! A temporary folder to run `narrows` in, with some data and, where asked for, a model.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// Flags that make a fit quick; tests of the door need no good model.
pub(crate) const QUICK: &str = "--preset simple --set train.steps=50";

/// A folder that goes away with the test.
pub(crate) struct Folder {
    dir: TempDir,
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder { dir: TempDir::new().unwrap() }
    }

    /// A folder with `train.csv`.
    pub(crate) fn with_data() -> Folder {
        let folder = Folder::new();
        folder.write("train.csv", ordinary(300));
        folder
    }

    /// A folder with `train.csv` and `m.narrows`, fitted on it once for all tests.
    pub(crate) fn with_model() -> Folder {
        static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
        let folder = Folder::with_data();
        let model = MODEL.get_or_init(|| {
            let folder = Folder::with_data();
            folder.run(&format!("fit train.csv -o m.narrows {QUICK}")).succeeds();
            fs::read(folder.path("m.narrows")).unwrap()
        });
        folder.write("m.narrows", model);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    pub(crate) fn read_lossy(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.bytes(name)).into_owned()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names of all files, hidden ones too, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The program, ready to run in this folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("narrows"));
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command.env_remove("NARROWS_THREADS").env_remove("NARROWS_DEVICE");
        command
    }

    /// Runs a command line; words are split at spaces.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let output = self.command().args(line.split_whitespace()).output().unwrap();
        Ran::new(&output)
    }

    /// Runs a shell line in which `narrows` is the program.
    pub(crate) fn shell(&self, line: &str) -> Ran {
        let program = assert_cmd::cargo::cargo_bin!("narrows");
        let script = format!("narrows() {{ '{}' \"$@\"; }}\n{line}", program.display());
        Ran::new(&Command::new("bash").args(["-c", &script]).current_dir(self.dir.path()).output().unwrap())
    }

    /// The command fails with `code`, says all `fragments`, and leaves no file behind.
    pub(crate) fn check_fails(&self, line: &str, code: i32, fragments: &[&str]) {
        let before = self.names();
        let ran = self.run(line);
        ran.fails(code, fragments);
        assert_eq!(self.names(), before, "narrows {line}");
    }
}

impl Ran {
    pub(crate) fn new(output: &std::process::Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Ran {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn fails(&self, code: i32, fragments: &[&str]) {
        let told = &self.stderr;
        assert_eq!(self.code, code, "stdout: {}\nstderr: {told}", self.stdout);
        assert!(!told.contains("panicked"), "{told}");
        for fragment in fragments {
            assert!(told.contains(fragment), "expected `{fragment}` in: {told}");
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// Two numbers on a circle, a third that follows from them, and a word.
pub(crate) fn ordinary(rows: usize) -> String {
    let mut text = "a,b,c,word\n".to_owned();
    for i in 0..rows {
        let angle = i as f64 * 0.37;
        let (a, b) = (angle.sin(), angle.cos());
        let wobble = ((i * 7919) % 101) as f64 / 1000.0;
        writeln!(text, "{a:.5},{b:.5},{:.5},{}", 10.0 + 3.0 * a * b + wobble, ["red", "green", "blue"][i % 3]).unwrap();
    }
    text
}

/// Ordinary rows with a label: the last `anomalies` rows, labelled 1, are off the circle.
pub(crate) fn labelled(rows: usize, anomalies: usize) -> String {
    let mut text = String::new();
    for (i, line) in ordinary(rows).lines().enumerate() {
        writeln!(text, "{line},{}", if i == 0 { "bad" } else { "0" }).unwrap();
    }
    for i in 0..anomalies {
        writeln!(text, "{},{},40,red,1", 3.0 + i as f64 * 0.1, -4.0).unwrap();
    }
    text
}
