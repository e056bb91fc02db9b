//! Prepared samples in a graph.

use narrows_onnx::{Element, Graph, Value};

use crate::prep::GapFill;

/// Samples as the network reads them.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleNodes {
    /// `[N, width]`, with missing cells filled.
    pub(super) input: Value,
    /// `[N, width]`, 1 where a value was observed, else 0; `None` if all always are.
    pub(super) observed: Option<Value>,
}

impl SampleNodes {
    /// Values of which NaN was not observed and is filled, `[width]`.
    pub(super) fn with_gaps(graph: &mut Graph, values: Value, gaps: &[GapFill]) -> SampleNodes {
        let known = graph.is_number(values);
        let fills: Vec<f32> = gaps.iter().map(|gap| gap.value).collect();
        let mut filled = graph.floats(&[1, fills.len()], &fills);
        if gaps.iter().any(|gap| gap.unless.is_some()) {
            // Of most inputs it is the input itself, which is not observed where it is filled.
            let others: Vec<i64> =
                gaps.iter().enumerate().map(|(i, gap)| (i + gap.unless.unwrap_or(0)) as i64).collect();
            let others = graph.ints(&others);
            let other = graph.gather(values, others, 1);
            let (other, zero) = (graph.is_number(other), graph.float(0.0));
            filled = graph.select(other, zero, filled);
        }
        let observed = graph.cast(known, Element::Float);
        SampleNodes { input: graph.select(known, values, filled), observed: Some(observed) }
    }
}
