//! The training step: forward, backward and update over a preallocated workspace.
//!
//! There is no tape: the stages of the [`Plan`] are walked forth and back, and each layer knows its own
//! derivative. After the first step nothing is allocated. Every random number is keyed by its row's id
//! and every sum has an order of its own, so the parameters after any number of steps are the same to
//! the bit for any number of threads.

mod pass;

use std::mem::take;

use crate::error::ShapeError;
use crate::kernels::threads::Threads;
use crate::layer::{Activation, Layer};
use crate::network::Network;
use crate::optim::{self, Optimizer};
use crate::params::Params;
use crate::plan::Plan;
use crate::sparsity::Sparsity;

use pass::Workspace;

/// How to train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainConfig {
    /// How parameters follow their gradients.
    pub optimizer: Optimizer,
    /// The global gradient norm is brought down to this; none leaves it as it is.
    pub clip: Option<f32>,
    /// What is asked of the code's activity.
    pub sparsity: Sparsity,
}

/// Some rows to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// What the encoder sees, `[n, inputs]`, perhaps corrupted. Never NaN, but for absent steps before a
    /// recurrent layer, all of whose channels are NaN.
    pub input: &'a [f32],
    /// What the decoder should put out, `[n, outputs]`; NaN is unobserved.
    pub target: &'a [f32],
    /// Row ids, `[n]`: with seed and epoch they key all randomness.
    pub rows: &'a [u32],
    /// The run's seed.
    pub seed: u64,
    /// The epoch, so that every epoch draws anew.
    pub epoch: u64,
}

/// How much each row of a batch counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowWeights<'a> {
    /// All the same.
    Uniform,
    /// Weights of at least 0, `[n]`; the reconstruction loss is the weighted mean. A row of weight 0
    /// has no influence on it whatever its loss. Divergence and sparsity keep counting all rows.
    Given(&'a [f32]),
}

/// What a step cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepLoss {
    /// The (weighted) mean of the row losses.
    pub reconstruction: f32,
    /// The mean price of a row's code before its weight: a Gaussian's divergence from the standard normal, a quantised
    /// code's bits; else 0.
    pub kl: f32,
    /// The sparsity penalty, its weight included.
    pub sparsity: f32,
    /// Mean |code|.
    pub mean_activity: f32,
    /// reconstruction + kl_weight * kl + sparsity: what was minimised.
    pub total: f32,
}

/// All that a run must keep to go on as if it had never stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState {
    /// The parameters and buffers.
    pub params: Params,
    /// First moments, one a trainable parameter.
    pub first: Vec<f32>,
    /// Second moments, one a trainable parameter.
    pub second: Vec<f32>,
    /// Updates done.
    pub steps: u64,
}

/// Trains one network.
#[derive(Debug)]
pub struct Trainer {
    network: Network,
    plan: Plan,
    config: TrainConfig,
    threads: Threads,
    capacity: usize,
    params: Params,
    gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    steps: u64,
    work: Workspace,
    /// Rows of a forward pass whose backward is still to come.
    pending: Option<usize>,
}

