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
