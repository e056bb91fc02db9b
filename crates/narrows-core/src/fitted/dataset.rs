//! The data that a model is fitted to.

use std::sync::Arc;

use narrows_images::Store;

use super::images::ImageRoles;
use super::roles::Roles;
use crate::data::Table;
use crate::error::{Error, Result};

/// Data to fit a model to, or to search a recipe on. The recipe determines whether the rows of a table are independent
/// samples or points of series.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one for each fit")]
pub enum Dataset {
    /// Rows, or series.
    Table(Table, Roles),
    /// Images.
    Images(Arc<Store>, ImageRoles),
}

impl Dataset {
    /// A table with column roles.
    pub fn table(table: Table, roles: Roles) -> Dataset {
        Dataset::Table(table, roles)
    }

    /// The data with `validation` as further rows, which stop the training and choose its weights instead of a share of
    /// the data.
    ///
    /// # Errors
    /// [`Error::Recipe`] for images; [`Error::Mismatch`] if the columns differ.
    pub fn with_validation(self, validation: &Table) -> Result<Dataset> {
        let Dataset::Table(table, roles) = self else {
            return Err(Error::recipe("validation", "expected a table, got images"));
        };
        let roles = Roles { validation_rows: validation.n_rows() as u64, ..roles };
        Ok(Dataset::Table(Table::concat(&[table, validation.clone()])?, roles))
    }

    /// Images, with the folders that hold normal ones if they are known.
    pub fn images(images: impl Into<Arc<Store>>, roles: ImageRoles) -> Dataset {
        Dataset::Images(images.into(), roles)
    }
}

/// All rows are normal and all columns are features.
impl From<Table> for Dataset {
    fn from(table: Table) -> Dataset {
        Dataset::Table(table, Roles::default())
    }
}

/// All images are normal.
impl From<Store> for Dataset {
    fn from(images: Store) -> Dataset {
        Dataset::Images(Arc::new(images), ImageRoles::default())
    }
}
