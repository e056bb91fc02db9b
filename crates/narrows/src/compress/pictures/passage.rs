//! Pictures on their way to codes, and what codes say of pictures.
//!
//! A picture is one sample where the model sees pictures whole; else it is cut into pieces that do not overlap, so that
//! no pixel is paid for twice.

use narrows_codec::Shape;
use narrows_engine::Threads;
use narrows_pictures::{Depth, Picture};

use crate::codec::Coding;
use crate::error::{Error, Place, Result};
use crate::fitted::{Fitted, ImagesIntake, ImagesLayout};

/// Values that go through the network together.
const TOGETHER: usize = 1 << 20;

/// A picture model, and what pictures become in it.
pub(super) struct Passage<'a> {
    pub(super) fitted: &'a Fitted,
    pub(super) coding: &'a Coding,
    pub(super) intake: ImagesIntake,
    threads: &'a Threads,
}

impl<'a> Passage<'a> {
    pub(super) fn new(fitted: &'a Fitted, threads: &'a Threads) -> Result<Passage<'a>> {
        let coding = fitted.coding()?;
        let layout = fitted.images()?.layout;
        // Pieces side by side.
        let stride = layout.stride.map(|_| layout.height.min(layout.width));
        let intake = ImagesIntake::new(ImagesLayout { stride, ..layout });
        Ok(Passage { fitted, coding, intake, threads })
    }

    /// Refuses a picture that would have to change its size or colours on the way.
    pub(super) fn check(&self, name: &str, picture: &Picture) -> Result<()> {
        let ImagesLayout { height, width, channels, stride } = self.intake.layout;
        let place = || Place::source(name);
        if picture.channels != channels {
            let message = format!(
                "expected a {} picture, as the model sees them, got a {} one",
                channels.name(),
                picture.channels.name()
            );
            return Err(Error::data(place(), message));
        }
        if stride.is_none() && (picture.height, picture.width) != (height, width) {
            let message = format!(
                "expected {height} x {width} pixels, as the model sees whole, got {} x {}",
                picture.height, picture.width
            );
            let hint = "for pictures of any size fit with --set data.view=pieces";
            return Err(Error::data(place(), message).with_hint(hint));
        }
        Ok(())
    }

    pub(super) fn codes(&self, pictures: &[Picture]) -> Vec<f32> {
        let mut codes = Vec::new();
        for some in together(pictures) {
            let values: Vec<f32> = some.iter().flat_map(|picture| self.intake.values(picture)).collect();
            codes.extend(self.fitted.judge.codes(&self.intake.prepared(values), self.threads));
        }
        codes
    }

    /// What codes say of pictures of this form.
    pub(super) fn expected(&self, codes: &[f32], form: &Picture, n: usize) -> Vec<Picture> {
        let (k, samples) = (self.fitted.code_size(), self.intake.n_samples(form));
        let at_once = (TOGETHER / (samples * self.intake.width())).max(1);
        let mut pictures = Vec::with_capacity(n);
        for codes in codes.chunks(at_once * samples * k) {
            let output = self.fitted.judge.decode(codes, codes.len() / k, self.threads);
            pictures.extend(
                output.chunks_exact(samples * self.intake.width()).map(|values| self.intake.picture(values, form)),
            );
        }
        pictures
    }
}

fn together(pictures: &[Picture]) -> impl Iterator<Item = &[Picture]> {
    let values = pictures.first().map_or(1, |picture| picture.pixels.len());
    pictures.chunks((TOGETHER / values.max(1)).max(1))
}

/// Pixels as levels of the file, `white` the largest.
pub(super) fn levels(picture: &Picture, white: u32) -> impl Iterator<Item = f64> + '_ {
    picture.pixels.iter().map(move |pixel| (f64::from(*pixel) * f64::from(white)).round().clamp(0.0, f64::from(white)))
}

pub(super) fn white(depth: Depth) -> u32 {
    match depth {
        Depth::Eight => 255,
        Depth::Sixteen => 65_535,
    }
}

pub(super) fn shape(form: &Picture, count: usize) -> Shape {
    Shape::Pictures { count, height: form.height, width: form.width, channels: form.channels.count() }
}
