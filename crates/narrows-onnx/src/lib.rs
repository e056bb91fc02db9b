//! ONNX files of Narrows' models: the messages of the format, a graph builder, and networks as nodes.
//!
//! A [`Graph`] takes inputs, constants and operations of the default operator set, and gives a [`Value`] for each;
//! [`Graph::encode`] makes the bytes of a file. [`network`] adds an encoder or a decoder of the engine.
//!
//! ```
//! use narrows_onnx::{Dim, Element, Graph, OperatorSet};
//!
//! let mut graph = Graph::new("twice", OperatorSet::V17);
//! let x = graph.input("x", Element::Float, &[Dim::BATCH, Dim::Fixed(3)]);
//! let two = graph.float(2.0);
//! let y = graph.mul(x, two);
//! graph.output("y", y, Element::Float, &[Dim::BATCH, Dim::Fixed(3)]);
//! assert!(graph.encode(&[("made_by", "this example")])?.len() > 50);
//! # Ok::<(), narrows_onnx::OnnxError>(())
//! ```

#![forbid(unsafe_code)]

mod arithmetic;
mod constant;
#[doc(hidden)]
pub mod contract;
mod error;
mod graph;
mod layer;
mod link;
mod message;
pub mod network;
mod samples;

pub use arithmetic::Reduction;
pub use error::OnnxError;
pub use graph::{Attribute, Dim, Element, Graph, OperatorSet, Value};
pub use samples::Samples;
