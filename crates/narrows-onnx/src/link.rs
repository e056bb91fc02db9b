//! The links of an output: what makes predictions of a decoder's last values.

use narrows_engine::{Loss, Output};

use crate::graph::{Attribute, Graph, Value};
use crate::samples::Samples;

/// What is done to columns that lie side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Identity,
    Sigmoid,
    Softmax,
}

impl Link {
    fn of(loss: Loss) -> Link {
        match loss {
            Loss::Mse | Loss::Mae | Loss::Huber { .. } => Link::Identity,
            Loss::Bce | Loss::Similarity(_) => Link::Sigmoid,
            Loss::CrossEntropy => Link::Softmax,
        }
    }

    fn add(self, graph: &mut Graph, values: Value) -> Value {
        match self {
            Link::Identity => values,
            Link::Sigmoid => graph.op("Sigmoid", &[values]),
            Link::Softmax => graph.op_with("Softmax", &[values], &[("axis", Attribute::Int(-1))]),
        }
    }
}

/// Adds the links; those of one kind for all columns leave the layout as it is.
pub(crate) fn add(graph: &mut Graph, output: &Output, values: Samples) -> Samples {
    match runs(output)[..] {
        [(link @ (Link::Identity | Link::Sigmoid), _)] => values.each(|values| link.add(graph, values)),
        ref runs => {
            let rows = values.rows(graph);
            let mut first = 0;
            let parts: Vec<Value> = runs
                .iter()
                .map(|&(link, end)| {
                    let part = graph.slice(rows, first as i64, end as i64, 1);
                    first = end;
                    link.add(graph, part)
                })
                .collect();
            Samples::Rows(graph.concat(&parts, 1))
        }
    }
}

/// Links and the columns that each goes to: neighbours that are linked one by one are taken together.
fn runs(output: &Output) -> Vec<(Link, usize)> {
    let mut runs: Vec<(Link, usize)> = Vec::new();
    for group in &output.groups {
        let link = Link::of(group.loss);
        match runs.last_mut() {
            Some((last, end)) if *last == link && link != Link::Softmax => *end = group.columns.end,
            _ => runs.push((link, group.columns.end)),
        }
    }
    runs
}
