// Structural similarity of images at one scale: windows of 11 by 11 pixels, weighted by a Gaussian; the formulas are those of
// `loss/similarity/scale.rs` of the engine, with p = x + t and q = x - t. A coarser scale has the means of 2 by 2 pixels.

struct Shape {
    // The map of this scale.
    height: u32,
    width: u32,
    channels: u32,
    // Of the output: values of a row, and the first of the group.
    row: u32,
    first: u32,
    // 1: luminance counts, too.
    with_luminance: u32,
    // The number of the scale, and how many there are; and the windows of each.
    scale: u32,
    scales: u32,
    windows_0: u32,
    windows_1: u32,
    windows_2: u32,
    windows_3: u32,
    windows_4: u32,
    // The group's weight times the share of the similarity in its loss.
    weight: f32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> targets: array<f32>;
// Of this scale: (p, q) of every pixel; distance and three slopes of every window.
@group(0) @binding(4) var<storage, read> pixels: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> windows: array<vec4<f32>>;
// [scale, row, channel]: the sums of the distances, then their weights in the loss.
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;
// Slopes of the next scale's pixels.
@group(0) @binding(7) var<storage, read> coarser: array<f32>;
@group(0) @binding(8) var<storage, read_write> to_pixels: array<vec2<f32>>;
@group(0) @binding(9) var<storage, read_write> to_windows: array<vec4<f32>>;
@group(0) @binding(10) var<storage, read_write> to: array<f32>;

const REACH: u32 = 10u;

fn tap(d: u32) -> f32 {
    const HALF = array(0.0010283801, 0.007598758, 0.036000773, 0.10936069, 0.21300554, 0.26601172);
    var weights = HALF;
    return weights[min(d, REACH - d)];
}

// A value of a map: row, line, column, channel.
fn place_of(at: u32, height: u32, width: u32) -> vec4<u32> {
    let pixel = at / shape.channels;
    let line = pixel / width;
    return vec4(line / height, line % height, pixel % width, at % shape.channels);
}

fn place_at(row: u32, y: u32, x: u32, channel: u32, height: u32, width: u32) -> u32 {
    return ((row * height + y) * width + x) * shape.channels + channel;
}

@compute @workgroup_size(256)
fn begin(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    let size = shape.height * shape.width * shape.channels;
    if at < batch.n * size {
        let place = at / size * shape.row + shape.first + at % size;
        let x = sigmoid(values[place]);
        to_pixels[at] = vec2(x + targets[place], x - targets[place]);
    }
}

// The next scale; a line of zeros comes first where a side is odd.
@compute @workgroup_size(256)
fn halve(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    let height = (shape.height + 1u) / 2u;
    let width = (shape.width + 1u) / 2u;
    if at >= batch.n * height * width * shape.channels {
        return;
    }
    let place = place_of(at, height, width);
    var sum = vec2<f32>();
    for (var i = 0u; i < 4u; i++) {
        let y = 2u * place.y + i / 2u - shape.height % 2u;
        let x = 2u * place.z + i % 2u - shape.width % 2u;
        // Below zero is a large number.
        if y < shape.height && x < shape.width {
            sum += 0.25 * pixels[place_at(place.x, y, x, place.w, shape.height, shape.width)];
        }
    }
    to_pixels[at] = sum;
}

@compute @workgroup_size(256)
fn measure(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    let height = shape.height - REACH;
    let width = shape.width - REACH;
    if at >= batch.n * height * width * shape.channels {
        return;
    }
    let place = place_of(at, height, width);
    var means = vec2<f32>();
    var squares = vec2<f32>();
    for (var i = 0u; i <= REACH; i++) {
        var line_means = vec2<f32>();
        var line_squares = vec2<f32>();
        for (var j = 0u; j <= REACH; j++) {
            let pq = pixels[place_at(place.x, place.y + i, place.z + j, place.w, shape.height, shape.width)];
            line_means = fma(vec2(tap(j)), pq, line_means);
            line_squares = fma(vec2(tap(j)), pq * pq, line_squares);
        }
        means = fma(vec2(tap(i)), line_means, means);
        squares = fma(vec2(tap(i)), line_squares, squares);
    }
    let mean_squares = means * means;
    let variances = squares - mean_squares;
    let by_mean = 1.0 / fma(0.5, mean_squares.x + mean_squares.y, 1e-4);
    let by_variance = 1.0 / fma(0.5, variances.x + variances.y, 9e-4);
    let a = mean_squares.y * by_mean;
    let b = variances.y * by_variance;
    let p_slope = -0.5 * b * by_variance;
    let q_slope = p_slope + by_variance;
    let mean_slope = -2.0 * fma(means.x, p_slope, means.y * q_slope);
    var distance = b;
    var slopes = vec3(mean_slope, p_slope, q_slope);
    if shape.with_luminance == 1u {
        distance = fma(-a, b, a + b);
        slopes *= 1.0 - a;
        slopes.x += (1.0 - b) * by_mean * (means.y * (2.0 - a) - means.x * a);
    }
    to_windows[at] = vec4(distance, slopes);
}

// The sum of a channel's distances in a row, a workgroup each.
@compute @workgroup_size(256)
fn sum_distances(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group = group_number(id, groups);
    let count = (shape.height - REACH) * (shape.width - REACH);
    let is_one = group < batch.n * shape.channels;
    var sum = 0.0;
    for (var i = lane; i < select(0u, count, is_one); i += 256u) {
        sum += windows[(group / shape.channels * count + i) * shape.channels + group % shape.channels].x;
    }
    sum = sum_of_threads(lane, sum);
    if lane == 0u && is_one {
        sums[shape.scale * batch.n * shape.channels + group] = sum;
    }
}

fn windows_of(scale: u32) -> f32 {
    switch scale {
        case 0u: { return f32(shape.windows_0); }
        case 1u: { return f32(shape.windows_1); }
        case 2u: { return f32(shape.windows_2); }
        case 3u: { return f32(shape.windows_3); }
        default: { return f32(shape.windows_4); }
    }
}

fn power_of(scale: u32) -> f32 {
    var powers = array(0.0448, 0.2856, 0.3001, 0.2363, 0.1333);
    return powers[scale];
}

// Adds a row's loss, a thread each, and turns the sums into weights. A row that is not whole observed has none.
@compute @workgroup_size(256)
fn weigh(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let row = number(id, groups);
    if row >= batch.n {
        return;
    }
    var is_observed = true;
    let size = shape.height * shape.width * shape.channels;
    for (var i = 0u; i < size; i++) {
        is_observed = is_observed && !is_nan(targets[row * shape.row + shape.first + i]);
    }
    var loss = 0.0;
    let mean = 1.0 / f32(shape.channels);
    for (var channel = 0u; channel < shape.channels; channel++) {
        let place = row * shape.channels + channel;
        let stride = batch.n * shape.channels;
        if shape.scales == 1u {
            let weight = mean / windows_of(0u);
            loss += weight * sums[place];
            sums[place] = select(0.0, weight, is_observed);
            continue;
        }
        var exponent = 0.0;
        var is_unlike = false;
        for (var i = 0u; i < shape.scales; i++) {
            let similarity = 1.0 - sums[i * stride + place] / windows_of(i);
            exponent += power_of(i) * logarithm(similarity);
            is_unlike = is_unlike || similarity < 1.17549435e-38;
        }
        let product = select(exponential(exponent), 0.0, is_unlike);
        for (var i = 0u; i < shape.scales; i++) {
            let similarity = 1.0 - sums[i * stride + place] / windows_of(i);
            let slope = mean / windows_of(i) * product * power_of(i) / similarity;
            sums[i * stride + place] = select(0.0, slope, is_observed && !is_unlike);
        }
        loss += mean * (1.0 - product);
    }
    if is_observed {
        to[row] += shape.weight * loss;
    }
}

// The slope of pixel `at` of this scale: by the windows around it, and by the next scale.
fn slope_of(at: u32) -> f32 {
    let height = shape.height - REACH;
    let width = shape.width - REACH;
    let place = place_of(at, shape.height, shape.width);
    let top = max(place.y, REACH) - REACH;
    let left = max(place.z, REACH) - REACH;
    var slopes = vec3<f32>();
    for (var y = top; y < min(place.y + 1u, height); y++) {
        var line = vec3<f32>();
        for (var x = left; x < min(place.z + 1u, width); x++) {
            let window = windows[place_at(place.x, y, x, place.w, height, width)];
            line = fma(vec3(tap(place.z - x)), window.yzw, line);
        }
        slopes = fma(vec3(tap(place.y - y)), line, slopes);
    }
    let pq = pixels[at];
    let weight = sums[(shape.scale * batch.n + place.x) * shape.channels + place.w];
    var slope = weight * (slopes.x + 2.0 * (pq.x * slopes.y + pq.y * slopes.z));
    if shape.scale + 1u < shape.scales {
        let y = (place.y + shape.height % 2u) / 2u;
        let x = (place.z + shape.width % 2u) / 2u;
        let half = vec2((shape.height + 1u) / 2u, (shape.width + 1u) / 2u);
        slope += 0.25 * coarser[place_at(place.x, y, x, place.w, half.x, half.y)];
    }
    return slope;
}

// The slopes of a coarse scale's pixels.
@compute @workgroup_size(256)
fn slope_coarse(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < batch.n * shape.height * shape.width * shape.channels {
        to[at] = slope_of(at);
    }
}

// Adds those of the finest scale to the gradient.
@compute @workgroup_size(256)
fn slope_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    let size = shape.height * shape.width * shape.channels;
    if at >= batch.n * size {
        return;
    }
    let row = at / size;
    let weight = sums[row * shape.channels + at % shape.channels];
    // Nothing is known of an image that is not whole; and of an unlike one there is no slope.
    if weight == 0.0 {
        return;
    }
    let place = row * shape.row + shape.first + at % size;
    let x = pixels[at].y + targets[place];
    to[place] = fma(shape.weight / f32(batch.n) * slope_of(at), x * (1.0 - x), to[place]);
}
