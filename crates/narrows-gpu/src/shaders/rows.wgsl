// Small work on rows: sums of two, dropout, weights of rows, repetition, absent steps.

struct Shape {
    width: u32,
    // Of `repeat`: times; of steps: steps a row.
    times: u32,
    first_block: u32,
    rate: f32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> others: array<f32>;
@group(0) @binding(4) var<storage, read> ids: array<u32>;
@group(0) @binding(5) var<storage, read_write> to: array<f32>;
@group(0) @binding(6) var<storage, read_write> marks: array<f32>;

const DROPOUT = 4u;

@compute @workgroup_size(256)
fn add(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < batch.n * shape.width {
        to[at] = values[at] + others[at];
    }
}

// Forward on values and backward on gradients: the mask is drawn twice, and never kept.
@compute @workgroup_size(256)
fn drop_out(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.width {
        return;
    }
    let drawn = unit(random_word(DROPOUT, ids[at / shape.width], shape.first_block, at % shape.width));
    to[at] = values[at] * select(1.0 / (1.0 - shape.rate), 0.0, drawn < shape.rate);
}

// Multiplies every row by its weight; a row of weight zero may have diverged, and becomes zeros.
@compute @workgroup_size(256)
fn weigh(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.width {
        return;
    }
    let weight = others[at / shape.width];
    to[at] = select(to[at] * weight, 0.0, weight == 0.0);
}

@compute @workgroup_size(256)
fn repeat(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    let len = shape.width * shape.times;
    if at < batch.n * len {
        to[at] = values[at / len * shape.width + at % shape.width];
    }
}

@compute @workgroup_size(256)
fn repeat_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.width {
        return;
    }
    let first = at / shape.width * shape.width * shape.times + at % shape.width;
    var sum = 0.0;
    for (var i = 0u; i < shape.times; i++) {
        sum += values[first + i * shape.width];
    }
    to[at] = sum;
}

// Copies steps of `width` channels; those that are all NaN become zeros, and their mark zero.
@compute @workgroup_size(256)
fn present(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.times {
        return;
    }
    var mark = 0.0;
    for (var i = 0u; i < shape.width; i++) {
        if !is_nan(values[at * shape.width + i]) {
            mark = 1.0;
        }
    }
    for (var i = 0u; i < shape.width; i++) {
        let value = values[at * shape.width + i];
        to[at * shape.width + i] = select(0.0, value, mark == 1.0);
    }
    marks[at] = mark;
}

// Copies steps of `width` channels; those whose mark is zero become zeros.
@compute @workgroup_size(256)
fn where_present(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < batch.n * shape.times * shape.width {
        to[at] = select(0.0, values[at], others[at / shape.width] == 1.0);
    }
}

// The first `width` of every `times` values.
@compute @workgroup_size(256)
fn first_columns(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < batch.n * shape.width {
        to[at] = values[at / shape.width * shape.times + at % shape.width];
    }
}
