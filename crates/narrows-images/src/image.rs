//! Images as arrays of numbers.

use serde::{Deserialize, Serialize};

/// Colour channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// One value: luminance.
    Grey,
    /// Three: red, green, blue.
    Rgb,
}

impl Channels {
    /// Values per pixel.
    pub fn count(self) -> usize {
        match self {
            Channels::Grey => 1,
            Channels::Rgb => 3,
        }
    }

    /// The name, as in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Channels::Grey => "grey",
            Channels::Rgb => "rgb",
        }
    }
}

/// Amplification of difference images.
const DIFFERENCE: f32 = 4.0;

/// An image: `[height, width, channels]`, channels fastest, each value in [0, 1] as the file stores it. Intermediate
/// values may exceed that range (noise is not clipped); files clip them.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Colour channels.
    pub channels: Channels,
    /// `[height, width, channels]`
    pub pixels: Vec<f32>,
}

impl Image {
    /// An image of these values.
    ///
    /// # Panics
    /// If their number is not height * width * channels.
    pub fn new(height: usize, width: usize, channels: Channels, pixels: Vec<f32>) -> Image {
        assert_eq!(pixels.len(), height * width * channels.count(), "pixels of a {height}x{width} image");
        Image { height, width, channels, pixels }
    }

    /// An image of one value.
    pub fn filled(height: usize, width: usize, channels: Channels, value: f32) -> Image {
        Image::new(height, width, channels, vec![value; height * width * channels.count()])
    }

    /// The values of a row of pixels.
    pub fn row(&self, y: usize) -> &[f32] {
        let stride = self.width * self.channels.count();
        &self.pixels[y * stride..(y + 1) * stride]
    }

    /// The values of a row of pixels.
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        let stride = self.width * self.channels.count();
        &mut self.pixels[y * stride..(y + 1) * stride]
    }

    /// The values of a pixel.
    pub fn pixel(&self, y: usize, x: usize) -> &[f32] {
        let c = self.channels.count();
        &self.row(y)[x * c..(x + 1) * c]
    }

    /// The crop starting at row `top` and column `left`.
    ///
    /// # Panics
    /// If it exceeds the image.
    pub fn crop(&self, top: usize, left: usize, height: usize, width: usize) -> Image {
        let c = self.channels.count();
        let mut pixels = Vec::with_capacity(height * width * c);
        for y in top..top + height {
            pixels.extend_from_slice(&self.row(y)[left * c..(left + width) * c]);
        }
        Image::new(height, width, self.channels, pixels)
    }

    /// Red, green and blue as separate images; for a grey image three times the same.
    pub fn planes(&self) -> [Image; 3] {
        let c = self.channels.count();
        [0, 1, 2].map(|channel| {
            let plane = self.pixels[channel.min(c - 1)..].iter().step_by(c).copied().collect();
            Image::new(self.height, self.width, Channels::Grey, plane)
        })
    }

    /// The image of these three channels.
    ///
    /// # Panics
    /// If they are not grey and of one size.
    pub fn of_planes([red, green, blue]: &[Image; 3]) -> Image {
        let pairs = red.pixels.iter().zip(&green.pixels).zip(&blue.pixels);
        let pixels = pairs.flat_map(|((red, green), blue)| [*red, *green, *blue]).collect();
        Image::new(red.height, red.width, Channels::Rgb, pixels)
    }

    /// The absolute difference from another image of the same size, amplified four times.
    ///
    /// # Panics
    /// If they differ in size or channels.
    pub fn difference(&self, other: &Image) -> Image {
        assert_eq!(self.pixels.len(), other.pixels.len(), "the difference of images of one size");
        let pairs = self.pixels.iter().zip(&other.pixels);
        let pixels = pairs.map(|(a, b)| (DIFFERENCE * (a - b).abs()).min(1.0)).collect();
        Image::new(self.height, self.width, self.channels, pixels)
    }

    /// The same image with every value clipped to [0, 1].
    pub fn clipped(mut self) -> Image {
        self.pixels.iter_mut().for_each(|x| *x = x.clamp(0.0, 1.0));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_is_a_part_of_the_rows() {
        let image = Image::new(3, 4, Channels::Grey, (0..12).map(|i| i as f32).collect());
        let crop = image.crop(1, 2, 2, 2);
        assert_eq!(crop.pixels, [6.0, 7.0, 10.0, 11.0]);
        assert_eq!(image.pixel(2, 3), [11.0]);
    }
}
