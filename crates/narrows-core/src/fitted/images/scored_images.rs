//! The scores of new images one by one, and those that score highest as they came, as reconstructed, and with their errors.

use narrows_images::{Filter, Image, Photo, Store};

use super::ImageModel;
use super::model::heat_map;
use super::roles::ImageRoles;
use super::scorer::ImageScorer;
use crate::error::Result;
use crate::fitted::scored_rows::{axes, places};
use crate::fitted::scoring::ScoreDetail;
use crate::report::{
    CalibrationSample, DrawnImage, IdentifyingColumn, LISTED, ListedRows, NewDataReport, SHOWN_IMAGES, SampleLayout,
    ScoredData,
};

/// Largest side of an image that is shown, in pixels.
const SIDE: usize = 480;

impl ImageModel {
    /// The report on images that the model was not fitted to, and the images one by one.
    ///
    /// # Errors
    /// As [`new_data_report`](Self::new_data_report).
    pub fn scored_data(&self, images: &Store, roles: &ImageRoles) -> Result<(NewDataReport, ScoredData)> {
        let (found, scores) = self.found(images, roles)?;
        let threshold = &self.core.threshold;
        let calibration = CalibrationSample::of(&threshold.calibration.scores, None);
        let mut data = ScoredData::new(&found, SampleLayout::Images, calibration);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        for i in order.iter().take(SHOWN_IMAGES) {
            data.images.push(self.drawn(images.name(*i), &images.get(*i)?, scores[*i]));
        }
        order.truncate(LISTED);
        order.sort_unstable();
        let anomalous = if roles.normal.is_empty() { Vec::new() } else { roles.parts(images)?.1 };
        let label = |i: &usize| Some(u8::from(anomalous.binary_search(&(*i as u32)).is_ok()));
        data.rows = ListedRows {
            listed: order.len() as u64,
            row: order.iter().map(|i| *i as u64).collect(),
            score: order.iter().map(|i| scores[*i]).collect(),
            p_value: order.iter().map(|i| threshold.p_value(scores[*i])).collect(),
            label: if roles.normal.is_empty() { Vec::new() } else { order.iter().map(label).collect() },
            ids: vec![IdentifyingColumn {
                name: "image".to_owned(),
                values: order.iter().map(|i| images.name(*i)).collect(),
            }],
            ..ListedRows::default()
        };
        if !self.sees_patches()
            && let Some(axes) = axes(&self.core)
        {
            for i in &order {
                let at = places(axes, &self.encode(&images.get(*i)?).concat());
                data.rows.x.push(at[0][0]);
                data.rows.y.push(at[0][1]);
            }
        }
        data.training_map = self.core.report.code_map.clone();
        Ok((found, data))
    }

    fn drawn(&self, name: String, image: &Image, score: f64) -> DrawnImage {
        let scorer = ImageScorer::new(&self.adapter, &self.core.scorer);
        let heat = scorer.score_with(std::slice::from_ref(image), ScoreDetail::Trace).remove(0).heat;
        let threshold = &self.core.threshold;
        DrawnImage {
            name,
            score,
            p_value: threshold.p_value(score),
            is_anomaly: threshold.is_anomaly(score),
            input: png(image),
            reconstruction: png(&self.reconstruct(image).clipped()),
            heat: png(&heat_map(image, &heat)),
        }
    }
}

/// An image of bounded size as a PNG file in base64.
fn png(image: &Image) -> String {
    let longest = image.height.max(image.width);
    let photo = if longest > SIDE {
        let side = |of: usize| (of * SIDE / longest).max(1);
        Photo::from(image.resized(side(image.height), side(image.width), Filter::Area))
    } else {
        Photo::from(image.clone())
    };
    photo.to_base64()
}
