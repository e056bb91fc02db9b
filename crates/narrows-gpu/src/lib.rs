//! An executor of Narrows' networks on graphics processors, by wgpu: Vulkan, Metal and Direct3D 12.
//!
//! A [`GpuExecutor`] stands beside the CPU's executor of `narrows-engine` and passes the same contract. A network becomes
//! programs, lists of operations (`operation`) that are recorded once (`recorder`, `layer`) and run for every batch: a
//! training step is one submission, after which a few numbers a row are read back (`report`). What an operation computes is
//! in WGSL, in `shaders/`.
//!
//! ```no_run
//! use narrows_engine::*;
//! use narrows_gpu::GpuExecutor;
//!
//! let executor = GpuExecutor::new()?;
//! println!("{}", executor.adapter().name);
//! # let network = Network::new(vec![Layer::dense(3, 2)], Latent::Point, vec![Layer::dense(2, 3)],
//! #     Output::single(3, Loss::Mse))?;
//! let prepared = executor.prepare(&network, &network.init(7))?;
//! let (mut code, mut output) = ([0.0; 2], [0.0; 3]);
//! prepared.reconstruct(&[0.1, 0.2, 0.3], &mut code, &mut output);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod missing;

mod kernel;

mod device;
mod floats;
mod operation;
mod recorder;

mod back;
mod loss_buffers;
mod stages;

mod latent;
mod layer;
mod loss;
mod optimiser;
mod report;
mod similarity;

mod passes;
mod prepared;
mod trainer;

mod executor;

pub use device::{Adapter, AdapterKind, adapters};
pub use executor::GpuExecutor;
pub use missing::MissingGpu;
