// Sums over the rows of `[rows, columns]`, slice by slice of rows: of the values, of their squared deviations, or of
// products with normalised values. `collect` adds up the slices.

struct Shape {
    // Rows of values a row of the batch.
    positions: u32,
    columns: u32,
    slice: u32,
    // Statistics by channel: [means | 1 / deviation] of `columns`; by row of the batch: pairs of so many groups, else 0.
    groups: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> statistics: array<f32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> parts: array<f32>;

var<workgroup> partial: array<f32, 256>;

// What row `row` adds to a column.
fn normalised(row: u32, column: u32) -> f32 {
    let x = values[row * shape.columns + column];
    if shape.groups == 0u {
        return (x - statistics[column]) * statistics[shape.columns + column];
    }
    let group = row / shape.positions * shape.groups + column * shape.groups / shape.columns;
    return (x - statistics[2u * group]) * statistics[2u * group + 1u];
}

// Sixteen columns by sixteen rows at a time; the rows' sums are added in order.
fn write(group: vec3<u32>, lane: u32, sum: f32) {
    partial[lane] = sum;
    workgroupBarrier();
    let column = group.x * 16u + lane % 16u;
    if lane < 16u && column < shape.columns {
        var total = 0.0;
        for (var i = 0u; i < 16u; i++) {
            total += partial[i * 16u + lane];
        }
        parts[group.y * shape.columns + column] = total;
    }
}

fn rows_of(slice: u32) -> vec2<u32> {
    let rows = batch.n * shape.positions;
    return vec2(slice * shape.slice, min((slice + 1u) * shape.slice, rows));
}

@compute @workgroup_size(256)
fn sums(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let rows = rows_of(group.y);
    let column = group.x * 16u + lane % 16u;
    var sum = 0.0;
    if column < shape.columns {
        for (var row = rows.x + lane / 16u; row < rows.y; row += 16u) {
            sum += values[row * shape.columns + column];
        }
    }
    write(group, lane, sum);
}

@compute @workgroup_size(256)
fn square_deviations(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let rows = rows_of(group.y);
    let column = group.x * 16u + lane % 16u;
    var sum = 0.0;
    if column < shape.columns {
        for (var row = rows.x + lane / 16u; row < rows.y; row += 16u) {
            let deviation = values[row * shape.columns + column] - statistics[column];
            sum += deviation * deviation;
        }
    }
    write(group, lane, sum);
}

@compute @workgroup_size(256)
fn products(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let rows = rows_of(group.y);
    let column = group.x * 16u + lane % 16u;
    var sum = 0.0;
    if column < shape.columns {
        for (var row = rows.x + lane / 16u; row < rows.y; row += 16u) {
            sum += gradient[row * shape.columns + column] * normalised(row, column);
        }
    }
    write(group, lane, sum);
}
