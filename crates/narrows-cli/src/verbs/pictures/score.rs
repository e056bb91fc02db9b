//! `narrows score` on pictures: a score a picture, and heat maps where asked for.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray};
use narrows::pictures::Picture;
use narrows::{Error, Fitted, PictureScore};

use super::super::score::batch;
use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::output::TableWriter;
use crate::pictures::{self, Folder};
use crate::talk::{count, grouped};

/// Most pixels of the pictures that are scored at once.
const PIXELS: usize = 1 << 22;

/// Scores pictures.
pub(in crate::verbs) fn score(
    fitted: &Fitted,
    inputs: &[String],
    heatmaps: Option<&Path>,
    mut writer: TableWriter,
    common: &Common,
) -> Result<(Outcome, u64), Failure> {
    let (talk, threads) = (common.talk(), common.threads()?);
    let folder = heatmaps.map(|path| Folder::new(path, "--heatmaps")).transpose()?;
    let album = pictures::open(inputs, talk)?;
    let places = folder.map(|folder| folder.places(&album, |_| Some("png"))).transpose()?;
    let (mut skipped, mut anomalies, mut n) = (album.skipped().len(), 0, 0);
    let (mut which, mut waiting, mut pixels): (Vec<usize>, Vec<Picture>, usize) = (Vec::new(), Vec::new(), 0);
    for i in 0..album.len() {
        match album.picture(i) {
            Ok(picture) => {
                pixels += picture.pixels.len();
                which.push(i);
                waiting.push(picture);
            }
            Err(error) => {
                skipped += 1;
                let reason = error.to_string();
                pictures::tell_skipped(talk, std::iter::once((album.name(i).as_str(), reason.as_str())));
            }
        }
        if waiting.is_empty() || pixels < PIXELS && i + 1 < album.len() {
            continue;
        }
        let scores = fitted.score_pictures(&waiting, places.is_some(), &threads)?;
        if let Some(places) = &places {
            for ((i, picture), score) in which.iter().zip(&waiting).zip(&scores) {
                pictures::write_plain(fitted.heat_map(picture, score), &places[*i])?;
            }
        }
        n += scores.len() as u64;
        anomalies += scores.iter().filter(|score| score.is_anomaly).count() as u64;
        let names: Vec<String> = which.iter().map(|i| album.name(*i)).collect();
        writer.write(&batch(columns(&names, &scores)))?;
        which.clear();
        waiting.clear();
        pixels = 0;
    }
    if n == 0 {
        let message = format!("expected a picture that can be read, got none of {}", album.len());
        return Err(Error::data(narrows::error::Place::source(inputs.join(", ")), message).into());
    }
    writer.finish()?;
    let share = 100.0 * anomalies as f64 / n.max(1) as f64;
    let left_out = if skipped > 0 { format!("; {} left out", count(skipped as u64, "picture")) } else { String::new() };
    talk.line(format_args!(
        "{} scored, {} anomalous ({share:.2} %){left_out}",
        count(n, "picture"),
        grouped(anomalies)
    ));
    Ok((pictures::outcome(skipped), anomalies))
}

fn columns(names: &[String], scores: &[PictureScore]) -> Vec<(String, ArrayRef)> {
    let numbers =
        |of: fn(&PictureScore) -> f64| -> ArrayRef { Arc::new(scores.iter().map(of).collect::<Float64Array>()) };
    let flags: BooleanArray = scores.iter().map(|score| Some(score.is_anomaly)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("picture", Arc::new(names.iter().map(Some).collect::<StringArray>())),
        ("score", numbers(|score| score.score)),
        ("p_value", numbers(|score| score.p_value)),
        ("is_anomaly", Arc::new(flags)),
    ];
    columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect()
}
