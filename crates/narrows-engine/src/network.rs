//! An autoencoder as data: encoder, latent, decoder, output.
//!
//! It computes nothing: an [`Executor`](crate::Executor) reads a network and its parameters, and computes.

use std::fmt;

use crate::error::ShapeError;
use crate::latent::Latent;
use crate::layer::Layer;
use crate::loss::Output;
use crate::params::{ParamKind, Params, Spec};
use crate::rng::{Purpose, Stream};

/// Encoder | latent | decoder | output, checked to fit together.
///
/// Build one with [`Network::new`]; the fields are public to be read and saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// From the input to the code (or to mean and log-variance).
    pub encoder: Vec<Layer>,
    /// The kind of code.
    pub latent: Latent,
    /// From the code to pre-activations.
    pub decoder: Vec<Layer>,
    /// The links and losses of the pre-activations.
    pub output: Output,
}

/// (inputs, outputs) of a list of layers, each checked against the one before.
fn check_layers(part: &str, layers: &[Layer]) -> Result<(usize, usize), ShapeError> {
    let mut widths: Option<(usize, usize)> = None;
    let mut so_far: Vec<Option<usize>> = Vec::with_capacity(layers.len());
    for (i, layer) in layers.iter().enumerate() {
        let place = || format!("{part}.{i} {layer}");
        if let Layer::Add(add) = layer {
            if add.back < 2 || add.back > i {
                let expected = format!("2 to {i} layers back, within its part");
                return Err(ShapeError::new(place(), expected, add.back));
            }
            let from = i - add.back;
            if so_far[from] != so_far[i - 1] {
                let words = |width: Option<usize>| width.map_or("any".to_owned(), |width| width.to_string());
                let expected = format!("{} values, as many as its input has", words(so_far[i - 1]));
                let got = format!("{} values of {part}.{from} {}", words(so_far[from]), layers[from]);
                return Err(ShapeError::new(place(), expected, got));
            }
        }
        if let Some((inputs, outputs)) = layer.widths() {
            if inputs == 0 || outputs == 0 {
                return Err(ShapeError::new(place(), "widths of at least 1", 0));
            }
            if let Some((_, before)) = widths
                && before != inputs
            {
                let expected = format!("{before} inputs, the width of the layer before");
                return Err(ShapeError::new(place(), expected, format!("{inputs} inputs")));
            }
            widths = Some((widths.map_or(inputs, |(first, _)| first), outputs));
        }
        if let Some((expected, got)) = layer.ops().out_of_range() {
            return Err(ShapeError::new(place(), expected, got));
        }
        so_far.push(widths.map(|(_, outputs)| outputs));
    }
    widths.ok_or_else(|| ShapeError::new(part, "a layer that states its width", "none"))
}

impl Network {
    /// Puts the parts together.
    ///
    /// # Errors
    ///
    /// If a width does not fit its neighbour's, a setting is out of range, or the output's groups do
    /// not tile the decoder's columns; the message names the layer, what was expected and what was got.
    pub fn new(encoder: Vec<Layer>, latent: Latent, decoder: Vec<Layer>, output: Output) -> Result<Self, ShapeError> {
        let network = Self { encoder, latent, decoder, output };
        network.check()?;
        Ok(network)
    }

    /// Checks that the parts fit together, for a network whose fields were set by hand.
    ///
    /// # Errors
    ///
    /// As [`Network::new`].
    pub fn check(&self) -> Result<(), ShapeError> {
        let (_, encoded) = check_layers("encoder", &self.encoder)?;
        let (decoded, outputs) = check_layers("decoder", &self.decoder)?;
        let code_size = match self.latent {
            Latent::Point | Latent::Quantised => encoded,
            Latent::Gaussian if encoded.is_multiple_of(2) => encoded / 2,
            Latent::Gaussian => {
                let expected = "an even width, mean and log-variance of the code";
                return Err(ShapeError::new("encoder", expected, encoded));
            }
        };
        if decoded != code_size {
            let expected = format!("{code_size} inputs, the code size");
            return Err(ShapeError::new("decoder", expected, format!("{decoded} inputs")));
        }
        self.output.check(outputs)
    }

    /// Width of the input.
    pub fn inputs(&self) -> usize {
        self.encoder.iter().find_map(Layer::widths).map_or(0, |(inputs, _)| inputs)
    }

    /// Width of the code.
    pub fn code_size(&self) -> usize {
        self.decoder.iter().find_map(Layer::widths).map_or(0, |(inputs, _)| inputs)
    }

    /// Width of the output.
    pub fn outputs(&self) -> usize {
        self.decoder.iter().rev().find_map(Layer::widths).map_or(0, |(_, outputs)| outputs)
    }

    /// Number of trainable parameters.
    pub fn n_params(&self) -> usize {
        self.specs()
            .iter()
            .filter(|spec| spec.kind == ParamKind::Trainable)
            .map(Spec::len)
            .fold(0, usize::saturating_add)
    }

    /// Multiply-adds of a row's way through the products of the layers: what its forward pass costs, about.
    pub fn multiply_adds(&self) -> usize {
        self.layers().map(|(_, _, layer)| layer.multiply_adds()).fold(0, usize::saturating_add)
    }

    /// ("encoder", 0, layer), ("encoder", 1, layer), ... ("decoder", 0, layer), ...
    fn layers(&self) -> impl Iterator<Item = (&'static str, usize, &Layer)> {
        let encoder = self.encoder.iter().enumerate().map(|(i, layer)| ("encoder", i, layer));
        let decoder = self.decoder.iter().enumerate().map(|(i, layer)| ("decoder", i, layer));
        encoder.chain(decoder)
    }

