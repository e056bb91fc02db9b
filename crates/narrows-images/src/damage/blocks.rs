//! Corruption by square holes.

use narrows_engine::rng::Stream;

use super::Side;
use super::fill::Fill;
use crate::Image;

impl Side {
    /// The side in pixels in an image of `height` by `width`, 1 or more.
    pub fn pixels(self, height: usize, width: usize) -> usize {
        match self {
            Side::Pixels(n) => n.max(1),
            Side::Share(share) => ((share * height.min(width) as f32).round() as usize).max(1),
        }
    }
}

/// Makes holes at random positions until they cover `rate` of the area; the last one is truncated to reach it exactly. Holes
/// may overlap; they lie inside the image. Returns which pixels are lost.
pub(super) fn make_holes(image: &mut Image, rate: f32, side: Side, fill: Fill, stream: &mut Stream) -> Vec<bool> {
    let (height, width) = (image.height, image.width);
    let side = side.pixels(height, width);
    let (tall, wide) = (side.clamp(1, height.max(1)), side.clamp(1, width.max(1)));
    let palette = fill.palette(image, stream);
    let mut left = (f64::from(rate) * (height * width) as f64).round() as usize;
    let mut holes = vec![false; height * width];
    let mut lose = |at: usize, colour: [f32; 3]| {
        if left > 0 && !holes[at] {
            holes[at] = true;
            left -= 1;
            let c = image.channels.count();
            image.pixels[at * c..(at + 1) * c].copy_from_slice(&colour[..c]);
        }
        left > 0
    };
    // At rates near 1 random positions rarely hit free pixels; the rest is filled from the top.
    let most = 20 * (height * width).div_ceil(tall * wide) + 100;
    let mut going = rate > 0.0;
    for _ in 0..most {
        if !going {
            return holes;
        }
        let top = stream.below((height - tall + 1) as u32) as usize;
        let first = stream.below((width - wide + 1) as u32) as usize;
        let colour = palette.next(stream);
        'hole: for y in top..top + tall {
            for x in first..first + wide {
                going = lose(y * width + x, colour);
                if !going {
                    break 'hole;
                }
            }
        }
    }
    let colour = palette.next(stream);
    (0..height * width).take_while(|&at| lose(at, colour)).for_each(drop);
    holes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use narrows_engine::rng::Purpose;

    fn check(height: usize, width: usize, rate: f32, side: Side) {
        for row in 0..20 {
            let mut image = Image::filled(height, width, Channels::Rgb, 0.25);
            make_holes(&mut image, rate, side, Fill::Value(0.5), &mut Stream::new(1, Purpose::Demo, 0, row));
            let lost = image.pixels.as_chunks::<3>().0.iter().filter(|&&p| p == [0.5; 3]).count();
            assert_eq!(lost, (f64::from(rate) * (height * width) as f64).round() as usize);
        }
    }

    #[test]
    fn holes_cover_what_they_should() {
        check(28, 28, 0.2, Side::Pixels(8));
        check(28, 28, 0.2, Side::Pixels(4096));
        check(40, 30, 0.5, Side::Share(0.1));
        check(7, 5, 1.0, Side::Pixels(3));
        check(1, 1, 1.0, Side::Share(0.001));
        check(64, 64, 0.97, Side::Pixels(1));
    }
}
