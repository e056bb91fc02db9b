//! Distances of rows to known rows, as nodes.
//!
//! The neighbours are found by `|x|^2 - 2 x R + |R|^2` in double, where it is right to the ninth digit and more; of those
//! found, the distances are measured anew from the differences, so that near rows keep their digits and equal ones are at 0.

use narrows_onnx::{Attribute, Element, Graph, Reduction, Value};

use super::terms;
use crate::baseline::{Neighbourhood, Neighbours, Overview, weighted};
use crate::detect::{GlobalProximity, Proximity, References};

/// Rows whose distance is below this share of their length are equal but for the rounding of 32-bit numbers.
const ALIKE: f64 = 5e-7;

/// The logarithm of a `mix` from the log residual `[N, 1]` and the prepared rows `[N, width]`.
pub(super) fn mix(graph: &mut Graph, proximity: &Proximity, residual: Value, x: Value) -> Value {
    let Some(global) = &proximity.global else { return local(graph, proximity, residual, x) };
    let far = overview(graph, global, x);
    let Some(weight) = global.weight else { return far };
    let near = local(graph, proximity, residual, x);
    graph.scope("score/global");
    let weight = graph.double(weight);
    let far = graph.mul(far, weight);
    graph.op("Max", &[near, far])
}

/// The log ratio of the only distance of rows of `x`.
pub(super) fn distance(graph: &mut Graph, proximity: &Proximity, x: Value) -> Value {
    let distances = local_distances(graph, &proximity.index, x);
    terms::log_ratio(graph, &proximity.terms[0].ratio, distances[0])
}

fn local(graph: &mut Graph, proximity: &Proximity, residual: Value, x: Value) -> Value {
    let distances = local_distances(graph, &proximity.index, x);
    let weight = graph.double(proximity.residual);
    let mut parts = vec![graph.mul(residual, weight)];
    for (term, distance) in proximity.terms.iter().zip(distances) {
        parts.push(terms::term(graph, term, distance));
    }
    let (sum, weights) = (terms::sum(graph, &parts), proximity.residual + proximity.terms.len() as f64);
    let weights = graph.double(weights);
    graph.div(sum, weights)
}

fn local_distances(graph: &mut Graph, index: &References, x: Value) -> Vec<Value> {
    graph.scope("score/neighbours");
    match index {
        References::Kth(neighbours) => vec![kth(graph, neighbours, x)],
        References::Views(views) => views_of(graph, views, x),
    }
}

/// `Neighbours::distance`, `[N, 1]` in double.
pub(super) fn kth(graph: &mut Graph, neighbours: &Neighbours, x: Value) -> Value {
    let Neighbours { reference, width, k } = neighbours;
    let nearest = Nearest::find(graph, x, reference, *width, *k);
    graph.slice(nearest.distances, (*k - 1) as i64, *k as i64, 1)
}

/// What `Neighbourhood::measure` measures.
fn views_of(graph: &mut Graph, views: &Neighbourhood, x: Value) -> Vec<Value> {
    let (width, m) = (views.width(), views.n_references());
    let of = |k: usize| (k + Neighbourhood::SPARE).min(m);
    let near = Nearest::find(graph, x, views.reference(), width, of(views.near()));
    let factors = graph.floats(&[1, width], views.weights());
    let ranged = graph.mul(x, factors);
    let scaled = weighted(views.reference(), views.weights());
    let wide = Nearest::find(graph, ranged, &scaled, width, of(Neighbourhood::WIDE));
    let equal = near.first_is_equal(graph);
    let standard = near.mean(graph, near.distances, views.near(), equal);
    let equal = wide.first_is_equal(graph);
    let ranged = wide.mean(graph, wide.distances, views.near(), equal);
    let reach = graph.doubles(&[m], views.reach());
    let reach = graph.gather(reach, wide.rows, 0);
    let around = wide.mean(graph, reach, Neighbourhood::WIDE, equal);
    let last = wide.last(graph, Neighbourhood::WIDE, equal);
    let floor = graph.double(views.floor());
    let (last, around) = (graph.add(last, floor), graph.add(around, floor));
    vec![standard, ranged, graph.div(last, around)]
}

/// The nearest known rows of every row.
struct Nearest {
    /// `[N, k]` in double, nearest first.
    distances: Value,
    /// `[N, k]`, their numbers.
    rows: Value,
    /// `[N, 1]`, the distance of rows that are equal but for rounding.
    alike: Value,
    k: usize,
}

impl Nearest {
    fn find(graph: &mut Graph, x: Value, reference: &[f32], width: usize, k: usize) -> Nearest {
        let known = graph.floats(&[reference.len() / width, width], reference);
        let Squared { distances: squared, own: own_square, .. } = Squared::of(graph, x, known, (reference, width));
        let most = graph.ints(&[k as i64]);
        let settings = [("axis", Attribute::Int(1)), ("largest", Attribute::Int(0)), ("sorted", Attribute::Int(1))];
        let [_, rows] = graph.ops("TopK", &[squared, most], &settings);
        let found = graph.gather(known, rows, 0);
        let own = graph.unsqueeze(x, 1);
        let difference = graph.sub(own, found);
        let square = graph.mul(difference, difference);
        let sum = graph.reduce(Reduction::Sum, square, &[2], false);
        let sum = graph.cast(sum, Element::Double);
        let distances = graph.op("Sqrt", &[sum]);
        let size = graph.op("Sqrt", &[own_square]);
        let share = graph.double(ALIKE);
        Nearest { distances, rows, alike: graph.mul(size, share), k }
    }

