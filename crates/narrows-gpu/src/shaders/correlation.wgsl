// Operands of `product.wgsl`: the windows of a map and the weight, for the forward pass of a convolution and the backward
// pass of a transposed one. A row is a pixel of the small map; the common side is taps, then channels.

@group(0) @binding(2) var<storage, read> large: array<f32>;
@group(0) @binding(3) var<storage, read> params: array<f32>;
@group(0) @binding(4) var<storage, read_write> small: array<f32>;

struct Place {
    row: u32,
    y: i32,
    x: i32,
}

struct Depth {
    channel: u32,
    tap: u32,
    down: i32,
    across: i32,
}

fn extents() -> vec3<u32> {
    let pixels = batch.n * shape.small_height * shape.small_width;
    return vec3(pixels, shape.small_channels, shape.taps * shape.large_channels);
}

fn left_place(pixel: u32) -> Place {
    let line = pixel / shape.small_width;
    let y = i32(line % shape.small_height * shape.stride_down) - i32(shape.top);
    let x = i32(pixel % shape.small_width * shape.stride_across) - i32(shape.left);
    return Place(line / shape.small_height, y, x);
}

fn right_place(channel: u32) -> Place {
    return Place(shape.weight_first + channel * shape.large_channels * shape.taps, 0, 0);
}

fn left_depth(k: u32) -> Depth {
    let tap = k / shape.large_channels;
    let down = i32(tap / shape.kernel_width * shape.dilation_down);
    let across = i32(tap % shape.kernel_width * shape.dilation_across);
    return Depth(k % shape.large_channels, tap, down, across);
}

fn right_depth(k: u32) -> Depth {
    return left_depth(k);
}

fn left_value(place: Place, depth: Depth) -> f32 {
    let pixel = large_pixel(place.row, place.y + depth.down, place.x + depth.across);
    if pixel < 0 {
        return 0.0;
    }
    return large[u32(pixel) + depth.channel];
}

fn right_value(place: Place, depth: Depth) -> f32 {
    return params[place.row + depth.channel * shape.taps + depth.tap];
}

fn finish(pixel: u32, channel: u32, slice: u32, sum: f32) {
    var value = sum;
    if shape.has_bias == 1u {
        value += params[shape.bias_first + channel];
    }
    small[pixel * shape.small_channels + channel] = value;
}
