//! Compute backend of fits and models: an executor for networks, and threads for everything else.

use std::sync::{Arc, OnceLock};

use narrows_engine::{CpuExecutor, Executor, Threads};

use crate::error::{Error, Result};

/// Maximum number of threads.
const MOST_THREADS: usize = 1024;

/// The threads that fits and models compute with. No result depends on their number.
///
/// Cloning is cheap: clones share one thread pool. [`Compute::default`] uses all available cores; every default in a
/// process shares one pool.
///
/// ```
/// use narrows_core::Compute;
///
/// assert_eq!(Compute::with_threads(2)?.n_threads(), 2);
/// # Ok::<(), narrows_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Compute {
    threads: Threads,
    executor: Arc<dyn Executor>,
}

impl Compute {
    fn on(threads: Threads) -> Compute {
        Compute { executor: Arc::new(CpuExecutor::new(threads.clone())), threads }
    }

    /// All cores available to the process.
    pub fn all_cores() -> Compute {
        static SHARED: OnceLock<Compute> = OnceLock::new();
        let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        SHARED.get_or_init(|| Compute::on(Threads::new(cores()))).clone()
    }

    /// The calling thread only.
    pub fn serial() -> Compute {
        Compute::on(Threads::serial())
    }

    /// A separate pool with this many threads, from 1 to 1024.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a number out of range.
    pub fn with_threads(n: usize) -> Result<Compute> {
        if !(1..=MOST_THREADS).contains(&n) {
            return Err(Error::recipe("threads", format!("expected a number from 1 to {MOST_THREADS}, got {n}")));
        }
        Ok(Compute::on(Threads::new(n)))
    }

    /// Number of threads.
    pub fn n_threads(&self) -> usize {
        self.threads.n()
    }

    /// The name of the instruction set that networks are computed with on this machine.
    pub fn instruction_set() -> &'static str {
        narrows_engine::instruction_set()
    }

    /// The executor of networks.
    pub(crate) fn executor(&self) -> &dyn Executor {
        &*self.executor
    }

    /// A pool with a share of the threads, for one of `n` parallel tasks.
    pub(crate) fn split(&self, n: usize) -> Compute {
        Compute::on(Threads::new(self.threads.n() / n.max(1)))
    }

    /// Runs `work` in this pool, so that parallel iterators use its threads.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.threads.install(work)
    }
}

impl Default for Compute {
    fn default() -> Self {
        Compute::all_cores()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_uses_all_cores_and_shares_its_pool() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(Compute::default().n_threads(), cores.min(MOST_THREADS));
        assert_eq!(Compute::serial().n_threads(), 1);
    }

    #[test]
    fn thread_counts_out_of_range_are_refused() {
        for n in [0, 1025] {
            assert!(Compute::with_threads(n).unwrap_err().to_string().contains("from 1 to 1024"), "{n}");
        }
    }
}
