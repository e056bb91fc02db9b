//! Isolation forest: anomalies are separated from the rest by few random splits.
//!
//! Liu, Ting and Zhou 2008, "Isolation forest", with scikit-learn's choices where the paper is open: columns that
//! are constant in a node are not drawn, splits are uniform between the node's minimum and maximum, trees stop at a
//! depth of `log2` of the subsample, and the score is `2^(-E(h) / c(psi))`, in (0, 1), higher is more anomalous.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::random::Stream;
use super::rows::{Rows, scored};
use crate::error::{Error, Place, Result};

/// Number of trees.
pub const N_TREES: usize = 100;
/// Maximum subsample size per tree.
pub const SUBSAMPLE: usize = 256;
/// Value of [`IsolationForest::feature`] for a leaf.
pub const LEAF: u32 = u32::MAX;

/// Rows per thread at a time.
const TILE: usize = 256;
const EULER: f64 = 0.577_215_664_901_532_9;

/// A fitted forest: the nodes of all trees in flat arrays of the same length, a tree's root first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolationForest {
    /// Number of columns.
    pub width: usize,
    /// Subsample size per tree.
    pub subsample: usize,
    /// The root node of each tree.
    pub roots: Vec<u32>,
    /// The split column of a node, or [`LEAF`].
    pub feature: Vec<u32>,
    /// The split value: values up to this go left, greater ones right; 0 in a leaf.
    pub threshold: Vec<f32>,
    /// The left child; the right one follows it; 0 in a leaf.
    pub left: Vec<u32>,
    /// Number of subsample rows that reach the node.
    pub size: Vec<u32>,
}

/// The mean depth at which a random tree over `size` rows isolates one of them: the paper's `c(n)`.
pub fn average_path_length(size: usize) -> f64 {
    match size {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let n = size as f64;
            2.0 * ((n - 1.0).ln() + EULER) - 2.0 * (n - 1.0) / n
        }
    }
}

impl IsolationForest {
    /// Grows [`N_TREES`] trees on subsamples of `x`, row-major, shape `[n, width]`.
    ///
    /// # Errors
    /// If the rows are empty, of a wrong length or not finite.
    pub fn fit(x: &[f32], n: usize, width: usize, seed: u64) -> Result<IsolationForest> {
        let rows = Rows::new(x, n, width)?;
        let subsample = n.min(SUBSAMPLE);
        let grow = |tree: usize| IsolationTree::grow(rows, subsample, Stream::new(seed, tree as u64));
        let trees: Vec<IsolationTree> = (0..N_TREES).into_par_iter().map(grow).collect();
        let mut forest = IsolationForest {
            width,
            subsample,
            roots: vec![],
            feature: vec![],
            threshold: vec![],
            left: vec![],
            size: vec![],
        };
        for tree in trees {
            let root = forest.feature.len() as u32;
            forest.roots.push(root);
            forest.left.extend(tree.left.iter().map(|&left| if left == 0 { 0 } else { left + root }));
            forest.feature.extend(tree.feature);
            forest.threshold.extend(tree.threshold);
            forest.size.extend(tree.size);
        }
        Ok(forest)
    }

    /// Validates a forest read from a file.
    ///
    /// # Errors
    /// If arrays have unequal lengths, or nodes point out of bounds, backwards or to the children of others, which would
    /// make scoring take forever.
    pub fn checked(self) -> Result<IsolationForest> {
        let bad = |message: String| Err(Error::data(Place::default(), format!("isolation forest: {message}")));
        let nodes = self.feature.len();
        let lengths = [self.threshold.len(), self.left.len(), self.size.len()];
        if lengths.iter().any(|&length| length != nodes) {
            return bad(format!("expected {nodes} numbers for every node array, got {lengths:?}"));
        }
        if self.roots.is_empty() || self.width == 0 {
            return bad(format!("expected at least 1 tree and 1 column, got {} and {}", self.roots.len(), self.width));
        }
        if let Some(root) = self.roots.iter().find(|&&root| root as usize >= nodes) {
            return bad(format!("expected roots below {nodes}, got {root}"));
        }
        let mut has_parent = vec![false; nodes];
        for i in 0..nodes {
            let (feature, left) = (self.feature[i], self.left[i] as usize);
            if feature != LEAF && (feature as usize >= self.width || left <= i || left + 1 >= nodes) {
                let width = self.width;
                return bad(format!(
                    "node {i}: expected a column below {width} and children from {} to {nodes}, got {feature} and {left}",
                    i + 1
                ));
            }
            if feature != LEAF
                && [left, left + 1].map(|child| std::mem::replace(&mut has_parent[child], true)) != [false; 2]
            {
                return bad(format!("node {i}: expected children of its own, got those of another node"));
            }
        }
        Ok(self)
    }

