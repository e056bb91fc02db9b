//! The code as a product: data stored as codes, and where a bound is asked for as codes and what they leave over.
//!
//! A chunk of rows goes through the encoder; its codes are rounded and entropy-coded with the model's tables. Under a
//! bound every number becomes the place of a cell no further off than the bound, and the places are coded with what the
//! decoder makes of the rounded codes as a guess. Who reads the file repeats the guess: the decoder network's arithmetic
//! consists of operations that IEEE 754 fixes to the bit, in an order that no machine changes, everything that decides
//! a symbol is integer, and a checksum over the places tells of a machine that would disagree. Words, flags, missing
//! cells and columns that the model does not know are kept without loss.
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
mod series;
mod summary;
mod table;
mod verification;

pub use account::{Account, Quantiles};
pub use comparison::CompressionComparison;
pub use compressor::TableCompressor;
pub use decompressor::TableDecompressor;
pub use fidelity::{CodeDetail, ErrorBound, Fidelity};
pub use images::{ImageBaseline, ImageCompressor, ImageDecompressor, ImageVerification};
pub use summary::{CompressionSummary, OriginalSize};
pub use verification::TableVerification;
