// Operands of `product.wgsl`: the gradient of a kernel. A row is a channel of the small map, a column a tap and a channel of
// the large one; the common side is the pixels of the small map over the batch.

@group(0) @binding(2) var<storage, read> large: array<f32>;
@group(0) @binding(3) var<storage, read> small: array<f32>;
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;

struct Place {
    channel: u32,
    down: i32,
    across: i32,
}

struct Depth {
    pixel: u32,
    row: u32,
    y: i32,
    x: i32,
}

fn extents() -> vec3<u32> {
    let pixels = batch.n * shape.small_height * shape.small_width;
    return vec3(shape.small_channels, shape.taps * shape.large_channels, pixels);
}

fn left_place(channel: u32) -> Place {
    return Place(channel, 0, 0);
}

fn right_place(column: u32) -> Place {
    let tap = column / shape.large_channels;
    let down = i32(tap / shape.kernel_width * shape.dilation_down) - i32(shape.top);
    let across = i32(tap % shape.kernel_width * shape.dilation_across) - i32(shape.left);
    return Place(column % shape.large_channels, down, across);
}

fn left_depth(pixel: u32) -> Depth {
    return Depth(pixel * shape.small_channels, 0u, 0, 0);
}

fn right_depth(pixel: u32) -> Depth {
    let line = pixel / shape.small_width;
    let y = i32(line % shape.small_height * shape.stride_down);
    let x = i32(pixel % shape.small_width * shape.stride_across);
    return Depth(pixel, line / shape.small_height, y, x);
}

fn left_value(place: Place, depth: Depth) -> f32 {
    return small[depth.pixel + place.channel];
}

fn right_value(place: Place, depth: Depth) -> f32 {
    let pixel = large_pixel(depth.row, depth.y + place.down, depth.x + place.across);
    if pixel < 0 {
        return 0.0;
    }
    return large[u32(pixel) + place.channel];
}

fn finish(channel: u32, column: u32, slice: u32, sum: f32) {
    let tap = column / shape.large_channels;
    let to = (channel * shape.large_channels + column % shape.large_channels) * shape.taps + tap;
    parts[slice * shape.small_channels * shape.large_channels * shape.taps + to] = sum;
}
