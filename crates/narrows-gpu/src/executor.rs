//! The executor: it opens a device, prepares networks for it, and makes trainers.

use std::fmt;
use std::sync::Arc;

use narrows_engine::{Executor, Network, Params, PreparedNetwork, ShapeError, TrainConfig, Trainer};

use crate::device::{Adapter, AdapterKind, Gpu};
use crate::missing::MissingGpu;
use crate::prepared::GpuNetwork;
use crate::trainer::GpuTrainer;

/// Computes on a graphics processor; clones share the device.
///
/// On one device with one driver, training with the same seed gives the same bits, and a row's result is the same to the
/// bit alone and in any batch. The results of another device or of the CPU are near, not equal.
#[derive(Clone)]
pub struct GpuExecutor {
    gpu: Arc<Gpu>,
}

impl GpuExecutor {
    /// Opens the best graphics processor of this machine.
    ///
    /// # Errors
    ///
    /// If there is none, or its driver refuses; the message says what is missing.
    pub fn new() -> Result<Self, MissingGpu> {
        Ok(Self { gpu: Arc::new(Gpu::open(|kind| kind != AdapterKind::Software)?) })
    }

    /// Opens the best adapter, also one that computes on the processor: for tests.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn any() -> Result<Self, MissingGpu> {
        Ok(Self { gpu: Arc::new(Gpu::open(|_| true)?) })
    }

    /// What computes.
    pub fn adapter(&self) -> &Adapter {
        &self.gpu.adapter
    }
}

impl Executor for GpuExecutor {
    fn prepare(&self, network: &Network, params: &Params) -> Result<Arc<dyn PreparedNetwork>, ShapeError> {
        network.check()?;
        network.check_params(params)?;
        Ok(Arc::new(GpuNetwork::new(&self.gpu, network, params)?))
    }

    fn trainer(
        &self,
        network: &Network,
        params: Params,
        config: TrainConfig,
        capacity: usize,
    ) -> Result<Box<dyn Trainer>, ShapeError> {
        network.check()?;
        network.check_params(&params)?;
        config.check(network)?;
        Ok(Box::new(GpuTrainer::new(&self.gpu, network, params, config, capacity)?))
    }

    fn run(&self, work: &mut (dyn FnMut() + Send)) {
        work();
    }
}

impl fmt::Debug for GpuExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GpuExecutor({}, {})", self.gpu.adapter.name, self.gpu.adapter.interface)
    }
}
