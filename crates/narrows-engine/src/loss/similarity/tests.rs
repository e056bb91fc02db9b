//! Gradients of structural similarity agree with finite differences and PyTorch.

use super::*;
use crate::*;

fn mix(structure: Structure, pixels: Pixels, share: f32, map: Map) -> Loss {
    Loss::Similarity(Similarity { map, structure, pixels, share })
}

fn ssim(map: Map) -> Loss {
    Loss::Similarity(Similarity::alone(Structure::Ssim, map))
}

fn ms_ssim(map: Map) -> Loss {
    Loss::Similarity(Similarity::alone(Structure::MsSsim, map))
}

/// The loss of a row and its slopes.
fn evaluate(loss: Loss, values: &[f32], target: &[f32]) -> (f32, Vec<f32>) {
    let Loss::Similarity(similarity) = loss else { panic!("{loss} is no similarity") };
    let mut scratch = vec![f32::NAN; similarity.scratch_len()];
    let mut gradient = vec![f32::NAN; values.len()];
    similarity.prepare(&mut scratch);
    let loss = similarity.evaluate(values, target, &mut gradient, 1.0, &mut scratch);
    // Scratch left by a row does not change the next.
    let again = similarity.evaluate(values, target, &mut gradient.clone(), 1.0, &mut scratch);
    assert!(loss == again || loss.is_nan());
    (loss, gradient)
}

/// Maps of 13 by 12 pixels with 2 channels, as in the script.
fn network(loss: Loss) -> Network {
    let down = Conv { stride: (2, 2), padding: Padding::even(1, 1), ..Conv::new(Map::new(13, 12, 2), 3, (3, 3)) };
    let up = ConvTranspose {
        stride: (2, 2),
        padding: Padding::even(1, 1),
        output_padding: (0, 1),
        ..ConvTranspose::new(down.output(), 2, (3, 3))
    };
    Network::new(
        vec![Layer::Conv(down), Layer::Activation(Activation::Tanh)],
        Latent::Point,
        vec![Layer::ConvTranspose(up)],
        Output::single(13 * 12 * 2, loss),
    )
    .unwrap()
}

