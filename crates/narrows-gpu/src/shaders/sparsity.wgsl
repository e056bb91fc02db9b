// Penalties on the code's activity, and that activity.

struct Shape {
    width: u32,
    weight: f32,
    goal: f32,
    to_first: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> code: array<f32>;
@group(0) @binding(3) var<storage, read> slopes: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> to: array<f32>;

// The sum of |code| of every row, a workgroup each.
@compute @workgroup_size(256)
fn activity(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group_number(id, groups);
    var sum = 0.0;
    for (var j = lane; j < select(0u, shape.width, row < batch.n); j += 256u) {
        sum += abs(code[row * shape.width + j]);
    }
    sum = sum_of_threads(lane, sum);
    if lane == 0u && row < batch.n {
        to[shape.to_first + row] = sum;
    }
}

@compute @workgroup_size(256)
fn add_signs(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < batch.n * shape.width {
        gradient[at] += sign(code[at]) * (shape.weight / f32(batch.n));
    }
}

// Of every unit, from its mean: the slope, and after all slopes the divergence.
@compute @workgroup_size(256)
fn divergences(@builtin(global_invocation_id) id: vec3<u32>) {
    let unit = id.x;
    if unit >= shape.width {
        return;
    }
    var sum = 0.0;
    for (var row = 0u; row < batch.n; row++) {
        sum += code[row * shape.width + unit];
    }
    let mean = clamp(sum / f32(batch.n), 1e-6, 1.0 - 1e-6);
    let goal = shape.goal;
    let rest = 1.0 - goal;
    to[shape.to_first + unit] = goal * logarithm(goal / mean) + rest * logarithm(rest / (1.0 - mean));
    gradient[unit] = shape.weight / f32(batch.n) * (rest / (1.0 - mean) - goal / mean);
}

@compute @workgroup_size(256)
fn add_slopes(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < batch.n * shape.width {
        gradient[at] += slopes[at % shape.width];
    }
}
