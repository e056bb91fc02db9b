//! Images in the body of a request.

use std::io::Write;

use axum::body::Bytes;
use narrows_core::images::{Image, Limits, Photo};
use narrows_core::score_table::image_rows;
use narrows_core::{Error, ImageModel};

use crate::answer::{Answer, AnswerForm};
use crate::refusal::Refusal;
use crate::rows_in::{RowLimits, in_memory};
use crate::served::ServedModel;

/// The name of the image in messages and in the answer.
const BODY: &str = "the body";

/// Scores one image, as `narrows score` does.
pub(crate) fn score(
    model: &ServedModel,
    bytes: &Bytes,
    form: AnswerForm,
    limits: &RowLimits,
) -> Result<Answer, Refusal> {
    let images = model.images()?;
    let scores = images.score(&[fitting(images, bytes, limits)?], false);
    Answer::table(form, &image_rows(&[BODY], &scores), model.heading(&[]))
}

/// The image of these bytes, if the model has seen images of its size.
pub(crate) fn fitting(images: &ImageModel, bytes: &[u8], limits: &RowLimits) -> Result<Image, Refusal> {
    limits.hold.check()?;
    // However few bytes it has.
    limits.hold.take_room()?;
    let image = photo(bytes, &pixel_limits(limits))?.image;
    if !images.fits_size(image.height, image.width)
        && let Some((height, width)) = images.training_size()
    {
        let got = format!("got one of {} x {}; resize it first", image.height, image.width);
        let message = format!("{BODY}: expected an image of {height} x {width} pixels, as in training, {got}");
        return Err(Refusal::bad(message));
    }
    Ok(image)
}

/// Bytes of a pixel while it is read and scored.
const PIXEL: usize = 16;

/// The limits of an image: it may take as much memory as rows may.
fn pixel_limits(limits: &RowLimits) -> Limits {
    let usual = Limits::default();
    let most = in_memory(limits.body);
    let (pixels, bytes) = ((most / PIXEL) as u64, most as u64);
    Limits { max_pixels: pixels.min(usual.max_pixels), max_bytes: bytes.min(usual.max_bytes), ..usual }
}

/// The image of these bytes. Its decoders read files, so it is put into one whose name is nobody's to choose.
fn photo(bytes: &[u8], limits: &Limits) -> Result<Photo, Refusal> {
    if !(bytes.starts_with(b"\x89PNG") || bytes.starts_with(&[0xff, 0xd8, 0xff])) {
        return Err(Refusal::bad(format!("{BODY}: expected an image in the format PNG or JPEG, got another")));
    }
    let written = tempfile::NamedTempFile::new().and_then(|mut file| file.write_all(bytes).map(|()| file));
    // Of the server, not of the request.
    let file = written.map_err(|_| Refusal::failed())?;
    Photo::read(file.path(), limits).map_err(|error| {
        let refusal = Refusal::from(Error::from(error));
        let message = refusal.message.replace(&file.path().display().to_string(), BODY);
        Refusal::new(refusal.status, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_image_is_refused_without_a_word_of_files() {
        let message = photo(b"\x89PNG\r\n\x1a\nnonsense", &Limits::default()).unwrap_err().message;
        assert!(message.starts_with("the body"), "{message}");
        assert!(!message.contains("/tmp") && !message.contains(".tmp"), "{message}");
        assert!(photo(b"GIF89a", &Limits::default()).unwrap_err().message.contains("PNG or JPEG"));
    }
}
