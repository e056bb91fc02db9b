//! The loss of an output row: groups of columns, each with its loss.
//!
//! Row loss = sum over groups of weight * (mean over the group's columns of the elementwise loss); for cross-entropy,
//! weight * (-sum t log p). Value and gradient are computed in one pass. The decoder gives pre-activations; the link to
//! predictions belongs to the loss.
//!
//! A NaN target is unobserved: it contributes neither loss nor gradient. Elementwise means still divide by the group's
//! full width, so that a row with missing values is not upweighted; a cross-entropy group with a NaN is skipped, and so
//! is a structural similarity, which is not evaluated on part of an image. A pixel loss combined with it still counts
//! the observed pixels.

mod bce;
mod cross_entropy;
mod elementwise;
mod similarity;

use std::fmt;
use std::ops::Range;

use crate::error::ShapeError;
use crate::kernels::{maths, vectorised};
use crate::layer::{ELEMENT_COST, Rows};

pub use similarity::{Pixels, Similarity, Structure};

/// The loss of a group of columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// (o - t)^2, link: identity.
    Mse,
    /// |o - t|, link: identity.
    Mae,
    /// d^2 / 2 up to `delta`, beyond it delta (|d| - delta / 2); link: identity.
    Huber {
        /// Threshold between the parabola and the line.
        delta: f32,
    },
    /// Binary cross-entropy with targets in [0, 1]; link: sigmoid.
    Bce,
    /// -sum t log p over the group, with targets that are probabilities or one-hot; link: softmax.
    CrossEntropy,
    /// Structural similarity, alone or combined with a pixel loss; link: sigmoid.
    Similarity(Similarity),
}

/// A range of output columns with one loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The columns.
    pub columns: Range<usize>,
    /// Their loss.
    pub loss: Loss,
    /// The group's weight in the row loss.
    pub weight: f32,
}

/// The columns of the network's output: groups that tile its columns in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Adjacent groups, from column 0 to the last.
    pub groups: Vec<Group>,
}

impl Output {
    /// All `width` columns under one loss of weight 1.
    pub fn single(width: usize, loss: Loss) -> Self {
        Self { groups: vec![Group { columns: 0..width, loss, weight: 1.0 }] }
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.groups.last().map_or(0, |group| group.columns.end)
    }

    /// Checks that the groups tile `0..width` and that their settings are in range.
    pub(crate) fn check(&self, width: usize) -> Result<(), ShapeError> {
        let mut next = 0;
        for (i, group) in self.groups.iter().enumerate() {
            let place = format!("output.groups.{i}");
            if group.columns.start != next || group.columns.end <= next {
                let got = format!("{:?}", group.columns);
                return Err(ShapeError::new(place, format!("columns from {next} on"), got));
            }
            if !(group.weight >= 0.0 && group.weight.is_finite()) {
                return Err(ShapeError::new(place, "a weight of at least 0", group.weight));
            }
            if let Loss::Huber { delta } = group.loss
                && !(delta > 0.0 && delta.is_finite())
            {
                return Err(ShapeError::new(place, "a delta above 0", delta));
            }
            if let Loss::Similarity(similarity) = group.loss
                && let Some((expected, got)) = similarity.out_of_range(group.columns.len())
            {
                return Err(ShapeError::new(place, expected, got));
            }
            next = group.columns.end;
        }
        if next != width {
            let expected = format!("groups over {width} columns, the decoder's width");
            return Err(ShapeError::new("output", expected, format!("{next} columns")));
        }
        Ok(())
    }

    /// The structural similarities among the groups.
    fn similarities(&self) -> impl Iterator<Item = Similarity> {
        self.groups.iter().filter_map(|group| match group.loss {
            Loss::Similarity(similarity) => Some(similarity),
            Loss::Mse | Loss::Mae | Loss::Huber { .. } | Loss::Bce | Loss::CrossEntropy => None,
        })
    }

    /// Floats of scratch per task of [`evaluate`](Self::evaluate); 0 if no group needs any.
    pub(crate) fn scratch_len(&self) -> usize {
        self.similarities().map(|similarity| similarity.scratch_len()).max().unwrap_or(0)
    }

