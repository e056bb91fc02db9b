// Larger maps: blocks for pixels, interpolation, and channels that become pixels.

struct Shape {
    height: u32,
    width: u32,
    // Of the smaller map's pixels.
    channels: u32,
    down: u32,
    across: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> to: array<f32>;

fn nearest_place(at: u32) -> u32 {
    let pixel = at / shape.channels;
    let line = pixel / (shape.width * shape.across);
    let row = line / (shape.height * shape.down);
    let y = line % (shape.height * shape.down) / shape.down;
    let x = pixel % (shape.width * shape.across) / shape.across;
    return ((row * shape.height + y) * shape.width + x) * shape.channels + at % shape.channels;
}

fn large_len() -> u32 {
    return batch.n * shape.height * shape.width * shape.channels * shape.down * shape.across;
}

fn small_len() -> u32 {
    return batch.n * shape.height * shape.width * shape.channels;
}

@compute @workgroup_size(256)
fn nearest(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < large_len() {
        to[at] = values[nearest_place(at)];
    }
}

// A pixel of the small map: row, line, column; and its channel.
fn small_place(at: u32) -> vec4<u32> {
    let pixel = at / shape.channels;
    let line = pixel / shape.width;
    return vec4(line / shape.height, line % shape.height, pixel % shape.width, at % shape.channels);
}

fn large_place(row: u32, y: u32, x: u32, channel: u32) -> u32 {
    let tall = shape.height * shape.down;
    let wide = shape.width * shape.across;
    return ((row * tall + y) * wide + x) * shape.channels + channel;
}

@compute @workgroup_size(256)
fn nearest_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= small_len() {
        return;
    }
    let place = small_place(at);
    var sum = 0.0;
    for (var i = 0u; i < shape.down; i++) {
        for (var j = 0u; j < shape.across; j++) {
            sum += values[large_place(place.x, place.y * shape.down + i, place.z * shape.across + j, place.w)];
        }
    }
    to[at] = sum;
}

// The two pixels between which an output lies, and the share of the second.
struct Between {
    first: u32,
    second: u32,
    share: f32,
}

fn between(output: u32, factor: u32, size: u32) -> Between {
    let at = max((f32(output) + 0.5) / f32(factor) - 0.5, 0.0);
    let first = min(u32(at), size - 1u);
    return Between(first, min(first + 1u, size - 1u), at - f32(first));
}

@compute @workgroup_size(256)
fn bilinear(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= large_len() {
        return;
    }
    let channel = at % shape.channels;
    let pixel = at / shape.channels;
    let line = pixel / (shape.width * shape.across);
    let first = line / (shape.height * shape.down) * shape.height * shape.width;
    let y = between(line % (shape.height * shape.down), shape.down, shape.height);
    let x = between(pixel % (shape.width * shape.across), shape.across, shape.width);
    let above = (first + y.first * shape.width) * shape.channels + channel;
    let below = (first + y.second * shape.width) * shape.channels + channel;
    let left = x.first * shape.channels;
    let right = x.second * shape.channels;
    let upper = fma(values[above + right], x.share, values[above + left] * (1.0 - x.share));
    let lower = fma(values[below + right], x.share, values[below + left] * (1.0 - x.share));
    to[at] = fma(lower, y.share, upper * (1.0 - y.share));
}

// How much of output `output` a pixel is.
fn share_of(output: u32, factor: u32, size: u32, pixel: u32) -> f32 {
    let b = between(output, factor, size);
    return select(0.0, 1.0 - b.share, b.first == pixel) + select(0.0, b.share, b.second == pixel);
}

@compute @workgroup_size(256)
fn bilinear_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= small_len() {
        return;
    }
    let place = small_place(at);
    // Outputs that show a pixel lie within a pixel of it.
    let top = max(place.y, 1u) - 1u;
    let left = max(place.z, 1u) - 1u;
    let bottom = min(place.y + 2u, shape.height);
    let right = min(place.z + 2u, shape.width);
    var sum = 0.0;
    for (var y = top * shape.down; y < bottom * shape.down; y++) {
        let down = share_of(y, shape.down, shape.height, place.y);
        if down == 0.0 {
            continue;
        }
        for (var x = left * shape.across; x < right * shape.across; x++) {
            let across = share_of(x, shape.across, shape.width, place.z);
            if across > 0.0 {
                sum += down * across * values[large_place(place.x, y, x, place.w)];
            }
        }
    }
    to[at] = sum;
}

// Of value `at` of the shuffled map, the place before.
fn shuffled_from(at: u32) -> u32 {
    let channels = shape.channels / (shape.down * shape.across);
    let channel = at % channels;
    let pixel = at / channels;
    let wide = shape.width * shape.across;
    let line = pixel / wide;
    let x = pixel % wide;
    // Lines of all rows together: a row has a whole number of them.
    let first = (line / shape.down * shape.width + x / shape.across) * shape.channels;
    return first + (channel * shape.down + line % shape.down) * shape.across + x % shape.across;
}

@compute @workgroup_size(256)
fn shuffle(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < small_len() {
        to[at] = values[shuffled_from(at)];
    }
}

@compute @workgroup_size(256)
fn shuffle_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < small_len() {
        to[shuffled_from(at)] = values[at];
    }
}
