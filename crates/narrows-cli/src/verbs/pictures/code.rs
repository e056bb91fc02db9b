//! `narrows encode`, `decode` and `reconstruct` on pictures: codes are tables, pictures go to folders.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, StringArray, UInt64Array};
use narrows::data::Table;
use narrows::error::Place;
use narrows::pictures::{Album, Photo};
use narrows::{Encoder, Error, Fitted, Threads};

use super::super::score::batch;
use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::output::TableWriter;
use crate::pictures::{self, Folder};
use crate::talk::{Talk, count};

/// Calls `each` with every picture that can be read, its number and its name.
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
                pictures::tell_skipped(talk, std::iter::once((name.as_str(), error.to_string().as_str())));
            }
        }
    }
    if n == 0 {
        let message = format!("expected a picture that can be read, got none of {}", album.len());
        return Err(Error::data(Place::source(album.source()), message).into());
    }
    let left_out = if skipped > 0 { format!("; {} left out", count(skipped as u64, "picture")) } else { String::new() };
    talk.line(format_args!("{} done{left_out}", count(n, "picture")));
    Ok(pictures::outcome(skipped))
}

/// Pictures to codes: a row a picture, or a row a piece.
pub(in crate::verbs) fn encode(
    encoder: &Encoder,
    inputs: &[String],
    mut writer: TableWriter,
    common: &Common,
) -> Result<Outcome, Failure> {
    let threads = common.threads()?;
    let album = pictures::open(inputs, common.talk())?;
    let outcome = each_photo(&album, common.talk(), |_, name, photo| {
        let codes = encoder.encode_picture(&photo.picture, &threads)?;
        let mut columns: Vec<(String, ArrayRef)> =
            vec![("picture".to_owned(), Arc::new(StringArray::from(vec![name; codes.len()])))];
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

/// Codes, as [`encode`] writes them, to the pictures of a folder.
pub(in crate::verbs) fn decode(
    fitted: &Fitted,
    table: &Table,
    folder: &Folder,
    threads: &Threads,
) -> Result<u64, Failure> {
    let codes = fitted.codes_of(table)?;
    for (row, picture) in fitted.decode_pictures(&codes, threads)?.into_iter().enumerate() {
        let name = format!("{:06}", table.first_row() + row as u64);
        pictures::write_plain(picture, &folder.place(&name, Some("png")))?;
    }
    Ok(table.n_rows() as u64)
}

/// Pictures through the code into a folder.
pub(in crate::verbs) fn reconstruct(
    fitted: &Fitted,
    inputs: &[String],
    target: &Path,
    common: &Common,
) -> Result<Outcome, Failure> {
    let (talk, threads) = (common.talk(), common.threads()?);
    let folder = Folder::new(target, "--output")?;
    let album = pictures::open(inputs, talk)?;
    let places = folder.places(&album, extension)?;
    each_photo(&album, talk, |i, _, photo| {
        let picture = fitted.rebuild_pictures(std::slice::from_ref(&photo.picture), &threads)?.remove(0);
        pictures::write(&Photo { picture, ..photo }, &places[i], talk)
    })
}

/// The extension to write a picture of this name with, where its own will not do.
pub(in crate::verbs) fn extension(name: &str) -> Option<&'static str> {
    (!super::fit::is_picture(Path::new(name))).then_some("png")
}
