//! Training: forward, backward and update as three programs, which a step submits at once.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

use narrows_engine::{
    Batch, Latent, Network, Params, PreparedNetwork, RowWeights, ShapeError, StepLoss, TrainConfig, Trainer,
    TrainerState,
};

use crate::device::Gpu;
use crate::floats::{self, Staging};
use crate::operation::BatchNumbers;
use crate::optimiser;
use crate::passes::Passes;
use crate::prepared::GpuNetwork;
use crate::recorder::Program;
use crate::report::{self, LossSettings};
use crate::stages::Stages;

/// Trains one network on the device.
pub(crate) struct GpuTrainer {
    gpu: Arc<Gpu>,
    network: Network,
    config: TrainConfig,
    n_trainable: usize,
    /// The names and shapes of the parameters; their values are on the device.
    template: Params,
    steps: u64,
    capacity: usize,
    passes: Passes,
    staging: Staging,
    /// The numbers of the last forward pass.
    numbers: BatchNumbers,
    is_pending: bool,
    losses: OnceCell<Vec<f32>>,
}

impl GpuTrainer {
    /// As [`Executor::trainer`](narrows_engine::Executor::trainer).
    pub(crate) fn new(
        gpu: &Arc<Gpu>,
        network: &Network,
        params: Params,
        config: TrainConfig,
        capacity: usize,
    ) -> Result<Self, ShapeError> {
        let stages = Stages::new(network)?;
        let capacity = capacity.max(1);
        let record = || Passes::record(gpu, network, &stages, &params, &config, capacity);
        let passes = gpu.within_memory(record).unwrap_or_else(|reason| {
            let layer = format!("a batch of {capacity} rows");
            let expected = format!("memory to train on it on {}", gpu.adapter.name);
            Err(ShapeError { layer, expected, got: format!("{reason}; use a smaller batch") })
        })?;
        Ok(Self {
            gpu: Arc::clone(gpu),
            network: network.clone(),
            config,
            n_trainable: stages.n_trainable,
            template: params,
            steps: 0,
            capacity,
            staging: Staging::new(gpu, passes.layout.len()),
            passes,
            numbers: BatchNumbers::default(),
            is_pending: false,
            losses: OnceCell::new(),
        })
    }

    /// Brings a batch to the device.
    fn load(&mut self, batch: &Batch<'_>) {
        let n = batch.rows.len();
        assert!(n > 0 && n <= self.capacity, "a batch has 1 to {} rows, got {n}", self.capacity);
        assert_eq!(batch.input.len(), n * self.network.inputs(), "length of the input");
        assert_eq!(batch.target.len(), n * self.network.outputs(), "length of the target");
        self.passes.input.write(&self.gpu, batch.input);
        self.passes.targets.write(&self.gpu, batch.target);
        self.passes.ids.write(&self.gpu, batch.rows);
        self.numbers = BatchNumbers { n, seed: batch.seed, epoch: batch.epoch, ..BatchNumbers::default() };
        self.losses = OnceCell::new();
    }

    fn updating(&self, learning_rate: f32, numbers: BatchNumbers) -> BatchNumbers {
        let TrainConfig { optimizer, clip, .. } = &self.config;
        optimiser::numbers(optimizer, *clip, learning_rate, self.steps + 1, numbers)
    }

    fn punishing(&self, code_penalty_weight: f32) -> BatchNumbers {
        BatchNumbers { penalty_share: code_penalty_weight / self.numbers.n as f32, ..self.numbers }
    }

    /// Submits programs, one after the other.
    fn submit(&self, programs: &[&Program], numbers: BatchNumbers) {
        let words = numbers.words();
        self.gpu.queue.write_buffer(&self.passes.batch, 0, bytemuck::cast_slice(&words));
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        programs.iter().for_each(|program| program.encode(&mut encoder, numbers.n));
        self.staging.copy(&mut encoder, &self.passes.report, 0, self.passes.layout.len());
        self.gpu.queue.submit([encoder.finish()]);
    }

    /// Reads the report of the programs that were submitted last.
    fn report<R>(&self, with: impl FnOnce(&[f32]) -> R) -> R {
        self.staging.read(&self.gpu, self.passes.layout.len(), with)
    }

