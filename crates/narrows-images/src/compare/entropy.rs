//! Binary cross-entropy between images.

use super::assert_alike;
use crate::Image;

/// Predictions are clipped this far from 0 and 1, as in Keras.
const MARGIN: f64 = 1e-7;

/// The mean binary cross-entropy in nats of an image in [0, 1] under a predicted one.
pub fn bce(whole: &Image, predicted: &Image) -> f64 {
    assert_alike(whole, predicted);
    let pairs = whole.pixels.iter().zip(&predicted.pixels);
    let nats = pairs.map(|(&t, &p)| {
        let (t, p) = (f64::from(t), f64::from(p).clamp(MARGIN, 1.0 - MARGIN));
        -(t * p.ln() + (1.0 - t) * (-p).ln_1p())
    });
    nats.sum::<f64>() / whole.pixels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use crate::golden::{golden, image};

    #[test]
    fn cross_entropy_agrees_with_its_formula() {
        for set in golden("compared") {
            let got = bce(&image(&set, 0), &image(&set, 1));
            assert!((got - set["bce"].as_f64().unwrap()).abs() < 1e-6);
        }
        let one = Image::filled(1, 1, Channels::Grey, 1.0);
        let zero = Image::filled(1, 1, Channels::Grey, 0.0);
        assert!((bce(&one, &zero) - 16.118).abs() < 1e-3);
        assert!(bce(&one, &one) < 1e-6);
    }
}
