//! Where networks are trained: `--device`.
//!
//! Only training is done there. All that a model does when it is finished, and its threshold, is computed by the CPU, so that
//! the same model gives the same numbers on every machine.

use clap::{Args as ClapArgs, ValueEnum};
use narrows_core::{Compute, Error};

use crate::failure::Failure;
use crate::flags::Common;

/// Where networks are trained.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct DeviceArg {
    /// Where networks are trained: `cpu`, `gpu`, or `auto`, which is the graphics processor if there is one and a network is
    /// large. What a graphics processor trains is near what the CPU trains, not equal. All but training is done by the CPU
    #[arg(long, value_name = "DEVICE", value_enum, default_value_t = Device::Cpu, env = "NARROWS_DEVICE", hide_possible_values = true)]
    device: Device,
}

/// A choice of where networks are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Device {
    Cpu,
    Gpu,
    Auto,
}

/// What there is to compute with, for `narrows doctor`: adapters that run the kernels, or why there are none.
#[derive(Debug, serde::Serialize)]
pub(crate) struct DevicesFound {
    /// Whether this build can use them.
    pub built: bool,
    /// Name, interface and driver of each, the one that would be chosen first.
    pub adapters: Vec<String>,
    /// Why `--device gpu` does not work here; nothing if it does.
    pub missing: Option<String>,
}

/// What is missing in a build without the feature.
#[cfg(not(feature = "gpu"))]
const NOT_BUILT: &str = "this build has no code for graphics processors: it was built without the feature `gpu`";

impl DeviceArg {
    /// The compute settings.
    pub(crate) fn compute(self, common: &Common) -> Result<Compute, Failure> {
        let compute = common.compute()?;
        match self.device {
            Device::Cpu => Ok(compute),
            #[cfg(feature = "gpu")]
            device => gpu::train_on(compute, device, common.talk()),
            #[cfg(not(feature = "gpu"))]
            Device::Gpu => {
                let hint = "install one that has it: cargo install narrows --features gpu";
                let message = format!("expected cpu or auto, got gpu; {NOT_BUILT}");
                Err(Error::recipe("device", message).with_hint(hint).into())
            }
            #[cfg(not(feature = "gpu"))]
            Device::Auto => Ok(compute),
        }
    }
}

/// Looks for what there is to compute with.
pub(crate) fn find() -> DevicesFound {
    #[cfg(feature = "gpu")]
    return gpu::find();
    #[cfg(not(feature = "gpu"))]
    DevicesFound { built: false, adapters: vec![], missing: Some(NOT_BUILT.to_owned()) }
}

#[cfg(feature = "gpu")]
mod gpu {
    use std::sync::Arc;

    use narrows_core::DeviceUse;
    use narrows_gpu::{GpuExecutor, MissingGpu};

    use super::{Compute, Device, DevicesFound, Error, Failure};
    use crate::talk::Talk;

    /// The best adapter; with `NARROWS_SOFTWARE_GPU=1`, for tests, also one that computes on the processor.
    fn open() -> Result<GpuExecutor, MissingGpu> {
        match std::env::var_os("NARROWS_SOFTWARE_GPU") {
            Some(value) if value == "1" => GpuExecutor::any(),
            _ => GpuExecutor::new(),
        }
    }

    pub(super) fn train_on(compute: Compute, device: Device, talk: Talk) -> Result<Compute, Failure> {
        let which = if device == Device::Auto { DeviceUse::LargeNetworks } else { DeviceUse::Always };
        match open() {
            Ok(executor) => {
                let adapter = executor.adapter();
                let networks = if device == Device::Auto { "large networks train" } else { "networks train" };
                talk.line(format_args!("device      {networks} on {} ({})", adapter.name, adapter.interface));
                Ok(compute.training_on(Arc::new(executor), which))
            }
            Err(_) if device == Device::Auto => Ok(compute),
            Err(missing) => Err(Error::recipe("device", missing.to_string()).into()),
        }
    }

    pub(super) fn find() -> DevicesFound {
        let words = |adapter: narrows_gpu::Adapter| {
            let narrows_gpu::Adapter { name, interface, driver, .. } = adapter;
            format!("{name} ({interface}, {driver})")
        };
        let missing = open().err().map(|missing| missing.to_string());
        DevicesFound { built: true, adapters: narrows_gpu::adapters().into_iter().map(words).collect(), missing }
    }
}
