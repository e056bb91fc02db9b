//! The backbone axis: how the layers are laid out.

use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::range::{Fraction, lit};

/// How the layers are laid out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Backbone {
    /// Fully connected layers, the decoder mirroring the encoder.
    Dense(Dense),
    /// Convolutions over time or over pixels, each halving the map, down to the code; transposed ones back. For series and
    /// images.
    Conv(Conv),
    /// Recurrent layers that read a series into the code; others write it from the code, repeated at every step.
    Lstm(Lstm),
    /// Convolutions that keep the image's size, with skips past them: no bottleneck, so no code. For restoring images.
    Restore(Restore),
}

impl Backbone {
    /// What it is, in words.
    pub fn describe(&self) -> String {
        match self {
            Backbone::Dense(_) => "fully connected, with a bottleneck".to_owned(),
            Backbone::Conv(_) => "convolutional, with a bottleneck".to_owned(),
            Backbone::Lstm(_) => "recurrent, with a bottleneck".to_owned(),
            Backbone::Restore(restore) => format!(
                "fully convolutional without a bottleneck: {} residual blocks of {} channels; the output leans on the input",
                restore.blocks, restore.channels
            ),
        }
    }

    /// Values of each place of the code, where the code is a map; places of a channel are alike.
    pub fn code_channels(&self) -> Option<usize> {
        match self {
            Backbone::Conv(Conv { code: ConvCode::Map { channels }, .. }) => Some(*channels),
            Backbone::Conv(_) | Backbone::Dense(_) | Backbone::Lstm(_) | Backbone::Restore(_) => None,
        }
    }

    /// Points of a window that its layers read at once, where they step through time and can step past what is absent.
    pub fn points_at_once(&self, window: usize) -> Option<usize> {
        match self {
            Backbone::Dense(_) | Backbone::Conv(_) | Backbone::Restore(_) => None,
            Backbone::Lstm(lstm) => Some(lstm.points_at_once(window)),
        }
    }
}

impl Default for Backbone {
    fn default() -> Self {
        Backbone::Dense(Dense::default())
    }
}

/// A fully connected encoder, a code, and the mirrored decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dense {
    /// Width of the code. Auto: the square root of the input width, rounded up, always narrower than the input.
    pub code_size: Choice<usize>,
    /// Hidden layers between input and code, on each side. Auto: as many as `nodes` lists, else 2.
    pub layers: Choice<usize>,
    /// Width of each hidden layer from the input to the code. Auto: tapering geometrically.
    pub nodes: Choice<Vec<usize>>,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Activation of the code. Auto: sigmoid under `kl` sparsity, relu under `l1`, else none.
    pub code_activation: Choice<Activation>,
    /// Normalisation after each hidden layer.
    pub norm: Norm,
    /// Share of hidden units silenced at random while training.
    pub dropout: Fraction,
}

impl Default for Dense {
    fn default() -> Self {
        Dense {
            code_size: Choice::Auto,
            layers: Choice::Auto,
            nodes: Choice::Auto,
            activation: Activation::Relu,
            code_activation: Choice::Auto,
            norm: Norm::None,
            dropout: lit!(Fraction, 0.0),
        }
    }
}

/// Convolutions, a code, and the mirrored decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conv {
    /// What the code is: a vector that a dense layer makes, or a small map.
    pub code: ConvCode,
    /// Width of a vector code. Auto: a twelfth of the input, from 8 to 128, always narrower than the input.
    pub code_size: Choice<usize>,
    /// Channels of each convolution from the input to the code; each halves the length, or height and width.
    pub channels: Vec<usize>,
    /// Steps that a convolution sees, or pixels each way; odd.
    pub kernel: usize,
    /// Activation of the convolutions.
    pub activation: Activation,
    /// Activation of the code. Auto: sigmoid under `kl` sparsity, relu under `l1`, else none.
    pub code_activation: Choice<Activation>,
    /// Normalisation of each channel after a convolution, over the batch and its steps or pixels.
    pub norm: ConvNorm,
}

impl Default for Conv {
    fn default() -> Self {
        Conv {
            code: ConvCode::Vector,
            code_size: Choice::Auto,
            channels: vec![32, 64],
            kernel: 7,
            activation: Activation::Relu,
            code_activation: Choice::Auto,
            norm: ConvNorm::None,
        }
    }
}

