//! Reads new images, in batches, and compares them with those of the fit: their scores and simple measures of them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use narrows_images::Image;

use super::DriftReport;
use super::comparison::{Arrival, Comparison, MissingCells};
use crate::fitted::{ImageModel, MEASURES, ScoreCounts, measures};
use crate::range::Rate;

/// Compares new images with those that a model was fitted to: their scores, the share above the threshold, and brightness,
/// contrast, colourfulness, sharpness and size. Models of older versions compare scores alone, and a note says so.
#[derive(Debug)]
pub struct ImageDriftMonitor {
    model: ImageModel,
    compared: Comparison,
}

impl ImageDriftMonitor {
    /// Nothing read yet; unchanged images are reported with a probability of at most `level`.
    pub fn new(model: &ImageModel, level: Rate) -> ImageDriftMonitor {
        let compared = Comparison::new("image", &model.core, (Arrival::Whole, MissingCells::Compared), level);
        ImageDriftMonitor { model: model.clone(), compared }
    }

    /// Scores new images and reads them.
    pub fn add(&mut self, images: &[Image]) {
        let scores: Vec<f64> = self.model.score(images, false).into_iter().map(|scored| scored.score).collect();
        let counts = ScoreCounts { rows: images.len() as u64, ..ScoreCounts::default() };
        self.compared.add_scores(&scores, &counts);
        let all: Vec<[f64; MEASURES.len()]> = images.iter().map(measures).collect();
        let column = |m: usize| Arc::new(all.iter().map(|image| Some(image[m])).collect::<Float64Array>()) as ArrayRef;
        let columns: Vec<ArrayRef> = (0..MEASURES.len()).map(column).collect();
        self.compared.add_columns(|name| columns.get(MEASURES.iter().position(|measure| *measure == name)?));
    }

    /// Number of images read.
    pub fn images(&self) -> u64 {
        self.compared.rows()
    }

    /// The comparison of all images read.
    pub fn finish(self) -> DriftReport {
        self.compared.report()
    }
}
