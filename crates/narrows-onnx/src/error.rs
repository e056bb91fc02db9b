//! Why a graph cannot be written.

use narrows_engine::ShapeError;

/// Why a graph cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// ONNX has no operation for it, or none that computes the same.
    #[error("{what} has no counterpart in ONNX")]
    Unsupported {
        /// The layer or the part of a model.
        what: String,
    },
    /// A network is not valid, or its parameters are another network's.
    #[error(transparent)]
    Network(#[from] ShapeError),
    /// The format is a single message of at most 2 GiB.
    #[error("expected an ONNX file of less than 2 GiB, got {bytes} bytes")]
    TooLarge {
        /// What the file would have.
        bytes: usize,
    },
}
