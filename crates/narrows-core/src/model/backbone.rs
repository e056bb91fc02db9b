//! The backbone axis: the layer architecture.

use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::codec::blocks;
use crate::range::{Fraction, lit};

/// The layer architecture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Backbone {
    /// Fully connected layers, the decoder mirroring the encoder.
    Dense(Dense),
    /// Strided convolutions over time or pixels down to the code; transposed ones in the decoder. For series and
    /// images.
    Conv(Conv),
    /// Recurrent layers that encode a series; the decoder's recurrent layers read the code, repeated at every step.
    Lstm(Lstm),
    /// An orthonormal transform of overlapping blocks of pixels as the encoder; its inverse and a restoring network as the
    /// decoder. For the compression of photographs.
    Lapped(Lapped),
    /// Convolutions at constant image size with skip connections: no bottleneck and no code. For restoring images.
    Restore(Restore),
}

impl Backbone {
    /// Description.
    pub fn describe(&self) -> String {
        match self {
            Backbone::Dense(_) => "fully connected, with a bottleneck".to_owned(),
            Backbone::Conv(_) => "convolutional, with a bottleneck".to_owned(),
            Backbone::Lstm(_) => "recurrent, with a bottleneck".to_owned(),
            Backbone::Lapped(lapped) => format!(
                "a transform of overlapping blocks, and its inverse restored by {} residual blocks of {} channels",
                lapped.blocks, lapped.channels
            ),
            Backbone::Restore(restore) => format!(
                "fully convolutional without a bottleneck: {} residual blocks of {} channels; the output is the input plus a predicted residual",
                restore.blocks, restore.channels
            ),
        }
    }

    /// Channels of the code, if it is a map; positions of a channel share statistics.
    pub fn code_channels(&self) -> Option<usize> {
        match self {
            Backbone::Conv(Conv { code: ConvCode::Map { channels }, .. }) => Some(*channels),
            // Of each colour.
            Backbone::Lapped(_) => Some(blocks::SIDE * blocks::SIDE),
            Backbone::Conv(_) | Backbone::Dense(_) | Backbone::Lstm(_) | Backbone::Restore(_) => None,
        }
    }

    /// Points per recurrent step, for backbones that step through time and can skip absent steps.
    pub fn points_at_once(&self, window: usize) -> Option<usize> {
        match self {
            Backbone::Dense(_) | Backbone::Conv(_) | Backbone::Lapped(_) | Backbone::Restore(_) => None,
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
    /// Code size. Auto: the square root of the input width, rounded up, always smaller than the input.
    pub code_size: Choice<usize>,
    /// Hidden layers between input and code, on each side. Auto: as many as `nodes` lists, else 2.
    pub layers: Choice<usize>,
    /// Width of each hidden layer from the input to the code. Auto: tapering geometrically.
    pub nodes: Choice<Vec<usize>>,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Activation of the code. Auto: sigmoid with `kl` sparsity, relu with `l1`, else none.
    pub code_activation: Choice<Activation>,
    /// Normalisation after each hidden layer.
    pub norm: Norm,
    /// Dropout rate of hidden units in training.
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
    /// Form of the code: a vector from a dense layer, or a small map.
    pub code: ConvCode,
    /// Size of a vector code. Auto: a twelfth of the input, from 8 to 128, always smaller than the input.
    pub code_size: Choice<usize>,
    /// Channels of each convolution from the input to the code; each halves the length, or height and width.
    pub channels: Vec<usize>,
    /// Kernel size in steps, or pixels in each direction; odd.
    pub kernel: usize,
    /// Activation of the convolutions.
    pub activation: Activation,
    /// Activation of the code. Auto: sigmoid with `kl` sparsity, relu with `l1`, else none.
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

/// Form of the code of a convolutional backbone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConvCode {
    /// A vector from a dense layer over the whole map.
    #[default]
    Vector,
    /// A map with the height and width of the smallest feature map: each position depends on its surroundings only.
    Map {
        /// Channels of the code.
        #[serde(default = "few_channels")]
        channels: usize,
    },
}

fn few_channels() -> usize {
    8
}

/// A fully convolutional network that predicts the residual of a corrupted image (Zhang et al. 2017) from a map of half
/// its height and width (Zhang et al. 2018), in residual blocks (He et al. 2016; Lim et al. 2017). It accepts images of
/// any size and has no code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Restore {
    /// Channels of each convolution.
    pub channels: usize,
    /// Residual blocks, of two convolutions each.
    pub blocks: usize,
    /// Kernel size in pixels in each direction; odd.
    pub kernel: usize,
    /// Side of the training patches in pixels; a multiple of 4.
    pub patch: usize,
}

impl Default for Restore {
    fn default() -> Self {
        Restore { channels: 48, blocks: 5, kernel: 3, patch: 48 }
    }
}

/// The lapped cosine transform of blocks of 8 x 8 pixels (Tran, Liang and Tu 2003) as the code, whose decoder ends in a
/// residual network like that of [`Restore`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lapped {
    /// Channels of each convolution of the decoder.
    pub channels: usize,
    /// Residual blocks of the decoder, of two convolutions each.
    pub blocks: usize,
    /// Kernel size in pixels in each direction; odd.
    pub kernel: usize,
}

impl Default for Lapped {
    fn default() -> Self {
        Lapped { channels: 32, blocks: 3, kernel: 3 }
    }
}

impl Lapped {
    /// The network after the transform.
    pub(crate) fn restore(&self) -> Restore {
        Restore { channels: self.channels, blocks: self.blocks, kernel: self.kernel, ..Restore::default() }
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
    /// Code size. Auto: a quarter of the last recurrent layer, always smaller than the input.
    pub code_size: Choice<usize>,
    /// Units of each recurrent layer from the input to the code; the decoder has the same in reverse.
    pub nodes: Vec<usize>,
    /// Points per recurrent step; a divisor of the window. Fewer steps train faster, as gradients pass fewer steps. Auto:
    /// the greatest divisor that leaves at least 16 steps.
    pub points: Choice<usize>,
    /// Direction of the encoder.
    pub direction: LstmDirection,
    /// Activation of the code. Auto: sigmoid with `kl` sparsity, relu with `l1`, else none.
    pub code_activation: Choice<Activation>,
}

/// Minimum number of recurrent steps with automatic `points`.
const FEWEST_STEPS: usize = 16;

impl Lstm {
    /// Points per recurrent step.
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

/// Direction of a recurrent encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LstmDirection {
    /// From the first point to the last.
    Forward,
    /// Both directions, with twice the parameters.
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
