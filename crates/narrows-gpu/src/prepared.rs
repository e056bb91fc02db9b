//! Inference: a network on the device, which encodes, decodes and reconstructs batches part by part.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use narrows_engine::{Latent, Network, Params, PreparedNetwork, ShapeError};

use crate::device::Gpu;
use crate::floats::{Floats, Staging};
use crate::layer::{self, Mode};
use crate::loss;
use crate::loss_buffers::LossBuffers;
use crate::operation::BatchNumbers;
use crate::recorder::{Program, Recorder};
use crate::stages::{Stage, Stages};

/// Numbers of the widest value of a part.
const PART_LEN: usize = 1 << 24;
/// The most rows of a part.
const MOST_ROWS: usize = 8192;
/// The fewest that buffers are made for.
const FEWEST_ROWS: usize = 16;

/// A network on the device.
pub(crate) struct GpuNetwork {
    gpu: Arc<Gpu>,
    network: Network,
    stages: Stages,
    params: Floats,
    /// What runs a part; calls take turns at it.
    part: Mutex<Option<Part>>,
}

/// The programs and buffers of a part of at most `capacity` rows.
struct Part {
    capacity: usize,
    batch: wgpu::Buffer,
    input: Floats,
    /// The encoder's output.
    encoded: Floats,
    code: Floats,
    /// Predictions.
    output: Floats,
    targets: Floats,
    /// The losses of the rows, then the penalties of their codes.
    losses: Floats,
    encode: Program,
    decode: Program,
    evaluate: Program,
    staging: Staging,
}

/// What a call reads back: buffers, and values a row of each.
type Results<'a> = [(&'a Floats, usize)];

impl GpuNetwork {
    /// # Errors
    ///
    /// If there is no kernel for a layer, or no memory for a row.
    pub(crate) fn new(gpu: &Arc<Gpu>, network: &Network, params: &Params) -> Result<Self, ShapeError> {
        let stages = Stages::new(network)?;
        let on_device = Floats::of(gpu, params.as_slice());
        let new =
            Self { gpu: Arc::clone(gpu), network: network.clone(), stages, params: on_device, part: Mutex::new(None) };
        let part = new.part(FEWEST_ROWS)?;
        *new.part.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
        Ok(new)
    }

    /// The most rows of a part.
    fn most_rows(&self) -> usize {
        (PART_LEN / self.stages.widest().max(1)).clamp(FEWEST_ROWS, MOST_ROWS)
    }

    fn part(&self, capacity: usize) -> Result<Part, ShapeError> {
        let record = || self.record(capacity);
        self.gpu.within_memory(record).unwrap_or_else(|reason| {
            let layer = format!("{capacity} rows");
            let expected = format!("memory for them on {}", self.gpu.adapter.name);
            Err(ShapeError { layer, expected, got: reason })
        })
    }

    fn record(&self, capacity: usize) -> Result<Part, ShapeError> {
        let Self { gpu, network, stages, params, .. } = self;
        let (inputs, code_size, outputs) = (network.inputs(), network.code_size(), network.outputs());
        let encoded_size = stages.encoder.last().map_or(inputs, |stage| stage.outputs);
        let mut recorder = Recorder::new(gpu, capacity, params.clone());
        let widths = [inputs, encoded_size, code_size, outputs, outputs, outputs, outputs];
        let [input, encoded, code, values, output, targets, gradient] =
            widths.map(|width| recorder.zeros(capacity * width));
        let losses = recorder.zeros(2 * capacity);

        run(&mut recorder, &stages.encoder, &input, &encoded);
        recorder.take_first(code_size, encoded_size, &encoded, &code);
        let encode = recorder.program();
        run(&mut recorder, &stages.decoder, &code, &values);
        loss::link(&mut recorder, &network.output, &values, &output);
        let decode = recorder.program();
        let buffers = LossBuffers { values: &values, targets: &targets, gradient: &gradient, losses: &losses };
        loss::evaluate(&mut recorder, &network.output, buffers);
        if network.latent != Latent::Point {
            crate::latent::penalty(&mut recorder, network.latent, code_size, &encoded, (&losses, capacity));
        }
        let evaluate = recorder.program();
        recorder.check()?;
        let batch = recorder.batch.clone();
        let staging = Staging::new(gpu, capacity * (encoded_size + code_size + outputs + 2));
        Ok(Part { capacity, batch, input, encoded, code, output, targets, losses, encode, decode, evaluate, staging })
    }

    /// Calls `each(part, first row, rows)` for parts of `n` rows.
    fn each_part(&self, n: usize, mut each: impl FnMut(&Part, usize, usize)) {
        let mut held = self.part.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = n.next_power_of_two().min(self.most_rows());
        let has = held.as_ref().map_or(0, |part| part.capacity);
        if wanted > has
            // Where there is no memory for more rows, fewer at a time do.
            && let Ok(larger) = self.part(wanted)
        {
            *held = Some(larger);
        }
        let part = held.as_ref().expect("a prepared network has a part");
        for first in (0..n).step_by(part.capacity) {
            each(part, first, part.capacity.min(n - first));
        }
    }

    /// Runs programs on `n` rows, reads what they leave, and hands it over one result after the other.
    fn run(
        &self,
        part: &Part,
        n: usize,
        programs: &[&Program],
        results: &Results<'_>,
        mut take: impl FnMut(usize, &[f32]),
    ) {
        let gpu = &self.gpu;
        let numbers = BatchNumbers { n, ..BatchNumbers::default() };
        gpu.queue.write_buffer(&part.batch, 0, bytemuck::cast_slice(&numbers.words()));
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        programs.iter().for_each(|program| program.encode(&mut encoder, n));
        let mut total = 0;
        for &(floats, len) in results {
            part.staging.copy(&mut encoder, floats, total, len);
            total += len;
        }
        gpu.queue.submit([encoder.finish()]);
        part.staging.read(gpu, total, |mut values| {
            for (i, &(_, len)) in results.iter().enumerate() {
                let (these, rest) = values.split_at(len);
                take(i, these);
                values = rest;
            }
        });
    }
}

