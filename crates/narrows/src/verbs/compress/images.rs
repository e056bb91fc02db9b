//! `narrows compress` and `decompress` on images.

use std::collections::HashSet;
use std::fmt;
use std::io::{BufWriter, Read};
use std::path::Path;

use narrows_core::compress::{ErrorBound, Fidelity, ImageReader, ImageWriter};
use narrows_core::images::classical::{Lossy, at_bytes, mosaic};
use narrows_core::images::{Image, Photo};
use narrows_core::{Error, Fitted};
use serde::Serialize;

use super::super::compress::{ReportInputs, flagged, open, verified, whole};
use super::code::{each_photo, extension};
use super::fit::is_image;
use crate::flags::Common;
use crate::failure::{Failure, Outcome};
use crate::images::{self, Folder};
use crate::output;
use crate::talk::grouped;

/// Images that other formats are tried on.
const COMPARED: usize = 256;

/// What to compress, and how.
pub(in crate::verbs) struct Job<'a> {
    pub(in crate::verbs) fitted: &'a Fitted,
    pub(in crate::verbs) fidelity: Fidelity,
    /// None is stdout.
    pub(in crate::verbs) target: Option<&'a Path>,
    pub(in crate::verbs) verify: bool,
    pub(in crate::verbs) model_bytes: u64,
}

/// What another format makes of the same images.
#[derive(Debug, Serialize)]
pub(in crate::verbs) struct Baseline {
    what: String,
    images: u64,
    bytes: u64,
    /// Ours for the same images.
    our_bytes: u64,
    psnr: f64,
    our_psnr: f64,
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Baseline { what, images, bytes, our_bytes, psnr, our_psnr } = self;
        let (bytes, our_bytes) = (grouped(*bytes), grouped(*our_bytes));
        write!(f, "{what}, first {images}: {psnr:.2} dB in {bytes} bytes; ours {our_psnr:.2} dB in {our_bytes}")
    }
}

