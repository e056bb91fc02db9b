//! The state update of one step, given the matrix products of the gates.
//!
//! i, f, o = sigmoid, g = tanh of their pre-activations; c = f c' + i g; h = o tanh(c), with c' the previous cell
//! state. Backward, from dh and dc: do = dh tanh(c), dc += dh o (1 - tanh(c)^2), di = dc g, df = dc c', dg = dc i, each
//! times the derivative of its gate, and dc' = dc f. tanh(c) is recomputed, which is as fast as reading it.

use crate::kernels::{maths, vectorised};

/// Units computed together.
const LANES: usize = 16;

/// The values of one step, `[n, ...]`, in the forward pass.
pub(super) struct CellStep<'a> {
    /// 1 if the row has this step, else 0; `[n]`.
    pub present: &'a [f32],
    /// Pre-activations on entry, gates i, f, g, o on return; `[n, 4 * hidden]`. Zeros if absent.
    pub gates: &'a mut [f32],
    pub cell_before: &'a [f32],
    pub cell: &'a mut [f32],
    pub hidden_before: &'a [f32],
    pub hidden: &'a mut [f32],
}

/// The values of one step, `[n, ...]`, in the backward pass.
pub(super) struct CellStepBack<'a> {
    pub present: &'a [f32],
    /// Saved by the forward pass.
    pub gates: &'a [f32],
    pub cell_before: &'a [f32],
    pub cell: &'a [f32],
    /// Receives the gradient for the pre-activations, zeros if absent.
    pub d_gates: &'a mut [f32],
    /// The gradient for the cell state, replaced by that for the previous one.
    pub d_cell: &'a mut [f32],
    /// The gradient for the hidden state; on return the part that bypasses the gates, nonzero for absent steps only.
    pub d_hidden: &'a mut [f32],
}

/// A row's four gates.
#[inline(always)]
fn quarters(gates: &[f32]) -> [&[f32]; 4] {
    let (left, right) = gates.split_at(gates.len() / 2);
    let ((i, f), (g, o)) = (left.split_at(left.len() / 2), right.split_at(right.len() / 2));
    [i, f, g, o]
}

#[inline(always)]
fn quarters_mut(gates: &mut [f32]) -> [&mut [f32]; 4] {
    let half = gates.len() / 2;
    let (left, right) = gates.split_at_mut(half);
    let ((i, f), (g, o)) = (left.split_at_mut(half / 2), right.split_at_mut(half / 2));
    [i, f, g, o]
}

/// One unit of one row in the forward pass: from pre-activations and previous cell state to gates, cell state and
/// hidden state.
#[inline(always)]
fn unit([i, f, g, o]: [f32; 4], before: f32) -> ([f32; 4], f32, f32) {
    let (i, f, g, o) = (maths::sigmoid(i), maths::sigmoid(f), maths::tanh(g), maths::sigmoid(o));
    let c = f.mul_add(before, i * g);
    ([i, f, g, o], c, o * maths::tanh(c))
}

/// One unit of one row in the backward pass: (gradients of the pre-activations, that of the previous cell state).
#[inline(always)]
fn unit_back([i, f, g, o]: [f32; 4], before: f32, cell: f32, d_cell: f32, d_hidden: f32) -> ([f32; 4], f32) {
    let t = maths::tanh(cell);
    let d = (d_hidden * o).mul_add(1.0 - t * t, d_cell);
    let d_gates =
        [d * g * (i * (1.0 - i)), d * before * (f * (1.0 - f)), d * i * (1.0 - g * g), d_hidden * t * (o * (1.0 - o))];
    (d_gates, d * f)
}

