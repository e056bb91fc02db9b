//! Which images are normal.

use narrows_images::Store;
use serde::Serialize;

use crate::error::{Error, Place, Result};

/// Which images are normal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImageRoles {
    /// Names of folders with normal images; all images are normal if empty.
    pub normal: Vec<String>,
}

impl ImageRoles {
    /// Images eligible for training, and those in anomalous folders.
    pub(crate) fn parts(&self, images: &Store) -> Result<(Vec<u32>, Vec<u32>)> {
        let is_normal = |i: &u32| self.normal.is_empty() || self.normal.contains(&images.folder(*i as usize));
        let (normal, anomalous): (Vec<u32>, Vec<u32>) = (0..images.len() as u32).partition(is_normal);
        if normal.is_empty() {
            let mut folders: Vec<String> = (0..images.len()).map(|i| images.folder(i)).collect();
            folders.sort();
            folders.dedup();
            let (asked, found) = (self.normal.join("`, `"), folders.join("`, `"));
            let message = format!("expected images in a folder `{asked}`, got the folders `{found}`");
            return Err(Error::data(Place::source(images.source()), message));
        }
        Ok((normal, anomalous))
    }
}
