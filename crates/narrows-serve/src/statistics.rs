//! What a model was asked, counted as Triton's clients read it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// A number of events, and the time that they took.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    count: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Tally {
    /// One more event.
    pub(crate) fn add(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    fn document(&self) -> Value {
        json!({"count": self.count.load(Ordering::Relaxed), "ns": self.nanoseconds.load(Ordering::Relaxed)})
    }
}

/// What one version of a model was asked since it was loaded.
#[derive(Debug, Default)]
pub(crate) struct ModelStatistics {
    /// Requests answered, from their arrival on.
    pub(crate) success: Tally,
    /// Requests refused once they had been read, or given up.
    pub(crate) fail: Tally,
    /// The wait for a thread.
    pub(crate) queue: Tally,
    /// Reading the rows of a request.
    pub(crate) input: Tally,
    /// Scoring a batch, of one request or several.
    pub(crate) infer: Tally,
    /// Writing an answer.
    pub(crate) output: Tally,
    rows: AtomicU64,
    /// Milliseconds since 1970.
    last: AtomicU64,
}

impl ModelStatistics {
    /// A batch was scored.
    pub(crate) fn scored(&self, rows: usize, took: Duration) {
        self.infer.add(took);
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The statistics of Triton: an inference is a row, an execution a batch.
    pub(crate) fn document(&self, name: &str, version: &str) -> Value {
        let none = Tally::default().document();
        json!({
            "name": name,
            "version": version,
            "last_inference": self.last.load(Ordering::Relaxed),
            "inference_count": self.rows.load(Ordering::Relaxed),
            "execution_count": self.infer.count.load(Ordering::Relaxed),
            "inference_stats": {
                "success": self.success.document(),
                "fail": self.fail.document(),
                "queue": self.queue.document(),
                "compute_input": self.input.document(),
                "compute_infer": self.infer.document(),
                "compute_output": self.output.document(),
                "cache_hit": none,
                "cache_miss": none,
            },
            "batch_stats": [],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_batches_are_counted_apart() {
        let statistics = ModelStatistics::default();
        statistics.scored(3, Duration::from_nanos(5));
        statistics.scored(4, Duration::from_nanos(6));
        let document = statistics.document("m", "1");
        assert_eq!((&document["inference_count"], &document["execution_count"]), (&json!(7), &json!(2)));
        assert_eq!(document["inference_stats"]["compute_infer"], json!({"count": 2, "ns": 11}));
        assert!(document["last_inference"].as_u64().unwrap() > 1_600_000_000_000);
    }
}
