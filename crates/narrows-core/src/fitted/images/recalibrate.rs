//! The threshold of a model of images set anew on other normal images.

use std::sync::Arc;

use narrows_images::Store;

use super::ImageModel;
use super::roles::ImageRoles;
use super::scorer::ImageScorer;
use crate::error::{Error, Hint, Place, Result};
use crate::fitted::recalibration::{Recalibration, Sample, check_promise};

impl ImageModel {
    /// The model with threshold and p-values from these images, all of which are normal or lie in folders of normal ones,
    /// by the rule that it has.
    ///
    /// # Errors
    /// [`Error::Data`] if images are too few for the rate that the model has promised, or fewer than ten, if no folder of
    /// normal ones is named and some lie beside those that the model was fitted to, and if an image can no longer be read;
    /// [`Error::Recipe`] if the rule is not set on images that did not train.
    pub fn recalibrated(mut self, images: &Store, roles: &ImageRoles) -> Result<(ImageModel, Recalibration)> {
        let place = Place::source(images.source());
        if roles.normal.is_empty() {
            self.refuse_others(images)?;
        }
        let (normal, anomalous) = roles.parts(images)?;
        let most = self.core.recipe.detect.calibration_rows.max(1);
        let step = normal.len().div_ceil(most).max(1);
        let chosen: Vec<u32> = normal.into_iter().step_by(step).collect();
        let scores = ImageScorer::new(&self.adapter, &self.core.scorer).scores(images, &chosen)?;
        let threshold = self.core.reset(&self.core.threshold, scores, None, &place)?;
        check_promise(&self.core.threshold, &threshold, &Sample::Images, &place)?;
        let labels = (anomalous.len() as u64, 0);
        let found = Arc::make_mut(&mut self.core).recalibrated(threshold, None, (images.source(), "image"), labels);
        Ok((self, found))
    }

    /// Refuses images in folders beside one that has the name of a normal folder of the fit.
    fn refuse_others(&self, images: &Store) -> Result<()> {
        let Some(known) = self.core.report.label.as_ref().and_then(|label| label.normal.as_deref()) else {
            return Ok(());
        };
        let names: Vec<&str> = known.split(',').map(str::trim).collect();
        let others = (0..images.len()).filter(|i| !names.contains(&images.folder(*i).as_str())).count();
        if others == 0 || others == images.len() {
            return Ok(());
        }
        let (n, place) = (images.len(), Place::source(images.source()));
        let message =
            format!("expected normal images to set a threshold on, got {others} of {n} outside the folder `{known}`");
        Err(Error::data(place, message).with_hint(Hint::of("[normal] ").then_text(known).then(" leaves them out")))
    }
}
