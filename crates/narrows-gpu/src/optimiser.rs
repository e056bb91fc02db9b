//! The update of the parameters: the norm of the gradient, then Adam or AdamW in one pass.

use narrows_engine::{AdamConfig, Optimizer};

use crate::floats::Floats;
use crate::kernel;
use crate::operation::{BatchNumbers, Count, Grid, Word};
use crate::recorder::Recorder;

/// Gradients whose squares one workgroup sums, as in `optimiser.wgsl`.
const SLICE: usize = 4096;

/// The buffers of an update.
pub(crate) struct UpdateBuffers<'a> {
    pub gradient: &'a Floats,
    /// (first, second) moment of every parameter.
    pub moments: &'a Floats,
    /// Receives the norm of the gradient at place `norm_at`.
    pub report: &'a Floats,
    pub norm_at: usize,
    /// Trainable parameters.
    pub len: usize,
}

/// The settings, whichever rule they are for.
pub(crate) fn config(optimizer: &Optimizer) -> AdamConfig {
    match optimizer {
        Optimizer::Adam(config) | Optimizer::AdamW(config) => *config,
    }
}

/// Records an update.
pub(crate) fn update(recorder: &mut Recorder<'_>, optimizer: &Optimizer, buffers: &UpdateBuffers<'_>) {
    let UpdateBuffers { gradient, moments, report, norm_at, len } = *buffers;
    let AdamConfig { beta1, beta2, eps, .. } = config(optimizer);
    let parts = len.div_ceil(SLICE);
    let fields: [(&str, Word); 7] = [
        ("len", len.into()),
        ("parts", parts.into()),
        ("norm_at", norm_at.into()),
        ("beta2", beta2.into()),
        ("new1", ((1.0 - f64::from(beta1)) as f32).into()),
        ("new2", ((1.0 - f64::from(beta2)) as f32).into()),
        ("eps", eps.into()),
    ];
    let sums = recorder.take(parts);
    recorder.run(&kernel::SQUARES, &fields, &[gradient, &sums], Grid::Groups(Count::Fixed(parts)));
    recorder.run(&kernel::SQUARE_ROOT, &fields, &[&sums, report], Grid::Groups(Count::Fixed(1)));
    recorder.give(sums);
    let params = recorder.params.clone();
    let each = Grid::Threads(Count::Fixed(len));
    recorder.run(&kernel::FOLLOW, &fields, &[gradient, report, &params, moments], each);
}

/// The numbers of update `number`, from 1 on.
pub(crate) fn numbers(
    optimizer: &Optimizer,
    clip: Option<f32>,
    learning_rate: f32,
    number: u64,
    batch: BatchNumbers,
) -> BatchNumbers {
    let AdamConfig { beta1, beta2, weight_decay, .. } = config(optimizer);
    let (rate, weight) = (f64::from(learning_rate), f64::from(weight_decay));
    let t = number.min(i32::MAX as u64) as i32;
    let (shrink, decay) = match optimizer {
        Optimizer::Adam(_) => (1.0, weight_decay),
        Optimizer::AdamW(_) => ((1.0 - rate * weight) as f32, 0.0),
    };
    BatchNumbers {
        step_size: (rate / (1.0 - f64::from(beta1).powi(t))) as f32,
        root_scale: (1.0 - f64::from(beta2).powi(t)).sqrt().recip() as f32,
        shrink,
        decay,
        clip: clip.unwrap_or(0.0),
        ..batch
    }
}
