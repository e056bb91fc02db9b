//! The lines of a log, written by a thread of their own: a reader that is slow, or reads no more, does not hold up the work.
//! What does not fit is counted and told once there is room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::json;

/// Lines that may wait.
const WAITING: usize = 8192;

/// Takes lines without waiting.
#[derive(Debug, Clone)]
pub(crate) struct LogWriter {
    entries: SyncSender<LogEntry>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum LogEntry {
    Line(String),
    /// Answered once all before it has been written.
    Flush(SyncSender<()>),
}

impl LogWriter {
    /// Lines go to a function, without the end of the line.
    pub(crate) fn new(mut write: impl FnMut(&str) + Send + 'static) -> LogWriter {
        let (entries, taken) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        thread::spawn(move || {
            for entry in taken {
                let lost = counted.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    write(&json!({"level": "error", "event": "log", "lost_lines": lost}).to_string());
                }
                match entry {
                    LogEntry::Line(line) => write(&line),
                    LogEntry::Flush(done) => {
                        let _ = done.send(());
                    }
                }
            }
        });
        LogWriter { entries, lost }
    }

    /// A line, which is lost if too many wait.
    pub(crate) fn line(&self, line: &str) {
        if self.entries.try_send(LogEntry::Line(line.to_owned())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns when all lines so far have been written, or the time is over.
    pub(crate) fn flush(&self, time: Duration) {
        let (done, is_done) = sync_channel(1);
        if self.entries.try_send(LogEntry::Flush(done)).is_ok() {
            let _ = is_done.recv_timeout(time);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_reader_that_stands_still_holds_nobody_up_and_is_told_what_it_missed() {
        let (go, gate) = channel::<()>();
        let (begun, has_begun) = channel();
        let written: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = Arc::clone(&written);
        let writer = LogWriter::new(move |line| {
            let _ = begun.send(());
            // Until it is let go.
            let _ = gate.recv();
            lines.lock().unwrap().push(line.to_owned());
        });
        writer.line("0");
        has_begun.recv().unwrap();
        for i in 0..WAITING + 100 {
            writer.line(&i.to_string());
        }
        writer.flush(Duration::from_millis(10));
        drop(go);
        while written.lock().unwrap().len() < WAITING {
            thread::sleep(Duration::from_millis(5));
        }
        writer.line("last");
        writer.flush(Duration::from_secs(60));
        let written = written.lock().unwrap();
        assert_eq!((written[0].as_str(), written.last().unwrap().as_str()), ("0", "last"));
        let told = written.iter().find(|line| line.contains("lost_lines")).unwrap();
        let lost = serde_json::from_str::<serde_json::Value>(told).unwrap()["lost_lines"].as_u64().unwrap();
        assert_eq!(lost, 100);
    }
}
