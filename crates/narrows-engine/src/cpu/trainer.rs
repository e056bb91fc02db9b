//! The training step: forward, backward and update on a preallocated workspace.
//!
//! There is no tape: the stages of the [`Plan`] are run forward and backward, and each layer implements its own
//! derivative. Nothing is allocated after the first step. Random numbers are keyed by row id and the order of every sum
//! is fixed, so the parameters after any number of steps are bit-identical for any number of threads.

use std::mem::take;
use std::sync::Arc;

use crate::error::ShapeError;
use crate::executor::PreparedNetwork;
use crate::executor::Trainer;
use crate::kernels::threads::Threads;
use crate::network::Network;
use crate::optim;
use crate::params::Params;
use crate::training::{Batch, RowWeights, StepLoss, TrainConfig, TrainerState};

use super::PackedNetwork;
use super::pass::Workspace;
use super::plan::Plan;

/// Trains one network.
#[derive(Debug)]
pub(crate) struct CpuTrainer {
    pub(super) network: Network,
    pub(super) plan: Plan,
    pub(super) config: TrainConfig,
    pub(super) threads: Threads,
    pub(super) capacity: usize,
    pub(super) params: Params,
    pub(super) gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    steps: u64,
    pub(super) work: Workspace,
    /// Rows of a forward pass whose backward pass is pending.
    pub(super) pending: Option<usize>,
}

impl CpuTrainer {
    /// As [`Executor::trainer`](crate::Executor::trainer).
    pub(crate) fn new(
        network: &Network,
        params: Params,
        config: TrainConfig,
        capacity: usize,
        threads: Threads,
    ) -> Result<Self, ShapeError> {
        network.check()?;
        network.check_params(&params)?;
        config.check(network)?;
        let plan = Plan::new(network);
        let capacity = capacity.max(1);
        let zeros = vec![0.0; plan.n_trainable];
        Ok(Self {
            network: network.clone(),
            work: Workspace::new(&plan, &network.output, capacity),
            config,
            threads,
            capacity,
            params,
            gradient: zeros.clone(),
            first: zeros.clone(),
            second: zeros,
            steps: 0,
            pending: None,
            plan,
        })
    }

    /// The gradient of the last backward pass, in the order of the trainable parameters.
    #[cfg(test)]
    pub(crate) fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// As [`Trainer::update`], on a thread of the pool.
    fn follow_gradient(&mut self, learning_rate: f32) -> f32 {
        let norm = optim::norm(&self.gradient);
        if !norm.is_finite() {
            return norm;
        }
        self.steps += 1;
        let step = optim::UpdateStep {
            learning_rate,
            number: self.steps,
            gradient_scale: self.config.clip.map_or(1.0, |clip| optim::clip_scale(norm, clip)),
        };
        let state = optim::State {
            params: &mut self.params.as_mut_slice()[..self.plan.n_trainable],
            first: &mut self.first,
            second: &mut self.second,
        };
        self.config.optimizer.step(state, &self.gradient, step, &self.threads);
        norm
    }
}

impl Trainer for CpuTrainer {
    fn forward(&mut self, batch: &Batch<'_>) {
        let mut input = take(&mut self.work.input);
        // Only callers that separate forward and backward need the input kept.
        input.clear();
        input.reserve(self.capacity * self.plan.inputs());
        input.extend_from_slice(batch.input);
        self.work.input = input;
        let threads = self.threads.clone();
        threads.install(|| self.pass_forward(batch));
    }

    fn row_losses(&self) -> &[f32] {
        &self.work.row_losses[..self.work.n]
    }

    fn backward(&mut self, row_weights: RowWeights<'_>, code_penalty_weight: f32) -> StepLoss {
        let input = take(&mut self.work.input);
        let threads = self.threads.clone();
        let loss = threads.install(|| self.pass_backward(&input, row_weights, code_penalty_weight));
        self.work.input = input;
        loss
    }

    fn update(&mut self, learning_rate: f32) -> f32 {
        let threads = self.threads.clone();
        threads.install(|| self.follow_gradient(learning_rate))
    }

    fn step(&mut self, batch: &Batch<'_>, code_penalty_weight: f32, learning_rate: f32) -> StepLoss {
        let threads = self.threads.clone();
        // One dispatch to the pool, and no copy of the input.
        threads.install(|| {
            self.pass_forward(batch);
            let loss = self.pass_backward(batch.input, RowWeights::Uniform, code_penalty_weight);
            self.follow_gradient(learning_rate);
            loss
        })
    }

    fn params(&self) -> Params {
        self.params.clone()
    }

    fn prepared(&self) -> Arc<dyn PreparedNetwork> {
        Arc::new(PackedNetwork::new(&self.network, &self.params, &self.threads))
    }

    fn state(&self) -> TrainerState {
        TrainerState {
            params: self.params.clone(),
            first: self.first.clone(),
            second: self.second.clone(),
            steps: self.steps,
        }
    }

