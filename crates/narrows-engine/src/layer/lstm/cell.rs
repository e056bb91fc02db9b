//! What one step does to the state, once the matrix products have filled the gates.
//!
//! i, f, o = sigmoid, g = tanh of their pre-activations; c = f c' + i g; h = o tanh(c), with c' the cell
//! state before. Backward, from dh and dc: do = dh tanh(c), dc += dh o (1 - tanh(c)^2), di = dc g,
//! df = dc c', dg = dc i, each times the slope of its gate, and dc' = dc f. tanh(c) is computed again
//! rather than kept: that is as fast as reading it.

use crate::kernels::{maths, vectorised};

/// Units computed side by side.
const LANES: usize = 16;

type Lanes = [f32; LANES];

/// The values of one step, `[n, ...]`, in the forward pass.
pub(super) struct Step<'a> {
    /// 1 where the row has this step, else 0; `[n]`.
    pub present: &'a [f32],
    /// Pre-activations on entry, gates i, f, g, o on return; `[n, 4 * hidden]`. Zeros where absent.
    pub gates: &'a mut [f32],
    pub cell_before: &'a [f32],
    pub cell: &'a mut [f32],
    pub hidden_before: &'a [f32],
    pub hidden: &'a mut [f32],
}

/// The values of one step, `[n, ...]`, in the backward pass.
pub(super) struct StepBack<'a> {
    pub present: &'a [f32],
    /// What the forward pass left.
    pub gates: &'a [f32],
    pub cell_before: &'a [f32],
    pub cell: &'a [f32],
    /// Takes the gradient for the pre-activations, zeros where absent.
    pub d_gates: &'a mut [f32],
    /// The gradient for the cell state, moved to that before the step.
    pub d_cell: &'a mut [f32],
    /// The gradient for the hidden state; on return the part that passes by the gates: nothing but
    /// for absent steps.
    pub d_hidden: &'a mut [f32],
}

/// The `k`-th group of lanes of one of four gates.
#[inline(always)]
fn load(values: &[f32], first: usize) -> Lanes {
    let mut lanes = [0.0; LANES];
    match values[first..].first_chunk::<LANES>() {
        Some(whole) => lanes = *whole,
        None => lanes[..values.len() - first].copy_from_slice(&values[first..]),
    }
    lanes
}

#[inline(always)]
fn store(values: &mut [f32], first: usize, lanes: &Lanes) {
    match values[first..].first_chunk_mut::<LANES>() {
        Some(whole) => *whole = *lanes,
        None => {
            let rest = values.len() - first;
            values[first..].copy_from_slice(&lanes[..rest]);
        }
    }
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

/// Takes the rows of a step from the state before to the state after; absent ones keep it.
pub(super) fn forward(width: usize, step: Step<'_>) {
    let Step { present, gates, cell_before, cell, hidden_before, hidden } = step;
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
            let [i, f, g, o] = quarters_mut(gates);
            let before = &cell_before[range];
            for first in (0..width).step_by(LANES) {
                let (mut iv, mut fv, mut gv, mut ov) = (load(i, first), load(f, first), load(g, first), load(o, first));
                let mut cv = load(before, first);
                let mut hv = [0.0; LANES];
                for l in 0..LANES {
                    iv[l] = maths::sigmoid(iv[l]);
                    fv[l] = maths::sigmoid(fv[l]);
                    gv[l] = maths::tanh(gv[l]);
                    ov[l] = maths::sigmoid(ov[l]);
                    cv[l] = fv[l].mul_add(cv[l], iv[l] * gv[l]);
                    hv[l] = ov[l] * maths::tanh(cv[l]);
                }
                store(i, first, &iv);
                store(f, first, &fv);
                store(g, first, &gv);
                store(o, first, &ov);
                store(cell, first, &cv);
                store(hidden, first, &hv);
            }
        }
    });
}

/// Takes the gradients of a step's rows from the state after to the gates and the cell state before.
pub(super) fn backward(width: usize, step: StepBack<'_>) {
    let StepBack { present, gates, cell_before, cell, d_gates, d_cell, d_hidden } = step;
    vectorised!({
        for (row, &present) in present.iter().enumerate() {
            let range = row * width..(row + 1) * width;
            let d_gates = &mut d_gates[4 * range.start..4 * range.end];
            if present == 0.0 {
                d_gates.fill(0.0);
                continue;
            }
            let [i, f, g, o] = quarters(&gates[4 * range.start..4 * range.end]);
            let [di, df, dg, d_o] = quarters_mut(d_gates);
            let (before, cell) = (&cell_before[range.clone()], &cell[range.clone()]);
            let (d_cell, d_hidden) = (&mut d_cell[range.clone()], &mut d_hidden[range]);
            for first in (0..width).step_by(LANES) {
                let (mut iv, mut fv, mut gv, mut ov) = (load(i, first), load(f, first), load(g, first), load(o, first));
                let (cv, bv) = (load(cell, first), load(before, first));
                let (mut dc, dh) = (load(d_cell, first), load(d_hidden, first));
                for l in 0..LANES {
                    let (i, f, g, o) = (iv[l], fv[l], gv[l], ov[l]);
                    let t = maths::tanh(cv[l]);
                    let d = (dh[l] * o).mul_add(1.0 - t * t, dc[l]);
                    iv[l] = d * g * (i * (1.0 - i));
                    fv[l] = d * bv[l] * (f * (1.0 - f));
                    gv[l] = d * i * (1.0 - g * g);
                    ov[l] = dh[l] * t * (o * (1.0 - o));
                    dc[l] = d * f;
                }
                store(di, first, &iv);
                store(df, first, &fv);
                store(dg, first, &gv);
                store(d_o, first, &ov);
                store(d_cell, first, &dc);
            }
            d_hidden.fill(0.0);
        }
    });
}