    fn loss(&self, report: &[f32], weights: RowWeights<'_>, code_penalty_weight: f32) -> StepLoss {
        let settings = LossSettings {
            has_penalty: self.network.latent != Latent::Point,
            sparsity: self.config.sparsity,
            code_size: self.network.code_size(),
            code_penalty_weight,
        };
        self.passes.layout.loss(report, self.numbers.n, weights, &settings)
    }

    /// Counts an update whose gradient had this norm: one that is not finite moved nothing.
    fn count(&mut self, norm: f32) {
        self.steps += u64::from(norm.is_finite());
    }
}

impl Trainer for GpuTrainer {
    fn forward(&mut self, batch: &Batch<'_>) {
        self.load(batch);
        self.submit(&[&self.passes.forward], self.numbers);
        self.is_pending = true;
    }

    fn row_losses(&self) -> &[f32] {
        let n = self.numbers.n;
        self.losses.get_or_init(|| floats::download(&self.gpu, &self.passes.report, n))
    }

    fn backward(&mut self, row_weights: RowWeights<'_>, code_penalty_weight: f32) -> StepLoss {
        assert!(self.is_pending, "a forward pass comes before a backward pass");
        self.is_pending = false;
        let numbers = self.punishing(code_penalty_weight);
        if let RowWeights::Given(weights) = row_weights {
            assert_eq!(weights.len(), numbers.n, "one weight a row");
            self.passes.weights.write(&self.gpu, &report::row_factors(weights));
            self.submit(&[&self.passes.weigh, &self.passes.backward], numbers);
        } else {
            self.submit(&[&self.passes.backward], numbers);
        }
        self.report(|report| self.loss(report, row_weights, code_penalty_weight))
    }

    fn update(&mut self, learning_rate: f32) -> f32 {
        self.submit(&[&self.passes.update], self.updating(learning_rate, self.numbers));
        let norm = self.report(|report| report[self.passes.layout.norm()]);
        self.count(norm);
        norm
    }

    fn step(&mut self, batch: &Batch<'_>, code_penalty_weight: f32, learning_rate: f32) -> StepLoss {
        self.load(batch);
        let numbers = self.updating(learning_rate, self.punishing(code_penalty_weight));
        let Passes { forward, backward, update, .. } = &self.passes;
        self.submit(&[forward, backward, update], numbers);
        self.is_pending = false;
        let (loss, norm) = self.report(|report| {
            (self.loss(report, RowWeights::Uniform, code_penalty_weight), report[self.passes.layout.norm()])
        });
        self.count(norm);
        loss
    }

    fn params(&self) -> Params {
        let values = floats::download(&self.gpu, &self.passes.params, self.template.as_slice().len());
        self.template.with_values(&values).expect("as many values as there were")
    }

    fn prepared(&self) -> Arc<dyn PreparedNetwork> {
        Arc::new(GpuNetwork::new(&self.gpu, &self.network, &self.params()).expect("what trains has kernels"))
    }

    fn state(&self) -> TrainerState {
        let moments = floats::download(&self.gpu, &self.passes.moments, 2 * self.n_trainable);
        let (first, second) = moments.as_chunks::<2>().0.iter().map(|pair| (pair[0], pair[1])).unzip();
        TrainerState { params: self.params(), first, second, steps: self.steps }
    }

    fn restore(&mut self, state: &TrainerState) -> Result<(), ShapeError> {
        self.network.check_params(&state.params)?;
        for (name, moments) in [("first", &state.first), ("second", &state.second)] {
            if moments.len() != self.n_trainable {
                let expected = format!("{} moments", self.n_trainable);
                return Err(ShapeError { layer: name.into(), expected, got: moments.len().to_string() });
            }
        }
        let moments: Vec<[f32; 2]> = state.first.iter().zip(&state.second).map(|(&m, &v)| [m, v]).collect();
        self.passes.params.write(&self.gpu, state.params.as_slice());
        self.passes.moments.write(&self.gpu, &moments);
        self.steps = state.steps;
        self.is_pending = false;
        Ok(())
    }
}

impl fmt::Debug for GpuTrainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GpuTrainer({}, {} steps, {})", self.network, self.steps, self.gpu.adapter.name)
    }
}
