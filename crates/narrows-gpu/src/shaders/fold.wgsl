// The gradient of a map from that of its padded plane: every pixel sums what lies at the places that show it.

struct Shape {
    height: u32,
    width: u32,
    channels: u32,
    top: u32,
    bottom: u32,
    left: u32,
    right: u32,
    // 1 reflected, 2 replicated.
    mode: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> plane: array<f32>;
@group(0) @binding(3) var<storage, read_write> to: array<f32>;

// Whether padded place `at` of a side shows pixel `pixel`; `at` begins with the padding.
fn shows(at: u32, before: u32, size: u32, pixel: u32) -> bool {
    let place = i32(at) - i32(before);
    let last = i32(size) - 1;
    var seen = place;
    if shape.mode == 2u {
        seen = clamp(place, 0, last);
    } else if place < 0 {
        seen = -place;
    } else if place > last {
        seen = 2 * last - place;
    }
    return seen == i32(pixel);
}

@compute @workgroup_size(256)
fn fold(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    let size = shape.height * shape.width * shape.channels;
    if at >= batch.n * size {
        return;
    }
    let channel = at % shape.channels;
    let pixel = at / shape.channels;
    let x = pixel % shape.width;
    let y = pixel / shape.width % shape.height;
    let row = at / size;
    let tall = shape.height + shape.top + shape.bottom;
    let wide = shape.width + shape.left + shape.right;
    var sum = 0.0;
    for (var v = 0u; v < tall; v++) {
        if !shows(v, shape.top, shape.height, y) {
            continue;
        }
        for (var h = 0u; h < wide; h++) {
            if shows(h, shape.left, shape.width, x) {
                sum += plane[((row * tall + v) * wide + h) * shape.channels + channel];
            }
        }
    }
    to[at] = sum;
}
