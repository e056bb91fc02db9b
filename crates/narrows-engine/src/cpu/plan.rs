//! The order of work: a network's layers as one list of stages, each with its places in the arenas.
//!
//! Training and inference both walk this list. Value 0 is the input, value i + 1 the output of stage i.

use std::ops::Range;

use crate::kernels::threads::Threads;
use crate::latent::Draw;
use crate::layer::{Activation, Layer, WeightPacking};
use crate::network::Network;
use crate::params::ParamKind;

/// The operation of a stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Op {
    Layer(Layer),
    /// Draws the code from the encoder's output.
    Sample(Draw),
}

/// One step of the way from input to output.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub op: Op,
    pub inputs: usize,
    pub outputs: usize,
    /// Trainable values in the parameter arena.
    pub trainable: Range<usize>,
    /// Running statistics in the parameter arena.
    pub buffers: Range<usize>,
    /// Packed weights in the packing arena.
    pub packed: Range<usize>,
    /// First random block of a layer that draws, so that the layers of a network differ.
    pub random_block: u32,
    /// The activation that this stage is, if its output overwrites its input, because no backward needs
    /// that again.
    pub in_place: Option<Activation>,
    /// The value that this stage adds.
    pub adds: Option<Kept>,
    /// Where this stage's output is kept for a later stage to add.
    pub keeps: Option<usize>,
}

/// A value that is kept for a later stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its number among the values.
    pub value: usize,
    /// Its place in a row of the kept values, where values do not last until the end.
    pub place: usize,
}

/// All stages of a network.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub stages: Vec<Stage>,
    /// The value that is the code: the decoder begins with the stage of this number.
    pub code: usize,
    /// Length of the trainable prefix of the parameter arena.
    pub n_trainable: usize,
    /// Length of the packing arena.
    pub n_packed: usize,
    /// The widest value.
    pub max_width: usize,
    /// Width of all kept values together.
    pub kept_width: usize,
}

impl Plan {
    pub(crate) fn new(network: &Network) -> Self {
        let n_trainable =
            network.encoder.iter().chain(&network.decoder).map(|layer| layer.len(ParamKind::Trainable)).sum();
        let max_width = network.inputs();
        let mut plan = Self { stages: vec![], code: 0, n_trainable, n_packed: 0, max_width, kept_width: 0 };
        let (mut trainable, mut buffer, mut block) = (0, n_trainable, 0);
        let mut width = network.inputs();
        for (layers, is_decoder) in [(&network.encoder, false), (&network.decoder, true)] {
            for (i, layer) in layers.iter().enumerate() {
                let outputs = layer.widths().map_or(width, |(_, outputs)| outputs);
                // The code is kept for the sparsity penalty, so no stage may overwrite it.
                let overwritable = plan.stages.len() > plan.code
                    && plan.stages.last().is_some_and(|stage| match &stage.op {
                        _ if stage.keeps.is_some() => false,
                        Op::Layer(layer) => !layer.ops().backward_reads_output(),
                        Op::Sample(_) => false,
                    });
                let is_added = |(j, later): (usize, &Layer)| matches!(later, Layer::Add(add) if j == i + add.back);
                let keeps = layers.iter().enumerate().any(is_added).then_some(plan.kept_width);
                plan.kept_width += keeps.map_or(0, |_| outputs);
                let adds = match layer {
                    Layer::Add(add) => {
                        let from = plan.stages.len() - add.back;
                        let place = plan.stages[from].keeps.expect("what is added is kept");
                        Some(Kept { value: from + 1, place })
                    }
                    _ => None,
                };
                let packed_len = layer.packing().map_or(0, WeightPacking::packed_len);
                let stage = Stage {
                    op: Op::Layer(*layer),
                    inputs: width,
                    outputs,
                    trainable: trainable..trainable + layer.len(ParamKind::Trainable),
                    buffers: buffer..buffer + layer.len(ParamKind::Buffer),
                    packed: plan.n_packed..plan.n_packed + packed_len,
                    random_block: block,
                    in_place: layer.overwrites().filter(|_| overwritable),
                    adds,
                    keeps,
                };
                trainable = stage.trainable.end;
                buffer = stage.buffers.end;
                plan.n_packed = stage.packed.end;
                block += layer.random_blocks(width);
                width = outputs;
                plan.max_width = plan.max_width.max(width);
                plan.stages.push(stage);
            }
            if is_decoder {
                continue;
            }
            if let Some(draw) = network.latent.draw(width) {
                let code_size = draw.code_size();
                plan.stages.push(Stage {
                    op: Op::Sample(draw),
                    inputs: width,
                    outputs: code_size,
                    trainable: trainable..trainable,
                    buffers: buffer..buffer,
                    packed: plan.n_packed..plan.n_packed,
                    random_block: block,
                    in_place: None,
                    adds: None,
                    keeps: None,
                });
                width = code_size;
            }
            plan.code = plan.stages.len();
        }
        plan
    }

