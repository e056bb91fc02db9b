//! Resizing, rotation, padding and channel conversion.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{F32, F32x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use crate::{Channels, Image};

/// Weights of red, green and blue in luminance (ITU-R BT.601).
pub(crate) const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Resampling filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Area average; for downscaling.
    Area,
    /// Keys' cubic with a = -0.5 (1981), antialiased for downscaling, like Pillow's `BICUBIC` and MATLAB's `imresize`. May
    /// overshoot [0, 1] at sharp edges.
    Bicubic,
    /// Nearest neighbour.
    Nearest,
}

impl Image {
    /// The image resized.
    ///
    /// # Panics
    /// If the image or the new size is empty.
    pub fn resized(&self, height: usize, width: usize, filter: Filter) -> Image {
        assert!(height > 0 && width > 0 && !self.pixels.is_empty(), "a resized image has pixels before and after");
        if (height, width) == (self.height, self.width) {
            return self.clone();
        }
        let algorithm = match filter {
            Filter::Area => ResizeAlg::Convolution(FilterType::Box),
            Filter::Bicubic => ResizeAlg::Convolution(FilterType::CatmullRom),
            Filter::Nearest => ResizeAlg::Nearest,
        };
        let options = ResizeOptions::new().resize_alg(algorithm).use_alpha(false);
        let mut out = Image::filled(height, width, self.channels, 0.0);
        match self.channels {
            Channels::Grey => resize::<F32>(self, &mut out, &options),
            Channels::Rgb => resize::<F32x3>(self, &mut out, &options),
        }
        out
    }

    /// The image mirrored horizontally.
    pub fn flipped(&self) -> Image {
        let c = self.channels.count();
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..self.height {
            self.row(y).chunks_exact(c).rev().for_each(|pixel| pixels.extend_from_slice(pixel));
        }
        Image::new(self.height, self.width, self.channels, pixels)
    }

    /// The image rotated counter-clockwise by this number of quarter turns.
    pub fn turned(&self, quarters: usize) -> Image {
        let (height, width) = (self.height, self.width);
        let (new_height, new_width) = if quarters.is_multiple_of(2) { (height, width) } else { (width, height) };
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..new_height {
            for x in 0..new_width {
                let (from_y, from_x) = match quarters % 4 {
                    0 => (y, x),
                    1 => (x, width - 1 - y),
                    2 => (height - 1 - y, width - 1 - x),
                    _ => (height - 1 - x, y),
                };
                pixels.extend_from_slice(self.pixel(from_y, from_x));
            }
        }
        Image::new(new_height, new_width, self.channels, pixels)
    }

    /// An image of `height` and `width` with this one at row `top` and column `left`, padded by reflection
    /// without repeating edge pixels, as often as needed.
    ///
    /// # Panics
    /// If the image has no pixels.
    pub fn padded_reflect(&self, top: usize, left: usize, height: usize, width: usize) -> Image {
        self.crop_reflect(-(top as isize), -(left as isize), height, width)
    }

    /// The crop starting at row `top` and column `left`, which may exceed the image: that is padded by reflection, as by
    /// [`padded_reflect`](Self::padded_reflect).
    ///
    /// # Panics
    /// If the image has no pixels.
    pub fn crop_reflect(&self, top: isize, left: isize, height: usize, width: usize) -> Image {
        let columns: Vec<usize> = (0..width).map(|x| reflected(x as isize + left, self.width)).collect();
        let mut pixels = Vec::with_capacity(height * width * self.channels.count());
        for y in 0..height {
            let from_y = reflected(y as isize + top, self.height);
            columns.iter().for_each(|&from_x| pixels.extend_from_slice(self.pixel(from_y, from_x)));
        }
        Image::new(height, width, self.channels, pixels)
    }

    /// The image with these channels: a colour image becomes its luminance (BT.601), a grey image is
    /// repeated three times.
    pub fn to_channels(&self, channels: Channels) -> Image {
        let pixels = match (self.channels, channels) {
            (Channels::Grey, Channels::Rgb) => self.pixels.iter().flat_map(|&x| [x; 3]).collect(),
            (Channels::Rgb, Channels::Grey) => self.pixels.as_chunks().0.iter().map(luminance).collect(),
            _ => self.pixels.clone(),
        };
        Image::new(self.height, self.width, channels, pixels)
    }
}

/// Fills an image with another one in its size. For one type of pixel: the library's `resize` chooses the type at run
/// time and so brings its arithmetic for all thirteen of them, some minutes of compilation and megabytes of code.
fn resize<P: PixelTrait>(from: &Image, to: &mut Image, options: &ResizeOptions) {
    let side = |n: usize| u32::try_from(n).expect("a side fits in 32 bits");
    let source =
        TypedImageRef::<P>::from_buffer(side(from.width), side(from.height), bytemuck::cast_slice(&from.pixels));
    let (height, width) = (side(to.height), side(to.width));
    let target = TypedImage::<P>::from_buffer(width, height, bytemuck::cast_slice_mut(&mut to.pixels));
    let mut target = target.expect("as many bytes as pixels");
    let source = source.expect("as many bytes as pixels");
    Resizer::new().resize_typed(&source, &mut target, options).expect("a crop of the whole image");
}

