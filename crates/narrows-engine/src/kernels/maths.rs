//! Elementary functions as branch-free polynomials, so that loops over them vectorise.
//!
//! Coefficients are those of Cephes (Moshier) and, for `erf`, of njuffa's 1-ulp `erff`. Accuracy is
//! about 2 ulp of f32, tested against f64. A NaN comes out as a NaN: clamps are written as
//! comparisons, because `f32::max` would swallow it and hide a diverged network.

// The digits below are the published ones; rounding them to f32 by hand would hide their origin.
#![allow(clippy::excessive_precision)]

/// Adding and subtracting 1.5 * 2^23 rounds a small f32 to an integer, left in the low bits.
const ROUND: f32 = 12_582_912.0;
const LN2_HIGH: f32 = 0.693_359_375;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// A power of two, for exponents in [-126, 127].
#[inline(always)]
fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) << 23) as u32)
}

/// Splits exp(x) into (exponent n, exp(r) - 1) with x = n ln 2 + r and |r| <= ln 2 / 2.
#[inline(always)]
fn exp_parts(x: f32) -> (i32, f32) {
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let exponent = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let n = rounded - ROUND;
    let r = n.mul_add(-LN2_HIGH, x);
    let r = n.mul_add(-LN2_LOW, r);
    let mut p = 1.987_569_150_0e-4_f32;
    p = p.mul_add(r, 1.398_199_950_7e-3);
    p = p.mul_add(r, 8.333_451_907_3e-3);
    p = p.mul_add(r, 4.166_579_589_4e-2);
    p = p.mul_add(r, 1.666_666_545_9e-1);
    p = p.mul_add(r, 5.000_000_120_1e-1);
    (exponent, (p * r).mul_add(r, r))
}

#[inline(always)]
fn clamp_for_exp(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    if x < -104.0 { -104.0 } else { x }
}

/// e^x; infinity above 88.72, subnormal and then zero below -87.33.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let (exponent, p) = exp_parts(clamp_for_exp(x));
    // Two factors, because 2^128 and 2^-149 are not f32 powers built by a shift.
    let half = exponent >> 1;
    (1.0 + p) * power_of_two(half) * power_of_two(exponent - half)
}

/// e^x - 1 without cancellation near zero, for x <= 0.
#[inline(always)]
pub(crate) fn exp_minus_one(x: f32) -> f32 {
    let x = if x < -80.0 { -80.0 } else { x };
    let x = if x > 0.0 { 0.0 } else { x };
    let (exponent, p) = exp_parts(x);
    let scale = power_of_two(exponent);
    p.mul_add(scale, scale - 1.0)
}

/// ln x for normal positive x.
#[inline(always)]
pub(crate) fn log(x: f32) -> f32 {
    const SQRT_HALF: i32 = 0x3f35_04f3;
    let bits = (x.to_bits() as i32).wrapping_sub(SQRT_HALF);
    let e = (bits >> 23) as f32;
    let f = f32::from_bits(((bits & 0x007f_ffff) + SQRT_HALF) as u32) - 1.0;
    let z = f * f;
    let mut p = 7.037_683_629_2e-2_f32;
    p = p.mul_add(f, -1.151_461_031_0e-1);
    p = p.mul_add(f, 1.167_699_874_0e-1);
    p = p.mul_add(f, -1.242_014_084_6e-1);
    p = p.mul_add(f, 1.424_932_278_7e-1);
    p = p.mul_add(f, -1.666_805_766_5e-1);
    p = p.mul_add(f, 2.000_071_476_5e-1);
    p = p.mul_add(f, -2.499_999_399_3e-1);
    p = p.mul_add(f, 3.333_333_117_4e-1);
    let mut y = p * f * z;
    y = e.mul_add(LN2_LOW, y);
    y = z.mul_add(-0.5, y);
    let result = e.mul_add(LN2_HIGH, f + y);
    // The bit tricks above would turn a NaN into a number.
    if x.is_nan() { x } else { result }
}

/// tanh x.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let size = x.abs();
    let z = x * x;
    let mut p = -5.704_988_727_45e-3_f32;
    p = p.mul_add(z, 2.063_908_879_54e-2);
    p = p.mul_add(z, -5.373_971_555_31e-2);
    p = p.mul_add(z, 1.333_144_220_36e-1);
    p = p.mul_add(z, -3.333_328_194_22e-1);
    let near = (p * z).mul_add(x, x);
    let far = (1.0 - 2.0 / (exp(2.0 * size) + 1.0)).copysign(x);
    if size < 0.625 { near } else { far }
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// (sigmoid x, ln(1 + e^-|x|)): both from one exponential, for the cross-entropy on logits.
#[inline(always)]
pub(crate) fn sigmoid_and_softplus(x: f32) -> (f32, f32) {
    let e = exp(-x.abs());
    let u = 1.0 + e;
    let inverse = 1.0 / u;
    let sigmoid = if x >= 0.0 { inverse } else { e * inverse };
    // ln(1 + e) with the rounding error of 1 + e put back.
    let softplus = log(u) + (e - (u - 1.0)) * inverse;
    (sigmoid, softplus)
}

/// The error function.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let t = x.abs();
    let s = x * x;
    let mut far = (-1.728_534_70e-5_f32).mul_add(t, 3.831_971_26e-4);
    let low = (-3.883_964_38e-3_f32).mul_add(t, 2.425_462_19e-2);
    far = far.mul_add(s, low);
    far = far.mul_add(t, -1.067_778_77e-1);
    far = far.mul_add(t, -6.348_466_87e-1);
    far = far.mul_add(t, -1.287_175_12e-1);
    far = far.mul_add(t, -t);
    // Beyond 4 the value rounds to one, and the polynomial is not meant for large t.
    let far = if t > 4.0 { 1.0 } else { 1.0 - exp(far) };
    let mut near = -5.967_617_03e-4_f32;
    near = near.mul_add(s, 4.991_194_23e-3);
    near = near.mul_add(s, -2.676_813_49e-2);
    near = near.mul_add(s, 1.128_199_25e-1);
    near = near.mul_add(s, -3.761_253_36e-1);
    near = near.mul_add(s, 1.283_791_66e-1);
    let near = near.mul_add(x, x);
    if t > 0.927_734_375 { far.copysign(x) } else { near }
}

