//! Models, rows and servers to test with.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use narrows_core::data::{Format, InMemory, Source, Table};
use narrows_core::output::{TableWriter, batch};
use narrows_core::recipe::DataKind;
use narrows_core::score_table::ReasonForm;
use narrows_core::{Compute, Dataset, Model, Recipe, Session, TabularModel, fit};
use narrows_serve::{LogSink, ServeLimits, ServeOptions, Server};
use tempfile::TempDir;

/// Rows of two numbers on a circle, one that follows from them, and a word. Some cells are missing.
pub(crate) fn rows(n: usize) -> String {
    let mut text = "a,b,c,word\n".to_owned();
    for i in 0..n {
        let angle = i as f64 * 0.37;
        let (a, b) = (angle.sin(), angle.cos());
        let wobble = ((i * 7919) % 101) as f64 / 1000.0;
        let c = if i % 41 == 40 { String::new() } else { format!("{:.5}", 10.0 + 3.0 * a * b + wobble) };
        writeln!(text, "{a:.5},{b:.5},{c},{}", ["red", "green", "blue"][i % 3]).unwrap();
    }
    text
}

/// Text as a table, read as the command reads it.
pub(crate) fn table(text: &str) -> Table {
    Source::in_memory(InMemory::new("rows", text.to_owned())).open(8192, None).unwrap().read_all().unwrap()
}

/// The bytes of a small model, of this seed.
pub(crate) fn model(seed: u64) -> Vec<u8> {
    static MODELS: [OnceLock<Vec<u8>>; 2] = [OnceLock::new(), OnceLock::new()];
    let fitted = || {
        let mut recipe = Recipe::preset("simple".parse().unwrap());
        for assignment in ["train.steps=60", &format!("seed={seed}")] {
            recipe.set(assignment).unwrap();
        }
        fit(&recipe, Dataset::from(table(&rows(300))), &Session::default()).unwrap().to_bytes()
    };
    MODELS[seed as usize].get_or_init(fitted).clone()
}

/// What `narrows score` writes, as CSV.
pub(crate) fn expected(model: &[u8], text: &str, reasons: usize) -> String {
    let model = Model::from_bytes(model).unwrap().into_table().unwrap();
    let table = table(text);
    let explained = model.explain(&table, reasons).unwrap();
    let mut columns = explained.scores.columns_for(&table, DataKind::Table);
    columns.extend(ReasonForm::Text.columns(&explained.reasons, reasons));
    let mut bytes = Vec::new();
    let mut writer = TableWriter::new(&mut bytes, Format::Csv).unwrap();
    writer.write(&batch(columns)).unwrap();
    writer.finish().unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The scores in CSV, to the bit.
pub(crate) fn scores(csv: &str) -> Vec<Option<u64>> {
    let cells = csv.lines().skip(1).map(|line| line.split(',').nth(1).unwrap());
    cells.map(|cell| (!cell.is_empty()).then(|| cell.parse::<f64>().unwrap().to_bits())).collect()
}

/// A server in a folder of its own, with the model `m`.
pub(crate) struct Served {
    folder: TempDir,
    server: Option<Server>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Served {
    /// With the usual limits.
    pub(crate) fn new() -> Served {
        Served::with(ServeLimits::default(), None)
    }

    /// With limits and keys.
    pub(crate) fn with(limits: ServeLimits, keys: Option<&str>) -> Served {
        Served::changed(limits, keys, |options, _| options)
    }

    /// With names beside those of this machine.
    pub(crate) fn named(names: &[&str]) -> Served {
        let allowed_hosts = names.iter().map(|name| (*name).to_owned()).collect();
        Served::changed(ServeLimits::default(), None, |options, _| ServeOptions { allowed_hosts, ..options })
    }

    /// With limits, keys, and what `change` makes of the other options, which gets the folder.
    pub(crate) fn changed(
        limits: ServeLimits,
        keys: Option<&str>,
        change: impl FnOnce(ServeOptions, &Path) -> ServeOptions,
    ) -> Served {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("m.narrows"), model(0)).unwrap();
        let api_keys = keys.map(|text| {
            let path = folder.path().join("keys.txt");
            fs::write(&path, text).unwrap();
            path
        });
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = Arc::clone(&log);
        let options = ServeOptions {
            models: vec![folder.path().to_path_buf()],
            port: 0,
            api_keys,
            limits,
            reload_every: Duration::from_millis(50),
            compute: Compute::with_threads(1).unwrap(),
            log: LogSink::new(move |line| lines.lock().unwrap().push(line.to_owned())),
            ..ServeOptions::default()
        };
        let server = Some(Server::start(change(options, folder.path())).unwrap());
        Served { folder, server, log }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.as_ref().unwrap().address()
    }

    /// Stops the server and tells how long it took to end.
    pub(crate) fn end(&mut self) -> Duration {
        let server = self.server.take().unwrap();
        let start = Instant::now();
        server.stop();
        server.wait();
        start.elapsed()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until a line of the log has this fragment.
    #[track_caller]
    pub(crate) fn logged(&self, fragment: &str) -> String {
        let start = Instant::now();
        loop {
            let lines = self.log.lock().unwrap().clone();
            if let Some(line) = lines.iter().find(|line| line.contains(fragment)) {
                return line.clone();
            }
            assert!(start.elapsed() < Duration::from_secs(30), "no `{fragment}` in {lines:#?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Served {
    /// Stops the server and waits for its end.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
            server.wait();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}