/// The luminance of a colour; for equal channels exactly their value.
pub(crate) fn luminance(&[red, green, blue]: &[f32; 3]) -> f32 {
    green + (red - green) * LUMA[0] + (blue - green) * LUMA[2]
}

/// The index within `n` of position `i` under reflection at the first and last index.
pub(crate) fn reflected(i: isize, n: usize) -> usize {
    assert!(n > 0, "nothing has no reflection");
    if n == 1 {
        return 0;
    }
    let period = 2 * (n - 1);
    let i = i.rem_euclid(period as isize) as usize;
    i.min(period - i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(height: usize, width: usize, channels: Channels) -> Image {
        let pixels = (0..height * width * channels.count()).map(|i| i as f32).collect();
        Image::new(height, width, channels, pixels)
    }

    #[test]
    fn area_takes_means_and_nearest_takes_pixels() {
        let image = counted(4, 4, Channels::Grey);
        assert_eq!(image.resized(2, 2, Filter::Area).pixels, [2.5, 4.5, 10.5, 12.5]);
        assert_eq!(counted(2, 1, Channels::Rgb).resized(1, 1, Filter::Area).pixels, [1.5, 2.5, 3.5]);
        let big = counted(2, 2, Channels::Grey).resized(4, 4, Filter::Nearest);
        assert_eq!(big.pixels, [0., 0., 1., 1., 0., 0., 1., 1., 2., 2., 3., 3., 2., 2., 3., 3.]);
    }

    #[test]
    fn bicubic_agrees_with_pillow() {
        // PIL.Image.fromarray(numpy.float32([..])).resize((n, 1), Image.BICUBIC), mode F.
        check_bicubic(&[0.1, 0.9, 0.4, 0.6, 0.2, 0.8, 0.3, 0.5], 4, &PILLOW_HALF);
        check_bicubic(&[0.1, 0.9, 0.4], 6, &PILLOW_DOUBLE);
    }

    const PILLOW_HALF: [f32; 4] = [0.487_866_1, 0.516_988_46, 0.487_644_8, 0.453_556_48];
    const PILLOW_DOUBLE: [f32; 6] =
        [0.029_411_769, 0.262_773_72, 0.757_251_86, 0.844_274_8, 0.512_408_73, 0.355_882_35];

    fn check_bicubic(row: &[f32], width: usize, want: &[f32]) {
        let grey = Image::new(1, row.len(), Channels::Grey, row.to_vec());
        for (got, want) in grey.resized(1, width, Filter::Bicubic).pixels.iter().zip(want) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
        let column = grey.turned(1).to_channels(Channels::Rgb).resized(width, 1, Filter::Bicubic);
        for (y, want) in want.iter().rev().enumerate() {
            assert!(column.pixel(y, 0).iter().all(|got| (got - want).abs() < 1e-6));
        }
    }

    #[test]
    fn four_quarters_and_two_flips_change_nothing() {
        let image = counted(2, 3, Channels::Rgb);
        assert_eq!(image.turned(1).pixel(0, 0), image.pixel(0, 2));
        assert_eq!(image.turned(1).pixel(2, 1), image.pixel(1, 0));
        assert_eq!(image.flipped().pixel(1, 0), image.pixel(1, 2));
        assert_eq!(image.flipped().flipped(), image);
        for k in 0..8 {
            assert_eq!(image.turned(k).turned(4 - k % 4), image);
        }
    }

    #[test]
    fn reflection_does_not_repeat_the_edge_and_goes_on_for_ever() {
        let image = counted(1, 3, Channels::Grey);
        let padded = image.padded_reflect(1, 6, 3, 14);
        assert_eq!(padded.row(2), [2., 1., 0., 1., 2., 1., 0., 1., 2., 1., 0., 1., 2., 1.]);
        assert_eq!(padded.row(0), padded.row(1));
        assert_eq!(image.crop_reflect(0, 4, 1, 3).row(0), [0., 1., 2.]);
        let dot = Image::filled(1, 1, Channels::Rgb, 0.25);
        assert_eq!(dot.padded_reflect(3, 2, 9, 7), Image::filled(9, 7, Channels::Rgb, 0.25));
    }

    #[test]
    fn grey_keeps_luminance() {
        let colour = Image::new(1, 2, Channels::Rgb, vec![1.0, 0.0, 0.0, 0.3, 0.3, 0.3]);
        assert_eq!(colour.to_channels(Channels::Grey).pixels, [0.299, 0.3]);
        let grey = counted(2, 2, Channels::Grey);
        assert_eq!(grey.to_channels(Channels::Rgb).to_channels(Channels::Grey), grey);
    }
}