/// (sin, cos) of a full turn times `word` / 2^32.
#[inline(always)]
pub(crate) fn sin_cos_turn(word: u32) -> (f32, f32) {
    let quadrant = word.wrapping_add(1 << 29) >> 30;
    let rest = word.wrapping_sub(quadrant << 30) as i32;
    let x = rest as f32 * (std::f32::consts::FRAC_PI_2 / (1u32 << 30) as f32);
    let z = x * x;
    let mut s = -1.951_529_589_1e-4_f32;
    s = s.mul_add(z, 8.332_160_873_6e-3);
    s = s.mul_add(z, -1.666_665_461_1e-1);
    let sin = (s * z).mul_add(x, x);
    let mut c = 2.443_315_711_809_948e-5_f32;
    c = c.mul_add(z, -1.388_731_625_493_765e-3);
    c = c.mul_add(z, 4.166_664_568_298_827e-2);
    let cos = (c * z).mul_add(z, z.mul_add(-0.5, 1.0));
    let (a, b) = if quadrant & 1 == 0 { (sin, cos) } else { (cos, sin) };
    let a = if quadrant & 2 == 0 { a } else { -a };
    let b = if quadrant.wrapping_add(1) & 2 == 0 { b } else { -b };
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spacing of f32 at `x`, the unit of the errors below.
    fn ulp(x: f64) -> f64 {
        let exponent = x.abs().max(f32::MIN_POSITIVE as f64).log2().floor();
        (exponent - 23.0).exp2()
    }

    fn check(name: &str, (low, high): (f32, f32), limit: f64, ours: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) {
        let mut worst = (0.0_f64, 0.0_f32);
        for i in 0..=200_000 {
            let x = low + (high - low) * (i as f32 / 200_000.0);
            let want = exact(x as f64);
            let error = (ours(x) as f64 - want).abs() / ulp(want);
            if error > worst.0 {
                worst = (error, x);
            }
        }
        assert!(worst.0 <= limit, "{name}: {} ulp at {}", worst.0, worst.1);
    }

    /// The error function in f64: the Taylor series near zero, a continued fraction far out.
    fn erf_exact(x: f64) -> f64 {
        if x.abs() < 3.0 {
            let (mut term, mut sum) = (x, x);
            for n in 1..120 {
                term *= -x * x / n as f64;
                sum += term / (2 * n + 1) as f64;
            }
            return sum * std::f64::consts::FRAC_2_SQRT_PI;
        }
        let t = x.abs();
        let mut fraction = t;
        for n in (1..200).rev() {
            fraction = t + n as f64 / 2.0 / fraction;
        }
        let rest = (-t * t).exp() / (fraction * std::f64::consts::PI.sqrt());
        (1.0 - rest).copysign(x)
    }

    #[test]
    fn elementary_functions_are_within_ulps_of_f64() {
        check("exp", (-87.0, 88.7), 2.0, exp, f64::exp);
        check("exp near zero", (-1.0, 1.0), 2.0, exp, f64::exp);
        check("exp_minus_one", (-20.0, 0.0), 2.0, exp_minus_one, f64::exp_m1);
        check("exp_minus_one near zero", (-0.01, 0.0), 2.0, exp_minus_one, f64::exp_m1);
        check("log", (1e-10, 1e-3), 2.0, log, f64::ln);
        check("log near one", (0.5, 2.0), 2.0, log, f64::ln);
        check("log large", (2.0, 1e9), 2.0, log, f64::ln);
        check("tanh", (-10.0, 10.0), 2.5, tanh, f64::tanh);
        check("sigmoid", (-80.0, 30.0), 3.0, sigmoid, |x| 1.0 / (1.0 + (-x).exp()));
        check("erf", (-5.0, 5.0), 2.0, erf, erf_exact);
        check("softplus", (-80.0, 80.0), 3.0, |x| sigmoid_and_softplus(x).1, |x| (-x.abs()).exp().ln_1p());
        check("sigmoid of the pair", (-80.0, 30.0), 3.0, |x| sigmoid_and_softplus(x).0, |x| 1.0 / (1.0 + (-x).exp()));
    }

    #[test]
    fn sine_and_cosine_of_a_turn_are_within_1e_7() {
        for i in 0..100_000_u32 {
            let word = i.wrapping_mul(42_949).wrapping_add(i);
            let angle = word as f64 / 4_294_967_296.0 * std::f64::consts::TAU;
            let (sin, cos) = sin_cos_turn(word);
            assert!((sin as f64 - angle.sin()).abs() < 1.5e-7, "sin at {word}");
            assert!((cos as f64 - angle.cos()).abs() < 1.5e-7, "cos at {word}");
        }
    }

    #[test]
    fn extremes_and_nans_stay_what_they_are() {
        assert_eq!(exp(100.0), f32::INFINITY);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(tanh(50.0), 1.0);
        assert_eq!(erf(-30.0), -1.0);
        assert_eq!(sigmoid(-200.0), 0.0);
        for f in [exp, exp_minus_one, log, tanh, sigmoid, erf] {
            assert!(f(f32::NAN).is_nan());
        }
        assert!(sigmoid_and_softplus(f32::NAN).1.is_nan());
    }
}
