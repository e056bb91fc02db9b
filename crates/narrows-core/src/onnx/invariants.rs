//! What all training rows kept, compared in the graph: scores are raised where a row breaks it.

use narrows_onnx::{Element, Graph, Reduction, Value};

use super::cells::{CellNodes, InputColumn, InputColumns};
use super::terms;
use crate::data::{CellValue, Schema};
use crate::fitted::{Constant, Invariants};

/// The scores `[N, 1]` of rows, raised where they break invariants; NaN for rows of which nothing was observed.
pub(super) fn judged(
    graph: &mut Graph,
    invariants: &Invariants,
    columns: &InputColumns,
    schema: &Schema,
    score: Value,
) -> Value {
    let unseen = unseen(graph, columns, schema);
    graph.scope("invariants");
    let mut score = score;
    if invariants.decide_alone() {
        score = graph.double(1.0);
    }
    let constants: Vec<BrokenNodes> = invariants
        .constants()
        .iter()
        .filter_map(|constant| {
            let column = columns.0.iter().find(|column| column.column.name == constant.name())?;
            Some(BrokenNodes { changed: changed(graph, constant, column), rows: constant.rows() })
        })
        .collect();
    let holes: Vec<Value> = invariants
        .complete()
        .iter()
        .filter_map(|name| columns.cells(name))
        .map(|cells| {
            let missing = graph.not(cells.known);
            graph.cast(missing, Element::Double)
        })
        .collect();
    let raised = raised(graph, invariants, (&constants, &holes), unseen, score);
    // Rows whose score stays keep it to the bit.
    raised.unwrap_or_else(|| {
        let nothing = graph.double(f64::NAN);
        graph.select(unseen, nothing, score)
    })
}

/// A constant in the rows.
struct BrokenNodes {
    /// 1 where a cell differs, else 0; `[N, 1]` in double.
    changed: Value,
    /// Training rows that kept it.
    rows: u64,
}

/// Whether no column of the schema has a value, `[N, 1]`.
fn unseen(graph: &mut Graph, columns: &InputColumns, schema: &Schema) -> Value {
    graph.scope("unseen");
    let known: Vec<Value> = schema
        .columns
        .iter()
        .filter_map(|column| columns.cells(&column.name))
        .map(|cells| graph.cast(cells.known, Element::Float))
        .collect();
    let known = graph.concat(&known, 1);
    let any = graph.reduce(Reduction::Max, known, &[1], true);
    let any = graph.cast(any, Element::Bool);
    graph.not(any)
}

/// `CellValue::is_same` of the cells that are there.
fn changed(graph: &mut Graph, constant: &Constant, column: &InputColumn) -> Value {
    let CellNodes { value, known } = column.cells;
    let same = match constant.value() {
        None => None,
        Some(CellValue::Number(x)) => Some(is_near(graph, value, *x)),
        Some(CellValue::Flag(flag)) => {
            let flag = graph.double(f64::from(u8::from(*flag)));
            Some(graph.op("Equal", &[value, flag]))
        }
        Some(CellValue::Moment(t)) => {
            let moment = graph.double(*t as f64);
            Some(graph.op("Equal", &[value, moment]))
        }
        Some(CellValue::Word(word)) => {
            let word = graph.texts(&[1], &[word.as_ref()]);
            Some(graph.op("Equal", &[value, word]))
        }
    };
    let differs = same.map_or(known, |same| {
        let differs = graph.not(same);
        graph.op("And", &[known, differs])
    });
    graph.cast(differs, Element::Double)
}