/// What the code of a convolutional backbone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConvCode {
    /// A vector: a dense layer has seen the whole map.
    #[default]
    Vector,
    /// As high and wide as the smallest map: each place knows its surroundings only.
    Map {
        /// Values of each place.
        #[serde(default = "few_channels")]
        channels: usize,
    },
}

fn few_channels() -> usize {
    8
}

/// A fully convolutional network that learns what to add to a damaged image (Zhang et al. 2017), from a map of half its
/// height and width (Zhang et al. 2018), in residual blocks (He et al. 2016; Lim et al. 2017). It reads images of any
/// size; its output leans on its input, so it has no code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Restore {
    /// Channels of each convolution.
    pub channels: usize,
    /// Residual blocks, of two convolutions each.
    pub blocks: usize,
    /// Pixels that a convolution sees each way; odd.
    pub kernel: usize,
    /// Side of the pieces of images that train it, in pixels; a multiple of 4.
    pub patch: usize,
}

impl Default for Restore {
    fn default() -> Self {
        Restore { channels: 48, blocks: 5, kernel: 3, patch: 48 }
    }
}

/// Normalisation of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConvNorm {
    /// None.
    None,
    /// Over the rows of a batch and their steps (Ioffe and Szegedy 2015).
    Batch,
}

/// A recurrent encoder (Hochreiter and Schmidhuber 1997), a code, and the mirrored recurrent decoder (Srivastava et al.
/// 2015).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lstm {
    /// Width of the code. Auto: a quarter of the last recurrent layer, always narrower than the input.
    pub code_size: Choice<usize>,
    /// Units of each recurrent layer from the input to the code; the decoder has the same in reverse.
    pub nodes: Vec<usize>,
    /// Points that a recurrent layer reads, and writes, at once; a divisor of the window. Fewer steps are learnt faster:
    /// an error has a shorter way back. Auto: the greatest divisor that leaves at least 16 steps.
    pub points: Choice<usize>,
    /// Which way the encoder reads.
    pub direction: LstmDirection,
    /// Activation of the code. Auto: sigmoid under `kl` sparsity, relu under `l1`, else none.
    pub code_activation: Choice<Activation>,
}

/// Recurrent steps that are left at least where the program chooses.
const FEWEST_STEPS: usize = 16;

impl Lstm {
    /// Points of a window that are read at once.
    pub fn points_at_once(&self, window: usize) -> usize {
        let divides = |points: &usize| window.is_multiple_of(*points);
        self.points.or_else(|| (1..=window / FEWEST_STEPS).rev().find(divides).unwrap_or(1))
    }
}

impl Default for Lstm {
    fn default() -> Self {
        Lstm {
            code_size: Choice::Auto,
            nodes: vec![128],
            points: Choice::Auto,
            direction: LstmDirection::Forward,
            code_activation: Choice::Auto,
        }
    }
}

/// Which way a recurrent encoder reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LstmDirection {
    /// From the first point to the last.
    Forward,
    /// Both ways, with twice the parameters.
    Bidirectional,
}

/// An elementwise non-linearity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x
    Identity,
    /// max(0, x)
    Relu,
    /// x above 0, 0.01 x below
    LeakyRelu,
    /// x above 0, e^x - 1 below
    Elu,
    /// x times the normal distribution function of x
    Gelu,
    /// x times the logistic function of x
    Silu,
    /// hyperbolic tangent
    Tanh,
    /// logistic function
    Sigmoid,
}

impl From<Activation> for narrows_engine::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Identity => Self::Identity,
            Activation::Relu => Self::Relu,
            Activation::LeakyRelu => Self::LeakyRelu,
            Activation::Elu => Self::Elu,
            Activation::Gelu => Self::Gelu,
            Activation::Silu => Self::Silu,
            Activation::Tanh => Self::Tanh,
            Activation::Sigmoid => Self::Sigmoid,
        }
    }
}

/// Normalisation after a hidden layer, before its activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// None.
    None,
    /// Over the rows of a batch (Ioffe and Szegedy 2015).
    Batch,
    /// Over the units of a row (Ba, Kiros and Hinton 2016).
    Layer,
}
