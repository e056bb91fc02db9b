// Elementwise functions and their derivatives.

struct Shape {
    width: u32,
    kind: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> results: array<f32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> to: array<f32>;

const RELU = 1u;
const LEAKY_RELU = 2u;
const ELU = 3u;
const GELU = 4u;
const SILU = 5u;
const TANH = 6u;
const SIGMOID = 7u;

@compute @workgroup_size(256)
fn activate(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.width {
        return;
    }
    let x = values[at];
    var y = x;
    switch shape.kind {
        case RELU: { y = select(x, 0.0, x < 0.0); }
        case LEAKY_RELU: { y = select(x, 0.01 * x, x < 0.0); }
        case ELU: { y = select(exponential_minus_one(x), x, x > 0.0); }
        case GELU: { y = 0.5 * x * (1.0 + error_function(x * 0.70710678)); }
        case SILU: { y = x * sigmoid(x); }
        case TANH: { y = hyperbolic_tangent(x); }
        case SIGMOID: { y = sigmoid(x); }
        default: {}
    }
    to[at] = y;
}

@compute @workgroup_size(256)
fn activate_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.width {
        return;
    }
    let x = values[at];
    let y = results[at];
    var slope = 1.0;
    switch shape.kind {
        case RELU: { slope = select(0.0, 1.0, y > 0.0); }
        case LEAKY_RELU: { slope = select(0.01, 1.0, y > 0.0); }
        case ELU: { slope = select(y + 1.0, 1.0, y > 0.0); }
        case GELU: {
            let share = 0.5 * (1.0 + error_function(x * 0.70710678));
            slope = fma(x * 0.3989423, exponential(-0.5 * x * x), share);
        }
        case SILU: {
            let s = sigmoid(x);
            slope = s * (x * (1.0 - s) + 1.0);
        }
        case TANH: { slope = 1.0 - y * y; }
        case SIGMOID: { slope = y * (1.0 - y); }
        default: {}
    }
    to[at] = gradient[at] * slope;
}
