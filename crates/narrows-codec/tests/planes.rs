//! Planes from outside: every shape comes back, whatever its values and guesses.

use narrows_codec::{CodecError, Plane, Shape, decode_plane, encode_plane, encode_plane_fast};
use proptest::prelude::*;

fn shape() -> impl Strategy<Value = Shape> {
    (0usize..4, 0usize..7, 0usize..7, 0usize..5, 0usize..4).prop_map(|(kind, a, b, c, d)| match kind {
        0 => Shape::Rows { rows: a * 4, columns: b * 7 },
        1 => Shape::Series { points: a * 8, channels: c },
        2 => Shape::Image { height: a, width: b, channels: c },
        _ => Shape::Images { count: d, height: a, width: b, channels: c },
    })
}

/// Values of all sizes, up to the ends of the range.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -3i64..4,
        2 => -1000i64..1000,
        1 => -(1i64 << 53)..=1 << 53,
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, i64::MAX, 0, 1 << 53, -(1 << 53), 1 << 61, -(1 << 61)]),
    ]
}

fn check(values: &[i64], guesses: &[i64], shape: Shape) -> usize {
    let plane = Plane { shape, guesses };
    let bytes = encode_plane(values, &plane);
    assert_eq!(decode_plane(&bytes, &plane).unwrap(), values);
    bytes.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_values_come_back(shape in shape(), values in prop::collection::vec(number(), 1..80), guesses in prop::collection::vec(number(), 1..80)) {
        let count = shape.values().unwrap();
        let values: Vec<i64> = values.into_iter().cycle().take(count).collect();
        let guesses: Vec<i64> = guesses.into_iter().cycle().take(count).collect();
        check(&values, &guesses, shape);
    }

    #[test]
    fn any_bytes_are_read_or_refused(shape in shape(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let guesses = vec![0; shape.values().unwrap()];
        let _ = decode_plane(&bytes, &Plane { shape, guesses: &guesses });
    }

    #[test]
    fn other_guesses_diverge(values in prop::collection::vec(-100i64..100, 30), at in 0usize..30, by in 256i64..100_000) {
        let shape = Shape::Rows { rows: 5, columns: 6 };
        let mut guesses: Vec<i64> = values.iter().map(|value| value * 256 + 40).collect();
        let bytes = encode_plane(&values, &Plane { shape, guesses: &guesses });
        guesses[at] += by;
        let decoded = decode_plane(&bytes, &Plane { shape, guesses: &guesses });
        // Other guesses may still lead to the same values, never to others.
        match decoded {
            Err(CodecError::Diverged { .. }) => {}
            decoded => prop_assert_eq!(decoded.unwrap(), values),
        }
    }
}

#[test]
fn constant_planes_cost_next_to_nothing() {
    for constant in [0, 1, -77, 1 << 53] {
        let values = vec![constant; 100_000];
        for shape in [
            Shape::Rows { rows: 1000, columns: 100 },
            Shape::Series { points: 50_000, channels: 2 },
            Shape::Image { height: 250, width: 400, channels: 1 },
        ] {
            let size = check(&values, &vec![0; values.len()], shape);
            assert!(size < 400, "{constant} in {shape:?}: {size} bytes");
        }
    }
}

#[test]
fn a_guess_that_is_off_by_a_constant_costs_as_one_that_is_not() {
    let noise = |at: usize| ((at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as i64 % 5 - 2;
    let shape = Shape::Rows { rows: 400, columns: 50 };
    let truth: Vec<i64> =
        (0..20_000).map(|at| ((at as u64).wrapping_mul(0xD1B5_4A32_D192_ED03) >> 50) as i64).collect();
    let values: Vec<i64> = truth.iter().enumerate().map(|(at, value)| value + noise(at)).collect();
    let exact: Vec<i64> = truth.iter().map(|value| value * 256).collect();
    let off: Vec<i64> = exact.iter().enumerate().map(|(at, guess)| guess + 1000 * (at as i64 % 50)).collect();
    let size = |guesses: &[i64]| encode_plane_fast(&values, &Plane { shape, guesses }).len();
    let (exact, off) = (size(&exact), size(&off));
    assert!(off * 100 < exact * 106, "{off} bytes, {exact} without the offset");
}

#[test]
fn one_byte_changed_anywhere() {
    let shape = Shape::Series { points: 40, channels: 2 };
    let values: Vec<i64> = (0..80).map(|at| (at * at) % 23 - 5).collect();
    let plane = Plane { shape, guesses: &[0; 80] };
    let whole = encode_plane(&values, &plane);
    for at in 0..whole.len() {
        for change in 1..=255 {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            match decode_plane(&bytes, &plane) {
                Err(CodecError::Diverged { .. } | CodecError::Malformed { .. }) => {}
                // The very last bits of the coder may say nothing.
                decoded => assert_eq!(decoded.unwrap(), values, "byte {at} of {}", whole.len()),
            }
        }
    }
}

#[test]
fn too_short_or_of_another_length() {
    let plane = Plane { shape: Shape::Rows { rows: 1, columns: 2 }, guesses: &[0, 0] };
    let whole = encode_plane(&[5, 6], &plane);
    for length in 0..whole.len() {
        assert!(decode_plane(&whole[..length], &plane).is_err());
    }
    let other = Plane { shape: Shape::Rows { rows: 1, columns: 3 }, ..plane };
    assert!(matches!(decode_plane(&whole, &other), Err(CodecError::Malformed { .. })));
}

#[test]
fn every_coding_survives_any_first_byte() {
    for shape in [Shape::Rows { rows: 6, columns: 5 }, Shape::Series { points: 15, channels: 2 }] {
        let plane = Plane { shape, guesses: &[0; 30] };
        let values: Vec<i64> = (0..30).map(|at| (at * 7) % 11).collect();
        let mut bytes = encode_plane(&values, &plane);
        for first in 0..=u8::MAX {
            bytes[0] = first;
            let _ = decode_plane(&bytes, &plane);
        }
    }
}

/// The bits of SplitMix64 at this position: no coder finds a structure in them.
fn mixed(at: usize) -> u64 {
    let x = (at as u64).wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

/// The smallest of what zstd makes of bytes of these numbers and of their differences.
fn by_zstd(values: &[i64]) -> usize {
    let size = |bytes: Vec<u8>| zstd::bulk::compress(&bytes, 19).unwrap().len();
    let steps = values.iter().scan(0, |before, value| Some(value - std::mem::replace(before, *value)));
    size(values.iter().map(|value| *value as u8).collect()).min(size(steps.map(|step| step as u8).collect()))
}

#[test]
fn signals_are_smaller_than_by_zstd_and_never_much_larger() {
    let noise = |at: usize| (mixed(at) >> 40) as i64;
    // A wave whose phase drifts, a switch with states of random length, noise, one value.
    let wave: Vec<i64> =
        (0..6000).map(|at: i64| 50 - (at * 3 + at * at / 4000).rem_euclid(97).abs_diff(48) as i64).collect();
    let drift: Vec<i64> = wave.iter().enumerate().map(|(at, x)| x + noise(at) % 3).collect();
    let switch: Vec<i64> = (0..6000).map(|at| 40 * (noise(at / 13 * 7) % 3)).collect();
    let chance: Vec<i64> = (0..6000).map(|at| noise(at) % 256).collect();
    for (name, values, share) in
        [("drift", drift, 80), ("switch", switch, 90), ("chance", chance, 101), ("flat", vec![7; 6000], 100)]
    {
        for shape in [Shape::Series { points: 6000, channels: 1 }, Shape::Rows { rows: 60, columns: 100 }] {
            let (ours, zstd) = (check(&values, &vec![0; 6000], shape), by_zstd(&values));
            assert!(100 * ours <= share * zstd + 2000, "{name} in {shape:?}: {ours} bytes, {zstd} by zstd");
        }
    }
}

#[test]
fn flags_in_runs_are_smaller_than_by_zstd() {
    // Twelve columns of flags that stay for a while each, as 0 and 5,000.
    let flag = |at: usize| mixed(at % 12 * 1000 + at / 12 / (20 + 3 * (at % 12))).is_multiple_of(5);
    let values: Vec<i64> = (0..12_000).map(|at| 5000 * i64::from(flag(at))).collect();
    let columns: Vec<i64> = (0..12).flat_map(|c| values.iter().skip(c).step_by(12).map(|x| x / 5000)).collect();
    let ours = check(&values, &vec![0; values.len()], Shape::Rows { rows: 1000, columns: 12 });
    assert!(ours * 5 < by_zstd(&columns) * 4, "{ours} bytes, {} by zstd", by_zstd(&columns));
}