fn all() -> [(Loss, &'static str); 4] {
    let map = Map::new(13, 12, 2);
    [
        (ssim(map), "ssim"),
        (mix(Structure::Ssim, Pixels::Mse, 0.3, map), "ssim_mse"),
        (mix(Structure::Ssim, Pixels::Mae, 0.84, map), "ssim_mae"),
        (mix(Structure::Ssim, Pixels::Bce, 0.5, map), "ssim_bce"),
    ]
}

#[test]
fn gradients_agree_with_finite_differences() {
    for (loss, _) in all() {
        crate::gradcheck::check(&network(loss), Sparsity::None);
    }
}

#[test]
fn training_agrees_with_pytorch() {
    for (loss, name) in all() {
        crate::golden::check(name, &network(loss));
    }
}

/// Row n of the script's `whole` images: values and target.
fn image(n: usize, map: Map) -> (Vec<f32>, Vec<f32>) {
    let wave = |at: usize, period: usize| (2.0 * (at % period) as f64 / period as f64 - 1.0).abs();
    let places =
        (0..map.size()).map(|i| (i / map.channels / map.width, i / map.channels % map.width, i % map.channels));
    let both = places.map(|(y, x, c)| {
        let target = 0.5 * (wave(y + 3 * c + 11 * n, 37) + wave(x + 5 * c, 23));
        let value = 5.4 * (target - 0.5) + ((31 * y + 17 * x + 7 * c + 3 * n) % 11) as f64 / 11.0 - 0.5;
        (value as f32, target as f32)
    });
    both.unzip()
}

#[test]
fn images_agree_with_pytorch() {
    let (small, large, even) = (Map::new(29, 40, 3), Map::new(177, 182, 2), Map::new(176, 176, 1));
    let cases = [
        ("whole_ssim", ssim(small), small),
        ("whole_ms_ssim", ms_ssim(large), large),
        ("whole_ms_ssim_mae", mix(Structure::MsSsim, Pixels::Mae, 0.84, even), even),
    ];
    for (name, loss, map) in cases {
        let case = crate::golden::Case::load(name);
        let (mut losses, mut slopes) = (vec![], vec![]);
        for n in 0..2 {
            let (values, target) = image(n, map);
            let (loss, gradient) = evaluate(loss, &values, &target);
            losses.push(loss);
            slopes.extend(gradient);
        }
        crate::golden::assert_close(name, &losses, &case.numbers("losses"));
        let slopes: Vec<f32> = slopes.into_iter().step_by(509).collect();
        crate::golden::assert_close(name, &slopes, &case.numbers("every_509th_slope"));
    }
}

#[test]
fn like_images_are_exactly_alike() {
    let map = Map::new(176, 177, 1);
    let (values, _) = image(0, map);
    let target: Vec<f32> = values.iter().map(|&value| maths::sigmoid(value)).collect();
    for loss in [ssim(map), ms_ssim(map)] {
        let (loss, gradient) = evaluate(loss, &values, &target);
        assert!(loss.abs() < 1e-6, "{loss}");
        assert!(gradient.iter().all(|g| g.abs() < 1e-9));
    }
}

#[test]
fn images_that_are_nothing_alike_stay_finite() {
    // Opposite images: their structure is below zero, and a power of it would be no number.
    let map = Map::new(176, 176, 1);
    let (values, target) = image(0, map);
    let opposite: Vec<f32> = target.iter().map(|t| 1.0 - t).collect();
    let (loss, gradient) = evaluate(ms_ssim(map), &values, &opposite);
    assert_eq!(loss, 1.0);
    assert!(gradient.iter().all(|&g| g == 0.0));
    let (loss, gradient) = evaluate(ssim(map), &values, &opposite);
    assert!(loss > 1.0 && loss < 2.0);
    assert!(gradient.iter().all(|g| g.is_finite()));
}

#[test]
fn a_gap_skips_the_structure_and_not_the_pixels() {
    let map = Map::new(11, 12, 1);
    let (values, mut target) = image(0, map);
    target[7] = f32::NAN;
    let (loss, gradient) = evaluate(ssim(map), &values, &target);
    assert_eq!(loss, 0.0);
    assert!(gradient.iter().all(|&g| g == 0.0));
    let (loss, gradient) = evaluate(mix(Structure::Ssim, Pixels::Mse, 0.5, map), &values, &target);
    let seen = values.iter().zip(&target).filter(|(_, t)| !t.is_nan());
    let total: f32 = seen.map(|(&value, t)| (maths::sigmoid(value) - t).powi(2)).sum();
    assert!((loss - 0.5 * total / 132.0).abs() < 1e-6);
    assert!(gradient[7] == 0.0 && gradient[8] != 0.0);
}

#[test]
fn a_diverged_output_is_not_hidden() {
    for (loss, map) in [Map::new(11, 11, 1), Map::new(176, 176, 2)].map(|map| (ssim(map), map)) {
        let (mut values, target) = image(0, map);
        values[5] = f32::NAN;
        assert!(evaluate(loss, &values, &target).0.is_nan());
        if map.height > 100 {
            assert!(evaluate(ms_ssim(map), &values, &target).0.is_nan());
        }
    }
}

#[test]
fn maps_that_do_not_suit_are_refused() {
    let message = |loss, width| {
        let network = Network::new(
            vec![Layer::dense(width, 2)],
            Latent::Point,
            vec![Layer::dense(2, width)],
            Output::single(width, loss),
        );
        network.unwrap_err().to_string()
    };
    let map = Map::new(10, 14, 1);
    assert_eq!(message(ssim(map), 140), "`output.groups.0`: expected a map of at least 11 pixels a side, got 10x14x1");
    assert!(message(ssim(map), 141).contains("a map of 141 values"));
    let map = Map::new(200, 175, 1);
    assert!(message(ms_ssim(map), map.size()).contains("at least 176 pixels a side"));
    let map = Map::new(11, 11, 1);
    for share in [-0.1, 1.1, f32::NAN] {
        let message = message(mix(Structure::Ssim, Pixels::Bce, share, map), 121);
        assert!(message.contains("a share in [0, 1]"), "{message}");
    }
}
