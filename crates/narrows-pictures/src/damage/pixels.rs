//! Single pixels spoilt: black or white, or lost. All values of a pixel share its fate.

use narrows_engine::rng::Stream;

use crate::Picture;

/// Turns a share of the pixels black or white, each as likely.
pub(super) fn salt_and_pepper(picture: &mut Picture, rate: f32, stream: &mut Stream) {
    each_pixel(picture, stream, |pixel, chance| {
        if chance < rate {
            pixel.fill(if chance < 0.5 * rate { 0.0 } else { 1.0 });
        }
    });
}

/// Replaces a share of the pixels by `fill`.
pub(super) fn lose(picture: &mut Picture, rate: f32, fill: f32, stream: &mut Stream) {
    each_pixel(picture, stream, |pixel, chance| {
        if chance < rate {
            pixel.fill(fill);
        }
    });
}

/// Gives each pixel a number in [0, 1).
fn each_pixel(picture: &mut Picture, stream: &mut Stream, change: impl Fn(&mut [f32], f32)) {
    let c = picture.channels.count();
    let mut chances = [0.0; 1024];
    for pixels in picture.pixels.chunks_mut(chances.len() * c) {
        let chances = &mut chances[..pixels.len() / c];
        stream.fill_uniform(chances);
        pixels.chunks_exact_mut(c).zip(chances).for_each(|(pixel, chance)| change(pixel, *chance));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use narrows_engine::rng::Purpose;

    #[test]
    fn the_shares_are_right_and_pixels_change_whole() {
        let stream = || Stream::new(1, Purpose::Demo, 0, 0);
        let mut picture = Picture::filled(100, 100, Channels::Rgb, 0.3);
        salt_and_pepper(&mut picture, 0.2, &mut stream());
        let share = |picture: &Picture, value: f32| {
            picture.pixels.as_chunks::<3>().0.iter().filter(|&&pixel| pixel == [value; 3]).count() as f64 / 1e4
        };
        assert!((share(&picture, 0.0) - 0.1).abs() < 0.01 && (share(&picture, 1.0) - 0.1).abs() < 0.01);
        assert_eq!(share(&picture, 0.0) + share(&picture, 1.0) + share(&picture, 0.3), 1.0);

        let mut picture = Picture::filled(100, 100, Channels::Rgb, 0.3);
        lose(&mut picture, 0.4, 0.5, &mut stream());
        assert!((share(&picture, 0.5) - 0.4).abs() < 0.015);
        lose(&mut picture, 1.0, 0.0, &mut stream());
        assert_eq!(share(&picture, 0.0), 1.0);
    }
}
