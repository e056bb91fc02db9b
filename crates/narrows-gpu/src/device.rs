//! The adapters of a machine, and the one that is computed with.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::kernel::{Kernel, Pipeline};
use crate::missing::MissingGpu;

/// What a machine has to compute with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdapterKind {
    /// A graphics processor with memory of its own.
    Discrete,
    /// A graphics processor that shares the memory of the processor, or is lent by a virtual machine.
    Integrated,
    /// A driver that computes on the processor, for tests.
    Software,
}

/// A way to compute that a driver offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// The name that the driver gives it.
    pub name: String,
    /// Vulkan, Metal or Direct3D 12.
    pub interface: String,
    /// The driver and its version.
    pub driver: String,
    /// What it is.
    pub kind: AdapterKind,
}

impl Adapter {
    fn of(info: &wgpu::AdapterInfo) -> Self {
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
            wgpu::DeviceType::Cpu => AdapterKind::Software,
            wgpu::DeviceType::IntegratedGpu | wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => {
                AdapterKind::Integrated
            }
        };
        let driver = format!("{} {}", info.driver, info.driver_info);
        let interface = match info.backend {
            wgpu::Backend::Dx12 => "Direct3D 12".to_owned(),
            other => format!("{other:?}"),
        };
        Self { name: info.name.clone(), interface, driver: driver.trim().to_owned(), kind }
    }
}

/// The device, its queue of work, and the kernels that were compiled for it.
pub(crate) struct Gpu {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub adapter: Adapter,
    /// Bytes of the largest buffer.
    pub most_bytes: u64,
    pipelines: Mutex<HashMap<&'static str, Arc<Pipeline>>>,
}

/// All of wgpu that waits is ready at once outside of browsers.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::yield_now();
    }
}

/// The adapters that can run the kernels, the best first.
fn candidates() -> Vec<(Adapter, wgpu::Adapter)> {
    let instance = wgpu::Instance::default();
    let found = wait(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut candidates: Vec<_> = found.into_iter().map(|adapter| (Adapter::of(&adapter.get_info()), adapter)).collect();
    candidates.sort_by_key(|(adapter, _)| adapter.kind);
    candidates
}

/// The adapters of this machine, the one that would be chosen first.
pub fn adapters() -> Vec<Adapter> {
    candidates().into_iter().map(|(adapter, _)| adapter).collect()
}

impl Gpu {
    /// Opens the best adapter of these kinds.
    pub(crate) fn open(accepts: impl Fn(AdapterKind) -> bool) -> Result<Self, MissingGpu> {
        let candidates = candidates();
        let names = || candidates.iter().map(|(adapter, _)| adapter.name.clone()).collect();
        let Some((chosen, adapter)) = candidates.iter().find(|(adapter, _)| accepts(adapter.kind)) else {
            return Err(if candidates.is_empty() { MissingGpu::NoAdapter } else { MissingGpu::SoftwareOnly(names()) });
        };
        let limits = adapter.limits();
        let most_bytes = limits.max_buffer_size.min(u64::from(u32::MAX)).min(limits.max_storage_buffer_binding_size);
        let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..wgpu::DeviceDescriptor::default() };
        let refused = |error: wgpu::RequestDeviceError| MissingGpu::Refused(chosen.name.clone(), error.to_string());
        let (device, queue) = wait(adapter.request_device(&descriptor)).map_err(refused)?;
        Ok(Self { device, queue, adapter: chosen.clone(), most_bytes, pipelines: Mutex::default() })
    }

    /// A kernel, compiled for this device at its first use.
    pub(crate) fn pipeline(&self, kernel: &'static Kernel) -> Arc<Pipeline> {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || Arc::new(Pipeline::new(&self.device, kernel));
        Arc::clone(pipelines.entry(kernel.name).or_insert_with(compile))
    }

    /// Runs `work`, and says why the device had not enough memory for it.
    pub(crate) fn within_memory<T>(&self, work: impl FnOnce() -> T) -> Result<T, String> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let result = work();
        match wait(scope.pop()) {
            None => Ok(result),
            Some(error) => Err(error.to_string()),
        }
    }

    /// Waits until all work is done.
    pub(crate) fn finish(&self) {
        // A lost device has nothing more to be waited for; what is read from it next says so.
        _ = self.device.poll(wgpu::PollType::wait_indefinitely());
    }
}