impl Job<'_> {
    pub(in crate::verbs) fn run(self, inputs: &[String], common: &Common) -> Result<Outcome, Failure> {
        let (talk, threads) = (common.talk(), common.threads()?);
        let album = images::open(inputs, talk)?;
        let sink = BufWriter::new(output::sink(self.target)?);
        let mut writer = ImageWriter::new(self.fitted, self.fidelity, sink, &threads).map_err(flagged)?;
        // Images of an array have numbers and no names; a single one is named by whoever decompresses it.
        let paths: HashSet<&Path> = (0..album.len()).filter_map(|i| album.path(i)).collect();
        let are_named = album.len() > 1 && paths.len() == album.len();
        let mut first: Vec<Image> = Vec::new();
        let outcome = each_photo(&album, talk, |_, name, photo| {
            if first.len() < COMPARED {
                first.push(photo.image.clone());
            }
            writer.push(if are_named { name } else { "" }, photo)?;
            Ok(())
        })?;
        let (sink, account) = writer.finish()?;
        let sink = whole(sink)?;
        if let (true, Some(draft)) = (self.verify, sink.draft()) {
            self.check(inputs, draft, common)?;
        }
        sink.finish()?;
        if common.is_told() {
            let files: Option<Vec<_>> = (0..album.len()).map(|i| album.path(i).map(Path::to_path_buf)).collect();
            let mut files =
                files.unwrap_or_else(|| inputs.iter().map(|input| Path::new(input).to_path_buf()).collect());
            files.dedup();
            let mut told = ReportInputs::new(account, self.fidelity, Some(&files), self.model_bytes, "image");
            if let Fidelity::Code(_) | Fidelity::Within(_) = self.fidelity {
                told.baselines = self.baselines(&first, common)?;
            }
            told.tell(common)?;
        }
        if self.verify {
            talk.line(verified(self.fidelity));
        }
        Ok(outcome)
    }

    /// The first images as other formats store them in as many bytes.
    fn baselines(&self, images: &[Image], common: &Common) -> Result<Vec<Baseline>, Failure> {
        let threads = common.threads()?;
        let mut writer = ImageWriter::new(self.fitted, self.fidelity, Vec::new(), &threads)?;
        images.iter().try_for_each(|image| writer.push("", Photo::from(image.clone())))?;
        let (_, ours) = writer.finish()?;
        let are_alike = images.iter().all(|image| (image.height, image.width) == (images[0].height, images[0].width));
        // Many small images side by side: a file for each would be all header.
        let (sheets, form) = if are_alike && images.len() > 1 {
            (vec![mosaic(images)], " of all images side by side")
        } else {
            (images.to_vec(), "")
        };
        let baseline = |lossy: Lossy| {
            let (mut bytes, mut squares, mut values) = (0, 0.0, 0.0);
            let pixels: usize = sheets.iter().map(|sheet| sheet.pixels.len()).sum();
            for sheet in &sheets {
                let budget = ours.bytes as usize * sheet.pixels.len() / pixels.max(1);
                let stored = at_bytes(lossy, sheet, budget);
                bytes += stored.bytes as u64;
                squares += stored.mse * sheet.pixels.len() as f64;
                values += sheet.pixels.len() as f64;
            }
            Baseline {
                what: format!("{}{form}", lossy.name()),
                images: images.len() as u64,
                bytes,
                our_bytes: ours.bytes,
                psnr: -10.0 * (squares / values).log10(),
                our_psnr: ours.errors.psnr().min(999.0),
            }
        };
        let able = Lossy::ALL.into_iter().filter(|lossy| sheets.iter().all(|sheet| lossy.holds(sheet)));
        Ok(threads.install(|| able.map(baseline).collect()))
    }

    /// Reads the file again, beside the input.
    fn check(&self, inputs: &[String], path: &Path, common: &Common) -> Result<(), Failure> {
        let threads = common.threads()?;
        let mut reader = ImageReader::new(self.fitted, open(path)?, &threads)?;
        let album = images::open(inputs, crate::talk::Talk::Quiet)?;
        let mut back = Vec::new().into_iter();
        for i in 0..album.len() {
            let Ok(was) = album.photo(i) else { continue };
            let (_, is) = match back.next() {
                Some(photo) => photo,
                None => {
                    back = reader.next_images()?.unwrap_or_default().into_iter();
                    back.next().ok_or_else(|| Error::mismatch("the compressed file has fewer images than the input"))?
                }
            };
            let bound = match self.fidelity {
                Fidelity::Code(_) => f64::INFINITY,
                Fidelity::Lossless => 0.0,
                Fidelity::Within(ErrorBound::Share(share)) => share,
                Fidelity::Within(ErrorBound::Absolute(bound)) => bound / 255.0,
            };
            let far = |(a, b): (&f32, &f32)| f64::from(a - b).abs() > bound + 1e-6;
            let differs = was.image.pixels.iter().zip(&is.image.pixels).any(far);
            if differs || was.image.pixels.len() != is.image.pixels.len() || (was.alpha != is.alpha) {
                return Err(Error::mismatch(format!("{}: not within the bound when read again", album.name(i))).into());
            }
        }
        Ok(())
    }
}

/// A compressed file to a folder of images, or to one image.
pub(in crate::verbs) fn decompress(
    fitted: &Fitted,
    source: impl Read,
    target: &Path,
    common: &Common,
) -> Result<Outcome, Failure> {
    let (talk, threads) = (common.talk(), common.threads()?);
    let mut reader = ImageReader::new(fitted, source, &threads)?;
    if is_image(target) && !target.is_dir() {
        let mut photos = reader.next_images()?.unwrap_or_default();
        if photos.len() != 1 || reader.next_images()?.is_some() {
            let message = format!("expected a folder for several images, got `{}`", target.display());
            return Err(Error::recipe("--output", message).into());
        }
        images::write(&photos.remove(0).1, target, talk)?;
        return Ok(Outcome::Done);
    }
    let folder = Folder::new(target, "--output")?;
    let mut n = 0_u64;
    while let Some(photos) = reader.next_images()? {
        for (name, photo) in photos {
            let name = if name.is_empty() { format!("{n:06}.png") } else { name };
            images::write(&photo, &folder.place(&name, extension(&name)), talk)?;
            n += 1;
        }
    }
    Ok(Outcome::Done)
}
