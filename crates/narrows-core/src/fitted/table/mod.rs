//! Models of tables: a sample is a row, a feature a column.

mod adapter;
mod fit;
mod model;
mod order;
mod summary;

pub(crate) use adapter::TableAdapter;
pub(super) use fit::{PreparedTable, fit, trial_data};

/// A model fitted to the rows of a table.
pub type TableModel = super::core::Fitted<TableAdapter>;