impl Trainer {
    /// Prepares to train `params` on batches of at most `capacity` rows.
    ///
    /// # Errors
    ///
    /// If the parameters are not this network's, or a setting does not suit it: a KL sparsity needs
    /// an encoder that ends in a sigmoid and a target in (0, 1); a clip must be positive.
    pub fn new(
        network: &Network,
        params: Params,
        config: TrainConfig,
        capacity: usize,
        threads: Threads,
    ) -> Result<Self, ShapeError> {
        network.check()?;
        network.check_params(&params)?;
        if let Some(clip) = config.clip
            && (clip.is_nan() || clip <= 0.0)
        {
            return Err(ShapeError::new("clip", "a norm above 0", clip));
        }
        if let Sparsity::Kl { target, .. } = config.sparsity {
            if !(target > 0.0 && target < 1.0) {
                return Err(ShapeError::new("sparsity", "a target in (0, 1)", target));
            }
            let last = network.encoder.last();
            let is_point = network.latent != crate::Latent::Gaussian;
            if !is_point || last != Some(&Layer::Activation(Activation::Sigmoid)) {
                let got = last.map_or("none".into(), Layer::to_string);
                let expected = "a point code from an encoder that ends in Sigmoid, for a KL sparsity";
                return Err(ShapeError::new("encoder", expected, format!("{:?} from {got}", network.latent)));
            }
        }
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

    /// The forward pass in training: dropout, batch statistics and latent noise are on. It moves the
    /// running statistics.
    pub fn forward(&mut self, batch: &Batch<'_>) {
        let mut input = take(&mut self.work.input);
        // The room for the input is only needed by callers that part forward and backward.
        input.clear();
        input.reserve(self.capacity * self.network.inputs());
        input.extend_from_slice(batch.input);
        self.work.input = input;
        self.pass_forward(batch);
    }

    /// The output loss of every row of the last forward pass, `[n]`.
    pub fn row_losses(&self) -> &[f32] {
        &self.work.row_losses[..self.work.n]
    }

    /// The backward pass for the last forward pass: fills the gradient of
    /// sum w_i row_loss_i / sum w_i + kl_weight * mean KL + sparsity penalty.
    ///
    /// # Panics
    ///
    /// If there was no [`forward`](Self::forward) since the last backward pass, or the number of
    /// weights is not that of the rows.
    pub fn backward(&mut self, row_weights: RowWeights<'_>, kl_weight: f32) -> StepLoss {
        let input = take(&mut self.work.input);
        let loss = self.pass_backward(&input, row_weights, kl_weight);
        self.work.input = input;
        loss
    }

    /// Moves the parameters along the last gradient; returns its norm before clipping.
    ///
    /// If the norm is infinite or NaN, parameters and optimiser stay as they are: the caller sees it
    /// in the result and still holds usable weights.
    pub fn update(&mut self, learning_rate: f32) -> f32 {
        let norm = optim::norm(&self.gradient);
        if !norm.is_finite() {
            return norm;
        }
        self.steps += 1;
        let step = optim::Step {
            learning_rate,
            number: self.steps,
            gradient_scale: self.config.clip.map_or(1.0, |clip| optim::clip_scale(norm, clip)),
        };
        let state = optim::State {
            params: &mut self.params.data[..self.plan.n_trainable],
            first: &mut self.first,
            second: &mut self.second,
        };
        self.config.optimizer.step(state, &self.gradient, step, &self.threads);
        norm
    }

    /// Forward, backward with uniform weights, and update.
    pub fn step(&mut self, batch: &Batch<'_>, kl_weight: f32, learning_rate: f32) -> StepLoss {
        self.pass_forward(batch);
        let loss = self.pass_backward(batch.input, RowWeights::Uniform, kl_weight);
        self.update(learning_rate);
        loss
    }

    /// The parameters as they are now.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Hands the parameters over.
    pub fn into_params(self) -> Params {
        self.params
    }

    /// The gradient of the last backward pass, in the order of the trainable parameters.
    #[cfg(test)]
    pub(crate) fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// A copy of all that a resumed run needs.
    pub fn state(&self) -> TrainerState {
        TrainerState {
            params: self.params.clone(),
            first: self.first.clone(),
            second: self.second.clone(),
            steps: self.steps,
        }
    }

    /// Goes on from `state`, to the bit as the run that saved it would have.
    ///
    /// # Errors
    ///
    /// If the state is another network's.
    pub fn restore(&mut self, state: &TrainerState) -> Result<(), ShapeError> {
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

    fn trainer(config: TrainConfig) -> Result<Trainer, ShapeError> {
        Trainer::new(&network(), network().init(1), config, 4, Threads::serial())
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
            Trainer::new(&linear, params, sparse(kl(0.1)), 4, Threads::serial()).unwrap_err().to_string()
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
