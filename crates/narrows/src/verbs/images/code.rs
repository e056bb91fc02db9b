//! `narrows encode`, `decode` and `reconstruct` on images: codes are tables, images go to folders.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, StringArray, UInt64Array};
use narrows_core::data::Table;
use narrows_core::error::Place;
use narrows_core::images::{Album, Photo};
use narrows_core::{Encoder, Error, Fitted, Threads};

use super::super::score::batch;
use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::images::{self, Folder};
use crate::output::TableWriter;
use crate::talk::{Talk, count};

/// Calls `each` with every image that can be read, its number and its name.
pub(super) fn each_photo(
    album: &Album,
    talk: Talk,
    mut each: impl FnMut(usize, &str, Photo) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let (mut skipped, mut n) = (album.skipped().len(), 0);
    for i in 0..album.len() {
        let name = album.name(i);
        match album.photo(i) {
            Ok(photo) => {
                n += 1;
                each(i, &name, photo)?;
            }
            Err(error) => {
                skipped += 1;
                images::tell_skipped(talk, std::iter::once((name.as_str(), error.to_string().as_str())));
            }
        }
    }
    if n == 0 {
        let message = format!("expected an image that can be read, got none of {}", album.len());
        return Err(Error::data(Place::source(album.source()), message).into());
    }
    let left_out = if skipped > 0 { format!("; {} left out", count(skipped as u64, "image")) } else { String::new() };
    talk.line(format_args!("{} done{left_out}", count(n, "image")));
    Ok(images::outcome(skipped))
}

/// Images to codes: a row an image, or a row a piece.
pub(in crate::verbs) fn encode(
    encoder: &Encoder,
    inputs: &[String],
    mut writer: TableWriter,
    common: &Common,
) -> Result<Outcome, Failure> {
    let threads = common.threads()?;
    let album = images::open(inputs, common.talk())?;
    let outcome = each_photo(&album, common.talk(), |_, name, photo| {
        let codes = encoder.encode_image(&photo.image, &threads)?;
        let mut columns: Vec<(String, ArrayRef)> =
            vec![("image".to_owned(), Arc::new(StringArray::from(vec![name; codes.len()])))];
        if encoder.sees_pieces() {
            columns.push(("piece".to_owned(), Arc::new(UInt64Array::from_iter_values(0..codes.len() as u64))));
        }
        for unit in 0..encoder.code_size() {
            let values = Float32Array::from_iter_values(codes.iter().map(|code| code[unit]));
            columns.push((format!("code_{unit}"), Arc::new(values)));
        }
        writer.write(&batch(columns))
    })?;
    writer.finish()?;
    Ok(outcome)
}

/// Codes, as [`encode`] writes them, to the images of a folder.
pub(in crate::verbs) fn decode(
    fitted: &Fitted,
    table: &Table,
    folder: &Folder,
    threads: &Threads,
) -> Result<u64, Failure> {
    let codes = fitted.codes_of(table)?;
    for (row, image) in fitted.decode_images(&codes, threads)?.into_iter().enumerate() {
        let name = format!("{:06}", table.first_row() + row as u64);
        images::write_plain(image, &folder.place(&name, Some("png")))?;
    }
    Ok(table.n_rows() as u64)
}

/// Images through the code into a folder.
pub(in crate::verbs) fn reconstruct(
    fitted: &Fitted,
    inputs: &[String],
    target: &Path,
    common: &Common,
) -> Result<Outcome, Failure> {
    let (talk, threads) = (common.talk(), common.threads()?);
    let folder = Folder::new(target, "--output")?;
    let album = images::open(inputs, talk)?;
    let places = folder.places(&album, extension)?;
    each_photo(&album, talk, |i, _, photo| {
        let image = fitted.rebuild_images(std::slice::from_ref(&photo.image), &threads)?.remove(0);
        images::write(&Photo { image, ..photo }, &places[i], talk)
    })
}

/// The extension to write an image of this name with, where its own will not do.
pub(in crate::verbs) fn extension(name: &str) -> Option<&'static str> {
    (!super::fit::is_image(Path::new(name))).then_some("png")
}
