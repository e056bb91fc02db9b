//! The executor of the CPU: deterministic for any number of threads.
//!
//! A [`Plan`](plan::Plan) lists a network's layers as stages with their places in the arenas. Inference walks it
//! tile by tile (`packed`), training over a preallocated workspace (`trainer`, `pass`).

mod packed;
mod pass;
mod plan;
mod trainer;

use std::sync::Arc;

use crate::error::ShapeError;
use crate::executor::{Executor, PreparedNetwork, Trainer};
use crate::kernels::threads::Threads;
use crate::network::Network;
use crate::params::Params;
use crate::training::TrainConfig;

pub(crate) use packed::PackedNetwork;
pub(crate) use trainer::CpuTrainer;

/// Computes on the CPU with threads of its own; clones share them.
///
/// Two promises, each held by tests: training gives the same parameters to the bit for any number of threads, and so
/// does inference for every row.
#[derive(Debug, Clone)]
pub struct CpuExecutor {
    threads: Threads,
}

impl CpuExecutor {
    /// An executor whose calls share these threads.
    pub fn new(threads: Threads) -> Self {
        Self { threads }
    }

    /// The calling thread alone.
    pub fn serial() -> Self {
        Self::new(Threads::serial())
    }

    /// The threads, for other work beside the networks.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }
}

impl Default for CpuExecutor {
    /// A thread for every core.
    fn default() -> Self {
        Self::new(Threads::all_cores())
    }
}

impl Executor for CpuExecutor {
    fn prepare(&self, network: &Network, params: &Params) -> Result<Arc<dyn PreparedNetwork>, ShapeError> {
        network.check()?;
        network.check_params(params)?;
        Ok(Arc::new(PackedNetwork::new(network, params, &self.threads)))
    }

    fn trainer(
        &self,
        network: &Network,
        params: Params,
        config: TrainConfig,
        capacity: usize,
    ) -> Result<Box<dyn Trainer>, ShapeError> {
        Ok(Box::new(CpuTrainer::new(network, params, config, capacity, self.threads.clone())?))
    }

    fn run(&self, work: &mut (dyn FnMut() + Send)) {
        self.threads.install(work);
    }
}
