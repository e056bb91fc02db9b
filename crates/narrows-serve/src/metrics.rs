//! What is counted, as text for Prometheus. No value of a row is ever a label.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::{Duration, UNIX_EPOCH};

use narrows_core::Scores;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::served::ServedModel;
use crate::store::ModelStore;

/// The type of the answer to a scrape.
pub(crate) const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of durations, in seconds.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the rows of a batch.
const ROWS: [f64; 9] = [1.0, 2.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 8192.0, 65_536.0];
/// Upper bounds of ranks among calibration scores.
const RANKS: [f64; 12] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0];

/// Most columns of a model that have a metric of their own.
const FEATURES: usize = 50;

type Labels = Vec<(&'static str, String)>;
type PerRoute = Family<Labels, Histogram, fn() -> Histogram>;

/// All metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    request_seconds: PerRoute,
    queue_seconds: Histogram,
    inference_seconds: Histogram,
    batch_rows: Histogram,
    rows: Family<Labels, Counter>,
    anomalies: Family<Labels, Counter>,
    missing: Family<Labels, Counter>,
    ranks: PerRoute,
    in_flight: Gauge,
    shed: Counter,
    connections: Gauge,
    connections_ended: Counter,
    reload_failures: Family<Labels, Counter>,
    reloaded: Family<Labels, Gauge>,
    folders_readable: Gauge,
    model_info: Family<Labels, Gauge>,
    loaded: Family<Labels, Gauge<i64, AtomicI64>>,
    drift: Family<Labels, Gauge>,
    drift_psi: Family<Labels, Gauge<f64, AtomicU64>>,
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

fn ranks() -> Histogram {
    Histogram::new(RANKS)
}

impl Metrics {
    /// Nothing counted so far.
    pub(crate) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("narrows"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            queue_seconds: seconds(),
            inference_seconds: seconds(),
            batch_rows: Histogram::new(ROWS),
            rows: Family::default(),
            anomalies: Family::default(),
            missing: Family::default(),
            ranks: Family::new_with_constructor(ranks),
            in_flight: Gauge::default(),
            shed: Counter::default(),
            connections: Gauge::default(),
            connections_ended: Counter::default(),
            reload_failures: Family::default(),
            reloaded: Family::default(),
            folders_readable: Gauge::default(),
            model_info: Family::default(),
            loaded: Family::default(),
            drift: Family::default(),
            drift_psi: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let all = &mut self.registry;
        all.register("http_requests", "Requests answered", self.requests.clone());
        let help = "Time from a request to its answer";
        all.register_with_unit("http_request_duration", help, Unit::Seconds, self.request_seconds.clone());
        let help = "Time that requests waited for a thread";
        all.register_with_unit("queue_duration", help, Unit::Seconds, self.queue_seconds.clone());
        let help = "Time to score a batch";
        all.register_with_unit("inference_duration", help, Unit::Seconds, self.inference_seconds.clone());
        all.register("inference_batch_rows", "Rows scored at once", self.batch_rows.clone());
        all.register("rows_scored", "Rows scored", self.rows.clone());
        all.register("anomalies", "Rows above the threshold", self.anomalies.clone());
        all.register("input_missing", "Missing cells of a column", self.missing.clone());
        let help = "Rank of scores among those of the calibration rows, 1 minus the p-value; uniform for normal rows";
        all.register("score_train_rank", help, self.ranks.clone());
        all.register("requests_in_flight", "Requests being answered", self.in_flight.clone());
        all.register("requests_shed", "Requests refused for lack of room", self.shed.clone());
        all.register("connections_open", "Open connections", self.connections.clone());
        let help = "Connections ended to make room, those first that had waited longest for their clients";
        all.register("connections_ended", help, self.connections_ended.clone());
        let help = "Times that a changed file of a model could not be loaded";
        all.register("model_reload_failures", help, self.reload_failures.clone());
        let help = "Whether the file of a model, as it is now, could be loaded";
        all.register("model_last_reload_successful", help, self.reloaded.clone());
        let help = "Whether the folders of models could be read";
        all.register("model_folders_readable", help, self.folders_readable.clone());
        all.register("model_info", "Models loaded", self.model_info.clone());
        let help = "When a model was loaded, in seconds since 1970";
        all.register_with_unit("model_load_timestamp", help, Unit::Seconds, self.loaded.clone());
        all.register("drift", "Whether the rows scored last differ from those of the fit", self.drift.clone());
        let help = "Population stability index of a column, of the rows scored last";
        all.register("drift_psi", help, self.drift_psi.clone());
        let build: Family<Labels, Gauge> = Family::default();
        build.get_or_create(&vec![("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1);
        all.register("build_info", "The version of the server", build);
    }

    /// A request was answered.
    pub(crate) fn answered(&self, route: &str, method: &str, code: u16, took: Duration) {
        let route = ("route", route.to_owned());
        let labels = vec![route.clone(), ("method", method.to_owned()), ("code", code.to_string())];
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.get_or_create(&vec![route]).observe(took.as_secs_f64());
    }

    /// A request has come; it is in flight until the result is dropped.
    pub(crate) fn begin(self: &Arc<Metrics>) -> InFlight {
        self.in_flight.inc();
        InFlight(Arc::clone(self))
    }

    /// A request was refused as the queue was full.
    pub(crate) fn shed(&self) {
        self.shed.inc();
    }

    /// So many connections are open.
    pub(crate) fn connections(&self, open: usize) {
        self.connections.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// A connection was ended to make room.
    pub(crate) fn connection_ended(&self) {
        self.connections_ended.inc();
    }

    /// The file of a model could not be loaded.
    pub(crate) fn reload_failed(&self, model: &str) {
        self.reload_failures.get_or_create(&vec![("model", model.to_owned())]).inc();
    }

    /// A request has waited.
    pub(crate) fn waited(&self, time: Duration) {
        self.queue_seconds.observe(time.as_secs_f64());
    }

    /// Rows were scored.
    pub(crate) fn scored(&self, model: &ServedModel, scores: &Scores, took: Duration) {
        self.inference_seconds.observe(took.as_secs_f64());
        self.batch_rows.observe(scores.score.len() as f64);
        let name = ("model", model.name.clone());
        let versioned = vec![name.clone(), ("version", model.version.clone())];
        self.rows.get_or_create(&versioned).inc_by(scores.score.len() as u64);
        let labels = vec![name];
        let found = scores.is_anomaly.iter().filter(|is_anomaly| **is_anomaly).count();
        self.anomalies.get_or_create(&labels).inc_by(found as u64);
        let ranks = self.ranks.get_or_create(&labels);
        scores.p_value.iter().filter(|p| !p.is_nan()).for_each(|p| ranks.observe(1.0 - p));
    }

    /// The models that are loaded now, and what their files are like.
    pub(crate) fn models(&self, store: &ModelStore) {
        self.model_info.clear();
        self.loaded.clear();
        self.reloaded.clear();
        for listed in store.listed() {
            let labels = vec![("model", listed.name)];
            // So that there is a count before the first failure.
            self.reload_failures.get_or_create(&labels).inc_by(0);
            self.reloaded.get_or_create(&labels).set(i64::from(listed.failure.is_none()));
        }
        self.folders_readable.set(i64::from(store.are_folders_readable()));
        let models = &store.all()[..];
        for model in models {
            let labels = vec![("model", model.name.clone()), ("version", model.version.clone())];
            self.model_info.get_or_create(&labels).set(1);
            let since = model.loaded.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let labels = vec![("model", model.name.clone())];
            self.loaded.get_or_create(&labels).set(i64::try_from(since).unwrap_or(i64::MAX));
        }
    }

    /// Compares the rows that models have scored with those of their fits.
    pub(crate) fn drift(&self, models: &[Arc<ServedModel>]) {
        self.drift.clear();
        self.drift_psi.clear();
        for model in models {
            let Ok(report) = model.drift() else { continue };
            let name = ("model", model.name.clone());
            for (feature, n) in model.new_missing(FEATURES) {
                self.missing.get_or_create(&vec![name.clone(), ("feature", feature)]).inc_by(n);
            }
            self.drift.get_or_create(&vec![name.clone()]).set(i64::from(report.has_drifted));
            for column in report.columns.iter().take(FEATURES) {
                if let Some(psi) = column.psi {
                    let labels = vec![name.clone(), ("feature", column.column.clone())];
                    self.drift_psi.get_or_create(&labels).set(psi);
                }
            }
        }
    }

    /// All metrics as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// A request being answered.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_operators_expect() {
        let metrics = Arc::new(Metrics::new());
        let _flight = metrics.begin();
        metrics.answered("/v2", "GET", 200, Duration::from_millis(3));
        metrics.shed();
        let text = metrics.text();
        for line in [
            "narrows_http_requests_total{route=\"/v2\",method=\"GET\",code=\"200\"} 1",
            "narrows_http_request_duration_seconds_bucket{le=\"0.005\",route=\"/v2\"} 1",
            "narrows_requests_in_flight 1",
            "narrows_requests_shed_total 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
