// The loss of every row by one group of columns, and the gradient of the mean over the rows: a workgroup a row. And the
// links from pre-activations to predictions.

struct Shape {
    width: u32,
    first: u32,
    columns: u32,
    kind: u32,
    // The group's weight; of the mean of elementwise losses, by the number of columns.
    weight: f32,
    delta: f32,
    // 1 for the first group: the losses begin with zero.
    begins: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> targets: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;

const MSE = 0u;
const MAE = 1u;
const HUBER = 2u;
const BCE = 3u;
// Of single pixels, the sigmoids of the values.
const PIXEL_MSE = 4u;
const PIXEL_MAE = 5u;

// (loss, slope) of a difference.
fn of_difference(kind: u32, d: f32) -> vec2<f32> {
    let size = abs(d);
    if kind == MSE || kind == PIXEL_MSE {
        return vec2(d * d, 2.0 * d);
    }
    if kind == MAE || kind == PIXEL_MAE {
        return vec2(size, select(select(-1.0, 1.0, d > 0.0), 0.0, d == 0.0));
    }
    if size > shape.delta {
        return vec2(shape.delta * (size - 0.5 * shape.delta), select(-shape.delta, shape.delta, d > 0.0));
    }
    return vec2(0.5 * d * d, d);
}

// (loss, slope) of a value.
fn of_value(value: f32, goal: f32) -> vec2<f32> {
    if is_nan(goal) {
        return vec2(0.0);
    }
    if shape.kind == BCE {
        let both = sigmoid_and_softplus(value);
        return vec2(fma(value, -goal, select(value, 0.0, value < 0.0)) + both.y, both.x - goal);
    }
    if shape.kind == PIXEL_MSE || shape.kind == PIXEL_MAE {
        let x = sigmoid(value);
        let both = of_difference(shape.kind, x - goal);
        return vec2(both.x, both.y * x * (1.0 - x));
    }
    return of_difference(shape.kind, value - goal);
}

fn add_loss(row: u32, lane: u32, loss: f32) {
    if lane == 0u && row < batch.n {
        losses[row] = select(losses[row], 0.0, shape.begins == 1u) + loss;
    }
}

@compute @workgroup_size(256)
fn evaluate(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group_number(id, groups);
    let columns = select(0u, shape.columns, row < batch.n);
    let scale = shape.weight / f32(batch.n);
    var sum = 0.0;
    for (var j = lane; j < columns; j += 256u) {
        let at = row * shape.width + shape.first + j;
        let both = of_value(values[at], targets[at]);
        sum += both.x;
        gradient[at] = scale * both.y;
    }
    add_loss(row, lane, shape.weight * sum_of_threads(lane, sum));
}

var<workgroup> largest: array<f32, 256>;

// The largest value of a row's columns; a NaN is larger than all.
fn largest_of(first: u32, columns: u32, lane: u32) -> f32 {
    var most = -3.4e38;
    for (var j = lane; j < columns; j += 256u) {
        let x = values[first + j];
        most = select(most, x, x > most || is_nan(x));
    }
    largest[lane] = most;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if lane < half {
            let other = largest[lane + half];
            largest[lane] = select(largest[lane], other, other > largest[lane] || is_nan(other));
        }
        workgroupBarrier();
    }
    return largest[0];
}

@compute @workgroup_size(256)
fn cross_entropy(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group_number(id, groups);
    let columns = select(0u, shape.columns, row < batch.n);
    let first = row * shape.width + shape.first;
    let most = largest_of(first, columns, lane);
    var target_sum = 0.0;
    var total = 0.0;
    var along = 0.0;
    for (var j = lane; j < columns; j += 256u) {
        let x = values[first + j] - most;
        let goal = targets[first + j];
        target_sum += goal;
        total += exponential(x);
        along += goal * x;
    }
    target_sum = sum_of_threads(lane, target_sum);
    total = sum_of_threads(lane, total);
    along = sum_of_threads(lane, along);
    let is_observed = !is_nan(target_sum);
    let scale = shape.weight / f32(batch.n);
    for (var j = lane; j < columns; j += 256u) {
        let p = exponential(values[first + j] - most) * (target_sum / total);
        gradient[first + j] = select(0.0, scale * (p - targets[first + j]), is_observed);
    }
    add_loss(row, lane, select(0.0, shape.weight * (target_sum * logarithm(total) - along), is_observed));
}

// Pre-activations to predictions; `gradient` is where they go.
@compute @workgroup_size(256)
fn link_identity(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < batch.n * shape.columns {
        let place = at / shape.columns * shape.width + shape.first + at % shape.columns;
        gradient[place] = values[place];
    }
}

@compute @workgroup_size(256)
fn link_sigmoid(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at < batch.n * shape.columns {
        let place = at / shape.columns * shape.width + shape.first + at % shape.columns;
        gradient[place] = sigmoid(values[place]);
    }
}

@compute @workgroup_size(256)
fn link_softmax(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group_number(id, groups);
    let columns = select(0u, shape.columns, row < batch.n);
    let first = row * shape.width + shape.first;
    let most = largest_of(first, columns, lane);
    var total = 0.0;
    for (var j = lane; j < columns; j += 256u) {
        total += exponential(values[first + j] - most);
    }
    total = sum_of_threads(lane, total);
    for (var j = lane; j < columns; j += 256u) {
        gradient[first + j] = exponential(values[first + j] - most) / total;
    }
}
