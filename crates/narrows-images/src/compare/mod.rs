//! Image similarity metrics. The first argument is the clean image; both must have the same size and channels.

mod entropy;
mod error;
mod ms_ssim;
mod ssim;

pub use entropy::bce;
pub use error::{mse, psnr};
pub use ms_ssim::ms_ssim;
pub use ssim::ssim;

use crate::Image;

/// # Panics
/// If the images differ in size or channels, or are empty.
fn assert_alike(a: &Image, b: &Image) {
    let shape = |p: &Image| (p.height, p.width, p.channels);
    assert_eq!(shape(a), shape(b), "images to compare are of one size and kind");
    assert!(!a.pixels.is_empty(), "images to compare have pixels");
}

/// A channel of an image, in double precision.
#[derive(Debug, Clone)]
struct Plane {
    height: usize,
    width: usize,
    values: Vec<f64>,
}

impl Plane {
    fn of(image: &Image, channel: usize) -> Plane {
        let values = image.pixels[channel..].iter().step_by(image.channels.count()).map(|&x| f64::from(x));
        Plane { height: image.height, width: image.width, values: values.collect() }
    }
}
