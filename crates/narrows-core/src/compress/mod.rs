//! Compression: data is stored as codes and, under an error bound, as codes and residuals.
//!
//! A chunk of rows is encoded; its codes are quantised and entropy-coded with the model's tables. Under a bound every
//! number is mapped to a lattice cell no wider than the bound allows, and the cell index is coded with the decoded
//! value as prediction. The reader repeats the prediction bit for bit: the decoder network uses only operations that
//! IEEE 754 defines exactly, in a fixed order, all entropy coding is integer, and a checksum over the cell indices
//! detects a deviating machine. Words, flags, missing cells and columns unknown to the model are stored losslessly.
//! Columns come back in the types that they had; a lossless file also holds every cell that its restored number is not.
//!
//! Files are containers of `narrows-codec`; `docs/compressed-file.md` describes what is in them.

mod account;
mod chunk;
mod coder;
mod comparison;
mod compressor;
mod counted;
mod decompressor;
mod fidelity;
mod identity;
mod images;
mod kept;
mod manifest;
mod restore;
mod series;
mod stored;
mod summary;
mod table;
mod table_fidelity;
mod verification;

pub use account::{Account, AlteredColumn, CodeTrial, Quantiles};
pub use comparison::CompressionComparison;
pub use compressor::TableCompressor;
pub use decompressor::TableDecompressor;
pub use fidelity::{CodeDetail, ErrorBound, Fidelity};
pub use images::{ImageBaseline, ImageCompressor, ImageDecompressor, ImageVerification};
pub use summary::{CompressionSummary, OriginalSize};
pub use table_fidelity::TableFidelity;
pub use verification::TableVerification;
