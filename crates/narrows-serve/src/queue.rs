//! The queue between connections and the threads that compute: bounded, so that too much work is refused at once instead
//! of being answered too late.
//!
//! A thread takes the oldest request and, if it is small, others that wait for the same model. Their rows are scored
//! together where they have the same columns. A row's score does not depend on the rows beside it, so nothing changes but
//! the time. What is told about a request's data must not tell of another's, and what is refused alone must not pass in
//! company: where anything is to be told, requests are scored again in smaller groups, and by themselves in the end.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use narrows_core::data::Table;
use narrows_core::detect::Reason;
use narrows_core::{Explained, ScoreCounts, Scores};
use serde_json::json;
use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::metrics::Metrics;
use crate::options::{LogSink, ServeLimits, in_memory};
use crate::pieces::{self, part};
use crate::refusal::Refusal;
use crate::served::ServedModel;
use crate::statistics::Tally;

/// Bytes of a body that counts as small.
pub(crate) const SMALL: usize = 64 << 10;
/// Fewer requests are not worth a group.
const FEW: usize = 2;
/// Requests gathered at once.
const MOST_GATHERED: usize = 256;

/// Makes a table of what a request holds.
pub(crate) type ReadRows = Box<dyn FnOnce() -> Result<GivenRows, Refusal> + Send>;
/// Makes an answer of scores.
pub(crate) type WriteAnswer = Box<dyn FnOnce(&ScoredRows) -> Result<Answer, Refusal> + Send>;

/// Work of one request.
pub(crate) enum Work {
    /// Rows to be scored, with so many reasons each.
    Rows { read: ReadRows, bytes: usize, reasons: usize, write: WriteAnswer },
    /// Anything else.
    Other(Box<dyn FnOnce() -> Result<Answer, Refusal> + Send>),
}

/// The rows of a request.
pub(crate) struct GivenRows {
    pub(crate) table: Table,
    /// What was lost when they were read.
    pub(crate) warnings: Vec<String>,
}

/// The scored rows of one request.
pub(crate) struct ScoredRows {
    pub(crate) table: Table,
    pub(crate) warnings: Vec<String>,
    pub(crate) scores: Scores,
    pub(crate) reasons: Vec<Vec<Reason>>,
}

/// A request that waits.
pub(crate) struct Job {
    pub(crate) model: Arc<ServedModel>,
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Result<Answer, Refusal>>,
    pub(crate) since: Instant,
}

impl Job {
    /// The number of reasons, if the request may be gathered with others.
    fn is_small(&self) -> Option<usize> {
        match &self.work {
            Work::Rows { bytes, reasons, .. } if *bytes <= SMALL && self.model.rows_are_independent() => Some(*reasons),
            _ => None,
        }
    }

    /// Whether `other` may be scored together with this request.
    fn goes_with(&self, other: &Job) -> bool {
        Arc::ptr_eq(&self.model, &other.model) && self.is_small() == other.is_small()
    }
}

/// Requests that wait for a thread.
pub(crate) struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
    limits: ServeLimits,
    metrics: Arc<Metrics>,
    log: LogSink,
}

struct Waiting {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

impl Queue {
    /// An empty queue.
    pub(crate) fn new(limits: ServeLimits, metrics: Arc<Metrics>, log: LogSink) -> Queue {
        let state = Mutex::new(Waiting { jobs: VecDeque::new(), is_closed: false });
        Queue { state, changed: Condvar::new(), limits, metrics, log }
    }