    /// Width of the input.
    pub(crate) fn inputs(&self) -> usize {
        self.stages[0].inputs
    }

    /// Width of the code.
    pub(crate) fn code_size(&self) -> usize {
        self.stages[self.code].inputs
    }

    /// Width of the output.
    pub(crate) fn outputs(&self) -> usize {
        self.stages[self.stages.len() - 1].outputs
    }

    /// The stages from the input to the encoder's output, without the sampling.
    pub(crate) fn encoder(&self) -> &[Stage] {
        let last_is_sample = matches!(self.stages[self.code - 1].op, Op::Sample(_));
        &self.stages[..self.code - usize::from(last_is_sample)]
    }

    /// The stages from the code to the output.
    pub(crate) fn decoder(&self) -> &[Stage] {
        &self.stages[self.code..]
    }

    /// The first stage with trainable parameters: no gradient is needed before it.
    pub(crate) fn first_trainable(&self) -> usize {
        self.stages.iter().position(|stage| !stage.trainable.is_empty()).unwrap_or(0)
    }
}

/// Packs the weights of the stages for the forward pass.
pub(crate) fn pack(stages: &[Stage], params: &[f32], packed: &mut [f32], threads: &Threads) {
    for stage in stages {
        if let Op::Layer(layer) = &stage.op
            && let Some(packing) = layer.packing()
        {
            packing.pack(&params[stage.trainable.clone()], &mut packed[stage.packed.clone()], threads);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    #[test]
    fn places_agree_with_the_names() {
        let network = Network::new(
            vec![
                Layer::dense(4, 6),
                Layer::BatchNorm(BatchNorm { features: 6, eps: 1e-5, momentum: 0.1 }),
                Layer::Activation(Activation::Relu),
                Layer::dense(6, 2),
                Layer::Activation(Activation::Sigmoid),
            ],
            Latent::Gaussian,
            vec![Layer::Activation(Activation::Tanh), Layer::dense(1, 4)],
            Output::single(4, Loss::Mse),
        )
        .unwrap();
        let params = network.init(0);
        let plan = Plan::new(&network);
        assert_eq!(plan.n_trainable, network.n_params());
        assert_eq!(plan.code, 6);
        assert_eq!(plan.encoder().len(), 5);
        assert_eq!(plan.decoder().len(), 2);
        let norm = &plan.stages[1];
        assert_eq!(&params.as_slice()[norm.buffers.clone()][6..], [1.0; 6]);
        let last = plan.stages.last().unwrap();
        let weight = &params.as_slice()[last.trainable.clone()][..4];
        assert_eq!(Some(weight), params.get("decoder.1.weight"));
        let in_place: Vec<bool> = plan.stages.iter().map(|stage| stage.in_place.is_some()).collect();
        assert_eq!(in_place, [false, false, true, false, true, false, false, false]);
    }
}
