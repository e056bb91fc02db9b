//! Buffers of floats on the device, and their way there and back.

use std::sync::mpsc;

use wgpu::BufferUsages as Usage;

use crate::device::Gpu;

/// A buffer of 4-byte numbers on the device; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Floats {
    buffer: wgpu::Buffer,
    len: usize,
}

impl Floats {
    /// Zeros.
    pub(crate) fn zeros(gpu: &Gpu, len: usize) -> Self {
        let len = len.max(4);
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4 * len as u64,
            usage: Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        Self { buffer, len }
    }

    /// These values.
    pub(crate) fn of(gpu: &Gpu, values: &[f32]) -> Self {
        let floats = Self::zeros(gpu, values.len());
        floats.write(gpu, values);
        floats
    }

    /// A buffer of shapes, or of the numbers of a batch.
    pub(crate) fn uniform(gpu: &Gpu, words: &[u32]) -> wgpu::Buffer {
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4 * words.len() as u64,
            usage: Usage::UNIFORM | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
        buffer
    }

    pub(crate) fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Writes to the beginning, before the next work begins.
    pub(crate) fn write<T: bytemuck::NoUninit>(&self, gpu: &Gpu, values: &[T]) {
        gpu.queue.write_buffer(&self.buffer, 0, bytemuck::cast_slice(values));
    }
}

/// A buffer that the processor can read.
#[derive(Debug)]
pub(crate) struct Staging {
    buffer: wgpu::Buffer,
    len: usize,
}

impl Staging {
    pub(crate) fn new(gpu: &Gpu, len: usize) -> Self {
        let len = len.max(4);
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4 * len as u64,
            usage: Usage::MAP_READ | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        Self { buffer, len }
    }

    /// Copies the first `len` values of `from` to place `to`, after the work before.
    pub(crate) fn copy(&self, encoder: &mut wgpu::CommandEncoder, from: &Floats, to: usize, len: usize) {
        assert!(to + len <= self.len && len <= from.len, "{len} values at {to} of {}", self.len);
        encoder.copy_buffer_to_buffer(&from.buffer, 0, &self.buffer, 4 * to as u64, 4 * len as u64);
    }

    /// Waits for the device, and hands over the first `len` values.
    ///
    /// # Panics
    ///
    /// If the device is lost: there is nothing left to compute with.
    pub(crate) fn read<R>(&self, gpu: &Gpu, len: usize, with: impl FnOnce(&[f32]) -> R) -> R {
        let slice = self.buffer.slice(..4 * len.max(1) as u64);
        let (sender, receiver) = mpsc::channel();
        slice.map_async(wgpu::MapMode::Read, move |mapped| _ = sender.send(mapped.is_ok()));
        gpu.finish();
        let is_mapped = receiver.recv().unwrap_or(false);
        assert!(is_mapped, "{}: the device was lost", gpu.adapter.name);
        let view = slice.get_mapped_range().expect("a mapped buffer is read");
        let result = with(&bytemuck::cast_slice(&view)[..len]);
        drop(view);
        self.buffer.unmap();
        result
    }
}

/// The values of a buffer.
pub(crate) fn download(gpu: &Gpu, floats: &Floats, len: usize) -> Vec<f32> {
    let staging = Staging::new(gpu, len);
    let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    staging.copy(&mut encoder, floats, 0, len);
    gpu.queue.submit([encoder.finish()]);
    staging.read(gpu, len, <[f32]>::to_vec)
}
