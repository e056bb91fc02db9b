//! Text summary of a search: best trials, and error against code size.

use narrows_core::model::{Backbone, Corruption};
use narrows_core::tune::{CodeSizeCurve, Ended, SearchResult, Trial};
use narrows_core::{Choice, Recipe};

use crate::talk::count;

/// Number of listed trials, not counting the initial one.
const LISTED: usize = 5;
/// Width of a full bar in characters.
const BAR: usize = 30;

/// The result as text.
pub(super) fn for_people(search: &SearchResult) -> String {
    let trials = count(search.trials.len() as u64, "trial");
    let mut lines = vec![
        format!("for {}: {}", search.goal.name(), search.goal.criterion()),
        match search.ended {
            Ended::Finished => format!("{trials}, seed {}", search.seed),
            Ended::Time => format!("{trials} of {}, seed {}: time limit reached", search.planned, search.seed),
            Ended::Interrupted => format!("{trials} of {}, seed {}: interrupted", search.planned, search.seed),
        },
        String::new(),
    ];
    lines.extend(table(search));
    lines.push(String::new());
    lines.extend(curve(search));
    lines.push(chosen(search));
    lines.join("\n")
}

/// The best trials and the initial one.
fn table(search: &SearchResult) -> Vec<String> {
    let mut rows = vec![
        ["", "trial", "criterion", "unexplained", "code", "layers", "loss", "corruption", "rate", "steps"]
            .map(str::to_owned),
    ];
    let ranked = search.ranked();
    let is_listed = |(place, trial): &(usize, &&Trial)| *place < LISTED || trial.number == 0;
    for (_, trial) in ranked.iter().enumerate().filter(is_listed) {
        rows.push(row(trial, trial.number == search.best_trial));
    }
    let widths: Vec<usize> =
        (0..rows[0].len()).map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 10]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(trial: &Trial, is_best: bool) -> [String; 10] {
    let recipe = &trial.recipe;
    let (cost, unexplained, code) = match trial.outcome.done() {
        Some(done) => {
            (format!("{:.4}", done.cost), format!("{:.1} %", 100.0 * done.unexplained), done.code_size.to_string())
        }
        None => ("failed".to_owned(), String::new(), String::new()),
    };
    let name = if trial.number == 0 { "start".to_owned() } else { (trial.number + 1).to_string() };
    [
        if is_best { "*".to_owned() } else { String::new() },
        name,
        cost,
        unexplained,
        code,
        layers(&recipe.backbone),
        recipe.loss.name().to_owned(),
        corruption(recipe),
        format!("{:.1e}", recipe.train.learning_rate.get()),
        format!("{:.0} %", 100.0 * trial.share),
    ]
}

/// The hidden layers of the encoder.
fn layers(backbone: &Backbone) -> String {
    let joined = |widths: &[usize]| match widths {
        [] => "none".to_owned(),
        widths => widths.iter().map(usize::to_string).collect::<Vec<_>>().join("-"),
    };
    match backbone {
        Backbone::Dense(dense) => match (&dense.nodes, &dense.layers) {
            (Choice::Given(nodes), _) => joined(nodes),
            (Choice::Auto, Choice::Given(layers)) => format!("auto, {layers}"),
            (Choice::Auto, Choice::Auto) => "auto".to_owned(),
        },
        Backbone::Conv(conv) => format!("conv {}", joined(&conv.channels)),
        Backbone::Lstm(lstm) => format!("lstm {}", joined(&lstm.nodes)),
        other => other.describe(),
    }
}

fn corruption(recipe: &Recipe) -> String {
    match recipe.members.as_slice() {
        [] => recipe.corruption.to_string(),
        [first, rest @ ..] => {
            let strengths = rest.iter().map(|member: &Corruption| format!(", {}", member.strength()));
            format!("{first}{}", strengths.collect::<String>())
        }
    }
}

/// Error against code size as bars; `|` marks the error of PCA.
fn curve(search: &SearchResult) -> Vec<String> {
    let CodeSizeCurve { points, elbow, share } = &search.curve;
    if points.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        format!(
            "error against code size, other settings of the best trial, {:.0} % of the steps; `|` marks PCA",
            100.0 * share
        ),
        format!("{:>5}  {:>11}  {:>7}", "code", "unexplained", "PCA"),
    ];
    let errors = points.iter().flat_map(|point| point.unexplained.into_iter().chain([point.pca_unexplained]));
    let highest = errors.fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    for point in points {
        let mut marks = Vec::new();
        if *elbow == Some(point.code_size) {
            marks.push("elbow");
        }
        if search.best.code_size == point.code_size {
            marks.push("chosen");
        }
        let error = point.unexplained.map_or_else(|| "failed".to_owned(), |error| format!("{:.1} %", 100.0 * error));
        let pca = format!("{:.1} %", 100.0 * point.pca_unexplained);
        let bar = bar(point.unexplained.unwrap_or(0.0) / highest, point.pca_unexplained / highest);
        let line = format!("{:>5}  {error:>11}  {pca:>7}  {bar}  {}", point.code_size, marks.join(", "));
        lines.push(line.trim_end().to_owned());
    }
    lines.push(match elbow {
        Some(size) => {
            format!("elbow: {size}, the point farthest below the chord on a logarithmic axis of sizes (Kneedle)")
        }
        None => "elbow: none".to_owned(),
    });
    lines
}

/// A bar for `share` of the full width, with a mark at `mark`.
fn bar(share: f64, mark: f64) -> String {
    let place = |share: f64| (share.clamp(0.0, 1.0) * BAR as f64).round() as usize;
    let (filled, mark) = (place(share), place(mark));
    (0..=BAR)
        .map(|i| {
            if i == mark {
                '|'
            } else if i < filled {
                '#'
            } else {
                ' '
            }
        })
        .collect()
}

fn chosen(search: &SearchResult) -> String {
    let best = &search.best;
    let start = match search.start() {
        Some(start) => format!(
            "; initial recipe: {:.1} % with a code of {}, criterion {:.4}",
            100.0 * start.unexplained,
            start.code_size,
            start.cost
        ),
        None => String::new(),
    };
    format!(
        "best: {:.1} % of held-out variance unexplained with a code of {}, criterion {:.4}{start}",
        100.0 * best.unexplained,
        best.code_size,
        best.cost
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_the_error_and_pca_is_marked() {
        assert_eq!(bar(0.1, 0.5).trim_end(), "###            |");
        assert_eq!(bar(1.0, 0.0), "|#############################".to_owned() + " ");
        assert_eq!(bar(0.0, 1.0), " ".repeat(30) + "|");
    }
}
