//! `narrows score` on images: one score per image, and optional heat maps.

use arrow::array::RecordBatch;
use narrows_core::ImageModel;
use narrows_core::score_table::image_rows;
use serde::Serialize;

use super::heat_maps::{HeatMapFormat, HeatMaps};
use crate::failure::Failure;
use crate::flags::{Common, ResizeArg};
use crate::images::{self, Folder};
use crate::talk::{count, grouped};

/// The summary of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct ImageCounts {
    images: u64,
    pub(super) anomalies: u64,
    /// Images that could not be read.
    pub(super) skipped: usize,
}

impl ImageCounts {
    pub(super) fn warnings(&self) -> Vec<String> {
        let skipped = (self.skipped > 0).then(|| format!("{} skipped", count(self.skipped as u64, "image")));
        skipped.into_iter().collect()
    }
}

/// Scores images; `write` gets the rows.
pub(super) fn score(
    model: &ImageModel,
    (inputs, resize): (&[String], ResizeArg),
    heatmaps: Option<(Folder<'_>, HeatMapFormat)>,
    common: &Common,
    mut write: impl FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<ImageCounts, Failure> {
    let talk = common.talk();
    let album = images::open(inputs, talk)?;
    images::check_sizes(model, &album, resize.resize, talk)?;
    let maps = heatmaps.map(|(folder, format)| HeatMaps::new(&folder, format, &album)).transpose()?;
    let (mut anomalies, mut n) = (0, 0);
    let skipped = images::each_batch(&album, talk, |which, batch| {
        let scores = model.score(batch, maps.is_some());
        if let Some(maps) = &maps {
            for ((i, image), score) in which.iter().zip(batch).zip(&scores) {
                maps.write(*i, model, image, score)?;
            }
        }
        n += scores.len() as u64;
        anomalies += scores.iter().filter(|score| score.is_anomaly).count() as u64;
        let names: Vec<String> = which.iter().map(|i| album.name(*i)).collect();
        write(image_rows(&names, &scores))
    })?;
    let share = 100.0 * anomalies as f64 / n.max(1) as f64;
    let suffix = if skipped > 0 { format!("; {} skipped", count(skipped as u64, "image")) } else { String::new() };
    talk.line(format_args!("{} scored, {} anomalous ({share:.2} %){suffix}", count(n, "image"), grouped(anomalies)));
    Ok(ImageCounts { images: n, anomalies, skipped })
}