    /// Writes the loss of every row to `losses` `[n]`, and the gradient of their plain mean with respect to the
    /// pre-activations to `gradient` `[n, width]`. Rows are split among as many threads as there is scratch for.
    pub(crate) fn evaluate(
        &self,
        rows: Rows<'_>,
        values: &[f32],
        target: &[f32],
        gradient: &mut [f32],
        losses: &mut [f32],
        scratch: &mut [f32],
    ) {
        let width = self.width();
        let cost = width * ELEMENT_COST + self.similarities().map(|similarity| similarity.cost()).sum::<usize>();
        let share = 1.0 / rows.n as f32;
        let evaluate = |first: usize, gradient: &mut [f32], losses: &mut [f32], work: &mut [f32]| {
            let range = first * width..first * width + gradient.len();
            let (values, target) = (&values[range.clone()], &target[range]);
            losses.fill(0.0);
            for group in &self.groups {
                let band = GroupRows { values, target, width, columns: group.columns.clone() };
                group.evaluate(band, share, gradient, losses, work);
            }
        };
        let work = self.scratch_len();
        if work == 0 {
            let tile = rows.tile(cost);
            let gradient = (gradient, tile * width);
            return rows.threads.chunks2(gradient, (losses, tile), |t, gradient, losses| {
                evaluate(t * tile, gradient, losses, &mut []);
            });
        }
        let tile = rows.group(cost).max(rows.n.div_ceil(scratch.len() / work));
        let scratch = &mut scratch[..rows.n.div_ceil(tile) * work];
        rows.threads
            .pieces([(gradient, tile * width), (losses, tile), (scratch, work)], |t, [gradient, losses, work]| {
                evaluate(t * tile, gradient, losses, work)
            });
    }

    /// Turns pre-activations into predictions, in place, `[n, width]`.
    pub(crate) fn link(&self, values: &mut [f32]) {
        let width = self.width();
        for group in &self.groups {
            let columns = group.columns.clone();
            match group.loss {
                Loss::Mse | Loss::Mae | Loss::Huber { .. } => {}
                Loss::Bce | Loss::Similarity(_) => vectorised!({
                    for row in values.chunks_exact_mut(width) {
                        for x in &mut row[columns.clone()] {
                            *x = maths::sigmoid(*x);
                        }
                    }
                }),
                Loss::CrossEntropy => vectorised!({
                    for row in values.chunks_exact_mut(width) {
                        cross_entropy::softmax(&mut row[columns.clone()]);
                    }
                }),
            }
        }
    }
}

/// The columns of one group in some rows.
struct GroupRows<'a> {
    values: &'a [f32],
    target: &'a [f32],
    width: usize,
    columns: Range<usize>,
}

impl GroupRows<'_> {
    /// Calls `each(values, target, gradient)` for every row and adds `weight` times its result.
    #[inline(always)]
    fn add(
        &self,
        weight: f32,
        gradient: &mut [f32],
        losses: &mut [f32],
        mut each: impl FnMut(&[f32], &[f32], &mut [f32]) -> f32,
    ) {
        for (i, loss) in losses.iter_mut().enumerate() {
            let range = i * self.width + self.columns.start..i * self.width + self.columns.end;
            let (values, target) = (&self.values[range.clone()], &self.target[range.clone()]);
            *loss += weight * each(values, target, &mut gradient[range]);
        }
    }
}

