// The state update of one step of a recurrent layer, and its way back; see `lstm/cell.rs` of the engine.
//
// Everything but the output is `[row, step, ...]`: gates, and hidden and cell state before every step.

struct Shape {
    hidden: u32,
    steps: u32,
    // The step that is read, and the one that is read after it; `steps` after the last.
    step: u32,
    next: u32,
    // Of the output: values of a row, and where the state of this step goes; `all` is 1 where every state is output.
    out_row: u32,
    out_first: u32,
    all: u32,
}

@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> marks: array<f32>;
@group(0) @binding(3) var<storage, read_write> gates: array<f32>;
@group(0) @binding(4) var<storage, read_write> hidden: array<f32>;
@group(0) @binding(5) var<storage, read_write> cells: array<f32>;
@group(0) @binding(6) var<storage, read_write> to: array<f32>;

@group(0) @binding(7) var<storage, read> d_output: array<f32>;
@group(0) @binding(8) var<storage, read> kept_gates: array<f32>;
@group(0) @binding(9) var<storage, read> kept_cells: array<f32>;
@group(0) @binding(10) var<storage, read_write> d_gates: array<f32>;
@group(0) @binding(11) var<storage, read_write> d_hidden: array<f32>;
@group(0) @binding(12) var<storage, read_write> d_cells: array<f32>;

@compute @workgroup_size(256)
fn read_step(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.hidden {
        return;
    }
    let row = at / shape.hidden;
    let j = at % shape.hidden;
    let step = row * shape.steps + shape.step;
    let state = step * shape.hidden + j;
    let is_present = marks[step] == 1.0;
    let gate = 4u * step * shape.hidden + j;
    let before = cells[state];
    let i = sigmoid(gates[gate]);
    let f = sigmoid(gates[gate + shape.hidden]);
    let g = hyperbolic_tangent(gates[gate + 2u * shape.hidden]);
    let o = sigmoid(gates[gate + 3u * shape.hidden]);
    let c = select(before, fma(f, before, i * g), is_present);
    let h = select(hidden[state], o * hyperbolic_tangent(c), is_present);
    gates[gate] = select(0.0, i, is_present);
    gates[gate + shape.hidden] = select(0.0, f, is_present);
    gates[gate + 2u * shape.hidden] = select(0.0, g, is_present);
    gates[gate + 3u * shape.hidden] = select(0.0, o, is_present);
    if shape.next < shape.steps {
        let after = (row * shape.steps + shape.next) * shape.hidden + j;
        cells[after] = c;
        hidden[after] = h;
    }
    if shape.all == 1u {
        to[row * shape.out_row + shape.out_first + j] = select(nan(), h, is_present);
    } else if shape.next == shape.steps {
        to[row * shape.out_row + shape.out_first + j] = h;
    }
}

@compute @workgroup_size(256)
fn read_step_back(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = number(id, groups);
    if at >= batch.n * shape.hidden {
        return;
    }
    let row = at / shape.hidden;
    let j = at % shape.hidden;
    let step = row * shape.steps + shape.step;
    let is_present = marks[step] == 1.0;
    let is_last = shape.next == shape.steps;
    // What lies in the buffers is of the step after this one, of which the last has none.
    var d_h = select(d_hidden[at], 0.0, is_last);
    let d_c = select(d_cells[at], 0.0, is_last);
    if (shape.all == 1u && is_present) || (shape.all == 0u && is_last) {
        d_h += d_output[row * shape.out_row + shape.out_first + j];
    }
    let gate = 4u * step * shape.hidden + j;
    let i = kept_gates[gate];
    let f = kept_gates[gate + shape.hidden];
    let g = kept_gates[gate + 2u * shape.hidden];
    let o = kept_gates[gate + 3u * shape.hidden];
    let before = kept_cells[step * shape.hidden + j];
    let t = hyperbolic_tangent(fma(f, before, i * g));
    let d = fma(d_h * o, 1.0 - t * t, d_c);
    // Gates that were not read are zeros, and so are their gradients.
    d_gates[gate] = d * g * (i * (1.0 - i));
    d_gates[gate + shape.hidden] = d * before * (f * (1.0 - f));
    d_gates[gate + 2u * shape.hidden] = d * i * (1.0 - g * g);
    d_gates[gate + 3u * shape.hidden] = d_h * t * (o * (1.0 - o));
    d_cells[at] = select(d_c, d * f, is_present);
    d_hidden[at] = select(d_h, 0.0, is_present);
}
