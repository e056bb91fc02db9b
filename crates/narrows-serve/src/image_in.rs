//! Images in the body of a request: read within limits, checked against the model, scored.

use std::io::Write;

use axum::body::Bytes;
use narrows_core::images::{Channels, Image, Limits, Photo};
use narrows_core::{Error, ImageModel, ImageScore, ScoreCounts, ScoreFlag, Scores};

use crate::refusal::Refusal;

/// The name of the only image of a request.
pub(crate) const BODY: &str = "the body";
/// Bytes of a decoded pixel, at most: four values of two bytes, and as much again while it is decoded.
const PIXEL_BYTES: u64 = 16;

/// The image of these bytes, called `name` in messages. Its decoders read files, so it is put into one whose name is
/// nobody's to choose.
pub(crate) fn photo(bytes: &[u8], name: &str, max_pixels: u64) -> Result<Photo, Refusal> {
    if !(bytes.starts_with(b"\x89PNG") || bytes.starts_with(&[0xff, 0xd8, 0xff])) {
        return Err(Refusal::bad(format!("{name}: expected an image in the format PNG or JPEG, got another")));
    }
    let written = tempfile::NamedTempFile::new().and_then(|mut file| file.write_all(bytes).map(|()| file));
    // Of the server, not of the request.
    let file = written.map_err(|_| Refusal::failed())?;
    let usual = Limits::default();
    // What is beside the pixels, such as text, may take as much as the body allows.
    let max_bytes = max_pixels.saturating_mul(PIXEL_BYTES).saturating_add(4 * bytes.len() as u64);
    let limits =
        Limits { max_pixels: usual.max_pixels.min(max_pixels), max_bytes: usual.max_bytes.min(max_bytes), ..usual };
    Photo::read(file.path(), &limits).map_err(|error| {
        let refusal = Refusal::from(Error::from(error));
        let message = refusal.message.replace(&file.path().display().to_string(), name);
        Refusal::new(refusal.status, message)
    })
}

/// The images of a request, with their names and what is to be told about them.
#[derive(Debug, Default)]
pub(crate) struct GivenImages {
    pub(crate) names: Vec<String>,
    pub(crate) images: Vec<Image>,
    pub(crate) warnings: Vec<String>,
    /// Pixels so far.
    pixels: u64,
}

impl GivenImages {
    /// The only image of a body.
    pub(crate) fn one(bytes: &Bytes, name: &str, model: &ImageModel, max_pixels: u64) -> Result<GivenImages, Refusal> {
        let mut given = GivenImages::default();
        given.add(photo(bytes, name, max_pixels)?, name, model, max_pixels)?;
        Ok(given)
    }

    /// Adds an image, if the model takes it.
    pub(crate) fn add(&mut self, photo: Photo, name: &str, model: &ImageModel, max_pixels: u64) -> Result<(), Refusal> {
        check_size(model, &photo.image, name)?;
        self.pixels += (photo.image.height * photo.image.width) as u64;
        if self.pixels > max_pixels {
            let message = format!("expected images of at most {max_pixels} pixels together, got more");
            return Err(Refusal::too_large(message));
        }
        self.warnings.extend(seen_otherwise(model, &photo, name));
        self.names.push(name.to_owned());
        self.images.push(photo.image);
        Ok(())
    }

    /// Pixels that further images may have.
    pub(crate) fn pixels_left(&self, max_pixels: u64) -> u64 {
        max_pixels.saturating_sub(self.pixels)
    }
}

/// An error for an image of another size than those of the training, if the model sees whole images.
pub(crate) fn check_size(model: &ImageModel, image: &Image, name: &str) -> Result<(), Refusal> {
    match model.training_size() {
        Some((height, width)) if !model.fits_size(image.height, image.width) => {
            let got = format!("got one of {} x {}; resize it first", image.height, image.width);
            let expected = format!("expected an image of {height} x {width} pixels, as in training");
            Err(Refusal::bad(format!("{name}: {expected}, {got}")))
        }
        _ => Ok(()),
    }
}

/// What of an image the model does not see.
pub(crate) fn seen_otherwise(model: &ImageModel, photo: &Photo, name: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    if model.channels() == Channels::Grey && photo.image.channels == Channels::Rgb {
        warnings.push(format!("{name}: in colour, seen as grey by this model"));
    }
    if photo.alpha.is_some() {
        warnings.push(format!("{name}: the alpha channel is not used"));
    }
    warnings
}

/// The scores of images as those of rows.
pub(crate) fn as_rows(scores: &[ImageScore]) -> Scores {
    Scores {
        score: scores.iter().map(|score| score.score).collect(),
        p_value: scores.iter().map(|score| score.p_value).collect(),
        is_anomaly: scores.iter().map(|score| score.is_anomaly).collect(),
        flag: vec![ScoreFlag::None; scores.len()],
        counts: ScoreCounts { rows: scores.len() as u64, ..ScoreCounts::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_image_is_refused_without_a_word_of_files() {
        let message = photo(b"\x89PNG\r\n\x1a\nnonsense", BODY, 1 << 20).unwrap_err().message;
        assert!(message.starts_with("the body"), "{message}");
        assert!(!message.contains("/tmp") && !message.contains(".tmp"), "{message}");
        assert!(photo(b"GIF89a", BODY, 1 << 20).unwrap_err().message.contains("PNG or JPEG"));
    }

    #[test]
    fn an_image_of_too_many_pixels_is_refused() {
        let png = Photo::from(Image::filled(10, 11, Channels::Grey, 0.5)).to_png();
        assert_eq!(photo(&png, BODY, 110).unwrap().image.width, 11);
        let message = photo(&png, "a.png", 109).unwrap_err().message;
        assert!(message.contains("a.png: expected at most 109 pixels, got 10 rows of 11"), "{message}");
    }
}
