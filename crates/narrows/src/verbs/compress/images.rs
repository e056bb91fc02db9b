//! `narrows compress` and `narrows decompress` for images.

use std::io::{BufWriter, Read};
use std::path::Path;

use narrows_core::compress::{
    CompressionSummary, Fidelity, ImageBaseline, ImageCompressor, ImageDecompressor, ImageVerification, OriginalSize,
};
use narrows_core::images::{Format, Image};
use narrows_core::{Error, ImageModel};

use super::{CompressionMessage, Subject, open, verified, whole};
use crate::failure::{Failure, Outcome};
use crate::flags::Common;
use crate::image_writer::{ImageWriter, are_together};
use crate::images::{self, Folder, each_photo, extension, is_image};
use crate::losses::Losses;
use crate::output;
use crate::talk::count;

/// A compression of images.
pub(super) struct ImageJob<'a> {
    pub(super) model: &'a ImageModel,
    pub(super) fidelity: Fidelity,
    /// Output file; `None` is stdout.
    pub(super) target: Option<&'a Path>,
    pub(super) verify: bool,
    pub(super) model_bytes: u64,
}

impl ImageJob<'_> {
    pub(super) fn run(self, inputs: &[String], common: &Common) -> Result<Outcome, Failure> {
        let talk = common.talk();
        let album = images::open(inputs, talk)?;
        let sink = BufWriter::new(output::sink(self.target)?);
        let mut writer = ImageCompressor::new(self.model, self.fidelity, sink)?;
        // Images of an array have no file names; a single image is named when it is decompressed. Pages have the name of
        // their file.
        let are_named = album.len() > 1 && (0..album.len()).all(|i| album.path(i).is_some());
        let mut losses = Losses::default();
        let mut first: Vec<Image> = Vec::new();
        let outcome = each_photo(&album, talk, |i, name, photo| {
            losses.add_all(name, &photo.lost);
            if first.len() < ImageBaseline::IMAGES {
                first.push(photo.image.clone());
            }
            let file = album.file_name(i);
            writer.push_as(name, if are_named { &file } else { "" }, photo)?;
            Ok(())
        })?;
        losses.tell(talk);
        let (sink, account) = writer.finish()?;
        let sink = whole(sink)?;
        if let (true, Some(draft)) = (self.verify, sink.draft()) {
            self.check(inputs, draft)?;
        }
        sink.finish()?;
        if common.is_told() {
            let files: Option<Vec<_>> = (0..album.len()).map(|i| album.path(i).map(Path::to_path_buf)).collect();
            let mut files =
                files.unwrap_or_else(|| inputs.iter().map(|input| Path::new(input).to_path_buf()).collect());
            files.dedup();
            let mut summary = CompressionSummary::new(&account, OriginalSize::of_files(&files), self.model_bytes);
            summary.baselines = ImageBaseline::of_images(self.model, self.fidelity, &first)?;
            CompressionMessage { summary, fidelity: self.fidelity, subject: Subject::Images }.tell(common)?;
        }
        if self.verify {
            talk.line(verified(self.fidelity, Subject::Images));
        }
        Ok(outcome)
    }

    /// Decompresses the file and compares it with the input.
    fn check(&self, inputs: &[String], path: &Path) -> Result<(), Failure> {
        let mut verification = ImageVerification::new(self.model, self.fidelity, open(path)?)?;
        let album = images::open(inputs, crate::talk::Talk::Quiet)?;
        for i in 0..album.len() {
            if let Ok(was) = album.photo(i) {
                verification.push(&album.name(i), &was)?;
            }
        }
        Ok(())
    }
}

/// Decompresses a file to a folder of images, or to a single image or file of pages.
pub(in crate::verbs) fn decompress_images(
    model: &ImageModel,
    source: impl Read,
    target: &Path,
    common: &Common,
) -> Result<Outcome, Failure> {
    let talk = common.talk();
    let mut reader = ImageDecompressor::new(model, source)?;
    let keeps_pixels = reader.keeps_pixels();
    let mut writer = ImageWriter::default();
    if is_image(target) && !target.is_dir() {
        let mut n = 0;
        while let Some(photos) = reader.next_images()? {
            for (_, photo) in photos {
                let is_next = are_together(target, photo.page) && photo.page.is_some_and(|page| page.number as usize > n);
                if n > 0 && !is_next {
                    let message = format!("expected a folder for several images, got `{}`", target.display());
                    return Err(Error::recipe("--output", message).into());
                }
                n += 1;
                writer.put(&photo, target)?;
            }
        }
        if keeps_pixels && Format::of_path(target) == Some(Format::Jpeg) {
            talk.line(format_args!("note: {} is a jpeg, which changes pixels; a .png keeps them", target.display()));
        }
        writer.finish(talk)?;
        return Ok(Outcome::Done);
    }
    let folder = Folder::new(target, "--output")?;
    let (mut n, mut renamed) = (0_u64, 0_u64);
    while let Some(photos) = reader.next_images()? {
        for (name, photo) in photos {
            let name = if name.is_empty() { format!("{n:06}.png") } else { name };
            // Written as JPEG, pixels would be others than those that were kept.
            let is_lossy = keeps_pixels && Format::of_path(Path::new(&name)) == Some(Format::Jpeg);
            renamed += u64::from(is_lossy);
            let given = if is_lossy { Some("png") } else { extension(&name) };
            let mut place = folder.place(&name, given);
            if let Some(page) = photo.page.filter(|_| !are_together(&place, photo.page)) {
                let name = format!("{name}#{}", page.number);
                place = folder.place(&name, extension(&name));
            }
            writer.put(&photo, &place)?;
            n += 1;
        }
    }
    if renamed > 0 {
        let n = count(renamed, "image");
        talk.line(format_args!("note: {n} named .jpg written as .png, which keeps the pixels"));
    }
    writer.finish(talk)?;
    Ok(Outcome::Done)
}
