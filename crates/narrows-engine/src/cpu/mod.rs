//! The CPU executor: deterministic for any number of threads.
//!
//! A [`Plan`](plan::Plan) lists a network's layers as stages with their offsets in the arenas. Inference runs it tile
//! by tile (`packed`), training on a preallocated workspace (`trainer`, `pass`).

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

/// Computes on the CPU with its own threads; clones share them.
///
/// Two guarantees, both tested: for any number of threads, training gives bit-identical parameters, and inference
/// bit-identical results for every row.
#[derive(Debug, Clone)]
pub struct CpuExecutor {
    threads: Threads,
}

impl CpuExecutor {
    /// An executor whose calls share these threads.
    pub fn new(threads: Threads) -> Self {
        Self { threads }
    }

    /// Uses the calling thread only.
    pub fn serial() -> Self {
        Self::new(Threads::serial())
    }

    /// The threads, for work outside of the networks.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }
}

impl Default for CpuExecutor {
    /// One thread per core.
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
