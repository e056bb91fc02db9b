//! Corruption by square holes.

use narrows_engine::rng::Stream;

use super::Side;
use crate::Image;

/// Makes holes of `fill` at random positions until they cover `rate` of the area; the last one is truncated to reach
/// it exactly. Holes may overlap; they lie inside the image.
pub(super) fn make_holes(image: &mut Image, rate: f32, side: Side, fill: f32, stream: &mut Stream) {
    let (height, width) = (image.height, image.width);
    let side = match side {
        Side::Pixels(n) => n,
        Side::Share(share) => (share * height.min(width) as f32).round() as usize,
    };
    let (tall, wide) = (side.clamp(1, height.max(1)), side.clamp(1, width.max(1)));
    let mut left = (f64::from(rate) * (height * width) as f64).round() as usize;
    let mut holes = vec![false; height * width];
    let mut lose = |at: usize| {
        if left > 0 && !holes[at] {
            holes[at] = true;
            left -= 1;
            let c = image.channels.count();
            image.pixels[at * c..(at + 1) * c].fill(fill);
        }
        left > 0
    };
    // At rates near 1 random positions rarely hit free pixels; the rest is filled from the top.
    let most = 20 * (height * width).div_ceil(tall * wide) + 100;
    let mut going = rate > 0.0;
    for _ in 0..most {
        if !going {
            return;
        }
        let top = stream.below((height - tall + 1) as u32) as usize;
        let first = stream.below((width - wide + 1) as u32) as usize;
        'hole: for y in top..top + tall {
            for x in first..first + wide {
                going = lose(y * width + x);
                if !going {
                    break 'hole;
                }
            }
        }
    }
    (0..height * width).take_while(|&at| lose(at)).for_each(drop);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use narrows_engine::rng::Purpose;

    fn check(height: usize, width: usize, rate: f32, side: Side) {
        for row in 0..20 {
            let mut image = Image::filled(height, width, Channels::Rgb, 0.25);
            make_holes(&mut image, rate, side, 0.5, &mut Stream::new(1, Purpose::Demo, 0, row));
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
