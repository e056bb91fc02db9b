//! Additive Gaussian noise.

use narrows_engine::rng::Stream;

use crate::Image;

/// Adds normal noise of standard deviation `sigma`, in steps of an 8-bit file.
pub(super) fn add_noise(image: &mut Image, sigma: f32, stream: &mut Stream) {
    let sigma = sigma / 255.0;
    // A multiple of the stream's batch, small enough for the L1 cache.
    let mut noise = [0.0; 1024];
    for values in image.pixels.chunks_mut(noise.len()) {
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
        let mut image = Image::filled(100, 100, Channels::Rgb, 1.0);
        add_noise(&mut image, 51.0, &mut Stream::new(1, Purpose::Demo, 0, 0));
        let n = image.pixels.len() as f64;
        let mean = image.pixels.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let variance = image.pixels.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 1.0).abs() < 0.005 && (variance.sqrt() - 0.2).abs() < 0.003);
        assert!(image.pixels.iter().any(|&x| x > 1.3));
    }
}
