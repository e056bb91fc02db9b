//! Times of day, days of the week and of the year, as sine and cosine.

use std::f64::consts::TAU;

use narrows_onnx::{Element, Graph, Value};

use super::{BlockNodes, CellNodes};
use crate::prep::{Circle, Cycles, DAY};

/// From 0000-03-01, when the years of the calendar's cycles begin, to 1970-01-01, in days.
const MARCH: f64 = 719_468.0;
/// Days of 400 years.
const ERA: f64 = 146_097.0;
/// Days from March to December.
const TO_JANUARY: f64 = 306.0;

pub(super) fn block(graph: &mut Graph, cycles: &Cycles, cells: CellNodes) -> BlockNodes {
    let mut slots = Vec::new();
    for circle in &cycles.circles {
        let phase = match circle {
            Circle::TimeOfDay => time_of_day(graph, cells.value),
            Circle::Weekday => weekday_phase(graph, cells.value),
            Circle::DayOfYear => day_of_year(graph, cells.value),
        };
        let turn = graph.double(TAU);
        let angle = graph.mul(phase, turn);
        // In double and then rounded, as in the preparation of rows: equal rows stay equal.
        slots.extend(["Sin", "Cos"].map(|operator| {
            let part = graph.op(operator, &[angle]);
            graph.cast(part, Element::Float)
        }));
    }
    let both = graph.concat(&slots, 1);
    let zero = graph.float(0.0);
    let values = graph.select(cells.known, both, zero);
    BlockNodes { values, width: cycles.width(), observed: Some(cells.known) }
}

/// Whole days since 1970.
pub(super) fn day(graph: &mut Graph, micros: Value) -> Value {
    floor_div(graph, micros, DAY as f64)
}

/// Microseconds of the day.
pub(super) fn within_day(graph: &mut Graph, micros: Value) -> Value {
    remainder(graph, micros, DAY as f64)
}

/// The day of the week, from Monday, which is 0.
pub(super) fn weekday(graph: &mut Graph, micros: Value) -> Value {
    let (day, three) = (day(graph, micros), graph.double(3.0));
    let shifted = graph.add(day, three);
    remainder(graph, shifted, 7.0)
}

/// The whole number of times that `by` goes into x.
pub(super) fn floor_div(graph: &mut Graph, x: Value, by: f64) -> Value {
    let by = graph.double(by);
    let share = graph.div(x, by);
    graph.op("Floor", &[share])
}

/// What is left of x; at least 0.
pub(super) fn remainder(graph: &mut Graph, x: Value, by: f64) -> Value {
    let times = floor_div(graph, x, by);
    let by = graph.double(by);
    let whole = graph.mul(times, by);
    graph.sub(x, whole)
}

fn time_of_day(graph: &mut Graph, micros: Value) -> Value {
    let (within, day) = (within_day(graph, micros), graph.double(DAY as f64));
    graph.div(within, day)
}

fn weekday_phase(graph: &mut Graph, micros: Value) -> Value {
    let (weekday, seven) = (weekday(graph, micros), graph.double(7.0));
    graph.div(weekday, seven)
}

/// The day of the year from 0 on, over the days of the year, by the rules of the Gregorian calendar (as `days_from_civil` of
/// Hinnant 2014, "chrono-compatible low-level date algorithms").
fn day_of_year(graph: &mut Graph, micros: Value) -> Value {
    let (day, march) = (day(graph, micros), graph.double(MARCH));
    let day = graph.add(day, march);
    let day = remainder(graph, day, ERA);
    // The year of the era: days less the leap days before them.
    let parts = [1460.0, 36_524.0, 146_096.0].map(|days| floor_div(graph, day, days));
    let plain = graph.sub(day, parts[0]);
    let plain = graph.add(plain, parts[1]);
    let plain = graph.sub(plain, parts[2]);
    let year = floor_div(graph, plain, 365.0);
    let before = days_before(graph, year);
    let since_march = graph.sub(day, before);
    // From January on it is the next year.
    let january = graph.double(TO_JANUARY);
    let is_next = graph.op("GreaterOrEqual", &[since_march, january]);
    let next = graph.cast(is_next, Element::Double);
    let year = graph.add(year, next);
    let leap = leap(graph, year);
    let (early, fifty_nine) = (graph.sub(since_march, january), graph.double(59.0));
    let late = graph.add(since_march, fifty_nine);
    let late = graph.add(late, leap);
    let of_year = graph.select(is_next, early, late);
    let common = graph.double(365.0);
    let days = graph.add(common, leap);
    graph.div(of_year, days)
}

/// Days from the beginning of an era to that of one of its years.
fn days_before(graph: &mut Graph, year: Value) -> Value {
    let common = graph.double(365.0);
    let days = graph.mul(year, common);
    let (fourth, hundredth) = (floor_div(graph, year, 4.0), floor_div(graph, year, 100.0));
    let days = graph.add(days, fourth);
    graph.sub(days, hundredth)
}

/// 1 in leap years, else 0.
fn leap(graph: &mut Graph, year: Value) -> Value {
    let zero = graph.double(0.0);
    let [fourth, hundredth, era] = [4.0, 100.0, 400.0].map(|by| {
        let left = remainder(graph, year, by);
        graph.op("Equal", &[left, zero])
    });
    let common = graph.not(hundredth);
    let either = graph.op("Or", &[common, era]);
    let both = graph.op("And", &[fourth, either]);
    graph.cast(both, Element::Double)
}
