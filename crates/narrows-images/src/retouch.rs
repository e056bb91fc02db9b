//! Changing the pixels of a photo by a network that knows nothing of transparency and of what is lost: colours that nobody
//! sees must not leak into those that are seen, and what is not lost must stay.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::{Channels, Filter, Image, Photo};

/// The pixels of an image that are lost and to be filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Holes {
    /// Whether each pixel is lost, `[height, width]`.
    pub lost: Vec<bool>,
    /// The value that stands for lost pixels.
    pub fill: f32,
}

impl Photo {
    /// The photo with the pixels that `change` makes of them, which may be more by a whole factor.
    ///
    /// Colours under full transparency are hidden: they are replaced by the nearest visible ones before, and put back
    /// after, as is the alpha channel. With `holes`, lost pixels have their value before, and are opaque after; all other
    /// pixels stay as they are, to the bit, if the size stays.
    ///
    /// # Panics
    /// If the holes are not of the photo's size.
    #[must_use]
    pub fn changed(self, holes: Option<&Holes>, change: impl FnOnce(&Image) -> Image) -> Photo {
        let (height, width, c) = (self.image.height, self.image.width, self.image.channels.count());
        let is_lost = |at: usize| holes.is_some_and(|holes| holes.lost[at]);
        let alpha = self.alpha.as_deref();
        let hidden: Vec<bool> = alpha.map_or_else(Vec::new, |alpha| {
            alpha.iter().enumerate().map(|(at, alpha)| *alpha <= 0.0 && !is_lost(at)).collect()
        });
        let mut input = Cow::Borrowed(&self.image);
        if hidden.contains(&true) {
            input = Cow::Owned(of_the_nearest(&self.image, &hidden));
        }
        if let Some(Holes { lost, fill }) = holes {
            assert_eq!(lost.len(), height * width, "holes of a {height}x{width} image");
            let pixels = input.to_mut().pixels.chunks_exact_mut(c).zip(lost);
            pixels.filter(|(_, lost)| **lost).for_each(|(pixel, _)| pixel.fill(*fill));
        }
        let mut image = change(&input);
        drop(input);
        let stays = (image.height, image.width) == (height, width);
        let alpha = alpha.map(|alpha| {
            let opaque = |(at, alpha): (usize, &f32)| if is_lost(at) { 1.0 } else { *alpha };
            let plane = Image::new(height, width, Channels::Grey, alpha.iter().enumerate().map(opaque).collect());
            plane.resized(image.height, image.width, Filter::Bicubic).clipped().pixels
        });
        let kept = |at: usize| (holes.is_some() && !is_lost(at)) || hidden.get(at).is_some_and(|hidden| *hidden);
        if hidden.contains(&true) || (holes.is_some() && stays) {
            let own = self.image.to_channels(image.channels);
            let (to_c, to_width) = (image.channels.count(), image.width);
            let same_row = |y: usize| y * height / image.height;
            let rows: Vec<usize> = (0..image.height).map(same_row).collect();
            for (y, from_y) in rows.into_iter().enumerate() {
                for x in 0..to_width {
                    let (at, from) = (y * to_width + x, from_y * width + x * width / to_width);
                    // Of an enlarged image only what is still hidden.
                    let is_hidden = || alpha.as_ref().is_some_and(|alpha| alpha[at] <= 0.0);
                    if kept(from) && (stays || is_hidden()) {
                        image.pixels[at * to_c..][..to_c].copy_from_slice(&own.pixels[from * to_c..][..to_c]);
                    }
                }
            }
        }
        self.with_pixels(image, alpha)
    }
}

/// The image with the colours of the nearest other pixels in place of the hidden ones; unchanged if all are hidden.
fn of_the_nearest(image: &Image, hidden: &[bool]) -> Image {
    let (height, width, c) = (image.height, image.width, image.channels.count());
    let mut out = image.clone();
    let mut is_open = hidden.to_vec();
    let mut edge: VecDeque<usize> = (0..hidden.len()).filter(|at| !hidden[*at]).collect();
    // Ring by ring, so that a pixel takes the colour of one of the nearest; straight neighbours come first.
    const AROUND: [(isize, isize); 8] = [(-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)];
    while let Some(at) = edge.pop_front() {
        let (y, x) = ((at / width) as isize, (at % width) as isize);
        for (dy, dx) in AROUND {
            let (y, x) = (y + dy, x + dx);
            if y < 0 || x < 0 || y >= height as isize || x >= width as isize {
                continue;
            }
            let to = y as usize * width + x as usize;
            if is_open[to] {
                is_open[to] = false;
                out.pixels.copy_within(at * c..(at + 1) * c, to * c);
                edge.push_back(to);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A yellow disc before black that is transparent.
    fn coin() -> Photo {
        let (side, middle) = (20, 9.5_f32);
        let mut image = Image::filled(side, side, Channels::Rgb, 0.0);
        let mut alpha = vec![0.0; side * side];
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            if (y as f32 - middle).hypot(x as f32 - middle) < 7.0 {
                image.row_mut(y)[x * 3..][..3].copy_from_slice(&[1.0, 0.8, 0.2]);
                alpha[y * side + x] = 1.0;
            }
        }
        Photo { alpha: Some(alpha), ..Photo::from(image) }
    }

    fn blurred(image: &Image) -> Image {
        crate::smoothing::smoothed(image, 2.0)
    }

    #[test]
    fn hidden_colours_do_not_leak_and_are_put_back() {
        let coin = coin();
        let after = coin.clone().changed(None, blurred);
        for (at, alpha) in coin.alpha.as_ref().unwrap().iter().enumerate() {
            let (was, is) = (&coin.image.pixels[at * 3..][..3], &after.image.pixels[at * 3..][..3]);
            let far = was.iter().zip(is).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(if *alpha == 0.0 { far == 0.0 } else { far < 1e-4 }, "{was:?} {is:?}");
        }
        assert_eq!(after.alpha, coin.alpha);
        let large = coin.clone().changed(None, |image| image.resized(40, 40, Filter::Bicubic));
        let pixels = large.image.pixels.chunks_exact(3).zip(large.alpha.as_ref().unwrap());
        assert!(pixels.clone().filter(|(_, alpha)| **alpha > 0.0).all(|(pixel, _)| (pixel[0] - 1.0).abs() < 1e-4));
        assert!(pixels.filter(|(_, alpha)| **alpha == 0.0).filter(|(pixel, _)| pixel[0] == 0.0).count() > 100);
        let all = Photo { alpha: Some(vec![0.0; 400]), ..coin };
        assert_eq!(all.clone().changed(None, blurred).image, all.image);
    }

    #[test]
    fn what_is_not_lost_stays_to_the_bit() {
        let coin = coin();
        let lost: Vec<bool> = (0..400).map(|at| at % 7 == 0).collect();
        let holes = Holes { lost: lost.clone(), fill: 0.5 };
        let after = coin.clone().changed(Some(&holes), |image| {
            assert_eq!(image.pixel(0, 0), [0.5; 3]);
            Image::filled(20, 20, Channels::Rgb, 0.25)
        });
        for (at, lost) in lost.iter().enumerate() {
            let (was, is) = (&coin.image.pixels[at * 3..][..3], &after.image.pixels[at * 3..][..3]);
            assert_eq!(is, if *lost { &[0.25; 3] } else { was });
            assert_eq!(after.alpha.as_ref().unwrap()[at], if *lost { 1.0 } else { coin.alpha.as_ref().unwrap()[at] });
        }
    }
}
