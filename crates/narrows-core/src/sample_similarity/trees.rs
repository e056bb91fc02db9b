//! Extremely randomised trees (Geurts, Ernst and Wehenkel 2006): a fast nonlinear classifier without hyper-parameters
//! to tune. Used only in the two-sample test, not in models.

use rayon::prelude::*;

use crate::baseline::random::Stream;

/// Number of trees.
pub(super) const TREES: usize = 100;
/// Minimum number of rows per leaf.
const LEAF: usize = 5;
/// Minimum number of columns tried per node.
const FEWEST_TRIED: usize = 4;

/// An ensemble of trees; the score is the mean share of positives in the leaves.
pub(super) struct Trees {
    trees: Vec<Vec<TreeNode>>,
    width: usize,
}

enum TreeNode {
    /// At or below the threshold the next node, else this one.
    Split { column: usize, threshold: f32, otherwise: usize },
    /// Share of positives.
    Leaf(f64),
}

/// Growing data of a tree.
struct LabelledRows<'a> {
    values: &'a [f32],
    labels: &'a [bool],
    width: usize,
}

/// A candidate split.
struct NodeSplit {
    column: usize,
    threshold: f32,
    /// Sum over both sides of the squared class counts divided by the side's size: greater is purer.
    purity: f64,
}

impl Trees {
    /// Fits on finite rows `[n, width]`.
    pub(super) fn fit(values: &[f32], labels: &[bool], width: usize, seed: u64) -> Trees {
        let samples = LabelledRows { values, labels, width };
        let tree = |tree: usize| {
            let mut nodes = Vec::new();
            let mut rows: Vec<u32> = (0..labels.len() as u32).collect();
            samples.grow(&mut rows, &mut Stream::new(seed, tree as u64), &mut nodes);
            nodes
        };
        Trees { trees: (0..TREES).into_par_iter().map(tree).collect(), width }
    }

    /// The mean share of positives, `[rows]`.
    pub(super) fn scores(&self, values: &[f32]) -> Vec<f64> {
        let of_row = |row: &[f32]| self.trees.iter().map(|tree| leaf(tree, row)).sum::<f64>() / TREES as f64;
        values.par_chunks_exact(self.width).map(of_row).collect()
    }
}

fn leaf(tree: &[TreeNode], row: &[f32]) -> f64 {
    let mut at = 0;
    loop {
        match tree[at] {
            TreeNode::Leaf(share) => return share,
            TreeNode::Split { column, threshold, otherwise } => {
                at = if row[column] < threshold { at + 1 } else { otherwise };
            }
        }
    }
}

impl LabelledRows<'_> {
    /// Adds the nodes of the tree of these rows.
    fn grow(&self, rows: &mut [u32], stream: &mut Stream, nodes: &mut Vec<TreeNode>) {
        let positive = rows.iter().filter(|row| self.labels[**row as usize]).count();
        let is_pure = positive == 0 || positive == rows.len();
        let cut = if is_pure || rows.len() < 2 * LEAF { None } else { self.cut(rows, stream) };
        let Some(NodeSplit { column, threshold, .. }) = cut else {
            nodes.push(TreeNode::Leaf(positive as f64 / rows.len().max(1) as f64));
            return;
        };
        let mut below = 0;
        for i in 0..rows.len() {
            if self.value(rows[i], column) < threshold {
                rows.swap(below, i);
                below += 1;
            }
        }
        let own = nodes.len();
        nodes.push(TreeNode::Split { column, threshold, otherwise: 0 });
        let (low, high) = rows.split_at_mut(below);
        self.grow(low, stream, nodes);
        let otherwise = nodes.len();
        nodes[own] = TreeNode::Split { column, threshold, otherwise };
        self.grow(high, stream, nodes);
    }

    /// The purest of a few random splits that leave both sides large enough.
    fn cut(&self, rows: &[u32], stream: &mut Stream) -> Option<NodeSplit> {
        let tried = ((self.width as f64).sqrt().ceil() as usize).max(FEWEST_TRIED);
        let mut best: Option<NodeSplit> = None;
        for _ in 0..tried {
            let (column, place) = (stream.below(self.width), stream.uniform() as f32);
            let (low, high) = rows.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), row| {
                let x = self.value(*row, column);
                (low.min(x), high.max(x))
            });
            let threshold = low + (high - low) * place;
            let cut = self.at(rows, column, threshold);
            if cut.as_ref().is_some_and(|cut| best.as_ref().is_none_or(|best| cut.purity > best.purity)) {
                best = cut;
            }
        }
        best
    }

    fn at(&self, rows: &[u32], column: usize, threshold: f32) -> Option<NodeSplit> {
        // [below or not][positive or not]
        let mut counts = [[0_usize; 2]; 2];
        for row in rows {
            let side = usize::from(self.value(*row, column) < threshold);
            counts[side][usize::from(self.labels[*row as usize])] += 1;
        }
        let size = |side: [usize; 2]| side[0] + side[1];
        let squares = |side: [usize; 2]| (side[0] * side[0] + side[1] * side[1]) as f64 / size(side) as f64;
        let is_enough = counts.iter().all(|side| size(*side) >= LEAF);
        is_enough.then(|| NodeSplit { column, threshold, purity: squares(counts[0]) + squares(counts[1]) })
    }

    fn value(&self, row: u32, column: usize) -> f32 {
        self.values[row as usize * self.width + column]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::metrics::roc_auc;

    /// Rows on a checkerboard, which is not linearly separable.
    fn board(n: usize, key: u64) -> (Vec<f32>, Vec<bool>) {
        let mut stream = Stream::new(3, key);
        let mut square = || [stream.uniform() as f32 * 2.0 - 1.0, stream.uniform() as f32 * 2.0 - 1.0];
        let rows: Vec<[f32; 2]> = (0..n).map(|_| square()).collect();
        let labels = rows.iter().map(|[a, b]| (*a > 0.0) == (*b > 0.0)).collect();
        (rows.concat(), labels)
    }

    #[test]
    fn what_no_line_divides_is_learnt() {
        let (values, labels) = board(800, 0);
        let trees = Trees::fit(&values, &labels, 2, 0);
        let (fresh, expected) = board(400, 1);
        assert!(roc_auc(&trees.scores(&fresh), &expected).unwrap() > 0.95);
    }

    #[test]
    fn noise_is_not_learnt_and_equal_rows_are_one_leaf() {
        let (values, _) = board(800, 0);
        let coin = |n: usize| (0..n).map(|i| i % 2 == 0).collect::<Vec<bool>>();
        let trees = Trees::fit(&values, &coin(800), 2, 0);
        let auc = roc_auc(&trees.scores(&board(400, 1).0), &coin(400)).unwrap();
        assert!((auc - 0.5).abs() < 0.1, "{auc}");
        let same = Trees::fit(&[1.0; 60], &coin(60), 1, 0);
        assert_eq!(same.scores(&[1.0, 2.0]), [0.5, 0.5]);
    }
}
