// Normalisation: of a channel over the batch (`groups` is 0), or of groups of channels within each row.

struct Shape {
    positions: u32,
    channels: u32,
    groups: u32,
    gamma: u32,
    beta: u32,
    running: u32,
    eps: f32,
    momentum: f32,
    d_gamma: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> params: array<f32>;
@group(0) @binding(4) var<storage, read> statistics: array<f32>;
@group(0) @binding(5) var<storage, read> gradient: array<f32>;
@group(0) @binding(6) var<storage, read> d_params: array<f32>;
@group(0) @binding(7) var<storage, read_write> to: array<f32>;
@group(0) @binding(8) var<storage, read_write> moving: array<f32>;

// [mean | variance] of the batch become [mean | 1 / deviation], and the running statistics move towards them.
@compute @workgroup_size(256)
fn follow_batch(@builtin(global_invocation_id) id: vec3<u32>) {
    let c = id.x;
    if c >= shape.channels {
        return;
    }
    let n = f32(batch.n * shape.positions);
    let variance = to[shape.channels + c];
    if n > 1.0 {
        let mean_at = shape.running + c;
        let variance_at = shape.running + shape.channels + c;
        moving[mean_at] += shape.momentum * (to[c] - moving[mean_at]);
        moving[variance_at] += shape.momentum * (variance * (n / (n - 1.0)) - moving[variance_at]);
    }
    to[shape.channels + c] = 1.0 / sqrt(variance + shape.eps);
}

// The running statistics as [mean | 1 / deviation].
@compute @workgroup_size(256)
fn running_statistics(@builtin(global_invocation_id) id: vec3<u32>) {
    let c = id.x;
    if c < shape.channels {
        to[c] = params[shape.running + c];
        to[shape.channels + c] = 1.0 / sqrt(params[shape.running + shape.channels + c] + shape.eps);
    }
}

var<workgroup> partial: array<vec2<f32>, 256>;

// The sum over the threads of a workgroup, by halves.
fn total(lane: u32, value: vec2<f32>) -> vec2<f32> {
    workgroupBarrier();
    partial[lane] = value;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if lane < half {
            partial[lane] += partial[lane + half];
        }
        workgroupBarrier();
    }
    return partial[0];
}

// Where value `i` of a group of a row lies.
fn of_group(group: u32, i: u32) -> u32 {
    let within = shape.channels / shape.groups;
    let row = group / shape.groups;
    let channel = group % shape.groups * within + i % within;
    return (row * shape.positions + i / within) * shape.channels + channel;
}

// (mean, 1 / deviation) of every group of every row, a workgroup each.
@compute @workgroup_size(256)
fn group_statistics(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = group_number(id, groups);
    let len = select(0u, shape.positions * shape.channels / shape.groups, group < batch.n * shape.groups);
    var sum = 0.0;
    for (var i = lane; i < len; i += 256u) {
        sum += values[of_group(group, i)];
    }
    let mean = total(lane, vec2(sum, 0.0)).x / f32(len);
    var squares = 0.0;
    for (var i = lane; i < len; i += 256u) {
        let deviation = values[of_group(group, i)] - mean;
        squares += deviation * deviation;
    }
    let variance = total(lane, vec2(squares, 0.0)).x / f32(len);
    if lane == 0u && len > 0u {
        to[2u * group] = mean;
        to[2u * group + 1u] = 1.0 / sqrt(variance + shape.eps);
    }
}

// The group of value `at`, of a row or of the batch, as places of its mean and its deviation.
fn places(at: u32) -> vec2<u32> {
    let channel = at % shape.channels;
    if shape.groups == 0u {
        return vec2(channel, shape.channels + channel);
    }
    let row = at / (shape.positions * shape.channels);
    let group = row * shape.groups + channel * shape.groups / shape.channels;
    return vec2(2u * group, 2u * group + 1u);
}

@compute @workgroup_size(256)
fn normalise(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.positions * shape.channels {
        return;
    }
    let channel = at % shape.channels;
    let place = places(at);
    let h = (values[at] - statistics[place.x]) * statistics[place.y];
    to[at] = fma(h, params[shape.gamma + channel], params[shape.beta + channel]);
}

// (mean g, mean g h) of every group of every row, with g the gradient times gamma.
@compute @workgroup_size(256)
fn group_slopes(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = group_number(id, groups);
    let len = select(0u, shape.positions * shape.channels / shape.groups, group < batch.n * shape.groups);
    var sums = vec2<f32>();
    for (var i = lane; i < len; i += 256u) {
        let at = of_group(group, i);
        let g = gradient[at] * params[shape.gamma + at % shape.channels];
        let h = (values[at] - statistics[2u * group]) * statistics[2u * group + 1u];
        sums += vec2(g, g * h);
    }
    sums = total(lane, sums);
    if lane == 0u && len > 0u {
        to[2u * group] = sums.x / f32(len);
        to[2u * group + 1u] = sums.y / f32(len);
    }
}

// The gradient for the input; `d_params` has the sums over the batch, or the means of `group_slopes`.
@compute @workgroup_size(256)
fn normalise_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.positions * shape.channels {
        return;
    }
    let channel = at % shape.channels;
    let place = places(at);
    let inverse = statistics[place.y];
    let h = (values[at] - statistics[place.x]) * inverse;
    let gamma = params[shape.gamma + channel];
    if shape.groups == 0u {
        let n = f32(batch.n * shape.positions);
        let d_gamma = d_params[shape.d_gamma + channel];
        let d_beta = d_params[shape.d_gamma + shape.channels + channel];
        to[at] = gamma * inverse * (gradient[at] - fma(h, d_gamma, d_beta) / n);
    } else {
        to[at] = inverse * (gradient[at] * gamma - d_params[place.x] - h * d_params[place.y]);
    }
}
