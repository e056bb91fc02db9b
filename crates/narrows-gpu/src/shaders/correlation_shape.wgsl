// The shapes of a correlation of a large map with a kernel, whose results are a small map.

struct Shape {
    large_height: u32,
    large_width: u32,
    large_channels: u32,
    small_height: u32,
    small_width: u32,
    small_channels: u32,
    kernel_width: u32,
    taps: u32,
    stride_down: u32,
    stride_across: u32,
    dilation_down: u32,
    dilation_across: u32,
    top: u32,
    left: u32,
    // Of the added pixels: 0 zeros, 1 reflected, 2 replicated.
    mode: u32,
    weight_first: u32,
    bias_first: u32,
    has_bias: u32,
    slice: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;

// The pixel that a padded position shows, or -1 for a zero.
fn shown(at: i32, size: u32) -> i32 {
    let last = i32(size) - 1;
    if at >= 0 && at <= last {
        return at;
    }
    if shape.mode == 0u {
        return -1;
    }
    if shape.mode == 2u {
        return clamp(at, 0, last);
    }
    return select(2 * last - at, -at, at < 0);
}

// Where pixel (y, x) of the large map of a row begins, padded places included; -1 for a zero.
fn large_pixel(row: u32, y: i32, x: i32) -> i32 {
    let down = shown(y, shape.large_height);
    let across = shown(x, shape.large_width);
    if down < 0 || across < 0 {
        return -1;
    }
    let pixel = (row * shape.large_height + u32(down)) * shape.large_width + u32(across);
    return i32(pixel * shape.large_channels);
}