    /// Adds a request, unless there is no room.
    pub(crate) fn push(&self, job: Job) -> Result<(), Refusal> {
        let mut waiting = self.locked();
        let most = self.limits.queue;
        if waiting.is_closed || waiting.jobs.len() >= most {
            drop(waiting);
            self.metrics.shed();
            let message = format!("the server is busy: expected fewer than {most} waiting requests; try again later");
            return Err(Refusal::busy(message));
        }
        waiting.jobs.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Whether there is room for a request.
    pub(crate) fn has_room(&self) -> bool {
        self.locked().jobs.len() < self.limits.queue
    }

    /// Ends the threads once nothing waits any more.
    pub(crate) fn close(&self) {
        self.locked().is_closed = true;
        self.changed.notify_all();
    }

    /// Answers requests until the queue is closed and empty. Run by every thread that computes.
    pub(crate) fn work(&self) {
        while let Some(jobs) = self.next_jobs() {
            if catch_unwind(AssertUnwindSafe(|| self.answer(jobs))).is_err() {
                self.log.line(&json!({"level": "error", "event": "panic", "error": "a computation failed"}));
            }
        }
    }

    /// The oldest request, with those that go with it.
    fn next_jobs(&self) -> Option<Vec<Job>> {
        let mut waiting = self.locked();
        let first = loop {
            match waiting.jobs.pop_front() {
                Some(job) => break job,
                None if waiting.is_closed => return None,
                None => waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let mut jobs = vec![first];
        if jobs[0].is_small().is_none() {
            return Some(jobs);
        }
        let until = jobs[0].since + self.limits.max_delay;
        loop {
            let mut i = 0;
            while i < waiting.jobs.len() && jobs.len() < MOST_GATHERED.min(self.limits.batch_rows) {
                if jobs[0].goes_with(&waiting.jobs[i]) {
                    jobs.extend(waiting.jobs.remove(i));
                } else {
                    i += 1;
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            let is_full = jobs.len() >= MOST_GATHERED.min(self.limits.batch_rows);
            if left.is_zero() || is_full || waiting.is_closed || !waiting.jobs.is_empty() {
                // What does not go with these is for another thread.
                if !waiting.jobs.is_empty() {
                    self.changed.notify_one();
                }
                return Some(jobs);
            }
            waiting = self.changed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Reads, scores, and answers.
    fn answer(&self, jobs: Vec<Job>) {
        let mut group: Vec<ReadJob> = Vec::new();
        for job in jobs {
            let waited = job.since.elapsed();
            self.metrics.waited(waited);
            job.model.statistics.queue.add(waited);
            // Nobody waits for the answer any more.
            if job.reply.is_closed() {
                continue;
            }
            let Job { model, work, reply, .. } = job;
            match work {
                Work::Other(work) => self.send(reply, guarded(work)),
                Work::Rows { read, reasons, write, .. } => match timed(&model.statistics.input, || guarded(read)) {
                    Ok(GivenRows { table, warnings }) => {
                        let rows: usize = group.iter().map(|job| job.table.n_rows()).sum();
                        let fits = rows + table.n_rows() <= self.limits.batch_rows;
                        let is_alike =
                            group.first().is_none_or(|job| job.table.batch().schema() == table.batch().schema());
                        if !(group.is_empty() || fits && is_alike) {
                            self.score(std::mem::take(&mut group));
                        }
                        group.push(ReadJob { model, table, warnings, reasons, write, reply });
                    }
                    Err(refusal) => self.send(reply, Err(refusal)),
                },
            }
        }
        self.score(group);
    }

    /// Scores requests of one model with the same columns.
    fn score(&self, mut group: Vec<ReadJob>) {
        if group.len() < FEW {
            for job in group {
                let explained = self.explained(&job);
                self.finish(job, explained);
            }
            return;
        }
        let Some(explained) = self.scored_together(&group) else {
            // Those about which there is something to tell are found by halving.
            let rest = group.split_off(group.len() / 2);
            self.score(group);
            return self.score(rest);
        };
        let mut first = 0;
        for job in group {
            let rows = first..first + job.table.n_rows();
            first = rows.end;
            self.finish(job, Ok(part(&explained, rows)));
        }
    }

    /// `None` if something is to be told about one of them, or one fails.
    fn scored_together(&self, group: &[ReadJob]) -> Option<Explained> {
        let tables: Vec<Table> = group.iter().map(|job| job.table.clone()).collect();
        let table = Table::concat(&tables).ok()?;
        let model = &group[0].model;
        let start = Instant::now();
        let explained = guarded(|| Ok(model.tabular()?.explain(&table, group[0].reasons)?)).ok()?;
        let counts = &explained.scores.counts;
        // Columns that are not used are so for all.
        let told = ScoreCounts { extra_columns: Vec::new(), ..counts.clone() };
        if !told.notes().is_empty() || !told.unreadable.is_empty() {
            return None;
        }
        self.metrics.scored(model, &explained.scores, start.elapsed());
        model.scored(&table, &explained.scores, start.elapsed());
        Some(explained)
    }

    fn explained(&self, job: &ReadJob) -> Result<Explained, Refusal> {
        let ReadJob { model, table, reasons, reply, .. } = job;
        let start = Instant::now();
        // The handler is gone once the client is, or the time is over.
        let check = || if reply.is_closed() { Err(Refusal::given_up()) } else { Ok(()) };
        let tabular = model.tabular_for(table.n_rows())?;
        let most = in_memory(self.limits.max_body);
        let explained = guarded(|| pieces::explained(tabular, table, *reasons, most, check))?;
        self.metrics.scored(model, &explained.scores, start.elapsed());
        model.scored(table, &explained.scores, start.elapsed());
        Ok(explained)
    }

    fn finish(&self, job: ReadJob, explained: Result<Explained, Refusal>) {
        let ReadJob { model, table, mut warnings, write, reply, .. } = job;
        // Nobody waits for the answer any more.
        if reply.is_closed() {
            return;
        }
        let answer = explained.and_then(|Explained { scores, reasons }| {
            warnings.extend(scores.counts.notes());
            let scored = ScoredRows { table, warnings, scores, reasons };
            timed(&model.statistics.output, || guarded(|| write(&scored)))
        });
        self.send(reply, answer);
    }

    fn send(&self, reply: oneshot::Sender<Result<Answer, Refusal>>, answer: Result<Answer, Refusal>) {
        // The client may have gone.
        let _ = reply.send(answer);
    }

    fn locked(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request whose rows have been read.
struct ReadJob {
    model: Arc<ServedModel>,
    table: Table,
    warnings: Vec<String>,
    reasons: usize,
    write: WriteAnswer,
    reply: oneshot::Sender<Result<Answer, Refusal>>,
}

/// The result of work whose time is counted.
fn timed<T>(tally: &Tally, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    tally.add(start.elapsed());
    result
}

/// A panic is our mistake, and must end neither the thread nor the connection.
fn guarded<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Refusal::failed()))
}

/// How long a request that has waited since `since` may still take.
pub(crate) fn time_left(since: Instant, limits: &ServeLimits) -> Duration {
    limits.timeout.saturating_sub(since.elapsed())
}