    /// The score of every row of `x`, shape `[rows]`: near 1 for anomalies, below 0.5 for normal rows.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn score(&self, x: &[f32]) -> Vec<f64> {
        let mut scores = vec![0.0; scored(x, self.width).len()];
        let (nodes, paths, depth) = self.compiled();
        scores.par_chunks_mut(TILE).zip(x.par_chunks(TILE * self.width)).for_each(|(scores, x)| {
            // Tree by tree, so that a tree stays in the cache for a whole tile; sums keep the order of trees.
            for (&root, &depth) in self.roots.iter().zip(&depth) {
                for (row, sum) in x.chunks_exact(self.width).zip(scores.iter_mut()) {
                    let mut at = root as usize;
                    for _ in 0..depth {
                        let node = &nodes[at];
                        at = node.left as usize + usize::from(row[node.feature as usize] > node.threshold);
                    }
                    *sum += paths[at];
                }
            }
            scores.iter_mut().for_each(|score| *score = self.score_of_path(*score / self.roots.len() as f64));
        });
        scores
    }

    /// The score of a row with mean path length `path` over the trees; 0.5 if trees have a single row.
    fn score_of_path(&self, path: f64) -> f64 {
        let usual = average_path_length(self.subsample);
        (-if usual > 0.0 { path / usual } else { 1.0 }).exp2()
    }

    /// Nodes for branch-free traversal (leaves point to themselves), the path length at each, and each tree's depth.
    fn compiled(&self) -> (Vec<ForestNode>, Vec<f64>, Vec<u32>) {
        let node = |i: usize| match self.feature[i] {
            LEAF => ForestNode { feature: 0, threshold: f32::INFINITY, left: i as u32 },
            feature => ForestNode { feature, threshold: self.threshold[i], left: self.left[i] },
        };
        let mut paths = vec![0.0; self.feature.len()];
        let mut depths = Vec::with_capacity(self.roots.len());
        for &root in &self.roots {
            let mut deepest = 0;
            let mut pending = vec![(root as usize, 0_u32)];
            while let Some((i, depth)) = pending.pop() {
                deepest = deepest.max(depth);
                paths[i] = f64::from(depth) + average_path_length(self.size[i] as usize);
                if self.feature[i] != LEAF {
                    pending.extend([(self.left[i] as usize, depth + 1), (self.left[i] as usize + 1, depth + 1)]);
                }
            }
            depths.push(deepest);
        }
        ((0..self.feature.len()).map(node).collect(), paths, depths)
    }
}

struct ForestNode {
    feature: u32,
    threshold: f32,
    left: u32,
}

#[derive(Default)]
struct IsolationTree {
    feature: Vec<u32>,
    threshold: Vec<f32>,
    left: Vec<u32>,
    size: Vec<u32>,
}

impl IsolationTree {
    fn grow(rows: Rows<'_>, subsample: usize, mut stream: Stream) -> IsolationTree {
        let mut sample = stream.sample(rows.n, subsample);
        let mut columns: Vec<usize> = (0..rows.width).collect();
        let limit = (subsample.max(2) as f64).log2().ceil() as u32;
        let mut tree = IsolationTree::default();
        tree.push(sample.len());
        // Node, its part of the sample, its depth.
        let mut pending = vec![(0, 0..sample.len(), 0)];
        while let Some((node, part, depth)) = pending.pop() {
            let inside = &mut sample[part.clone()];
            let cut = if depth < limit { draw_cut(rows, inside, &mut columns, &mut stream) } else { None };
            let Some((column, threshold)) = cut else { continue };
            let goes_left = |row: usize| rows.values[row * rows.width + column] <= threshold;
            let n_left = partition(inside, goes_left);
            let left = tree.push(n_left);
            tree.push(inside.len() - n_left);
            tree.feature[node] = column as u32;
            tree.threshold[node] = threshold;
            tree.left[node] = left as u32;
            let middle = part.start + n_left;
            pending.push((left + 1, middle..part.end, depth + 1));
            pending.push((left, part.start..middle, depth + 1));
        }
        tree
    }

    fn push(&mut self, size: usize) -> usize {
        self.feature.push(LEAF);
        self.threshold.push(0.0);
        self.left.push(0);
        self.size.push(size as u32);
        self.size.len() - 1
    }
}

/// A column drawn evenly among those not constant over the sample, and a split that leaves rows on both sides.
fn draw_cut(rows: Rows<'_>, sample: &[usize], columns: &mut [usize], stream: &mut Stream) -> Option<(usize, f32)> {
    if sample.len() < 2 {
        return None;
    }
    for tried in 0..columns.len() {
        let drawn = tried + stream.below(columns.len() - tried);
        columns.swap(tried, drawn);
        let column = columns[tried];
        let values = sample.iter().map(|&row| rows.values[row * rows.width + column]);
        let (least, greatest) =
            values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if least < greatest {
            let cut = f64::from(least) + stream.uniform() * (f64::from(greatest) - f64::from(least));
            let cut = cut as f32;
            return Some((column, if cut < greatest { cut } else { least }));
        }
    }
    None
}

