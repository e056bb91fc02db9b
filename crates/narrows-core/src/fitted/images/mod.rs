//! Models of images with a code: an image is a sample, or each of its patches is.

mod adapter;
mod fit;
mod map_prior;
mod measures;
mod model;
mod patch_memory;
mod photographs;
mod quality;
mod recalibrate;
mod roles;
mod samples;
mod scored_images;
mod scorer;
mod summary;

pub(crate) use adapter::ImageAdapter;
pub(crate) use adapter::ImageLayout;
pub(super) use fit::{fit, trial_data};
pub(crate) use measures::{MEASURES, measures};
pub use model::ImageScore;
pub(crate) use patch_memory::{PatchCut, PatchMemory};
pub use roles::ImageRoles;
pub(super) use samples::ImageSamples;

/// A model fitted to images.
pub type ImageModel = super::core::Fitted<ImageAdapter>;
