//! The data that a model is fitted to.

use std::sync::Arc;

use narrows_images::Store;

use super::images::ImageRoles;
use super::roles::Roles;
use crate::data::Table;

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
