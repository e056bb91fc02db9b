//! Generation: the code density, active latent units, and similarity of generated and held-out samples.

use askama::Template;

use super::number::{counted, number, percent};
use super::sample_kind::SampleKind;
use super::sheet::SheetFigure;
use super::text::DisplayName;
use crate::report::{GenerationReport, Report, UnitsReport};
use crate::sample_similarity::{ColumnDistance, Copies, Distance, SampleSimilarity};

/// Columns listed at most.
const COLUMNS_KEPT: usize = 40;
/// Up to this AUC generated samples are nearly indistinguishable.
const INDISTINGUISHABLE_AUC: f64 = 0.6;
/// From this AUC on generated samples are clearly distinguishable.
const DISTINGUISHABLE_AUC: f64 = 0.8;
/// Below this ratio of nearest-neighbour distances generated samples are near copies of training rows.
const NEAR_COPY_RATIO: f64 = 0.5;

/// The section.
#[derive(Template)]
#[template(path = "report/generation.html", whitespace = "minimize")]
pub(super) struct GenerationSection {
    sample_kind: SampleKind,
    density: String,
    likelihoods: Option<String>,
    active_units: Option<String>,
    negative_elbo: Option<String>,
    comparison: Option<SampleComparison>,
    sheet: Option<SheetFigure>,
}

struct SampleComparison {
    verdict: String,
    details: String,
    columns: Vec<ColumnDistanceRow>,
    unlisted: usize,
    /// Where generated rows are not for use, their columns interest few.
    is_folded: bool,
}

struct ColumnDistanceRow {
    name: DisplayName,
    distance: String,
    metric: &'static str,
    /// Share missing among held-out and among generated rows.
    missing: [String; 2],
}

impl GenerationSection {
    pub(super) fn new(report: &Report, generation: &GenerationReport) -> GenerationSection {
        let sample_kind = SampleKind::network_input(report);
        let density = &generation.density;
        let likelihoods = match (density.held_out, density.one_normal) {
            (Some(held_out), Some(one)) => Some(format!(
                "Mean log-likelihood of held-out codes: {} nats, against {} under a single full-covariance normal distribution.",
                number(held_out),
                number(one)
            )),
            _ => None,
        };
        GenerationSection {
            sample_kind,
            density: format!("codes are sampled from {} and decoded", density.words),
            likelihoods,
            active_units: generation.units.as_ref().map(|found| units(found, sample_kind)),
            negative_elbo: generation.negative_elbo.map(number),
            comparison: generation.sample_similarity.as_ref().map(|found| compare(found, sample_kind)),
            sheet: generation.sheet.as_ref().and_then(|sheet| SheetFigure::new(sheet, "Generated images.")),
        }
    }
}

fn units(units: &UnitsReport, sample_kind: SampleKind) -> String {
    let (all, plural) = (counted(units.units, "unit"), sample_kind.plural());
    match units.active {
        0 => format!("None of {all} of the code is active: posterior collapse."),
        active if active == units.units => {
            format!("All {all} of the code are active: they vary between {plural}.")
        }
        active => format!("{active} of {all} of the code are active; the others do not vary between {plural}."),
    }
}

fn compare(found: &SampleSimilarity, sample_kind: SampleKind) -> SampleComparison {
    // Images have no columns, only values.
    let listed = match sample_kind {
        SampleKind::Row => &found.columns[..found.columns.len().min(COLUMNS_KEPT)],
        SampleKind::Image | SampleKind::Patch => &[],
    };
    SampleComparison {
        verdict: verdict(found, sample_kind),
        details: details(found, sample_kind),
        columns: listed.iter().map(column).collect(),
        is_folded: found.auc >= DISTINGUISHABLE_AUC,
        unlisted: if listed.is_empty() { 0 } else { found.columns.len() - listed.len() },
    }
}