/// Whether numbers are this one up to rounding.
fn is_near(graph: &mut Graph, value: Value, x: f64) -> Value {
    let (number, share, size) = (graph.double(x), graph.double(CellValue::SAME), graph.double(x.abs()));
    let difference = graph.sub(value, number);
    let difference = graph.op("Abs", &[difference]);
    let own = graph.op("Abs", &[value]);
    let greater = graph.op("Max", &[own, size]);
    let allowed = graph.mul(greater, share);
    let near = graph.op("LessOrEqual", &[difference, allowed]);
    // Infinity is near nothing finite.
    let infinite = graph.double(f64::INFINITY);
    let finite = graph.op("Less", &[own, infinite]);
    graph.op("And", &[near, finite])
}

/// `Invariants::weighed` and `Broken::raised`; `None` if there is nothing to break.
fn raised(
    graph: &mut Graph,
    invariants: &Invariants,
    (constants, holes): (&[BrokenNodes], &[Value]),
    unseen: Value,
    score: Value,
) -> Option<Value> {
    if constants.is_empty() && holes.is_empty() {
        return None;
    }
    let (zero, one) = (graph.double(0.0), graph.double(1.0));
    let (mut factor, mut least) = (one, zero);
    let mut any_constant = None;
    if !constants.is_empty() {
        let changed: Vec<Value> = constants.iter().map(|broken| broken.changed).collect();
        let breaks = terms::sum(graph, &changed);
        let (by_chance, level) = chance(graph, invariants.chance_of_constants(), breaks);
        let kept: Vec<Value> = constants
            .iter()
            .map(|broken| {
                let rows = graph.double(broken.rows as f64);
                graph.mul(broken.changed, rows)
            })
            .collect();
        let certain: Vec<Value> = constants
            .iter()
            .zip(&changed)
            .filter(|(broken, _)| broken.rows >= Invariants::CERTAIN_ROWS)
            .map(|(_, changed)| *changed)
            .collect();
        let kept = terms::sum(graph, &kept);
        let more = graph.add(one, kept);
        let mut floor = zero;
        if !certain.is_empty() {
            let (certain, level) = (terms::sum(graph, &certain), graph.double(Invariants::CERTAIN));
            let is_certain = graph.op("Greater", &[certain, zero]);
            floor = graph.select(is_certain, level, zero);
        }
        factor = graph.select(by_chance, one, more);
        least = graph.select(by_chance, level, floor);
        any_constant = Some(graph.op("Greater", &[breaks, zero]));
    }
    if !holes.is_empty() {
        let missing = terms::sum(graph, holes);
        let (by_chance, level) = chance(graph, invariants.chance_of_missing(), missing);
        let rows = graph.double(invariants.rows() as f64);
        let weight = graph.mul(missing, rows);
        let root = graph.op("Sqrt", &[weight]);
        let more = graph.add(one, root);
        let more = graph.select(by_chance, one, more);
        factor = graph.mul(factor, more);
        let level = graph.select(by_chance, level, zero);
        least = graph.op("Max", &[least, level]);
    }
    let higher = graph.op("Max", &[score, one]);
    let multiplied = graph.mul(higher, factor);
    let multiplies = graph.op("Greater", &[factor, one]);
    let own = graph.select(multiplies, multiplied, score);
    let own = graph.op("Max", &[own, least]);
    // Of a row that was not observed missing cells are no surprise, but a changed constant is.
    let nothing = graph.double(f64::NAN);
    let alone = match any_constant {
        None => nothing,
        Some(any) => {
            let alone = graph.op("Max", &[factor, least]);
            graph.select(any, alone, nothing)
        }
    };
    Some(graph.select(unseen, alone, own))
}

/// Whether training rows broke as many by chance, and the score that this is worth.
fn chance(graph: &mut Graph, levels: &[f64], breaks: Value) -> (Value, Value) {
    let mut all = vec![0.0];
    all.extend(levels);
    let most = graph.double(levels.len() as f64);
    let by_chance = graph.op("LessOrEqual", &[breaks, most]);
    let table = graph.doubles(&[all.len()], &all);
    let at = graph.op("Min", &[breaks, most]);
    let at = graph.cast(at, Element::Int64);
    (by_chance, graph.gather(table, at, 0))
}
