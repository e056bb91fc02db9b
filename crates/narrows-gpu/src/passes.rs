//! The passes of training, recorded once: what is computed is the same for every batch but for its number of rows.

use narrows_engine::{Latent, Network, Params, ShapeError, Sparsity, TrainConfig};

use crate::back::Back;
use crate::device::Gpu;
use crate::floats::Floats;
use crate::kernel;
use crate::layer::{self, Kept, Mode};
use crate::loss;
use crate::loss_buffers::LossBuffers;
use crate::operation::{Count, Grid, Word};
use crate::optimiser::{self, UpdateBuffers};
use crate::recorder::{Program, Recorder};
use crate::report::ReportLayout;
use crate::stages::{Stage, Stages};

/// The programs of training, and the buffers that a trainer writes and reads.
pub(crate) struct Passes {
    pub forward: Program,
    /// Brings the weights of rows into the gradient.
    pub weigh: Program,
    pub backward: Program,
    pub update: Program,
    pub batch: wgpu::Buffer,
    pub input: Floats,
    pub targets: Floats,
    pub ids: Floats,
    pub weights: Floats,
    pub params: Floats,
    pub moments: Floats,
    pub report: Floats,
    pub layout: ReportLayout,
}

/// What a forward pass leaves.
struct Trace {
    stages: Vec<Stage>,
    /// Value 0 is the input, value i + 1 the output of stage i.
    values: Vec<Floats>,
    kept: Vec<Kept>,
}

impl Passes {
    /// Records training of a network on at most `capacity` rows at a time.
    ///
    /// # Errors
    ///
    /// If a buffer would be larger than the device allows.
    pub(crate) fn record(
        gpu: &Gpu,
        network: &Network,
        stages: &Stages,
        params: &Params,
        config: &TrainConfig,
        capacity: usize,
    ) -> Result<Self, ShapeError> {
        let (outputs, n_trainable) = (network.outputs(), stages.n_trainable);
        let layout = ReportLayout::new(capacity, network.code_size(), &config.sparsity);
        let mut recorder = Recorder::new(gpu, capacity, Floats::of(gpu, params.as_slice()));
        let [input, targets, gradient] =
            [network.inputs(), outputs, outputs].map(|width| recorder.zeros(capacity * width));
        let weights = recorder.zeros(capacity);
        let report = recorder.zeros(layout.len());
        let (d_params, moments) = (recorder.zeros(n_trainable), recorder.zeros(2 * n_trainable));

        let trace = forward(&mut recorder, stages.all(), &input);
        let values = trace.values.last().expect("a network has a layer");
        let losses = LossBuffers { values, targets: &targets, gradient: &gradient, losses: &report };
        loss::evaluate(&mut recorder, &network.output, losses);
        let code = stages.code();
        if network.latent != Latent::Point {
            // A Gaussian's is that of the encoder's output, before the code.
            let penalised = if network.latent == Latent::Gaussian { code - 1 } else { code };
            let to = (&report, layout.penalties());
            let values = &trace.values[penalised];
            crate::latent::penalty(&mut recorder, network.latent, network.code_size(), values, to);
        }
        activity(&mut recorder, network.code_size(), &trace.values[code], (&report, layout.activities()));
        let forward = recorder.program();

        let fields = [("width", outputs.into())];
        recorder.each(&kernel::WEIGH, outputs, &fields, &[&weights, &gradient]);
        let weigh = recorder.program();

        let penalty = CodePenalty { sparsity: config.sparsity, code, report: &report, layout };
        backward(&mut recorder, &trace, gradient, &d_params, &penalty);
        let backward = recorder.program();

        let norm_at = layout.norm();
        let buffers =
            UpdateBuffers { gradient: &d_params, moments: &moments, report: &report, norm_at, len: n_trainable };
        optimiser::update(&mut recorder, &config.optimizer, &buffers);
        let update = recorder.program();
        recorder.check()?;
        let Recorder { batch, ids, params, .. } = recorder;
        Ok(Self {
            forward,
            weigh,
            backward,
            update,
            batch,
            input,
            targets,
            ids,
            weights,
            params,
            moments,
            report,
            layout,
        })
    }
}

