// Elementary functions by the polynomials of the CPU, so that a driver's accuracy does not matter. A NaN stays one.

fn power_of_two(exponent: i32) -> f32 {
    return bitcast<f32>(u32(exponent + 127) << 23u);
}

// (n, exp(r) - 1) with x = n ln 2 + r.
fn exp_parts(x: f32) -> vec2<f32> {
    let n = round(x * 1.4426950408889634);
    let r = fma(n, 2.1219444e-4, fma(n, -0.693359375, x));
    var p = 1.9875691500e-4;
    p = fma(p, r, 1.3981999507e-3);
    p = fma(p, r, 8.3334519073e-3);
    p = fma(p, r, 4.1665795894e-2);
    p = fma(p, r, 1.6666665459e-1);
    p = fma(p, r, 5.0000001201e-1);
    return vec2(n, fma(p * r, r, r));
}

fn exponential(x: f32) -> f32 {
    let above = select(x, 89.0, x > 89.0);
    let parts = exp_parts(select(above, -104.0, above < -104.0));
    let exponent = i32(parts.x);
    // Two factors, because 2^128 is no power built by a shift.
    let half = exponent >> 1u;
    return (1.0 + parts.y) * power_of_two(half) * power_of_two(exponent - half);
}

// e^x - 1 for x <= 0.
fn exponential_minus_one(x: f32) -> f32 {
    let above = select(x, -80.0, x < -80.0);
    let parts = exp_parts(select(above, 0.0, above > 0.0));
    let scale = power_of_two(i32(parts.x));
    return fma(parts.y, scale, scale - 1.0);
}

// ln x of a normal positive x.
fn logarithm(x: f32) -> f32 {
    let bits = bitcast<i32>(x) - 0x3f3504f3;
    let e = f32(bits >> 23u);
    let f = bitcast<f32>((bits & 0x007fffff) + 0x3f3504f3) - 1.0;
    let z = f * f;
    var p = 7.0376836292e-2;
    p = fma(p, f, -1.1514610310e-1);
    p = fma(p, f, 1.1676998740e-1);
    p = fma(p, f, -1.2420140846e-1);
    p = fma(p, f, 1.4249322787e-1);
    p = fma(p, f, -1.6668057665e-1);
    p = fma(p, f, 2.0000714765e-1);
    p = fma(p, f, -2.4999993993e-1);
    p = fma(p, f, 3.3333331174e-1);
    var y = p * f * z;
    y = fma(e, -2.1219444e-4, y);
    y = fma(z, -0.5, y);
    let result = fma(e, 0.693359375, f + y);
    return select(result, x, is_nan(x));
}

fn with_sign(size: f32, x: f32) -> f32 {
    return bitcast<f32>((bitcast<u32>(size) & 0x7fffffffu) | (bitcast<u32>(x) & 0x80000000u));
}

fn hyperbolic_tangent(x: f32) -> f32 {
    let size = abs(x);
    let z = x * x;
    var p = -5.70498872745e-3;
    p = fma(p, z, 2.06390887954e-2);
    p = fma(p, z, -5.37397155531e-2);
    p = fma(p, z, 1.33314422036e-1);
    p = fma(p, z, -3.33332819422e-1);
    let near = fma(p * z, x, x);
    let far = with_sign(1.0 - 2.0 / (exponential(2.0 * size) + 1.0), x);
    return select(far, near, size < 0.625);
}

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exponential(-x));
}

// (sigmoid x, ln(1 + e^-|x|)).
fn sigmoid_and_softplus(x: f32) -> vec2<f32> {
    let e = exponential(-abs(x));
    let u = 1.0 + e;
    let inverse = 1.0 / u;
    return vec2(select(e * inverse, inverse, x >= 0.0), logarithm(u) + (e - (u - 1.0)) * inverse);
}

fn error_function(x: f32) -> f32 {
    let t = abs(x);
    let s = x * x;
    var far = fma(-1.72853470e-5, t, 3.83197126e-4);
    let low = fma(-3.88396438e-3, t, 2.42546219e-2);
    far = fma(far, s, low);
    far = fma(far, t, -1.06777877e-1);
    far = fma(far, t, -6.34846687e-1);
    far = fma(far, t, -1.28717512e-1);
    far = fma(far, t, -t);
    far = select(1.0 - exponential(far), 1.0, t > 4.0);
    var near = -5.96761703e-4;
    near = fma(near, s, 4.99119423e-3);
    near = fma(near, s, -2.67681349e-2);
    near = fma(near, s, 1.12819925e-1);
    near = fma(near, s, -3.76125336e-1);
    near = fma(near, s, 1.28379166e-1);
    near = fma(near, x, x);
    return select(near, with_sign(far, x), t > 0.927734375);
}

// (sin, cos) of a full turn times word / 2^32.
fn sin_cos_turn(word: u32) -> vec2<f32> {
    let quadrant = (word + 0x20000000u) >> 30u;
    let rest = bitcast<i32>(word - (quadrant << 30u));
    let x = f32(rest) * 1.4629180792671596e-9;
    let z = x * x;
    var s = -1.9515295891e-4;
    s = fma(s, z, 8.3321608736e-3);
    s = fma(s, z, -1.6666654611e-1);
    let sin_x = fma(s * z, x, x);
    var c = 2.443315711809948e-5;
    c = fma(c, z, -1.388731625493765e-3);
    c = fma(c, z, 4.166664568298827e-2);
    let cos_x = fma(c * z, z, fma(z, -0.5, 1.0));
    let turned = select(vec2(sin_x, cos_x), vec2(cos_x, sin_x), (quadrant & 1u) == 1u);
    let a = select(turned.x, -turned.x, (quadrant & 2u) == 2u);
    let b = select(turned.y, -turned.y, ((quadrant + 1u) & 2u) == 2u);
    return vec2(a, b);
}
