//! Frames of animations. They build upon one another, so the ones after a frame that is read are kept for a while.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Frame, ImageDecoder, ImageResult};

use super::read::{Decoded, decode_frames};
use super::source::Buffered;
use super::{Format, Limits, Part};
use crate::{Error, Result};

/// Bytes of decoded frames that are kept.
const KEPT: usize = 64 << 20;

/// Opens an animation.
pub(super) fn frames(
    source: Buffered,
    format: Format,
    bounds: &image::Limits,
) -> ImageResult<Box<dyn Iterator<Item = ImageResult<Frame>>>> {
    Ok(match format {
        Format::Gif => {
            let mut decoder = GifDecoder::new(source)?;
            decoder.set_limits(bounds.clone())?;
            Box::new(decoder.into_frames())
        }
        Format::Png => {
            let decoder = PngDecoder::with_limits(source, bounds.clone())?;
            Box::new(decoder.apng()?.into_frames())
        }
        _ => Box::new(WebPDecoder::new(source)?.into_frames()),
    })
}

/// The frames read last: a run of one file's.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<Option<Run>>);

#[derive(Debug)]
struct Run {
    path: PathBuf,
    first: u32,
    frames: VecDeque<Decoded>,
}

impl Runs {
    /// Frame `number`, from 0, of a file.
    pub(crate) fn get(&self, path: &Path, part: &Part, number: u32, limits: &Limits) -> Result<Decoded> {
        let mut run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = run.as_ref().filter(|run| run.path == path)
            && let Some(frame) = number.checked_sub(run.first).and_then(|i| run.frames.get(i as usize))
        {
            return Ok(frame.clone());
        }
        // Freed before others are read.
        *run = None;
        let mut frames = VecDeque::new();
        let mut bytes = 0;
        let mut failed = None;
        decode_frames(path, part, limits, &mut |i, frame| {
            if i < number {
                return frame.is_ok();
            }
            match frame {
                Ok(frame) => {
                    bytes += frame.bytes();
                    frames.push_back(frame);
                    bytes < KEPT
                }
                Err(error) => {
                    failed = Some(error);
                    false
                }
            }
        })?;
        let wanted = frames.front().cloned();
        *run = Some(Run { path: path.to_path_buf(), first: number, frames });
        let missing =
            || Error::image(path.display().to_string(), format!("expected a frame {}, got an end", number + 1));
        wanted.ok_or_else(|| failed.unwrap_or_else(missing))
    }
}