impl Group {
    /// Adds the group's loss to the row losses and writes its columns of the gradient.
    fn evaluate(&self, band: GroupRows<'_>, share: f32, gradient: &mut [f32], losses: &mut [f32], work: &mut [f32]) {
        let mean = self.weight / self.columns.len() as f32;
        let scale = mean * share;
        match self.loss {
            Loss::Mse => vectorised!(band.add(
                mean,
                gradient,
                losses,
                #[inline(always)]
                |v, t, g| { elementwise::evaluate(v, t, g, scale, elementwise::squared) }
            )),
            Loss::Mae => vectorised!(band.add(
                mean,
                gradient,
                losses,
                #[inline(always)]
                |v, t, g| { elementwise::evaluate(v, t, g, scale, elementwise::absolute) }
            )),
            Loss::Huber { delta } => {
                vectorised!(band.add(
                    mean,
                    gradient,
                    losses,
                    #[inline(always)]
                    |v, t, g| {
                        elementwise::evaluate(
                            v,
                            t,
                            g,
                            scale,
                            #[inline(always)]
                            |d| elementwise::huber(d, delta),
                        )
                    }
                ));
            }
            Loss::Bce => vectorised!(band.add(
                mean,
                gradient,
                losses,
                #[inline(always)]
                |v, t, g| { bce::evaluate(v, t, g, scale) }
            )),
            Loss::CrossEntropy => {
                let (weight, scale) = (self.weight, self.weight * share);
                vectorised!(band.add(
                    weight,
                    gradient,
                    losses,
                    #[inline(always)]
                    |v, t, g| { cross_entropy::evaluate(v, t, g, scale) }
                ));
            }
            Loss::Similarity(similarity) => {
                similarity.prepare(work);
                let scale = self.weight * share;
                band.add(self.weight, gradient, losses, |v, t, g| similarity.evaluate(v, t, g, scale, work));
            }
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, group) in self.groups.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            let columns = &group.columns;
            write!(f, "{separator}{}({}..{})", group.loss, columns.start, columns.end)?;
        }
        Ok(())
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The name used in model summaries since the first version.
            Self::Similarity(Similarity { map, structure, pixels, share }) => {
                write!(f, "Mix[{share} {structure:?}, {pixels:?}, {map}]")
            }
            loss => write!(f, "{loss:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::threads::Threads;
    use crate::layer::Map;

    fn evaluate(output: &Output, values: &[f32], target: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let n = values.len() / output.width();
        let (mut gradient, mut losses) = (vec![9.0; values.len()], vec![9.0; n]);
        let threads = Threads::serial();
        let mut scratch = vec![f32::NAN; output.scratch_len()];
        output.evaluate(Rows { n, threads: &threads }, values, target, &mut gradient, &mut losses, &mut scratch);
        (losses, gradient)
    }

    fn mixed() -> Output {
        let group = |columns, loss, weight| Group { columns, loss, weight };
        Output {
            groups: vec![
                group(0..2, Loss::Mse, 1.0),
                group(2..4, Loss::CrossEntropy, 0.5),
                group(4..5, Loss::Bce, 2.0),
            ],
        }
    }

    #[test]
    fn groups_add_up_by_their_weights() {
        let (losses, gradient) = evaluate(&mixed(), &[1.0, 2.0, 0.0, 0.0, 0.0], &[0.0, 2.0, 1.0, 0.0, 1.0]);
        let ln2 = std::f32::consts::LN_2;
        assert!((losses[0] - (0.5 + 0.5 * ln2 + 2.0 * ln2)).abs() < 1e-6);
        let want = [1.0, 0.0, -0.25, 0.25, -1.0];
        assert!(gradient.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-6), "{gradient:?}");
    }

    #[test]
    fn unobserved_targets_add_nothing() {
        let nan = f32::NAN;
        let values = [1.0, 2.0, 0.3, 0.1, 0.7];
        let (losses, gradient) = evaluate(&mixed(), &values, &[0.0, nan, nan, 1.0, nan]);
        // The squared error is still divided by the group's two columns.
        assert_eq!(losses, [0.5]);
        assert_eq!(gradient, [1.0, 0.0, 0.0, 0.0, 0.0]);
        for loss in [Loss::Mae, Loss::Huber { delta: 1.0 }] {
            let (losses, gradient) = evaluate(&Output::single(1, loss), &[3.0], &[nan]);
            assert_eq!((losses[0], gradient[0]), (0.0, 0.0));
        }
    }

    #[test]
    fn a_diverged_output_is_not_hidden() {
        for loss in [Loss::Mse, Loss::Mae, Loss::Huber { delta: 1.0 }, Loss::Bce, Loss::CrossEntropy] {
            let (losses, _) = evaluate(&Output::single(2, loss), &[f32::NAN, 0.0], &[1.0, 0.0]);
            assert!(losses[0].is_nan(), "{loss:?}");
        }
    }

    #[test]
    fn links_give_probabilities() {
        let mut values = [1.0, -2.0, 3.0, 3.0, 0.0];
        mixed().link(&mut values);
        assert_eq!(values, [1.0, -2.0, 0.5, 0.5, 0.5]);
    }

    #[test]
    fn losses_of_maps_print_their_map() {
        let map = Map::new(12, 11, 1);
        let similarity = Similarity { structure: Structure::MsSsim, pixels: Pixels::Mae, share: 0.84, map };
        assert_eq!(Loss::Similarity(similarity).to_string(), "Mix[0.84 MsSsim, Mae, 12x11x1]");
    }

    #[test]
    fn groups_that_do_not_tile_are_refused() {
        let message = |output: &Output, width| output.check(width).unwrap_err().to_string();
        let mut output = mixed();
        assert_eq!(output.check(5), Ok(()));
        assert!(message(&output, 6).contains("groups over 6 columns"));
        output.groups[1].columns = 3..4;
        assert!(message(&output, 5).contains("`output.groups.1`: expected columns from 2 on"));
        let huber = Output::single(1, Loss::Huber { delta: 0.0 });
        assert!(message(&huber, 1).contains("delta"));
        let mut negative = Output::single(1, Loss::Mse);
        negative.groups[0].weight = f32::NAN;
        assert!(message(&negative, 1).contains("weight"));
    }
}
