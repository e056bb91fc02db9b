//! The header of a compressed file, apart from the model's identity.

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::fidelity::{ErrorBound, Fidelity};

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
    /// Of all columns but those with bounds of their own.
    pub(super) fidelity: Fidelity,
    /// The columns in order.
    pub(super) columns: Vec<ColumnStorage>,
    /// The Arrow types that the columns had; empty for columns that come back as they are reconstructed.
    pub(super) types: Vec<String>,
    /// Whether the columns were cells of a text file, whose types are this program's and not the file's.
    pub(super) is_text: bool,
}

/// The header of a table in a file of version 1.
#[derive(Deserialize)]
struct FirstTableManifest {
    level: i8,
    fidelity: Fidelity,
    columns: Vec<ColumnStorage>,
}

impl TableManifest {
    /// Deserialises the header of a file of this version.
    pub(super) fn read(bytes: &[u8], version: u64) -> Result<TableManifest, String> {
        if version > 1 {
            let manifest: TableManifest = unpack(bytes, "the header")?;
            let damaged = || "the header is damaged: it has not a type a column".to_owned();
            return if manifest.types.len() == manifest.columns.len() { Ok(manifest) } else { Err(damaged()) };
        }
        let FirstTableManifest { level, fidelity, columns } = unpack(bytes, "the header")?;
        Ok(TableManifest { level, fidelity, columns, types: Vec::new(), is_text: false })
    }

    /// Whether the file has version 1: without types, corrections and checksums.
    pub(super) fn is_first(&self) -> bool {
        self.types.is_empty()
    }

    /// The type that the column at a place had, if it is to be restored.
    ///
    /// # Errors
    /// A description of the problem if there is no such type.
    pub(super) fn type_of(&self, place: usize) -> Result<Option<DataType>, String> {
        match self.types.get(place).map(String::as_str) {
            None | Some("") => Ok(None),
            Some(name) => {
                let unknown = || format!("the header is damaged: there is no type `{name}`");
                super::stored::parsed(name).map(Some).ok_or_else(unknown)
            }
        }
    }
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
    /// Numbers on the lattice given by a bound of their own and the span.
    Bounded {
        /// The model's column.
        column: u32,
        bound: ErrorBound,
    },
}

impl ColumnStorage {
    /// The model's column stored here, if any.
    pub(super) fn feature(&self) -> Option<u32> {
        match self {
            ColumnStorage::Kept => None,
            ColumnStorage::Code(column)
            | ColumnStorage::Numbers { column, .. }
            | ColumnStorage::Words { column, .. }
            | ColumnStorage::Bounded { column, .. } => Some(*column),
        }
    }

    /// The model's column and the fidelity of numbers on a lattice, in a file of this fidelity; `None` of other columns.
    pub(super) fn number(&self, fidelity: Fidelity) -> Option<(usize, Fidelity)> {
        match self {
            ColumnStorage::Kept | ColumnStorage::Code(_) | ColumnStorage::Words { .. } => None,
            ColumnStorage::Numbers { column, .. } => Some((*column as usize, fidelity)),
            ColumnStorage::Bounded { column, bound } => Some((*column as usize, Fidelity::Within(*bound))),
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
