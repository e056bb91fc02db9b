// Adds up partial sums, one after the other.

struct Shape {
    // Values of a part, and where they go.
    len: u32,
    to_first: u32,
    // Terms of a part, and terms of all parts together; times the rows of the batch where `by_batch`.
    slice: u32,
    terms: u32,
    by_batch: u32,
    // 1: the sums are divided by the number of terms.
    is_mean: u32,
    // Where else they go, by the distance; 0 nowhere.
    again: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> parts: array<f32>;
@group(0) @binding(3) var<storage, read_write> to: array<f32>;

@compute @workgroup_size(256)
fn collect(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= shape.len {
        return;
    }
    let terms = shape.terms * select(1u, batch.n, shape.by_batch == 1u);
    let n_parts = (terms + shape.slice - 1u) / shape.slice;
    var sum = 0.0;
    for (var part = 0u; part < n_parts; part++) {
        sum += parts[part * shape.len + at];
    }
    if shape.is_mean == 1u {
        sum /= f32(terms);
    }
    to[shape.to_first + at] = sum;
    if shape.again > 0u {
        to[shape.to_first + shape.again + at] = sum;
    }
}