    /// Whether the first is the row itself, or its equal, and others are left. Runtimes may differ in the last digit of a
    /// prepared value.
    fn first_is_equal(&self, graph: &mut Graph) -> Option<Value> {
        (self.k > 1).then(|| {
            let first = graph.slice(self.distances, 0, 1, 1);
            graph.op("LessOrEqual", &[first, self.alike])
        })
    }

    /// The mean of the first `n` values `[N, k]`, without that of the first row where it is `equal`.
    fn mean(&self, graph: &mut Graph, values: Value, n: usize, equal: Option<Value>) -> Value {
        let mut from = |first: usize| {
            let part = graph.slice(values, first as i64, (first + n).min(self.k) as i64, 1);
            graph.reduce(Reduction::Mean, part, &[1], true)
        };
        let all = from(0);
        let Some(equal) = equal else { return all };
        let others = from(1);
        graph.select(equal, others, all)
    }

    /// The last of the first `n` distances likewise.
    fn last(&self, graph: &mut Graph, n: usize, equal: Option<Value>) -> Value {
        let mut at = |end: usize| {
            let end = end.min(self.k) as i64;
            graph.slice(self.distances, end - 1, end, 1)
        };
        let all = at(n);
        let Some(equal) = equal else { return all };
        let others = at(n + 1);
        graph.select(equal, others, all)
    }
}

/// Squared distances of rows to known rows, in double.
struct Squared {
    /// `[N, m]`
    distances: Value,
    /// `[N, m]`, what may be lost of each.
    lost: Value,
    /// `[N, 1]`, the squares of the rows themselves.
    own: Value,
}

impl Squared {
    fn of(graph: &mut Graph, x: Value, known: Value, (reference, width): (&[f32], usize)) -> Squared {
        let known = graph.cast(known, Element::Double);
        let known = graph.transpose(known, &[1, 0]);
        let x = graph.cast(x, Element::Double);
        let squares = graph.mul(x, x);
        let own = graph.reduce(Reduction::Sum, squares, &[1], true);
        let square = |row: &[f32]| row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        let theirs: Vec<f64> = reference.chunks_exact(width).map(square).collect();
        let theirs = graph.doubles(&[1, theirs.len()], &theirs);
        let both = graph.add(own, theirs);
        let products = graph.matmul(x, known);
        let two = graph.double(2.0);
        let twice = graph.mul(products, two);
        let share = graph.double(ALIKE * ALIKE);
        Squared { distances: graph.sub(both, twice), lost: graph.mul(both, share), own }
    }
}

/// The mean over the global terms of what `Overview::measure` measures.
fn overview(graph: &mut Graph, global: &GlobalProximity, x: Value) -> Value {
    graph.scope("score/global");
    let Overview { weights, .. } = &global.overview;
    let known = global.overview.drawn();
    let standard = subsamples(graph, x, &known, &global.overview);
    let factors = graph.floats(&[1, weights.len()], weights);
    let ranged = graph.mul(x, factors);
    let known = weighted(&known, weights);
    let ranged = subsamples(graph, ranged, &known, &global.overview);
    let logs: Vec<Value> = global
        .terms
        .iter()
        .zip([standard, ranged])
        .map(|(term, distance)| terms::term(graph, term, distance))
        .collect();
    let (sum, n) = (terms::sum(graph, &logs), graph.double(logs.len() as f64));
    graph.div(sum, n)
}

/// The mean, over subsamples, of the distance to the nearest row that is not equal, `[N, 1]`.
fn subsamples(graph: &mut Graph, x: Value, drawn: &[f32], overview: &Overview) -> Value {
    let (width, size) = (overview.weights.len(), overview.draw().size());
    let n = overview.draw().members().len() / size;
    let known = graph.floats(&[n * size, width], drawn);
    let Squared { distances: squared, lost, .. } = Squared::of(graph, x, known, (drawn, width));
    let zero = graph.double(0.0);
    let is_lost = graph.op("LessOrEqual", &[squared, lost]);
    let squared = graph.select(is_lost, zero, squared);
    let squared = graph.reshape(squared, &[-1, n as i64, size as i64]);
    let most = graph.ints(&[size.min(2) as i64]);
    let settings = [("axis", Attribute::Int(2)), ("largest", Attribute::Int(0)), ("sorted", Attribute::Int(1))];
    let [least, _] = graph.ops("TopK", &[squared, most], &settings);
    let first = graph.slice(least, 0, 1, 2);
    let nearest = match size {
        1 => first,
        _ => {
            let second = graph.slice(least, 1, 2, 2);
            let differs = graph.op("Greater", &[first, zero]);
            graph.select(differs, first, second)
        }
    };
    let distance = graph.op("Sqrt", &[nearest]);
    let mean = graph.reduce(Reduction::Mean, distance, &[1], false);
    graph.reshape(mean, &[-1, 1])
}
