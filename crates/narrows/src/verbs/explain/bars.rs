//! Reasons as signed bars: to the right above the expected value, to the left below.

use narrows_core::detect::{Direction, Reason};

use super::Explanation;
use crate::talk::{Ink, count};

/// Cells on each side of the axis.
const SIDE: usize = 14;

/// The explanation of a row as text.
pub(super) fn for_people(explanation: &Explanation, ink: Ink) -> String {
    let e = explanation;
    let index: Vec<String> = e.index.iter().map(|(name, cell)| format!("{name} {}", printable(cell))).collect();
    let index = if index.is_empty() { String::new() } else { format!("\n  {}", index.join(", ")) };
    if e.score.is_nan() {
        return format!("row {}: no score: {}{index}", e.row, e.flag.unwrap_or("unknown reason"));
    }
    let verdict = if e.is_anomaly { ink.paint(31, "an anomaly") } else { ink.paint(32, "no anomaly") };
    let mut lines = vec![
        format!(
            "row {}: score {:.4}, threshold {:.4}, p-value {:.4}: {verdict}{index}",
            e.row, e.score, e.threshold, e.p_value
        ),
        String::new(),
    ];
    let widest = e.reasons.iter().map(|reason| reason.column.chars().count()).max().unwrap_or(0);
    for reason in &e.reasons {
        let name = format!("{:<widest$}", reason.column);
        let share = if reason.direction == Direction::Broken { String::new() } else { share(reason.share) };
        lines.push(format!("  {name} {} {share:>4}  {}", bar(reason, ink), told(reason)));
    }
    if e.reasons.is_empty() {
        lines.push("  no contributing columns".to_owned());
    } else {
        let rest = (1.0 - e.reasons.iter().map(|reason| reason.share).sum::<f64>()).max(0.0);
        let is_of_errors = e.reasons.iter().any(|reason| reason.direction != Direction::Broken);
        if rest >= 0.005 && is_of_errors {
            lines.push(format!(
                "  {:<widest$} {:width$} {:>4}  beyond {}",
                "",
                "",
                share(rest),
                count(e.reasons.len() as u64, "column"),
                width = 2 * SIDE + 1
            ));
        }
    }
    lines.join("\n")
}

/// Text without control characters, which a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn told(reason: &Reason) -> String {
    let expected = match reason.direction {
        Direction::Above | Direction::Below => "expected about ",
        Direction::Other => "expected ",
        Direction::Broken => "",
    };
    format!("{expected}{}, got {}", reason.expected, reason.got)
}

fn share(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// A bar from the axis: right for above, left for below, both sides if there is no direction, and a cross for a broken
/// invariant.
fn bar(reason: &Reason, ink: Ink) -> String {
    let full = blocks(reason.share);
    let middle = "│";
    match reason.direction {
        Direction::Above => format!("{:SIDE$}{middle}{}", "", ink.paint(31, &padded(&full.join("")))),
        Direction::Below => {
            // Block characters fill from the left, so a left bar is drawn in whole cells.
            let cells = (reason.share * SIDE as f64).round().max(1.0) as usize;
            format!(
                "{}{}{middle}{:SIDE$}",
                " ".repeat(SIDE - cells.min(SIDE)),
                ink.paint(34, &"█".repeat(cells.min(SIDE))),
                ""
            )
        }
        Direction::Broken => format!("{:SIDE$}{}{:SIDE$}", "", ink.paint(31, "╳"), ""),
        Direction::Other => {
            let cells = (reason.share * SIDE as f64).round().max(1.0) as usize;
            let cells = cells.min(SIDE);
            let half = "▒".repeat(cells);
            format!(
                "{}{}{middle}{}{}",
                " ".repeat(SIDE - cells),
                ink.paint(35, &half),
                ink.paint(35, &half),
                " ".repeat(SIDE - cells)
            )
        }
    }
}

/// A share as block characters, in eighths of a cell.
fn blocks(share: f64) -> Vec<&'static str> {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = ((share.clamp(0.0, 1.0) * (8 * SIDE) as f64).round() as usize).max(1);
    let mut cells = vec!["█"; eighths / 8];
    cells.push(EIGHTHS[eighths % 8]);
    cells
}

fn padded(text: &str) -> String {
    format!("{text:<SIDE$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explanation(reasons: Vec<Reason>) -> Explanation {
        Explanation {
            row: 17,
            index: std::collections::BTreeMap::new(),
            score: 12.5,
            p_value: 0.001,
            is_anomaly: true,
            threshold: 3.2,
            flag: None,
            reasons,
        }
    }

    #[test]
    fn bars_point_to_the_side_of_the_surprise() {
        let reasons = vec![
            Reason::number("amount", 0.5, 41.2, 980.0),
            Reason::number("age", 0.25, 40.0, 3.0),
            Reason::category("country", 0.2, "DE", "US"),
        ];
        let broken = Reason::broken("raid", "always ok in 400 training rows", "FAILED");
        let expected = "  raid               ╳                     always ok in 400 training rows, got FAILED";
        assert!(for_people(&explanation(vec![broken]), Ink::Plain).contains(expected));
        let expected = "row 17: score 12.5000, threshold 3.2000, p-value 0.0010: an anomaly\n\n  \
                        amount                │███████        50 %  expected about 41.20, got 980.00\n  \
                        age               ████│               25 %  expected about 40, got 3\n  \
                        country            ▒▒▒│▒▒▒            20 %  expected DE, got US\n                                         5 %  beyond 3 columns";
        assert_eq!(for_people(&explanation(reasons), Ink::Plain), expected);
    }

    #[test]
    fn a_row_is_named_by_its_id() {
        let mut explanation = explanation(Vec::new());
        explanation.index.insert("machine".to_owned(), "m\u{1b}[1".to_owned());
        assert!(for_people(&explanation, Ink::Plain).contains(": an anomaly\n  machine m\u{fffd}[1\n"));
    }

    #[test]
    fn a_row_without_surprises_says_so() {
        assert!(for_people(&explanation(Vec::new()), Ink::Plain).contains("no contributing columns"));
    }
}
