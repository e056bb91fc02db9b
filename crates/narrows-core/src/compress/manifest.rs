//! What stands in the header of a compressed file, beside the model's identity.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::fidelity::Fidelity;

/// The kind of a file whose rows are those of a table.
pub(super) const TABLE: u8 = 1;
/// The kind of a file of images.
pub(super) const IMAGES: u8 = 2;

/// Most values of a chunk, codes included: a file cannot ask for more memory than these take.
pub(super) const LARGEST: usize = 1 << 27;

/// The header of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TableManifest {
    /// How finely codes are rounded: halvings or doublings of the model's steps.
    pub(super) level: i8,
    pub(super) fidelity: Fidelity,
    /// The columns in their order.
    pub(super) columns: Vec<ColumnStorage>,
}

/// Where the cells of a column are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum ColumnStorage {
    /// Kept as they are; the next of the kept columns.
    Kept,
    /// In the code alone: the model's column of this number.
    Code(u32),
    /// Numbers on the lattice that the fidelity gives their span, `whole` where they are written without a fraction.
    Numbers {
        /// The model's column.
        column: u32,
        whole: bool,
    },
    /// Words or flags, without loss.
    Words {
        /// The model's column.
        column: u32,
        /// Whether they are flags and not their names.
        flags: bool,
    },
}

impl ColumnStorage {
    /// The model's column that is here.
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
    /// Where cells of pixels are counted from, under a bound.
    pub(super) start: Start,
}

/// Where cells of pixels are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Start {
    /// Black: pixels know their neighbours best, which tells where cells are narrow.
    Black,
    /// The expected level: a pixel that is nearly as expected comes back as expected, which is closer where cells are wide.
    Expected,
}

/// What one run of images of a size has in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ImageRun {
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) channels: u8,
    /// The largest value of a pixel.
    pub(super) white: u32,
    /// How many images there are.
    pub(super) count: u32,
}

/// As bytes.
pub(super) fn pack<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("plain data")
}

/// From bytes that may be anything.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, String> {
    postcard::from_bytes(bytes).map_err(|error| format!("{what} is damaged: {error}"))
}
