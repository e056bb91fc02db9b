//! Compute backend of fits and models: an executor for networks, and threads for everything else.

use std::sync::{Arc, OnceLock};

use narrows_engine::{CpuExecutor, Executor, Network, Params, ShapeError, Threads, TrainConfig, Trainer};

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
    /// Where networks are trained instead, and which.
    device: Option<(Arc<dyn Executor>, DeviceUse)>,
}

/// Which networks a device trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceUse {
    /// All; one that it cannot train is an error.
    Always,
    /// Those that cost enough to be worth it and that it can train; the CPU trains the others.
    LargeNetworks,
}

/// Multiply-adds of a row from which on a network is large: below, a step on the CPU is over before a device has begun. A
/// guess by the time of a submission, some 50 us, and by the CPU's 100 multiply-adds a ns, for batches of about 100 rows.
const LARGE: usize = 50_000;

impl Compute {
    fn on(threads: Threads) -> Compute {
        Compute { executor: Arc::new(CpuExecutor::new(threads.clone())), threads, device: None }
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

    /// The same threads, with networks trained on a device, such as a graphics processor.
    ///
    /// It only trains: thresholds, scores, codes and reconstructions remain the CPU's, so that a model gives the same
    /// numbers wherever it is used. Rounds over large tables train on the CPU.
    #[must_use]
    pub fn training_on(self, device: Arc<dyn Executor>, which: DeviceUse) -> Compute {
        Compute { device: Some((device, which)), ..self }
    }

    /// Number of threads.
    pub fn n_threads(&self) -> usize {
        self.threads.n()
    }

    /// The name of the instruction set that networks are computed with on this machine.
    pub fn instruction_set() -> &'static str {
        narrows_engine::instruction_set()
    }

    /// A trainer of a network, on the device where there is one for it.
    ///
    /// # Errors
    /// If the parameters or the settings do not fit the network, or the device cannot train it.
    pub(crate) fn trainer(
        &self,
        network: &Network,
        params: Params,
        config: TrainConfig,
        capacity: usize,
    ) -> std::result::Result<Box<dyn Trainer>, ShapeError> {
        let on_cpu = |params| self.executor.trainer(network, params, config, capacity);
        match &self.device {
            Some((device, DeviceUse::Always)) => device.trainer(network, params, config, capacity),
            Some((device, DeviceUse::LargeNetworks)) if network.multiply_adds() >= LARGE => {
                device.trainer(network, params.clone(), config, capacity).or_else(|_| on_cpu(params))
            }
            _ => on_cpu(params),
        }
    }

    /// The executor of networks.
    pub(crate) fn executor(&self) -> &dyn Executor {
        &*self.executor
    }

    /// A pool with a share of the threads, for one of `n` parallel tasks.
    pub(crate) fn split(&self, n: usize) -> Compute {
        Compute { device: self.device.clone(), ..Compute::on(Threads::new(self.threads.n() / n.max(1))) }
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
    fn a_device_trains_all_or_what_is_worth_it() {
        use narrows_engine::{AdamConfig, Latent, Layer, Loss, Optimizer, Output, PreparedNetwork, Sparsity};

        /// Trains nothing.
        #[derive(Debug)]
        struct Refuses;

        impl Executor for Refuses {
            fn prepare(&self, _: &Network, _: &Params) -> std::result::Result<Arc<dyn PreparedNetwork>, ShapeError> {
                Err(ShapeError { layer: "all".into(), expected: "nothing".into(), got: "a network".into() })
            }

            fn trainer(
                &self,
                network: &Network,
                params: Params,
                _: TrainConfig,
                _: usize,
            ) -> std::result::Result<Box<dyn Trainer>, ShapeError> {
                Err(self.prepare(network, &params).unwrap_err())
            }

            fn run(&self, work: &mut (dyn FnMut() + Send)) {
                work();
            }
        }

        let config =
            TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None };
        let network = |width| {
            let layers = |from, to| vec![Layer::dense(from, to)];
            Network::new(layers(width, 2), Latent::Point, layers(2, width), Output::single(width, Loss::Mse)).unwrap()
        };
        let trains = |which, width| {
            let network = network(width);
            let compute = Compute::serial().training_on(Arc::new(Refuses), which);
            compute.split(1).trainer(&network, network.init(1), config, 4).is_ok()
        };
        assert!(!trains(DeviceUse::Always, 3));
        assert!(trains(DeviceUse::LargeNetworks, 3) && trains(DeviceUse::LargeNetworks, LARGE));
    }

    #[test]
    fn thread_counts_out_of_range_are_refused() {
        for n in [0, 1025] {
            assert!(Compute::with_threads(n).unwrap_err().to_string().contains("from 1 to 1024"), "{n}");
        }
    }
}