    /// The entries of the arena: all trainables, then all buffers.
    pub(crate) fn specs(&self) -> Vec<Spec> {
        let mut specs: Vec<Spec> = Vec::new();
        let mut first = 0;
        for kind in [ParamKind::Trainable, ParamKind::Buffer] {
            for (part, i, layer) in self.layers() {
                for (name, shape) in layer.entries(kind) {
                    let spec = Spec { name: format!("{part}.{i}.{name}"), shape, kind, first };
                    first += spec.len();
                    specs.push(spec);
                }
            }
        }
        specs
    }

    /// Initial parameters; the same seed gives the same bits.
    pub fn init(&self, seed: u64) -> Params {
        let specs = self.specs();
        let mut data = vec![0.0; specs.iter().map(Spec::len).sum()];
        let mut rest = data.as_mut_slice();
        let mut n_entries = 0;
        for kind in [ParamKind::Trainable, ParamKind::Buffer] {
            for (_, _, layer) in self.layers() {
                let (values, tail) = rest.split_at_mut(layer.len(kind));
                let stream = |i| Stream::new(seed, Purpose::Init, 0, (n_entries + i) as u64);
                if let Some(params) = layer.ops().params() {
                    params.init(kind, values, &stream);
                }
                rest = tail;
                n_entries += layer.entries(kind).len();
            }
        }
        Params::new(specs, data)
    }

    /// Checks that `params` belong to this network.
    ///
    /// # Errors
    ///
    /// If an entry differs in name, shape or kind, or there are more or fewer.
    pub fn check_params(&self, params: &Params) -> Result<(), ShapeError> {
        let specs = self.specs();
        for (want, got) in specs.iter().zip(params.specs()) {
            if want != got {
                let expected = format!("{} {:?}", want.name, want.shape);
                return Err(ShapeError::new("params", expected, format!("{} {:?}", got.name, got.shape)));
            }
        }
        if specs.len() != params.specs().len() {
            let expected = format!("{} entries", specs.len());
            return Err(ShapeError::new("params", expected, params.specs().len()));
        }
        Ok(())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |layers: &[Layer]| layers.iter().map(Layer::to_string).collect::<Vec<_>>().join(", ");
        write!(
            f,
            "encoder [{}] | {:?} {} | decoder [{}] | output [{}], {} parameters",
            list(&self.encoder),
            self.latent,
            self.code_size(),
            list(&self.decoder),
            self.output,
            self.n_params()
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn message(encoder: Vec<Layer>, latent: Latent, decoder: Vec<Layer>) -> String {
        let output = Output::single(4, Loss::Mse);
        Network::new(encoder, latent, decoder, output).unwrap_err().to_string()
    }

    #[test]
    fn it_prints_itself_and_counts_its_parameters() {
        let network = Network::new(
            vec![Layer::dense(20, 8), Layer::Activation(Activation::Relu), Layer::dense(8, 4)],
            Latent::Gaussian,
            vec![Layer::dense(2, 20)],
            Output::single(20, Loss::Bce),
        )
        .unwrap();
        assert_eq!(
            network.to_string(),
            "encoder [Dense(20 -> 8), Relu, Dense(8 -> 4)] | Gaussian 2 | decoder [Dense(2 -> 20)] \
             | output [Bce(0..20)], 264 parameters"
        );
        assert_eq!((network.inputs(), network.code_size(), network.outputs()), (20, 2, 20));
        assert_eq!(network.multiply_adds(), 20 * 8 + 8 * 4 + 2 * 20);
        assert_eq!(network.init(3), network.init(3));
        assert_ne!(network.init(3), network.init(4));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let dense = Layer::dense;
        assert_eq!(
            message(vec![dense(4, 8), dense(6, 2)], Latent::Point, vec![dense(2, 4)]),
            "`encoder.1 Dense(6 -> 2)`: expected 8 inputs, the width of the layer before, got 6 inputs"
        );
        let checks = [
            (message(vec![], Latent::Point, vec![dense(2, 4)]), "a layer that states its width"),
            (message(vec![dense(4, 3)], Latent::Gaussian, vec![dense(2, 4)]), "an even width"),
            (message(vec![dense(4, 3)], Latent::Point, vec![dense(2, 4)]), "3 inputs, the code size"),
            (message(vec![dense(4, 2)], Latent::Point, vec![dense(2, 5)]), "groups over 5 columns"),
            (message(vec![dense(0, 2)], Latent::Point, vec![dense(2, 4)]), "at least 1"),
            (
                message(vec![Layer::Dropout(Dropout { rate: 1.0 }), dense(4, 2)], Latent::Point, vec![dense(2, 4)]),
                "a rate in [0, 1)",
            ),
            (
                message(
                    vec![dense(4, 2), Layer::LayerNorm(LayerNorm { features: 2, eps: 0.0 })],
                    Latent::Point,
                    vec![dense(2, 4)],
                ),
                "eps above 0",
            ),
            (
                message(
                    vec![dense(4, 2), Layer::BatchNorm(BatchNorm { features: 2, eps: 1e-5, momentum: 2.0 })],
                    Latent::Point,
                    vec![dense(2, 4)],
                ),
                "momentum in [0, 1]",
            ),
        ];
        for (message, part) in checks {
            assert!(message.contains(part), "{message}");
        }
    }
}