fn forward(recorder: &mut Recorder<'_>, stages: Vec<Stage>, input: &Floats) -> Trace {
    let (mut values, mut kept) = (vec![input.clone()], vec![]);
    for (i, stage) in stages.iter().enumerate() {
        let output = recorder.take_rows(stage.outputs);
        let added = stage.added(i).map(|place| values[place].clone());
        kept.push(layer::forward(recorder, Mode::Training, stage, &values[i], added.as_ref(), &output));
        values.push(output);
    }
    Trace { stages, values, kept }
}

/// The penalty on the code's activity, and the value that is the code.
struct CodePenalty<'a> {
    sparsity: Sparsity,
    code: usize,
    report: &'a Floats,
    layout: ReportLayout,
}

/// Records the way back to the first stage with parameters, from the gradient for the output.
fn backward(
    recorder: &mut Recorder<'_>,
    trace: &Trace,
    gradient: Floats,
    d_params: &Floats,
    penalty: &CodePenalty<'_>,
) {
    let first = trace.stages.iter().position(|stage| !stage.trainable.is_empty()).unwrap_or(0);
    // The gradients of skip connections, for the values that they added.
    let mut for_values: Vec<(usize, Floats)> = vec![];
    let mut gradient = gradient;
    for i in (first..trace.stages.len()).rev() {
        let stage = &trace.stages[i];
        if i + 1 == penalty.code {
            sparsify(recorder, penalty, stage.outputs, &trace.values[penalty.code], &gradient);
        }
        for (_, more) in for_values.extract_if(.., |(value, _)| *value == i + 1) {
            let sum = recorder.take_rows(stage.outputs);
            recorder.sum(stage.outputs, &gradient, &more, &sum);
            gradient = sum;
        }
        let back = Back {
            stage,
            input: &trace.values[i],
            output: &trace.values[i + 1],
            gradient: &gradient,
            kept: &trace.kept[i],
            d_params,
            wants_input: i > first,
        };
        let Some(d_input) = layer::backward(recorder, back) else {
            break;
        };
        match stage.added(i) {
            Some(value) => for_values.push((value, gradient)),
            // A gradient that a skip connection still needs is not given back.
            None if for_values.is_empty() => recorder.give(gradient),
            None => {}
        }
        gradient = d_input;
    }
}

/// Records the sum of |code| of every row.
fn activity(recorder: &mut Recorder<'_>, width: usize, code: &Floats, (report, first): (&Floats, usize)) {
    let fields: [(&str, Word); 2] = [("width", width.into()), ("to_first", first.into())];
    recorder.run(&kernel::ACTIVITY, &fields, &[code, report], Grid::Groups(Count::PerRow(1)));
}

/// Adds the gradient of the penalty on the code's activity.
fn sparsify(recorder: &mut Recorder<'_>, penalty: &CodePenalty<'_>, width: usize, code: &Floats, gradient: &Floats) {
    match penalty.sparsity {
        Sparsity::None => {}
        Sparsity::L1 { weight } => {
            let fields: [(&str, Word); 2] = [("width", width.into()), ("weight", weight.into())];
            recorder.each(&kernel::ADD_SIGNS, width, &fields, &[code, gradient]);
        }
        Sparsity::Kl { target, weight } => {
            let fields: [(&str, Word); 4] = [
                ("width", width.into()),
                ("weight", weight.into()),
                ("goal", target.into()),
                ("to_first", penalty.layout.divergences().into()),
            ];
            let slopes = recorder.take(width);
            let units = Grid::Threads(Count::Fixed(width));
            recorder.run(&kernel::DIVERGENCES, &fields, &[code, &slopes, penalty.report], units);
            recorder.each(&kernel::ADD_SLOPES, width, &fields, &[&slopes, gradient]);
            recorder.give(slopes);
        }
    }
}
