// Operands of `product.wgsl`: two matrices, each with the distance between its rows and between its columns.

struct Shape {
    // Rows of the left and of the result; times the rows of the batch where `rows_by_batch`. So with the depth.
    rows: u32,
    rows_by_batch: u32,
    columns: u32,
    depth: u32,
    depth_by_batch: u32,
    slice: u32,
    left_first: u32,
    left_row: u32,
    left_deep: u32,
    right_first: u32,
    right_deep: u32,
    right_column: u32,
    to_first: u32,
    to_row: u32,
    to_slice: u32,
    // What a sum begins with: 0 nothing, 1 a bias a column, 2 two biases a column, 3 what is there.
    start: u32,
    bias_first: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> left: array<f32>;
@group(0) @binding(3) var<storage, read> right: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> to: array<f32>;

struct Place {
    first: u32,
}

struct Depth {
    at: u32,
}

fn extents() -> vec3<u32> {
    let rows = shape.rows * select(1u, batch.n, shape.rows_by_batch == 1u);
    let depth = shape.depth * select(1u, batch.n, shape.depth_by_batch == 1u);
    return vec3(rows, shape.columns, depth);
}

fn left_place(row: u32) -> Place {
    return Place(shape.left_first + row * shape.left_row);
}

fn right_place(column: u32) -> Place {
    return Place(shape.right_first + column * shape.right_column);
}

fn left_depth(k: u32) -> Depth {
    return Depth(k * shape.left_deep);
}

fn right_depth(k: u32) -> Depth {
    return Depth(k * shape.right_deep);
}

fn left_value(place: Place, depth: Depth) -> f32 {
    return left[place.first + depth.at];
}

fn right_value(place: Place, depth: Depth) -> f32 {
    return right[place.first + depth.at];
}

fn finish(row: u32, column: u32, slice: u32, sum: f32) {
    let at = shape.to_first + slice * shape.to_slice + row * shape.to_row + column;
    var value = sum;
    if shape.start == 1u || shape.start == 2u {
        value += bias[shape.bias_first + column];
    }
    if shape.start == 2u {
        value += bias[shape.bias_first + shape.columns + column];
    }
    if shape.start == 3u {
        value += to[at];
    }
    to[at] = value;
}
