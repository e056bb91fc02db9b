//! A network as a list of stages, each with its places among the parameters.
//!
//! Value 0 is the input, value i + 1 the output of stage i.

use std::ops::Range;

use narrows_engine::{Latent, Layer, Network, ParamKind, ShapeError};

/// What a stage computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Work {
    Layer(Layer),
    /// Draws the code from the encoder's output; only in training.
    Draw(Latent),
}

impl Stage {
    /// The value that stage `i` of a list adds: values are numbered from the list's input on.
    pub(crate) fn added(&self, i: usize) -> Option<usize> {
        self.back.map(|back| i + 1 - back)
    }
}

/// One step of the way from input to output.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub work: Work,
    pub inputs: usize,
    pub outputs: usize,
    /// Its trainable parameters.
    pub trainable: Range<usize>,
    /// The first of its running statistics.
    pub running: usize,
    /// The first block of its random numbers.
    pub first_block: usize,
    /// Of a skip connection: so many stages back came out the value that it adds.
    pub back: Option<usize>,
}

/// All stages of a network.
#[derive(Debug, Clone)]
pub(crate) struct Stages {
    /// From the input to the encoder's output.
    pub encoder: Vec<Stage>,
    /// How the code is drawn, if it is.
    pub draw: Option<Stage>,
    /// From the code to pre-activations.
    pub decoder: Vec<Stage>,
    /// Trainable parameters.
    pub n_trainable: usize,
}

impl Stages {
    /// # Errors
    ///
    /// If there is no kernel for a layer.
    pub(crate) fn new(network: &Network) -> Result<Self, ShapeError> {
        let layers = || network.encoder.iter().chain(&network.decoder);
        let n_trainable = layers().map(|layer| layer.len(ParamKind::Trainable)).sum();
        let mut places = Places { trainable: 0, running: n_trainable, block: 0, width: network.inputs() };
        let encoder = places.stages("encoder", &network.encoder)?;
        let code_size = network.code_size();
        let draw = (network.latent != Latent::Point).then_some(Stage {
            work: Work::Draw(network.latent),
            inputs: places.width,
            outputs: code_size,
            trainable: places.trainable..places.trainable,
            running: places.running,
            first_block: places.block,
            back: None,
        });
        places.width = code_size;
        let decoder = places.stages("decoder", &network.decoder)?;
        Ok(Self { encoder, draw, decoder, n_trainable })
    }

    /// Those of training, in their order.
    pub(crate) fn all(&self) -> Vec<Stage> {
        self.encoder.iter().chain(&self.draw).chain(&self.decoder).cloned().collect()
    }

    /// The value that is the code, in training.
    pub(crate) fn code(&self) -> usize {
        self.encoder.len() + usize::from(self.draw.is_some())
    }

    /// The widest value.
    pub(crate) fn widest(&self) -> usize {
        self.encoder.iter().chain(&self.decoder).map(|stage| stage.inputs.max(stage.outputs)).max().unwrap_or(1)
    }
}

/// Where the next stage begins.
struct Places {
    trainable: usize,
    running: usize,
    block: usize,
    width: usize,
}

impl Places {
    fn stages(&mut self, part: &str, layers: &[Layer]) -> Result<Vec<Stage>, ShapeError> {
        let each = |(i, layer): (usize, &Layer)| {
            if let Layer::Lapped(_) | Layer::Rounding(_) = layer {
                let expected = "a layer that has a kernel for graphics processors";
                let place = format!("{part}.{i} {layer}");
                let got = "one that only the CPU computes, where its bits are the same on every machine".to_owned();
                return Err(ShapeError { layer: place, expected: expected.to_owned(), got });
            }
            let outputs = layer.widths().map_or(self.width, |(_, outputs)| outputs);
            let trainable = self.trainable..self.trainable + layer.len(ParamKind::Trainable);
            let stage = Stage {
                work: Work::Layer(*layer),
                inputs: self.width,
                outputs,
                trainable: trainable.clone(),
                running: self.running,
                first_block: self.block,
                back: if let Layer::Add(add) = layer { Some(add.back) } else { None },
            };
            self.trainable = trainable.end;
            self.running += layer.len(ParamKind::Buffer);
            self.block += layer.random_blocks(self.width) as usize;
            self.width = outputs;
            Ok(stage)
        };
        layers.iter().enumerate().map(each).collect()
    }
}
