//! `narrows score` on images: one score per image, and optional heat maps.

use arrow::array::RecordBatch;
use narrows_core::images::Image;
use narrows_core::score_table::image_rows;
use narrows_core::{Error, ImageModel};
use serde::Serialize;

use crate::failure::Failure;
use crate::flags::{Common, ResizeArg};
use crate::images::{self, Folder, Pages};
use crate::talk::{count, grouped};

/// Maximum number of pixels scored in one batch.
const PIXELS: usize = 1 << 22;

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
    heatmaps: Option<Folder<'_>>,
    common: &Common,
    mut write: impl FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<ImageCounts, Failure> {
    let talk = common.talk();
    let album = images::open(inputs, talk)?;
    images::check_sizes(model, &album, resize.resize, talk)?;
    let places = heatmaps.map(|folder| folder.places(&album, |_| Some("png"), Pages::Apart)).transpose()?;
    let (mut skipped, mut anomalies, mut n) = (images::unread(&album), 0, 0);
    let (mut which, mut waiting, mut pixels): (Vec<usize>, Vec<Image>, usize) = (Vec::new(), Vec::new(), 0);
    for i in 0..album.len() {
        match album.image(i) {
            Ok(image) => {
                pixels += image.pixels.len();
                which.push(i);
                waiting.push(image);
            }
            Err(error) => {
                skipped += 1;
                let reason = error.to_string();
                images::tell_skipped(talk, std::iter::once((album.name(i).as_str(), reason.as_str())));
            }
        }
        if waiting.is_empty() || pixels < PIXELS && i + 1 < album.len() {
            continue;
        }
        let scores = model.score(&waiting, places.is_some());
        if let Some(places) = &places {
            for ((i, image), score) in which.iter().zip(&waiting).zip(&scores) {
                images::write_plain(model.heat_map(image, score), &places[*i])?;
            }
        }
        n += scores.len() as u64;
        anomalies += scores.iter().filter(|score| score.is_anomaly).count() as u64;
        let names: Vec<String> = which.iter().map(|i| album.name(*i)).collect();
        write(image_rows(&names, &scores))?;
        which.clear();
        waiting.clear();
        pixels = 0;
    }
    if n == 0 {
        let message = format!("expected a readable image, got none of {}", album.len());
        return Err(Error::data(narrows_core::error::Place::source(inputs.join(", ")), message).into());
    }
    let share = 100.0 * anomalies as f64 / n.max(1) as f64;
    let suffix = if skipped > 0 { format!("; {} skipped", count(skipped as u64, "image")) } else { String::new() };
    talk.line(format_args!("{} scored, {} anomalous ({share:.2} %){suffix}", count(n, "image"), grouped(anomalies)));
    Ok(ImageCounts { images: n, anomalies, skipped })
}
