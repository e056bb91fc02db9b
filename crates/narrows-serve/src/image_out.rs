//! Images in answers: their formats, by what a client accepts, and their bytes, which are those of the command's files.

use std::fs;

use axum::http::HeaderMap;
use narrows_core::Error;
use narrows_core::images::{Format, Photo};

use crate::answer::{Answer, AnswerForm, preferred};
use crate::refusal::Refusal;

/// The form of an answer that is an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageForm {
    /// That of the image in the request.
    AsGiven,
    Png,
    Jpeg,
}

/// The answer to images to be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScoreAnswer {
    Rows(AnswerForm),
    HeatMap,
}

impl ImageForm {
    const TYPES: [(&'static str, ImageForm); 4] = [
        ("image/png", ImageForm::Png),
        ("image/jpeg", ImageForm::Jpeg),
        ("image/*", ImageForm::AsGiven),
        ("*/*", ImageForm::AsGiven),
    ];

    /// The form that a client prefers.
    pub(crate) fn accepted(headers: &HeaderMap) -> Result<ImageForm, Refusal> {
        preferred(headers, &ImageForm::TYPES, ImageForm::AsGiven)
    }

    fn format(self, given: Format) -> Format {
        match self {
            ImageForm::AsGiven => given,
            ImageForm::Png => Format::Png,
            ImageForm::Jpeg => Format::Jpeg,
        }
    }
}

impl ScoreAnswer {
    /// The form that a client prefers; rows by default.
    pub(crate) fn accepted(headers: &HeaderMap) -> Result<ScoreAnswer, Refusal> {
        let rows = AnswerForm::TYPES.iter().map(|(name, form)| (*name, ScoreAnswer::Rows(*form)));
        let images = ["image/png", "image/*"].map(|name| (name, ScoreAnswer::HeatMap));
        let types: Vec<(&str, ScoreAnswer)> = rows.chain(images).collect();
        preferred(headers, &types, ScoreAnswer::Rows(AnswerForm::Json))
    }
}

/// The answer with an image, and what its format could not keep.
pub(crate) fn answer(photo: &Photo, form: ImageForm, mut warnings: Vec<String>) -> Result<Answer, Refusal> {
    let (suffix, content_type) = match form.format(photo.format) {
        Format::Jpeg => (".jpg", "image/jpeg"),
        _ => (".png", "image/png"),
    };
    // The encoder writes files.
    let file = tempfile::Builder::new().suffix(suffix).tempfile().map_err(|_| Refusal::failed())?;
    let written = photo.write(file.path()).map_err(|error| {
        let refusal = Refusal::from(Error::from(error));
        Refusal::new(refusal.status, refusal.message.replace(&file.path().display().to_string(), "the answer"))
    })?;
    let bytes = fs::read(file.path()).map_err(|_| Refusal::failed())?;
    warnings.extend(written.lost.iter().map(|loss| format!("lost {loss}")));
    Ok(Answer::image(content_type, bytes).with_warnings(&warnings))
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn the_form_follows_what_a_client_accepts() {
        let headers = |accept: &str| HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        let image = |accept: &str| ImageForm::accepted(&headers(accept)).ok();
        assert_eq!(image("image/avif,image/webp,image/*,*/*;q=0.8"), Some(ImageForm::AsGiven));
        assert_eq!(image("image/png;q=0.5, image/jpeg"), Some(ImageForm::Jpeg));
        assert_eq!(image("text/csv"), None);
        let score = |accept: &str| ScoreAnswer::accepted(&headers(accept)).ok();
        assert_eq!(score("image/png"), Some(ScoreAnswer::HeatMap));
        assert_eq!(score("*/*"), Some(ScoreAnswer::Rows(AnswerForm::Json)));
        assert_eq!(score("image/jpeg"), None);
    }
}
