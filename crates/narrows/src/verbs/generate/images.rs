//! `narrows generate` for images: to a folder, or to one contact sheet.

use std::path::Path;

use narrows_core::images::{Album, Image, Photo};
use narrows_core::{Error, ImageModel};

use crate::failure::{Failure, Outcome};
use crate::flags::Common;
use crate::images::{self, Folder};
use crate::talk::grouped;
use crate::targets::Targets;

/// Images generated per batch.
const BATCH: usize = 256;
/// Maximum number of images on a contact sheet.
const MOST_ON_A_SHEET: u64 = 10_000;

/// The model and the output of generated images.
pub(super) struct Show<'a> {
    pub(super) model: &'a ImageModel,
    pub(super) target: &'a Path,
    pub(super) targets: &'a Targets,
    pub(super) common: &'a Common,
}

impl Show<'_> {
    /// New images.
    pub(super) fn fresh(&self, n: u64, seed: u64) -> Result<Outcome, Failure> {
        self.show(n, |n, first| Ok(self.model.generate(n, first, seed)))
    }

    /// Variations of given images, which are cycled.
    pub(super) fn like(&self, given: &str, n: Option<u64>, spread: f32, seed: u64) -> Result<Outcome, Failure> {
        let album = self.album(&[given.to_owned()])?;
        self.show(n.unwrap_or(album.len() as u64), |n, first| {
            let one = |i: u64| -> Result<Image, Failure> {
                let image = album.image((i % album.len() as u64) as usize).map_err(Error::from)?;
                Ok(self.model.vary(&image, spread, seed, i))
            };
            (first..first + n as u64).map(one).collect()
        })
    }

    /// Interpolation between two of the given images.
    pub(super) fn between(&self, given: &str, (a, b): (u64, u64), steps: usize) -> Result<Outcome, Failure> {
        let album = self.album(&[given.to_owned()])?;
        let n = album.len() as u64;
        if let Some(row) = [a, b].into_iter().find(|row| *row >= n) {
            let message = format!("expected images from 0 to {}, as there are {n}, got {row}", n - 1);
            return Err(Error::data(narrows_core::error::Place::source(given), message).into());
        }
        self.interpolate(&album, (a as usize, b as usize), steps)
    }

    /// Interpolation between two files.
    pub(super) fn between_files(&self, between: &str, steps: usize) -> Result<Outcome, Failure> {
        let files: Vec<String> = between.split(',').map(|file| file.trim().to_owned()).collect();
        if files.len() != 2 || files.iter().any(|file| !Path::new(file).is_file()) {
            let message = format!("expected two image files, or --like with the numbers of two, got `{between}`");
            return Err(Error::recipe("--between", message).into());
        }
        let album = self.album(&files)?;
        if album.len() != 2 {
            let message = format!("expected one image per file, got {} in `{between}`", album.len());
            return Err(Error::recipe("--between", message).with_hint("use --like FILE and image numbers").into());
        }
        self.interpolate(&album, (0, 1), steps)
    }

    /// Images decoded from a grid over a code of two units.
    pub(super) fn manifold(&self, side: usize) -> Result<Outcome, Failure> {
        let images = self.model.manifold(side)?;
        self.show(images.len() as u64, |n, first| Ok(images[first as usize..][..n].to_vec()))
    }

    fn interpolate(&self, album: &Album, (a, b): (usize, usize), steps: usize) -> Result<Outcome, Failure> {
        let read = |i: usize| album.image(i).map_err(Error::from);
        let images = self.model.interpolate(&read(a)?, &read(b)?, steps)?;
        self.show(steps as u64, |n, first| Ok(images[first as usize..][..n].to_vec()))
    }

    fn album(&self, given: &[String]) -> Result<Album, Failure> {
        let album = images::open(given, self.common.talk())?;
        if album.len() == 0 {
            let message = "expected a readable image, got none";
            return Err(Error::data(narrows_core::error::Place::source(album.source()), message).into());
        }
        Ok(album)
    }

    /// Writes `n` images, generated in batches.
    fn show(
        &self,
        n: u64,
        mut make: impl FnMut(usize, u64) -> Result<Vec<Image>, Failure>,
    ) -> Result<Outcome, Failure> {
        if images::is_image(self.target) {
            if !(1..=MOST_ON_A_SHEET).contains(&n) {
                let most = grouped(MOST_ON_A_SHEET);
                let message = format!("expected from 1 to {most} images on one sheet, got {}", grouped(n));
                return Err(Error::recipe("--output", message)
                    .with_hint("name a folder to write one file per image")
                    .into());
            }
            let sheet = narrows_core::images::gallery(&make(n as usize, 0)?);
            Photo::from(sheet).write(self.target).map_err(Error::from)?;
            return Ok(Outcome::Done);
        }
        let folder = Folder::fresh(self.target, "--output", self.targets)?;
        for first in (0..n).step_by(BATCH) {
            let images = make((n - first).min(BATCH as u64) as usize, first)?;
            for (i, image) in images.into_iter().enumerate() {
                let name = format!("{:06}", first + i as u64);
                images::write_plain(image, &folder.place(&name, Some("png"))?)?;
            }
        }
        Ok(Outcome::Done)
    }
}