/// Records layers one after the other; what no later one needs is overwritten.
fn run(recorder: &mut Recorder<'_>, stages: &[Stage], input: &Floats, output: &Floats) {
    let last = stages.len() - 1;
    let mut values: Vec<Option<Floats>> = vec![Some(input.clone())];
    for (i, stage) in stages.iter().enumerate() {
        let to = if i == last { output.clone() } else { recorder.take_rows(stage.outputs) };
        let added = stage.added(i).map(|place| values[place].clone().expect("a value that is added is kept"));
        let from = values[i].clone().expect("the value before is there");
        layer::forward(recorder, Mode::Inference, stage, &from, added.as_ref(), &to);
        values.push(Some(to));
        for (place, value) in values.iter_mut().enumerate().take(i + 1).skip(1) {
            let is_needed = (i + 1..stages.len()).any(|j| stages[j].added(j) == Some(place));
            if let Some(floats) = value.take_if(|_| !is_needed) {
                recorder.give(floats);
            }
        }
    }
}

impl PreparedNetwork for GpuNetwork {
    fn network(&self) -> &Network {
        &self.network
    }

    fn encode(&self, input: &[f32], code: &mut [f32]) {
        let (inputs, width) = (self.network.inputs(), self.network.code_size());
        let n = n_rows(input, inputs, code, width);
        self.each_part(n, |part, first, n| {
            part.input.write(&self.gpu, &input[first * inputs..][..n * inputs]);
            let to = &mut code[first * width..][..n * width];
            self.run(part, n, &[&part.encode], &[(&part.code, n * width)], |_, values| to.copy_from_slice(values));
        });
    }

    fn encode_distribution(&self, input: &[f32], encoded: &mut [f32]) {
        assert!(self.network.latent == Latent::Gaussian, "a point has no variance");
        let (inputs, width) = (self.network.inputs(), 2 * self.network.code_size());
        let n = n_rows(input, inputs, encoded, width);
        self.each_part(n, |part, first, n| {
            part.input.write(&self.gpu, &input[first * inputs..][..n * inputs]);
            let to = &mut encoded[first * width..][..n * width];
            self.run(part, n, &[&part.encode], &[(&part.encoded, n * width)], |_, values| to.copy_from_slice(values));
        });
        encoded.chunks_exact_mut(width).for_each(Latent::bound_log_variances);
    }

    fn decode(&self, code: &[f32], output: &mut [f32]) {
        let (width, outputs) = (self.network.code_size(), self.network.outputs());
        let n = n_rows(code, width, output, outputs);
        self.each_part(n, |part, first, n| {
            part.code.write(&self.gpu, &code[first * width..][..n * width]);
            let to = &mut output[first * outputs..][..n * outputs];
            self.run(part, n, &[&part.decode], &[(&part.output, n * outputs)], |_, values| to.copy_from_slice(values));
        });
    }

    fn reconstruct(&self, input: &[f32], code: &mut [f32], output: &mut [f32]) {
        let Self { network, gpu, .. } = self;
        let (inputs, width, outputs) = (network.inputs(), network.code_size(), network.outputs());
        let n = n_rows(input, inputs, code, width);
        assert_eq!(output.len(), n * outputs, "length of the output");
        self.each_part(n, |part, first, n| {
            part.input.write(gpu, &input[first * inputs..][..n * inputs]);
            let results = [(&part.code, n * width), (&part.output, n * outputs)];
            self.run(part, n, &[&part.encode, &part.decode], &results, |i, values| match i {
                0 => code[first * width..][..n * width].copy_from_slice(values),
                _ => output[first * outputs..][..n * outputs].copy_from_slice(values),
            });
        });
    }

    fn losses(&self, input: &[f32], target: &[f32], code_penalty_weight: f32, losses: &mut [f32]) {
        let Self { network, gpu, .. } = self;
        let (inputs, outputs) = (network.inputs(), network.outputs());
        let n = n_rows(input, inputs, target, outputs);
        assert_eq!(losses.len(), n, "a loss a row");
        self.each_part(n, |part, first, n| {
            part.input.write(gpu, &input[first * inputs..][..n * inputs]);
            part.targets.write(gpu, &target[first * outputs..][..n * outputs]);
            let programs = [&part.encode, &part.decode, &part.evaluate];
            let len = part.capacity + n;
            self.run(part, n, &programs, &[(&part.losses, len)], |_, values| {
                let to = &mut losses[first..first + n];
                to.copy_from_slice(&values[..n]);
                if network.latent != Latent::Point {
                    let penalties = &values[part.capacity..];
                    to.iter_mut().zip(penalties).for_each(|(loss, penalty)| *loss += code_penalty_weight * penalty);
                }
            });
        });
    }
}

impl fmt::Debug for GpuNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GpuNetwork({}, {})", self.network, self.gpu.adapter.name)
    }
}

/// Number of rows, from two matrices that must agree on it.
fn n_rows(input: &[f32], inputs: usize, output: &[f32], outputs: usize) -> usize {
    let n = input.len() / inputs;
    assert_eq!(input.len(), n * inputs, "the input has rows of {inputs}");
    assert_eq!(output.len(), n * outputs, "the output has {n} rows of {outputs}");
    n
}
