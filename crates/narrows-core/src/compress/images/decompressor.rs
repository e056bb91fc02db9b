//! Decompression of images, run by run.

use std::io::Read;

use narrows_codec::{Chunk, Plane, Reader, decode_codes, decode_plane};
use narrows_images::{Channels, Depth, Image, Photo};

use super::super::decompressor::{check, damaged};
use super::super::fidelity::Fidelity;
use super::super::kept;
use super::super::manifest::{self, ImageManifest, ImageRun};
use super::blocks::{BlockCoder, PackedBlocks};
use super::cells::{Counting, checksum};
use super::coder::{ImageChunkCoder, shape};
use super::{BESIDE, Beside, CODES, FURTHER, Further, PIXELS, RUN, SECTIONS};
use crate::codec::Quantiser;
use crate::error::{Error, Result};
use crate::fitted::ImageModel;

/// Reads the images of a compressed file.
pub struct ImageDecompressor<R> {
    coder: ImageChunkCoder,
    manifest: ImageManifest,
    reader: Reader<R>,
}

impl<R: Read> ImageDecompressor<R> {
    /// Reads the header; the source need not be seekable.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is not such a file, of a newer version, damaged, or made with another model.
    pub fn new(model: &ImageModel, source: R) -> Result<ImageDecompressor<R>> {
        let reader = Reader::new(source).map_err(damaged)?;
        let coder = ImageChunkCoder::new(model)?;
        check(reader.header(), manifest::IMAGES, || Ok(coder.identity()))?;
        let manifest: ImageManifest =
            manifest::unpack(&reader.header().settings, "the header").map_err(Error::mismatch)?;
        if coder.coding().maps.is_none() && !Quantiser::LEVELS.contains(&i32::from(manifest.level)) {
            return Err(Error::mismatch("the header is damaged: it asks for a rounding that does not exist"));
        }
        Ok(ImageDecompressor { coder, manifest, reader })
    }

    /// Whether pixels come back as they were, or within a bound, rather than as the code describes them.
    pub fn keeps_pixels(&self) -> bool {
        !matches!(self.manifest.fidelity, Fidelity::Code(_))
    }

    /// The next images with their names, which may be empty; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the file is damaged, or this machine's arithmetic differs from that of the encoder.
    pub fn next_images(&mut self) -> Result<Option<Vec<(String, Photo)>>> {
        let chunk = self.reader.next_chunk().map_err(damaged)?;
        chunk.map(|chunk| self.unpack(&chunk)).transpose()
    }

    /// What the codes of `n` images of this form decode to.
    fn expected(&self, section: &[u8], form: &Image, n: usize) -> Result<Vec<Image>> {
        let bad = |message: &str| Error::mismatch(format!("a run of images is damaged: {message}"));
        if let Some(coder) = BlockCoder::of(&self.coder) {
            let packed: Vec<PackedBlocks> = manifest::unpack(section, "blocks of images").map_err(Error::mismatch)?;
            if packed.len() != n {
                return Err(bad("its codes are not of as many images"));
            }
            return coder.decode(&packed, form).map_err(|problem| bad(&problem));
        }
        let quantiser = &self.coder.coding().quantiser;
        let level = i32::from(self.manifest.level);
        let (samples, k) = (self.coder.adapter.n_samples(form) * n, self.coder.core.code_size());
        if samples.checked_mul(k).is_none_or(|units| units > manifest::LARGEST) {
            return Err(bad("its codes are more than are possible"));
        }
        let tables = quantiser.tables(k, level);
        let symbols = decode_codes(section, samples, &tables).map_err(damaged)?;
        Ok(self.coder.expected(&quantiser.codes(&symbols, level), form, n))
    }

    fn unpack(&self, chunk: &Chunk) -> Result<Vec<(String, Photo)>> {
        let bad = |message: &str| Error::mismatch(format!("a run of images is damaged: {message}"));
        let sections = &chunk.sections;
        if !(SECTIONS..=SECTIONS + 1).contains(&sections.len()) {
            return Err(bad("its sections are not those of images"));
        }
        let run: ImageRun = manifest::unpack(&sections[RUN], "a run of images").map_err(Error::mismatch)?;
        let channels = match run.channels {
            1 => Channels::Grey,
            3 => Channels::Rgb,
            _ => return Err(bad("images have 1 or 3 channels")),
        };
        let (height, width, n) = (run.height as usize, run.width as usize, run.count as usize);
        let depth = match run.white {
            255 => Depth::Eight,
            65_535 => Depth::Sixteen,
            _ => return Err(bad("images have 8 or 16 bits")),
        };
        let values = [height, width, channels.count(), n].into_iter().try_fold(1_usize, usize::checked_mul);
        let is_large =
            height.max(width) > 1 << 16 || values.is_none_or(|values| values == 0 || values > manifest::LARGEST);
        if is_large || chunk.rows != u64::from(run.count) {
            return Err(bad("its size is not possible"));
        }
        let form = Image::new(height, width, channels, vec![0.0; height * width * channels.count()]);
        self.coder.check("the compressed file", &form)?;
        let expected = self.expected(&sections[CODES], &form, n)?;
        let images = match self.manifest.fidelity.image_step(run.white) {
            None => {
                // Files of version 1 have no checksum here.
                let stored = (self.reader.header().version > 1).then(|| checksum(&expected, run.white).to_le_bytes());
                if sections[PIXELS] != stored.map_or_else(Vec::new, Vec::from) {
                    return Err(bad("this machine decodes the codes to other pixels than the one that wrote them"));
                }
                expected
            }
            Some(step) => {
                let counting = Counting::new(&expected, step, self.manifest.start, run.white);
                let plane = Plane { shape: shape(&form, n), guesses: &counting.guesses };
                let (pixels, stored) = sections[PIXELS].split_last_chunk().ok_or_else(|| bad("it has no pixels"))?;
                let places = decode_plane(pixels, &plane).map_err(damaged)?;
                if counting.checksum() != u32::from_le_bytes(*stored) {
                    return Err(bad("this machine expects other pixels than the one that wrote it"));
                }
                counting.images(&places, &form, run.white)
            }
        };
        let mut beside: Vec<Beside> =
            kept::read_values(&sections[BESIDE], kept::LARGEST, "what images have beside their pixels")
                .map_err(Error::mismatch)?;
        if beside.is_empty() {
            beside = vec![Beside::default(); n];
        }
        let fits = |beside: &Beside| beside.alpha.as_ref().is_none_or(|alpha| alpha.len() == height * width);
        if beside.len() != n || !beside.iter().all(fits) {
            return Err(bad("what is beside the pixels does not fit them"));
        }
        let further: Vec<Further> = match sections.get(FURTHER) {
            Some(section) => kept::read_values(section, kept::LARGEST, "what images have beside their pixels")
                .map_err(Error::mismatch)?,
            None => vec![Further::default(); n],
        };
        if further.len() != n {
            return Err(bad("what is beside the pixels does not fit them"));
        }
        let photo = |((image, beside), further): ((Image, Beside), Further)| {
            let alpha = beside.alpha.map(|alpha| alpha.iter().map(|a| f32::from(*a) / run.white as f32).collect());
            let photo = Photo { alpha, depth, icc: beside.icc, exif: beside.exif, ..Photo::from(image) };
            (beside.name, further.added_to(photo))
        };
        Ok(images.into_iter().zip(beside).zip(further).map(photo).collect())
    }
}