    fn restore(&mut self, state: &TrainerState) -> Result<(), ShapeError> {
        self.network.check_params(&state.params)?;
        for (name, moments) in [("first", &state.first), ("second", &state.second)] {
            if moments.len() != self.plan.n_trainable {
                let expected = format!("{} moments", self.plan.n_trainable);
                return Err(ShapeError::new(name, expected, moments.len()));
            }
        }
        self.params.clone_from(&state.params);
        self.first.clone_from(&state.first);
        self.second.clone_from(&state.second);
        self.steps = state.steps;
        self.pending = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    fn network() -> Network {
        Network::new(
            vec![Layer::dense(3, 4), Layer::Activation(Activation::Sigmoid)],
            Latent::Point,
            vec![Layer::dense(4, 3)],
            Output::single(3, Loss::Mse),
        )
        .unwrap()
    }

    fn config() -> TrainConfig {
        TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None }
    }

    fn trainer(config: TrainConfig) -> Result<CpuTrainer, ShapeError> {
        CpuTrainer::new(&network(), network().init(1), config, 4, Threads::serial())
    }

    fn batch<'a>(input: &'a [f32], rows: &'a [u32]) -> Batch<'a> {
        Batch { input, target: input, rows, seed: 1, epoch: 0 }
    }

    #[test]
    fn a_row_of_weight_zero_is_as_if_it_were_absent() {
        let x = [0.1, 0.2, 0.3, 0.5, 0.4, 0.6, 1e30, -1e30, 3.0];
        let mut all = trainer(config()).unwrap();
        all.forward(&batch(&x, &[0, 1, 2]));
        let weighted = all.backward(RowWeights::Given(&[2.0, 2.0, 0.0]), 0.0);
        let mut some = trainer(config()).unwrap();
        some.forward(&batch(&x[..6], &[0, 1]));
        let plain = some.backward(RowWeights::Uniform, 0.0);
        assert!((weighted.reconstruction - plain.reconstruction).abs() < 1e-6);
        for (a, b) in all.gradient().iter().zip(some.gradient()) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn equal_weights_are_uniform_and_no_weight_is_no_gradient() {
        let x = [0.1, 0.2, 0.3, 0.5, 0.4, 0.6];
        let gradient = |weights| {
            let mut trainer = trainer(config()).unwrap();
            trainer.forward(&batch(&x, &[0, 1]));
            assert_eq!(trainer.row_losses().len(), 2);
            trainer.backward(weights, 0.0);
            trainer.gradient().to_vec()
        };
        assert_eq!(gradient(RowWeights::Uniform), gradient(RowWeights::Given(&[1.0, 1.0])));
        assert!(gradient(RowWeights::Given(&[0.0, 0.0])).iter().all(|&g| g == 0.0));
    }

    #[test]
    fn a_resumed_run_goes_on_to_the_bit() {
        let x = [0.1, 0.2, 0.3, 0.5, 0.4, 0.6];
        let mut straight = trainer(config()).unwrap();
        let mut resumed = trainer(config()).unwrap();
        straight.step(&batch(&x, &[0, 1]), 0.0, 0.01);
        let state = straight.state();
        straight.step(&batch(&x, &[0, 1]), 0.0, 0.01);
        resumed.restore(&state).unwrap();
        resumed.step(&batch(&x, &[0, 1]), 0.0, 0.01);
        assert_eq!(straight.state(), resumed.state());
    }

    #[test]
    fn an_infinite_gradient_changes_nothing() {
        let mut trainer = trainer(config()).unwrap();
        let before = trainer.state();
        trainer.forward(&batch(&[f32::INFINITY, 0.0, 0.0], &[0]));
        trainer.backward(RowWeights::Uniform, 0.0);
        assert!(!trainer.update(0.1).is_finite());
        assert_eq!(trainer.state(), before);
    }

    #[test]
    fn settings_that_do_not_suit_are_refused() {
        let message = |config| trainer(config).unwrap_err().to_string();
        assert!(message(TrainConfig { clip: Some(0.0), ..config() }).contains("`clip`"));
        let kl = |target| Sparsity::Kl { target, weight: 1.0 };
        let sparse = |sparsity| TrainConfig { sparsity, ..config() };
        assert!(message(sparse(kl(1.0))).contains("a target in (0, 1)"));
        assert!(trainer(sparse(kl(0.1))).is_ok());
        let linear = Network { encoder: vec![Layer::dense(3, 4)], ..network() };
        let refused = |params: Params| {
            CpuTrainer::new(&linear, params, sparse(kl(0.1)), 4, Threads::serial()).unwrap_err().to_string()
        };
        assert!(refused(linear.init(0)).contains("ends in Sigmoid"));
        let other = Network { decoder: vec![Layer::dense(4, 4), Layer::dense(4, 3)], ..network() };
        assert!(refused(other.init(0)).contains("`params`"));
        let mut state = trainer(config()).unwrap().state();
        state.first.pop();
        let error = trainer(config()).unwrap().restore(&state).unwrap_err();
        assert_eq!(error.to_string(), "`first`: expected 31 moments, got 30");
    }
}