fn verdict(found: &SampleSimilarity, sample_kind: SampleKind) -> String {
    let plural = sample_kind.plural();
    let mut verdict = match found.auc {
        auc if !auc.is_finite() => {
            format!("The distinguishability of generated and held-out {plural} was not measured.")
        }
        auc if auc <= INDISTINGUISHABLE_AUC => {
            format!("Generated {plural} are nearly indistinguishable from held-out ones.")
        }
        auc if auc < DISTINGUISHABLE_AUC => {
            format!("Generated {plural} can often be distinguished from held-out ones.")
        }
        _ => format!(
            "Generated {plural} are clearly distinguishable from held-out ones: do not use them in place of data."
        ),
    };
    if let Some(Copies { ratio: Some(ratio), .. }) = found.copies
        && ratio < NEAR_COPY_RATIO
    {
        verdict.push_str(" They are suspiciously close to training rows.");
    }
    verdict
}

fn details(found: &SampleSimilarity, sample_kind: SampleKind) -> String {
    let space = found.space.as_ref().map_or_else(String::new, |space| format!(", compared by {space}"));
    let mut details = format!(
        "{} against {} held-out ones{space}: {} separate unseen ones with an AUC of {} (0.5: indistinguishable).",
        counted(found.generated, sample_kind.noun()),
        found.held_out,
        found.classifier,
        number(found.auc)
    );
    if let (SampleKind::Image | SampleKind::Patch, Some(pixels)) = (sample_kind, found.columns.first()) {
        let distance = number(pixels.distance);
        details.push_str(&format!(" Kolmogorov–Smirnov distance of the pixel distributions: {distance}."));
    }
    if let Some(difference) = found.correlation_difference {
        details.push_str(&format!(" Mean absolute difference of correlations: {}.", number(difference)));
    }
    if let Some(copies) = &found.copies {
        if let Some(ratio) = copies.ratio {
            details.push_str(&format!(
                " Median ratio of nearest-training-{} distances, generated to held-out: {}.",
                sample_kind.noun(),
                number(ratio)
            ));
        }
        details.push_str(&format!(
            " {} generated and {} held-out ones are equal to a training {}.",
            copies.exact,
            copies.exact_held_out,
            sample_kind.noun()
        ));
    }
    details
}

fn column(column: &ColumnDistance) -> ColumnDistanceRow {
    let share = |which: usize| column.missing.map_or_else(String::new, |missing| percent(missing[which]));
    ColumnDistanceRow {
        name: DisplayName::new(&column.column),
        distance: number(column.distance),
        metric: match column.by {
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
        let html = GenerationSection::new(&report, &generation).render().unwrap().replace('\u{a0}', " ");
        for words in expected {
            assert!(html.contains(words), "`{words}` is missing in {html}");
        }
    }

    #[test]
    fn the_verdict_follows_the_numbers() {
        check(|_| (), &["a mixture of 4", "nearly indistinguishable", "−2.51", "total variation", "2 %"]);
        check(|g| g.sample_similarity.as_mut().unwrap().auc = 0.7, &["can often be distinguished"]);
        check(|g| g.sample_similarity.as_mut().unwrap().auc = 0.97, &["clearly distinguishable"]);
        check(
            |g| g.sample_similarity.as_mut().unwrap().copies.as_mut().unwrap().ratio = Some(0.1),
            &["suspiciously close"],
        );
        check(|g| g.sample_similarity = None, &["Too few held-out rows"]);
        check(|g| g.negative_elbo = Some(148.5), &["ELBO of held-out rows: 148.5 nats"]);
    }

    #[test]
    fn a_collapsed_code_is_reported() {
        let active = |active| move |g: &mut GenerationReport| g.units = Some(UnitsReport { units: 8, active });
        check(active(0), &["posterior collapse"]);
        check(active(3), &["3 of 8 units of the code are active"]);
        check(active(8), &["All 8 units of the code"]);
    }

    #[test]
    fn more_columns_than_shown_are_counted() {
        let many = |g: &mut GenerationReport| {
            let columns = &mut g.sample_similarity.as_mut().unwrap().columns;
            *columns = vec![columns.clone(); 30].concat();
        };
        check(many, &["columns with smaller distances in"]);
    }
}
