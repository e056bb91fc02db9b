//! Images: file formats, image corruption, similarity metrics, classical baselines. Independent of models.
//!
//! An [`Image`] is plain numbers: height, width, one channel or three, each value in [0, 1] as the file stores it
//! (gamma-encoded, never linear light).

#![forbid(unsafe_code)]

mod album;
mod along;
pub mod classical;
mod colour;
mod compact;
pub mod compare;
pub mod damage;
mod draft;
mod error;
mod file;
mod flat;
#[cfg(test)]
mod golden;
mod guard;
mod heat;
mod image;
mod lettering;
pub mod local_contrast;
mod numpy_header;
mod retouch;
mod shape;
mod sheet;
mod smoothing;

pub use album::{Album, LeftOut, Skipped, SplitFolder, Store};
pub use along::{resizing_along, smoothing_along};
pub use colour::{COLOURS_OF_CHROMA, colourfulness, luminance_and_chroma, recombine};
pub use damage::{Damage, Damages, Fill, KeptMark, Mark, PreparedDamages, Side, Span};
pub use draft::{Draft, resolved, sweep};
pub use error::{Error, Result};
pub use file::{Density, Depth, Format, JPEG_QUALITY, Limits, Loss, Page, Photo, Sequence, Written};
pub use guard::guarded;
pub use heat::{heat, overlay};
pub use image::{Channels, Image};
pub use local_contrast::local_contrast;
pub use numpy_header::NumpyHeader;
pub use retouch::Holes;
pub use shape::Filter;
pub use sheet::{Sheet, gallery, gallery_sheet};
