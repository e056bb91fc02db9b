//! Noise added to every value.

use narrows_engine::rng::Stream;

use crate::Picture;

/// Adds normals of standard deviation `sigma`, in steps of an 8-bit file.
pub(super) fn add_noise(picture: &mut Picture, sigma: f32, stream: &mut Stream) {
    let sigma = sigma / 255.0;
    // A multiple of what the stream makes at once, small enough to stay in the first cache.
    let mut noise = [0.0; 1024];
    for values in picture.pixels.chunks_mut(noise.len()) {
        let noise = &mut noise[..values.len()];
        stream.fill_normal(noise);
        values.iter_mut().zip(noise).for_each(|(value, normal)| *value += sigma * *normal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use narrows_engine::rng::Purpose;

    #[test]
    fn noise_has_its_standard_deviation_and_is_not_clipped() {
        let mut picture = Picture::filled(100, 100, Channels::Rgb, 1.0);
        add_noise(&mut picture, 51.0, &mut Stream::new(1, Purpose::Demo, 0, 0));
        let n = picture.pixels.len() as f64;
        let mean = picture.pixels.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let variance = picture.pixels.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 1.0).abs() < 0.005 && (variance.sqrt() - 0.2).abs() < 0.003);
        assert!(picture.pixels.iter().any(|&x| x > 1.3));
    }
}
