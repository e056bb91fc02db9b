//! Progress while a long input is read: rows, rows per second, time left.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::talk::{Talk, count, grouped};

/// Time between plain lines; shorter inputs are read without a word.
const BETWEEN: Duration = Duration::from_secs(10);

/// Reports rows as they are read.
pub(crate) struct Reading {
    talk: Talk,
    began: Instant,
    told: Instant,
    rows: u64,
    bar: Option<ProgressBar>,
}

impl Reading {
    /// A reporter with the given message style.
    pub(crate) fn new(talk: Talk) -> Reading {
        let style = || ProgressStyle::with_template("reading {msg}").expect("a valid template");
        let bar = (talk == Talk::Terminal)
            .then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style()));
        let now = Instant::now();
        Reading { talk, began: now, told: now, rows: 0, bar }
    }

    /// Counts rows; `share` is the share of the input read so far, if it is known.
    pub(crate) fn add(&mut self, rows: usize, share: Option<f64>) {
        self.rows += rows as u64;
        if self.bar.is_none() && self.told.elapsed() < BETWEEN {
            return;
        }
        let line = line(self.rows, share, self.began.elapsed());
        match &self.bar {
            Some(bar) => {
                bar.set_message(line);
                bar.tick();
            }
            None => {
                self.talk.line(format_args!("reading     {line}"));
                self.told = Instant::now();
            }
        }
    }

    /// Removes the bar; tells how long it took, unless that was nothing.
    pub(crate) fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let elapsed = self.began.elapsed();
        if elapsed >= BETWEEN {
            let seconds = elapsed.as_secs_f64();
            self.talk.line(format_args!(
                "read        {} in {seconds:.0} s, {}",
                count(self.rows, "row"),
                rate(self.rows, elapsed)
            ));
        }
    }
}

/// The number of rows in a time.
fn rate(rows: u64, elapsed: Duration) -> String {
    format!("{} rows/s", grouped((rows as f64 / elapsed.as_secs_f64().max(1e-3)).round() as u64))
}

fn line(rows: u64, share: Option<f64>, elapsed: Duration) -> String {
    let left = match share {
        Some(share) if share > 0.0 && share < 1.0 => {
            let left = elapsed.as_secs_f64() * (1.0 - share) / share;
            format!(", {:.0} %, {} left", 100.0 * share, time(left))
        }
        _ => String::new(),
    };
    format!("{}, {}{left}", count(rows, "row"), rate(rows, elapsed))
}

/// A duration for people.
fn time(seconds: f64) -> String {
    match seconds {
        ..100.0 => format!("{seconds:.0} s"),
        ..6000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_rows_speed_and_time_left() {
        let after = |rows, share, seconds| line(rows, share, Duration::from_secs(seconds));
        assert_eq!(after(30_000_000, Some(0.25), 10), "30,000,000 rows, 3,000,000 rows/s, 25 %, 30 s left");
        assert_eq!(after(1_000, None, 2), "1,000 rows, 500 rows/s");
        assert_eq!(after(1_000, Some(1.0), 2), "1,000 rows, 500 rows/s");
        assert_eq!((time(600.0), time(9000.0)), ("10 min".to_owned(), "2.5 h".to_owned()));
    }
}