/// Updates the state of the rows of a step; absent ones keep it.
pub(super) fn forward(width: usize, step: CellStep<'_>) {
    let CellStep { present, gates, cell_before, cell, hidden_before, hidden } = step;
    vectorised!({
        for (row, &present) in present.iter().enumerate() {
            let range = row * width..(row + 1) * width;
            let gates = &mut gates[4 * range.start..4 * range.end];
            let (cell, hidden) = (&mut cell[range.clone()], &mut hidden[range.clone()]);
            if present == 0.0 {
                gates.fill(0.0);
                cell.copy_from_slice(&cell_before[range.clone()]);
                hidden.copy_from_slice(&hidden_before[range]);
                continue;
            }
            let before = cell_before[range].as_chunks::<LANES>();
            let gates = quarters_mut(gates).map(|gate| gate.as_chunks_mut::<LANES>());
            let (cell, hidden) = (cell.as_chunks_mut::<LANES>(), hidden.as_chunks_mut::<LANES>());
            let [i, f, g, o] = gates;
            for k in 0..before.0.len() {
                // Copies rule out aliasing for the compiler.
                let (mut iv, mut fv, mut gv, mut ov) = (i.0[k], f.0[k], g.0[k], o.0[k]);
                let (mut cv, mut hv) = (before.0[k], [0.0; LANES]);
                for l in 0..LANES {
                    ([iv[l], fv[l], gv[l], ov[l]], cv[l], hv[l]) = unit([iv[l], fv[l], gv[l], ov[l]], cv[l]);
                }
                (i.0[k], f.0[k], g.0[k], o.0[k]) = (iv, fv, gv, ov);
                (cell.0[k], hidden.0[k]) = (cv, hv);
            }
            for (l, &before) in before.1.iter().enumerate() {
                let at = [i.1[l], f.1[l], g.1[l], o.1[l]];
                ([i.1[l], f.1[l], g.1[l], o.1[l]], cell.1[l], hidden.1[l]) = unit(at, before);
            }
        }
    });
}

/// Backpropagates a step's rows from the next state to the gates and the previous cell state.
pub(super) fn backward(width: usize, step: CellStepBack<'_>) {
    let CellStepBack { present, gates, cell_before, cell, d_gates, d_cell, d_hidden } = step;
    vectorised!({
        for (row, &present) in present.iter().enumerate() {
            let range = row * width..(row + 1) * width;
            let d_gates = &mut d_gates[4 * range.start..4 * range.end];
            if present == 0.0 {
                d_gates.fill(0.0);
                continue;
            }
            let [i, f, g, o] = quarters(&gates[4 * range.start..4 * range.end]).map(|gate| gate.as_chunks::<LANES>());
            let [di, df, dg, d_o] = quarters_mut(d_gates).map(|gate| gate.as_chunks_mut::<LANES>());
            let before = cell_before[range.clone()].as_chunks::<LANES>();
            let cell = cell[range.clone()].as_chunks::<LANES>();
            let d_cell = d_cell[range.clone()].as_chunks_mut::<LANES>();
            let d_hidden = d_hidden[range].as_chunks_mut::<LANES>();
            for k in 0..before.0.len() {
                let (mut iv, mut fv, mut gv, mut ov) = (i.0[k], f.0[k], g.0[k], o.0[k]);
                let (bv, cv, mut dc, dh) = (before.0[k], cell.0[k], d_cell.0[k], d_hidden.0[k]);
                for l in 0..LANES {
                    let at = [iv[l], fv[l], gv[l], ov[l]];
                    ([iv[l], fv[l], gv[l], ov[l]], dc[l]) = unit_back(at, bv[l], cv[l], dc[l], dh[l]);
                }
                (di.0[k], df.0[k], dg.0[k], d_o.0[k]) = (iv, fv, gv, ov);
                (d_cell.0[k], d_hidden.0[k]) = (dc, [0.0; LANES]);
            }
            for l in 0..before.1.len() {
                let at = [i.1[l], f.1[l], g.1[l], o.1[l]];
                let (d_gates, dc) = unit_back(at, before.1[l], cell.1[l], d_cell.1[l], d_hidden.1[l]);
                [di.1[l], df.1[l], dg.1[l], d_o.1[l]] = d_gates;
                (d_cell.1[l], d_hidden.1[l]) = (dc, 0.0);
            }
        }
    });
}
