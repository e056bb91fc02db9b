// Operands of `product.wgsl`: the adjoint of a correlation, for the backward pass of a convolution and the forward pass of a
// transposed one. A row is a pixel of the large map, padded places included where they show the map; the common side is
// taps, then channels of the small map.

@group(0) @binding(2) var<storage, read> small: array<f32>;
@group(0) @binding(3) var<storage, read> params: array<f32>;
@group(0) @binding(4) var<storage, read_write> large: array<f32>;

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
    let pixels = batch.n * shape.large_height * shape.large_width;
    return vec3(pixels, shape.large_channels, shape.taps * shape.small_channels);
}

fn left_place(pixel: u32) -> Place {
    let line = pixel / shape.large_width;
    let y = i32(line % shape.large_height + shape.top);
    return Place(line / shape.large_height, y, i32(pixel % shape.large_width + shape.left));
}

fn right_place(channel: u32) -> Place {
    return Place(shape.weight_first + channel * shape.taps, 0, 0);
}

fn left_depth(k: u32) -> Depth {
    let tap = k / shape.small_channels;
    let down = i32(tap / shape.kernel_width * shape.dilation_down);
    let across = i32(tap % shape.kernel_width * shape.dilation_across);
    return Depth(k % shape.small_channels, tap, down, across);
}

fn right_depth(k: u32) -> Depth {
    return left_depth(k);
}

fn left_value(place: Place, depth: Depth) -> f32 {
    let y = place.y - depth.down;
    let x = place.x - depth.across;
    if y < 0 || x < 0 || u32(y) % shape.stride_down != 0u || u32(x) % shape.stride_across != 0u {
        return 0.0;
    }
    let down = u32(y) / shape.stride_down;
    let across = u32(x) / shape.stride_across;
    if down >= shape.small_height || across >= shape.small_width {
        return 0.0;
    }
    let pixel = (place.row * shape.small_height + down) * shape.small_width + across;
    return small[pixel * shape.small_channels + depth.channel];
}

fn right_value(place: Place, depth: Depth) -> f32 {
    return params[place.row + depth.channel * shape.large_channels * shape.taps + depth.tap];
}

fn finish(pixel: u32, channel: u32, slice: u32, sum: f32) {
    var value = sum;
    if shape.has_bias == 1u {
        value += params[shape.bias_first + channel];
    }
    large[pixel * shape.large_channels + channel] = value;
}
