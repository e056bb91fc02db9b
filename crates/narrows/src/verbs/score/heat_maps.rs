//! The heat maps of `narrows score`, one file for each image: drawn over the image, or as numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array};
use clap::ValueEnum;
use narrows_core::data::Format;
use narrows_core::images::{Album, Channels, Depth, Image, Photo};
use narrows_core::output::{TableWriter, batch};
use narrows_core::{Error, ImageModel, ImageScore};

use crate::failure::Failure;
use crate::image_writer::make_room;
use crate::images::{self, Folder, Pages};

/// What a heat map is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum HeatMapFormat {
    /// PNG: the image with the heat laid over it.
    #[default]
    Overlay,
    /// 16-bit grey PNG: 65535 is a heat of 100 and more.
    Png16,
    /// NumPy array, float32, of the image's height and width.
    Npy,
}

/// The heat that is white in a 16-bit file.
const WHITE: f32 = 100.0;

/// Where heat maps go.
pub(super) struct HeatMaps {
    places: Vec<PathBuf>,
    format: HeatMapFormat,
}

impl HeatMaps {
    /// One for each image of an album, in a folder.
    pub(super) fn new(folder: &Folder<'_>, format: HeatMapFormat, album: &Album) -> Result<HeatMaps, Failure> {
        let mut places = folder.places(album, |_| Some("png"), Pages::Apart)?;
        if format == HeatMapFormat::Npy {
            places = places.iter().map(|place| place.with_extension("npy")).collect();
        }
        Ok(HeatMaps { places, format })
    }

    /// Writes that of image `i`.
    pub(super) fn write(&self, i: usize, model: &ImageModel, image: &Image, score: &ImageScore) -> Result<(), Failure> {
        let place = &self.places[i];
        match self.format {
            HeatMapFormat::Overlay => images::write_plain(model.heat_map(image, score), place),
            HeatMapFormat::Png16 => {
                let levels = score.heat.iter().map(|heat| (heat / WHITE).clamp(0.0, 1.0)).collect();
                let grey = Image::new(image.height, image.width, Channels::Grey, levels);
                images::write_photo(&Photo { depth: Depth::Sixteen, ..Photo::from(grey) }, place)
            }
            HeatMapFormat::Npy => write_array(&score.heat, image.width, place),
        }
    }
}

/// Writes numbers as an array of `width` columns.
fn write_array(values: &[f32], width: usize, place: &Path) -> Result<(), Failure> {
    make_room(place)?;
    let column = |x: usize| {
        let values: Float32Array = values[x..].iter().step_by(width).copied().collect::<Vec<f32>>().into();
        (x.to_string(), Arc::new(values) as ArrayRef)
    };
    let mut writer = TableWriter::create_as(place, Format::Npy)?;
    writer.write(&batch((0..width).map(column).collect()))?;
    writer.finish().map_err(Error::into)
}
