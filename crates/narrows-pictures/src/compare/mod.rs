//! How alike two pictures are. All take the whole picture first; both must be of one size and kind.

mod entropy;
mod error;
mod ms_ssim;
mod ssim;

pub use entropy::bce;
pub use error::{mse, psnr};
pub use ms_ssim::ms_ssim;
pub use ssim::ssim;

use crate::Picture;

/// # Panics
/// If the pictures are not of one size and kind, or empty.
fn assert_alike(a: &Picture, b: &Picture) {
    let shape = |p: &Picture| (p.height, p.width, p.channels);
    assert_eq!(shape(a), shape(b), "pictures to compare are of one size and kind");
    assert!(!a.pixels.is_empty(), "pictures to compare have pixels");
}

/// A channel of a picture, in double precision.
#[derive(Debug, Clone)]
struct Plane {
    height: usize,
    width: usize,
    values: Vec<f64>,
}

impl Plane {
    fn of(picture: &Picture, channel: usize) -> Plane {
        let values = picture.pixels[channel..].iter().step_by(picture.channels.count()).map(|&x| f64::from(x));
        Plane { height: picture.height, width: picture.width, values: values.collect() }
    }
}
