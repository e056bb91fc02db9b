// Pooling: the largest or the mean value of each window.

struct Shape {
    height: u32,
    width: u32,
    channels: u32,
    out_height: u32,
    out_width: u32,
    down: u32,
    across: u32,
    stride_down: u32,
    stride_across: u32,
    top: u32,
    left: u32,
    is_max: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> to: array<f32>;

// A window's value, and the place in the input of its largest.
struct Pooled {
    value: f32,
    winner: u32,
}

fn pooled(row: u32, y: u32, x: u32, channel: u32) -> Pooled {
    var sum = 0.0;
    var best = 0.0;
    var winner = 0xffffffffu;
    for (var i = 0u; i < shape.down; i++) {
        for (var j = 0u; j < shape.across; j++) {
            let v = y * shape.stride_down + i - shape.top;
            let h = x * shape.stride_across + j - shape.left;
            // Below zero is a large number.
            if v >= shape.height || h >= shape.width {
                continue;
            }
            let at = ((row * shape.height + v) * shape.width + h) * shape.channels + channel;
            let value = values[at];
            sum += value;
            // A NaN is the largest of all, so that a diverged network is not hidden.
            if winner == 0xffffffffu || value > best || is_nan(value) {
                best = value;
                winner = at;
            }
        }
    }
    return Pooled(select(sum / f32(shape.down * shape.across), best, shape.is_max == 1u), winner);
}

@compute @workgroup_size(256)
fn pool(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    let size = shape.out_height * shape.out_width * shape.channels;
    if at >= batch.n * size {
        return;
    }
    let pixel = at / shape.channels;
    let y = pixel / shape.out_width % shape.out_height;
    to[at] = pooled(at / size, y, pixel % shape.out_width, at % shape.channels).value;
}

// The windows that a place lies in, first and end.
fn windows(place: u32, before: u32, size: u32, stride: u32, count: u32) -> vec2<u32> {
    let padded = place + before;
    let first = select((padded - size) / stride + 1u, 0u, padded < size);
    return vec2(first, min(padded / stride + 1u, count));
}

// Every place gathers from the windows that it lies in: those that it won, or all.
@compute @workgroup_size(256)
fn pool_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    let size = shape.height * shape.width * shape.channels;
    if at >= batch.n * size {
        return;
    }
    let channel = at % shape.channels;
    let pixel = at / shape.channels;
    let row = at / size;
    let ys = windows(pixel / shape.width % shape.height, shape.top, shape.down, shape.stride_down, shape.out_height);
    let xs = windows(pixel % shape.width, shape.left, shape.across, shape.stride_across, shape.out_width);
    var sum = 0.0;
    for (var y = ys.x; y < ys.y; y++) {
        for (var x = xs.x; x < xs.y; x++) {
            let d = gradient[((row * shape.out_height + y) * shape.out_width + x) * shape.channels + channel];
            if shape.is_max == 0u {
                sum += d / f32(shape.down * shape.across);
            } else if pooled(row, y, x, channel).winner == at {
                sum += d;
            }
        }
    }
    to[at] = sum;
}
