//! The header of a compressed file, apart from the model's identity.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::fidelity::Fidelity;

/// File kind of tables.
pub(super) const TABLE: u8 = 1;
/// File kind of images.
pub(super) const IMAGES: u8 = 2;

/// Most values per chunk, including codes: bounds the memory that a file can request.
pub(super) const LARGEST: usize = 1 << 27;

/// The header of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TableManifest {
    /// Quantiser level: halvings or doublings of the model's steps.
    pub(super) level: i8,
    pub(super) fidelity: Fidelity,
    /// The columns in order.
    pub(super) columns: Vec<ColumnStorage>,
}

/// Storage of a column's cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum ColumnStorage {
    /// Verbatim; the next of the kept columns.
    Kept,
    /// In the code alone: index of the model's column.
    Code(u32),
    /// Numbers on the lattice given by fidelity and span; `whole` if they are written without a fraction.
    Numbers {
        /// The model's column.
        column: u32,
        whole: bool,
    },
    /// Words or flags, without loss.
    Words {
        /// The model's column.
        column: u32,
        /// Whether they are flags rather than their names.
        flags: bool,
    },
}

impl ColumnStorage {
    /// The model's column stored here, if any.
    pub(super) fn feature(&self) -> Option<u32> {
        match self {
            ColumnStorage::Kept => None,
            ColumnStorage::Code(column)
            | ColumnStorage::Numbers { column, .. }
            | ColumnStorage::Words { column, .. } => Some(*column),
        }
    }
}

/// The header of images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct ImageManifest {
    pub(super) level: i8,
    pub(super) fidelity: Fidelity,
    /// Origin of pixel cells, under a bound.
    pub(super) start: Start,
}

/// Origin of pixel cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Start {
    /// Black: neighbouring pixels predict best, which helps if cells are narrow.
    Black,
    /// The expected level: a nearly correct prediction is decoded exactly, which is more accurate if cells are wide.
    Expected,
}

/// The common properties of a run of images of one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ImageRun {
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) channels: u8,
    /// The largest value of a pixel.
    pub(super) white: u32,
    /// Number of images.
    pub(super) count: u32,
}

/// Serialises a header.
pub(super) fn pack<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("plain data")
}

/// Deserialises untrusted bytes.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, String> {
    postcard::from_bytes(bytes).map_err(|error| format!("{what} is damaged: {error}"))
}
