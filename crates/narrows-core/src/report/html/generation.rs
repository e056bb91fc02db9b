//! New rows: where they come from, whether the code is used, and how alike generated and held-out rows are.

use askama::Template;

use super::label::Label;
use super::number::{counted, number, percent};
use super::sheet::Sheet;
use super::subject::Subject;
use crate::report::{GenerationReport, Report, UnitsReport};
use crate::sample_similarity::{ColumnDistance, Copies, Distance, SampleSimilarity};

/// Columns listed at most.
const COLUMNS_KEPT: usize = 40;
/// An AUC up to here is hardly telling apart.
const HARDLY: f64 = 0.6;
/// From here on generated rows are plainly others.
const PLAINLY: f64 = 0.8;
/// A nearest training row so much nearer than usual is a copy in all but name.
const NEAR: f64 = 0.5;

/// The section.
#[derive(Template)]
#[template(path = "report/generation.html", whitespace = "minimize")]
pub(super) struct Generation {
    subject: Subject,
    density: String,
    likelihoods: Option<String>,
    units: Option<String>,
    negative_elbo: Option<String>,
    judged: Option<Judged>,
    sheet: Option<Sheet>,
}

struct Judged {
    verdict: String,
    how: String,
    columns: Vec<Column>,
    unlisted: usize,
}

struct Column {
    name: Label,
    distance: String,
    by: &'static str,
    /// Among held-out and among generated rows.
    missing: [String; 2],
}

impl Generation {
    pub(super) fn new(report: &Report, generation: &GenerationReport) -> Generation {
        let subject = Subject::seen(report);
        let density = &generation.density;
        let likelihoods = match (density.held_out, density.one_normal) {
            (Some(held_out), Some(one)) => Some(format!(
                "Held-out codes have a log-likelihood of {} nats under it, and of {} under one full normal distribution.",
                number(held_out),
                number(one)
            )),
            _ => None,
        };
        Generation {
            subject,
            density: format!("codes from {}, decoded", density.words),
            likelihoods,
            units: generation.units.as_ref().map(|found| units(found, subject)),
            negative_elbo: generation.negative_elbo.map(number),
            judged: generation.sample_similarity.as_ref().map(|found| judged(found, subject)),
            sheet: generation.sheet.as_ref().and_then(|sheet| Sheet::new(sheet, "Generated images.")),
        }
    }
}

fn units(units: &UnitsReport, subject: Subject) -> String {
    let (all, noun) = (counted(units.units, "unit"), subject.noun());
    match units.active {
        0 => format!("None of {all} of the code says anything of a {noun}: the posterior has collapsed."),
        active if active == units.units => {
            format!("All of {all} of the code are active: they differ from {noun} to {noun}.")
        }
        active => format!("{active} of {all} of the code are active; the others say nothing of a {noun}."),
    }
}

fn judged(found: &SampleSimilarity, subject: Subject) -> Judged {
    // Images have no columns, only values.
    let listed = match subject {
        Subject::Row => &found.columns[..found.columns.len().min(COLUMNS_KEPT)],
        Subject::Image | Subject::Piece => &[],
    };
    Judged {
        verdict: verdict(found, subject),
        how: how(found, subject),
        columns: listed.iter().map(column).collect(),
        unlisted: if listed.is_empty() { 0 } else { found.columns.len() - listed.len() },
    }
}

fn verdict(found: &SampleSimilarity, subject: Subject) -> String {
    let plural = subject.plural();
    let mut verdict = match found.auc {
        auc if !auc.is_finite() => {
            format!("Whether generated {plural} can be told from held-out ones was not measured.")
        }
        auc if auc <= HARDLY => format!("Generated {plural} can hardly be told from held-out ones."),
        auc if auc < PLAINLY => format!("Generated {plural} can often be told from held-out ones."),
        _ => format!("Generated {plural} can be told from held-out ones: take them for sketches, not for data."),
    };
    if let Some(Copies { ratio: Some(ratio), .. }) = found.copies
        && ratio < NEAR
    {
        verdict.push_str(" They lie suspiciously near to training rows.");
    }
    verdict
}

fn how(found: &SampleSimilarity, subject: Subject) -> String {
    let space = found.space.as_ref().map_or_else(String::new, |space| format!(", by {space}"));
    let mut how = format!(
        "{} beside {} held-out ones{space}: {} tell fresh ones apart with an AUC of {}, where 0.5 is not at all.",
        counted(found.generated, subject.noun()),
        found.held_out,
        found.classifier,
        number(found.auc)
    );
    if let (Subject::Image | Subject::Piece, Some(pixels)) = (subject, found.columns.first()) {
        let distance = number(pixels.distance);
        how.push_str(&format!(" The distributions of their pixels are {distance} apart (Kolmogorov–Smirnov)."));
    }
    if let Some(difference) = found.correlation_difference {
        how.push_str(&format!(" Correlations differ by {} on average.", number(difference)));
    }
    if let Some(copies) = &found.copies {
        if let Some(ratio) = copies.ratio {
            how.push_str(&format!(
                " The nearest training {} is {} times as far as from a held-out one, in the median.",
                subject.noun(),
                number(ratio)
            ));
        }
        how.push_str(&format!(
            " {} generated and {} held-out ones equal a training {}.",
            copies.exact,
            copies.exact_held_out,
            subject.noun()
        ));
    }
    how
}

fn column(column: &ColumnDistance) -> Column {
    let share = |which: usize| column.missing.map_or_else(String::new, |missing| percent(missing[which]));
    Column {
        name: Label::new(&column.column),
        distance: number(column.distance),
        by: match column.by {
            Distance::KolmogorovSmirnov => "Kolmogorov–Smirnov",
            Distance::TotalVariation => "total variation",
        },
        missing: [share(0), share(1)],
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn check(change: impl Fn(&mut GenerationReport), expected: &[&str]) {
        let report = sample::report();
        let mut generation = sample::generation();
        change(&mut generation);
        let html = Generation::new(&report, &generation).render().unwrap().replace('\u{a0}', " ");
        for words in expected {
            assert!(html.contains(words), "`{words}` is missing in {html}");
        }
    }

    #[test]
    fn the_verdict_follows_the_numbers() {
        check(|_| (), &["a mixture of 4", "can hardly be told", "−2.51", "total variation", "2 %"]);
        check(|g| g.sample_similarity.as_mut().unwrap().auc = 0.7, &["can often be told"]);
        check(|g| g.sample_similarity.as_mut().unwrap().auc = 0.97, &["take them for sketches"]);
        check(
            |g| g.sample_similarity.as_mut().unwrap().copies.as_mut().unwrap().ratio = Some(0.1),
            &["suspiciously near"],
        );
        check(|g| g.sample_similarity = None, &["Too few held-out rows"]);
        check(|g| g.negative_elbo = Some(148.5), &["lower bound of held-out rows is 148.5 nats"]);
    }

    #[test]
    fn a_collapsed_code_is_said() {
        let active = |active| move |g: &mut GenerationReport| g.units = Some(UnitsReport { units: 8, active });
        check(active(0), &["the posterior has collapsed"]);
        check(active(3), &["3 of 8 units of the code are active"]);
        check(active(8), &["All of 8 units of the code"]);
    }

    #[test]
    fn more_columns_than_shown_are_counted() {
        let many = |g: &mut GenerationReport| {
            let columns = &mut g.sample_similarity.as_mut().unwrap().columns;
            *columns = vec![columns.clone(); 30].concat();
        };
        check(many, &["nearer columns in"]);
    }
}
