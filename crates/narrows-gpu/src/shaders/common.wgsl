// What every kernel knows: the batch, and how threads are numbered.

struct Batch {
    // Rows.
    n: u32,
    // The bits of a NaN: a constant NaN is not allowed.
    nan: u32,
    seed_low: u32,
    seed_high: u32,
    epoch_low: u32,
    epoch_high: u32,
    // The weight of the code's penalty, by the number of rows.
    penalty_share: f32,
    // Of the optimiser, see `optimiser.wgsl`.
    step_size: f32,
    root_scale: f32,
    shrink: f32,
    decay: f32,
    clip: f32,
}

@group(0) @binding(0) var<uniform> batch: Batch;

// Compilers may assume that there are no NaNs, but not what bits mean.
fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

fn nan() -> f32 {
    return bitcast<f32>(batch.nan);
}

// The number of a thread, of workgroups of 256 that fill lines of a grid.
fn number(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.x + id.y * groups.x * 256u;
}

// The number of a workgroup in such a grid.
fn group_number(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.x + id.y * groups.x;
}
