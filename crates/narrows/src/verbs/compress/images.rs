//! `narrows compress` and `narrows decompress` for images.

use std::collections::HashSet;
use std::io::{BufWriter, Read};
use std::path::Path;

use narrows_core::compress::{
    CompressionSummary, Fidelity, ImageBaseline, ImageCompressor, ImageDecompressor, ImageVerification, OriginalSize,
};
use narrows_core::images::Image;
use narrows_core::{Error, ImageModel};

use super::{CompressionMessage, Subject, open, verified, whole};
use crate::failure::{Failure, Outcome};
use crate::flags::Common;
use crate::images::{self, Folder, each_photo, extension, is_image};
use crate::output;
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
        // Images of an array have no file names; a single image is named when it is decompressed.
        let paths: HashSet<&Path> = (0..album.len()).filter_map(|i| album.path(i)).collect();
        let are_named = album.len() > 1 && paths.len() == album.len();
        let mut first: Vec<Image> = Vec::new();
        let outcome = each_photo(&album, talk, |_, name, photo| {
            if first.len() < ImageBaseline::IMAGES {
                first.push(photo.image.clone());
            }
            writer.push(if are_named { name } else { "" }, photo)?;
            Ok(())
        })?;
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
            talk.line(verified(self.fidelity));
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

/// Decompresses a file to a folder of images, or to a single image.
pub(in crate::verbs) fn decompress_images(
    model: &ImageModel,
    source: impl Read,
    target: &Path,
    targets: &Targets,
    common: &Common,
) -> Result<Outcome, Failure> {
    let talk = common.talk();
    let mut reader = ImageDecompressor::new(model, source)?;
    if is_image(target) && !target.is_dir() {
        let mut photos = reader.next_images()?.unwrap_or_default();
        if photos.len() != 1 || reader.next_images()?.is_some() {
            let message = format!("expected a folder for several images, got `{}`", target.display());
            return Err(Error::recipe("--output", message).into());
        }
        images::write(&photos.remove(0).1, target, talk)?;
        return Ok(Outcome::Done);
    }
    let folder = Folder::fresh(target, "--output", targets)?;
    let mut n = 0_u64;
    while let Some(photos) = reader.next_images()? {
        for (name, photo) in photos {
            let name = if name.is_empty() { format!("{n:06}.png") } else { name };
            images::write(&photo, &folder.place(&name, extension(&name))?, talk)?;
            n += 1;
        }
    }
    Ok(Outcome::Done)
}
