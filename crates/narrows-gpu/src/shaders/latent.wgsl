// Codes that are drawn in training, and the penalties of codes.

struct Shape {
    // Values of a code; those of a row that a penalty reads.
    width: u32,
    row: u32,
    // 1 for a Gaussian, 2 for a code that will be rounded.
    kind: u32,
    to_first: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> ids: array<u32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> to: array<f32>;

const LATENT = 5u;
const GAUSSIAN = 1u;
const BOUND = 10.0;
// 1 / (2 ln 2).
const HALF_BIT = 0.72134752;

fn bounded(log_var: f32) -> f32 {
    let x = select(log_var, BOUND, log_var > BOUND);
    return select(x, -BOUND, x < -BOUND);
}

// [mean | log-variance] to a code.
@compute @workgroup_size(256)
fn draw(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.width {
        return;
    }
    let row = at / shape.width;
    let j = at % shape.width;
    if shape.kind == GAUSSIAN {
        let mean = values[2u * row * shape.width + j];
        let log_var = values[(2u * row + 1u) * shape.width + j];
        to[at] = fma(exponential(0.5 * bounded(log_var)), random_normal(LATENT, ids[row], j), mean);
    } else {
        let block = random_block(LATENT, ids[row], j / 4u);
        to[at] = values[at] + unit(block[j % 4u]) - 0.5;
    }
}

// Of a Gaussian, `values` are means and log-variances; else the drawn code.
@compute @workgroup_size(256)
fn draw_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.width {
        return;
    }
    let row = at / shape.width;
    let j = at % shape.width;
    let d = gradient[at];
    if shape.kind == GAUSSIAN {
        let mean_at = 2u * row * shape.width + j;
        let log_var = values[mean_at + shape.width];
        let half = 0.5 * exponential(0.5 * bounded(log_var));
        // With half = sigma / 2, e^log_var = 4 half^2.
        let slope = 0.5 * batch.penalty_share * (4.0 * half * half - 1.0);
        to[mean_at] = fma(batch.penalty_share, values[mean_at], d);
        let is_free = bounded(log_var) == log_var;
        to[mean_at + shape.width] = select(0.0, fma(d * random_normal(LATENT, ids[row], j), half, slope), is_free);
    } else {
        let z = values[at];
        let slope = 24.0 * HALF_BIT * z / fma(12.0 * z, z, 1.0);
        to[at] = fma(batch.penalty_share, slope, d);
    }
}

// The penalty of every row, a workgroup each.
@compute @workgroup_size(256)
fn penalty(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group_number(id, groups);
    let first = row * shape.row;
    var sum = 0.0;
    for (var j = lane; j < select(0u, shape.width, row < batch.n); j += 256u) {
        let z = values[first + j];
        if shape.kind == GAUSSIAN {
            let log_var = bounded(values[first + shape.width + j]);
            sum += 0.5 * (fma(z, z, exponential(log_var)) - 1.0 - log_var);
        } else {
            sum += HALF_BIT * logarithm(fma(12.0 * z, z, 1.0));
        }
    }
    sum = sum_of_threads(lane, sum);
    if lane == 0u && row < batch.n {
        to[shape.to_first + row] = sum;
    }
}
