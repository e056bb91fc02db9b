//! Reference values from scikit-image and SciPy for tests; see `testdata/golden.py`.

use serde_json::Value;

use crate::{Channels, Image};

/// All sets called `name`.
pub(crate) fn golden(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../testdata/golden.json")).unwrap();
    all[name].as_array().unwrap().clone()
}

/// The image of a set's size with this salt; 0 is the one without noise.
pub(crate) fn image(set: &Value, salt: u64) -> Image {
    let side = |i: usize| set["size"][i].as_u64().unwrap() as usize;
    let channels = if side(2) == 1 { Channels::Grey } else { Channels::Rgb };
    waves(side(0), side(1), channels, salt)
}

/// Waves with a hash as noise: the same as `image` in testdata/golden.py.
pub(crate) fn waves(height: usize, width: usize, channels: Channels, salt: u64) -> Image {
    let count = channels.count();
    let value = |i: usize| {
        let (y, x, c) = ((i / count / width) as f64, (i / count % width) as f64, (i % count) as f64);
        let waves = 0.5 + 0.2 * (0.23 * y + 0.11 * x + c).sin() + 0.2 * (0.05 * x * (c + 1.0) - 0.17 * y).cos();
        let mut mixed = i as u64 + salt * 7919;
        for factor in [2_654_435_761, 2_246_822_519, 3_266_489_917] {
            mixed = mixed * factor % (1 << 32);
            mixed ^= mixed >> 15;
        }
        let noise = (mixed >> 8) as f64 / f64::from(1 << 24) - 0.5;
        (waves + if salt > 0 { 0.3 * noise } else { 0.0 }) as f32
    };
    Image::new(height, width, channels, (0..height * width * count).map(value).collect())
}

/// Compares pixels with those of a field, which has six digits.
pub(crate) fn assert_pixels(got: &Image, want: &Value, tolerance: f32) {
    let want = want.as_array().unwrap();
    assert_eq!(got.pixels.len(), want.len());
    for (i, (got, want)) in got.pixels.iter().zip(want).enumerate() {
        let want = want.as_f64().unwrap() as f32;
        assert!((got - want).abs() <= tolerance, "value {i}: {got} instead of {want}");
    }
}