/// Moves the rows that go left to the front; returns their number.
fn partition(sample: &mut [usize], goes_left: impl Fn(usize) -> bool) -> usize {
    let mut n_left = 0;
    for i in 0..sample.len() {
        if goes_left(sample[i]) {
            sample.swap(i, n_left);
            n_left += 1;
        }
    }
    n_left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};

    fn easy() -> (Vec<f32>, usize, usize) {
        let golden = &golden("isolation_forest")[0];
        (golden.rows("x"), golden.count("n"), golden.count("width"))
    }

    /// The area under the ROC curve.
    fn auc(scores: &[f64], labels: &[bool]) -> f64 {
        let of = |wanted: bool| scores.iter().zip(labels).filter(move |(_, label)| **label == wanted).map(|(s, _)| *s);
        let pairs: Vec<f64> = of(true).flat_map(|a| of(false).map(move |b| f64::from(u8::from(a > b)))).collect();
        pairs.iter().sum::<f64>() / pairs.len() as f64
    }

    #[test]
    fn the_average_path_length_is_that_of_scikit_learn() {
        for pair in golden("isolation_forest")[0].numbers("average_path_length").chunks_exact(2) {
            check_near(&[average_path_length(pair[0] as usize)], &[pair[1]], 1e-12);
        }
    }

    #[test]
    fn scores_are_near_those_of_scikit_learn_and_find_what_lies_far() {
        let golden = &golden("isolation_forest")[0];
        let (x, n, width) = easy();
        let mut mean = vec![0.0; n];
        for seed in 0..10 {
            let scores = IsolationForest::fit(&x, n, width, seed).unwrap().score(&x);
            assert!(auc(&scores, &golden.labels("labels")) > 0.95);
            mean.iter_mut().zip(scores).for_each(|(mean, score)| *mean += score / 10.0);
        }
        // Both are means over 1000 random trees with a standard deviation near 0.1 each.
        check_near(&mean, &golden.numbers("mean_score"), 0.02);
    }

    #[test]
    fn a_row_scores_the_same_alone_among_others_and_for_any_number_of_threads() {
        let (x, n, width) = easy();
        let fit = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let forest = IsolationForest::fit(&x, n, width, 7).unwrap();
                let scores = forest.score(&x);
                (forest, scores)
            })
        };
        let (forest, scores) = fit(1);
        assert_eq!(fit(3), (forest.clone(), scores.clone()));
        for (row, score) in x.chunks_exact(width).zip(scores) {
            assert_eq!(forest.score(row), [score]);
        }
    }

    #[test]
    fn the_formula_holds_for_a_tree_known_by_heart() {
        // One split at 0.5: a row on the left, three on the right.
        let forest = IsolationForest {
            width: 1,
            subsample: 4,
            roots: vec![0],
            feature: vec![0, LEAF, LEAF],
            threshold: vec![0.5, 0.0, 0.0],
            left: vec![1, 0, 0],
            size: vec![4, 1, 3],
        };
        let c = average_path_length;
        let expected = [(-1.0 / c(4)).exp2(), (-(1.0 + c(3)) / c(4)).exp2(), (-1.0 / c(4)).exp2()];
        check_near(&forest.clone().checked().unwrap().score(&[0.5, 0.6, f32::NAN]), &expected, 1e-15);
    }

    #[test]
    fn one_row_and_equal_rows_are_no_anomalies() {
        let one = IsolationForest::fit(&[3.0], 1, 1, 0).unwrap();
        assert_eq!(one.score(&[3.0, 99.0]), [0.5, 0.5]);
        let equal = IsolationForest::fit(&[3.0; 40], 20, 2, 0).unwrap();
        check_near(&equal.score(&[3.0, 3.0]), &[0.5], 1e-12);
    }

    #[test]
    fn a_forest_that_is_none_is_refused() {
        let (x, n, width) = easy();
        let forest = IsolationForest::fit(&x, n, width, 0).unwrap();
        assert!(forest.clone().checked().is_ok());
        let refused = |forest: IsolationForest| forest.checked().unwrap_err().to_string();
        let mut loops = forest.clone();
        loops.left[0] = 0;
        assert!(refused(loops).contains("node 0: expected a column below 3 and children from 1 to"));
        let mut outside = forest.clone();
        outside.feature[0] = 3;
        assert!(refused(outside).contains("got 3 and 1"));
        let mut short = forest.clone();
        short.size.pop();
        assert!(refused(short).contains("numbers for every node array"));
        assert!(refused(IsolationForest { roots: vec![], ..forest.clone() }).contains("at least 1 tree"));
        assert!(refused(IsolationForest { roots: vec![u32::MAX], ..forest }).contains("expected roots below"));
        assert!(IsolationForest::fit(&[], 0, 1, 0).is_err());
    }
}
