//! `narrows compress` and `narrows decompress` for images.

use std::collections::HashSet;
use std::io::{BufWriter, Read};
use std::path::Path;

use narrows_core::compress::{
    CompressionSummary, Fidelity, ImageBaseline, ImageCompressor, ImageDecompressor, ImageVerification, OriginalSize,
};
use narrows_core::images::{Format, Image, Photo};
use narrows_core::{Error, ImageModel};

use super::{CompressionMessage, Subject, open, verified, whole};
use crate::failure::{Failure, Outcome};
use crate::flags::Common;
use crate::image_writer::{ImageWriter, are_together};
use crate::images::{self, Folder, each_photo, extension, is_image};
use crate::losses::Losses;
use crate::output;
use crate::talk::count;
use crate::targets::Targets;

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
            CompressionMessage { summary, fidelity: self.fidelity.into(), subject: Subject::Images }.tell(common)?;
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
    targets: &Targets,
    common: &Common,
) -> Result<Outcome, Failure> {
    let talk = common.talk();
    let mut reader = ImageDecompressor::new(model, source)?;
    let keeps_pixels = reader.keeps_pixels();
    let mut writer = ImageWriter::default();
    if is_image(target) && !target.is_dir() {
        // The last one waits, so that nothing is written if there is one too many.
        let mut last: Option<Photo> = None;
        while let Some(photos) = reader.next_images()? {
            for (_, photo) in photos {
                if let Some(before) = last.replace(photo) {
                    let next = last.as_ref().and_then(|photo| photo.page);
                    let follows = before.page.zip(next).is_some_and(|(before, next)| next.number > before.number);
                    if !follows || !are_together(target, next) {
                        let message = format!("expected a folder for several images, got `{}`", target.display());
                        return Err(Error::recipe("--output", message).into());
                    }
                    writer.put(&before, target)?;
                }
            }
        }
        if let Some(photo) = last {
            writer.put(&photo, target)?;
        }
        if keeps_pixels && Format::of_path(target) == Some(Format::Jpeg) {
            talk.note(format_args!("{} is a jpeg, which changes pixels; a .png keeps them", target.display()));
        }
        writer.finish(talk)?;
        return Ok(Outcome::Done);
    }
    let folder = Folder::fresh(target, "--output", targets)?;
    let (mut n, mut renamed, mut placed) = (0_u64, 0_u64, HashSet::new());
    while let Some(photos) = reader.next_images()? {
        for (name, photo) in photos {
            let name = if name.is_empty() { format!("{n:06}.png") } else { name };
            // Written as JPEG, pixels would be others than those that were kept.
            let is_lossy = keeps_pixels && Format::of_path(Path::new(&name)) == Some(Format::Jpeg);
            renamed += u64::from(is_lossy);
            let given = if is_lossy { Some("png") } else { extension(&name) };
            let mut place = folder.path_of(&name, given);
            if let Some(page) = photo.page.filter(|_| !are_together(&place, photo.page)) {
                let name = format!("{name}#{}", page.number);
                place = folder.path_of(&name, extension(&name));
            }
            if !placed.insert(place.clone()) && !are_together(&place, photo.page) {
                // A PNG and a JPEG of one name.
                place = folder.path_of(&format!("{name}.png"), None);
                placed.insert(place.clone());
            }
            if writer.is_new(&place) {
                folder.check(&place)?;
            }
            writer.put(&photo, &place)?;
            n += 1;
        }
    }
    if renamed > 0 {
        let n = count(renamed, "image");
        talk.note(format_args!("{n} named .jpg written as .png, which keeps the pixels"));
    }
    writer.finish(talk)?;
    Ok(Outcome::Done)
}
