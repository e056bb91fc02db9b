// The norm of the gradient, and Adam or AdamW; the formulas and names are those of `optim.rs` of the engine.

struct Shape {
    len: u32,
    parts: u32,
    norm_at: u32,
    beta2: f32,
    new1: f32,
    new2: f32,
    eps: f32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read> norm: array<f32>;
@group(0) @binding(4) var<storage, read_write> to: array<f32>;
@group(0) @binding(5) var<storage, read_write> params: array<f32>;
@group(0) @binding(6) var<storage, read_write> moments: array<vec2<f32>>;

const SLICE: u32 = 4096u;

@compute @workgroup_size(256)
fn squares(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let slice = group_number(id, groups);
    var sum = 0.0;
    for (var i = slice * SLICE + lane; i < min((slice + 1u) * SLICE, shape.len); i += 256u) {
        sum += gradient[i] * gradient[i];
    }
    sum = sum_of_threads(lane, sum);
    if lane == 0u && slice < shape.parts {
        to[slice] = sum;
    }
}

@compute @workgroup_size(256)
fn square_root(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var i = lane; i < shape.parts; i += 256u) {
        sum += gradient[i];
    }
    sum = sum_of_threads(lane, sum);
    if lane == 0u {
        to[shape.norm_at] = sqrt(sum);
    }
}

// Nothing moves where the norm is not finite.
@compute @workgroup_size(256)
fn follow(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    let size = norm[shape.norm_at];
    if at >= shape.len || !is_finite(size) {
        return;
    }
    let scale = select(1.0, min(batch.clip / (size + 1e-6), 1.0), batch.clip > 0.0);
    let w = params[at];
    let before = moments[at];
    let g = fma(batch.decay, w, gradient[at] * scale);
    let m = fma(shape.new1, g - before.x, before.x);
    let v = fma(shape.new2 * g, g, before.y * shape.beta2);
    let root = fma(sqrt(v), batch.root_scale, shape.eps);
    moments[at] = vec2(m, v);
    params[at] = fma(-batch.step_size, m / root, w * batch.shrink);
}
