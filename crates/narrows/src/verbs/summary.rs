//! Text summaries of reports, printed to stderr.

use narrows_core::detect::SetAside;
use narrows_core::report::{
    AlbumReport, ColumnReport, FitVerdict, GenerationReport, Report, RestorerReport, Role, Stop, Training,
};
use narrows_core::sample_similarity::Distance;
use narrows_core::{Model, SampleSimilarity};
use serde::Serialize;

use crate::failure::Failure;
use crate::flags::Common;
use crate::output;
use crate::talk::{Talk, count, grouped};

/// Maximum number of columns listed individually.
const NAMED: usize = 12;

/// How much of a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The verdict, and what became of the data.
    Brief,
    /// Everything.
    Full,
}

/// A report with its verdict, the output of `--json`.
#[derive(Serialize)]
pub(crate) struct Judged<'a, R> {
    /// Whether to use the model.
    verdict: FitVerdict,
    #[serde(flatten)]
    report: &'a R,
}

impl<'a> Judged<'a, Report> {
    pub(crate) fn fit(report: &'a Report) -> Judged<'a, Report> {
        Judged { verdict: report.verdict(), report }
    }
}

impl<'a> Judged<'a, RestorerReport> {
    pub(crate) fn restorer(report: &'a RestorerReport) -> Judged<'a, RestorerReport> {
        Judged { verdict: report.verdict(), report }
    }
}

/// Prints the report of a fit: as text to stderr and, with `--json`, as JSON to stdout.
pub(crate) fn tell_model(model: &Model, common: &Common) -> Result<(), Failure> {
    let detail = if common.verbose { Detail::Full } else { Detail::Brief };
    match model {
        Model::Restorer(restorer) => {
            let report = restorer.report();
            tell(&Judged::restorer(report), &restorer_lines(report, detail), common)
        }
        Model::Table(model) => tell_report(model.report(), detail, common),
        Model::Series(model) => tell_report(model.report(), detail, common),
        Model::Images(model) => tell_report(model.report(), detail, common),
        Model::Encoder(_) => Ok(()),
    }
}

fn tell_report(report: &Report, detail: Detail, common: &Common) -> Result<(), Failure> {
    tell(&Judged::fit(report), &lines(report, detail), common)
}

fn tell<R: Serialize>(judged: &Judged<'_, R>, lines: &[String], common: &Common) -> Result<(), Failure> {
    if common.talk() == Talk::Quiet {
        let concerns = judged.verdict.concerns.iter().filter(|concern| concern.is_of_network());
        concerns.for_each(|concern| Talk::Quiet.warn(concern.describe()));
    }
    for line in lines {
        match (common.talk(), line.strip_prefix("warning: ")) {
            (Talk::Quiet, Some(warning)) => Talk::Quiet.warn(warning),
            (talk, _) => talk.line(line),
        }
    }
    if common.json { output::print_json(judged) } else { Ok(()) }
}

/// The summary, line by line.
pub(crate) fn lines(report: &Report, detail: Detail) -> Vec<String> {
    let mut lines = vec![verdict(&report.verdict())];
    match &report.images {
        Some(images) => lines.push(album(&images.album)),
        None => lines.extend(columns(report)),
    }
    lines.push(threshold(report));
    if detail == Detail::Full {
        lines.push(network(report));
        lines.extend(
            report.images.as_ref().map(|images| format!("kind        {}; sees {}", images.backbone, images.view)),
        );
        lines.push(training(&report.training));
        lines.push(held_out(report));
        lines.extend(bottleneck(report));
        lines.extend(report.generation.iter().flat_map(generation));
    }
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}

/// The verdict, which comes first.
fn verdict(verdict: &FitVerdict) -> String {
    format!("verdict     {}", verdict.sentence)
}

/// What became of the columns and the rows of a table.
fn columns(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let of = |role: Role| report.columns.iter().filter(move |column| column.role == role);
    let features: Vec<String> = of(Role::Feature).map(|column| format!("{} ({})", column.name, column.kind)).collect();
    lines.push(format!("columns     {} used: {}", features.len(), shortened(&features)));
    lines.extend(of(Role::Dropped).take(NAMED).map(|column| format!("dropped     {}: {}", column.name, column.words)));
    if let Some(more) = of(Role::Dropped).count().checked_sub(NAMED).filter(|more| *more > 0) {
        lines.push(format!("dropped     and {more} more"));
    }
    let compared: Vec<String> =
        of(Role::Invariant).map(|column| format!("{} ({})", column.name, column.words)).collect();
    if !compared.is_empty() {
        lines.push(format!("compared    {} that never changed: {}", compared.len(), shortened(&compared)));
    }
    let ignored: Vec<String> = of(Role::Ignored).map(|column: &ColumnReport| column.name.clone()).collect();
    if !ignored.is_empty() {
        lines.push(format!("ignored     {}", shortened(&ignored)));
    }
    lines.extend(of(Role::Label).map(|column| format!("label       {}: {}", column.name, column.words)));
    lines.push(rows(report));
    // Dropped columns are already listed.
    let is_told = |note: &&String| {
        of(Role::Dropped).any(|column| note.starts_with(&format!("column `{}` left out", column.name)))
    };
    lines.extend(report.notes.iter().filter(|note| !is_told(note)).map(|note| format!("note        {note}")));
    lines
}

/// Density of codes, and quality of generated rows.
fn generation(report: &GenerationReport) -> Vec<String> {
    let density = &report.density;
    let likelihoods = match (density.held_out, density.one_normal) {
        (Some(held_out), Some(one)) => {
            format!(
                "; held-out log-likelihood {held_out:.3} nats per code, {one:.3} for a single full-covariance Gaussian"
            )
        }
        _ => String::new(),
    };
    let mut lines = vec![format!("generation  codes from {}{likelihoods}", density.words)];
    if let Some(units) = &report.units {
        lines.push(format!("code        {} of {} active", units.active, count(units.units, "unit")));
    }
    lines.extend(report.negative_elbo.map(negative_elbo));
    lines.extend(report.sample_similarity.as_ref().map(|found| {
        let farthest = found.columns.first().map_or_else(String::new, |column| {
            format!("; largest column distance {:.3} (`{}`)", column.distance, column.column)
        });
        let copies = found.copies.as_ref().map_or_else(String::new, |copies| {
            let ratio = copies.ratio.map_or_else(String::new, |ratio| {
                format!("; distance to training rows {ratio:.2} times that of held-out rows")
            });
            format!("{ratio}; {}", copied(copies.exact, copies.exact_held_out))
        });
        let correlations = found
            .correlation_difference
            .map_or_else(String::new, |difference| format!("; correlations differ by {difference:.3}"));
        format!(
            "similarity  {} generated and {} held-out rows: classifier AUC {:.3}{farthest}{correlations}{copies}",
            grouped(found.generated),
            grouped(found.held_out),
            found.auc
        )
    }));
    lines
}

/// Similarity of generated and given rows, line by line.
pub(crate) fn sample_similarity(found: &SampleSimilarity) -> Vec<String> {
    let space = found.space.as_ref().map_or_else(String::new, |space| format!(", by {space}"));
    let mut lines = vec![
        format!("{} generated, compared with {} given{space}", count(found.generated, "row"), grouped(found.held_out)),
        String::new(),
        format!("classifier         AUC {:.3} by {}; 0.5 means indistinguishable", found.auc, found.classifier),
    ];
    lines
        .extend(found.correlation_difference.map(|difference| format!("correlations       differ by {difference:.3}")));
    if let Some(copies) = &found.copies {
        if let Some(ratio) = copies.ratio {
            lines.push(format!(
                "training distance  {ratio:.2} times that of given rows; far below 1 suggests memorisation"
            ));
        }
        lines.push(format!("copies             {}", copied(copies.exact, copies.exact_held_out)));
    }
    lines.extend([String::new(), "distance per column, from 0 (identical) to 1 (disjoint)".to_owned()]);
    for column in &found.columns {
        let by = match column.by {
            Distance::KolmogorovSmirnov => "Kolmogorov-Smirnov",
            Distance::TotalVariation => "total variation",
        };
        let missing = column.missing.map_or_else(String::new, |[given, generated]| {
            format!("; missing {:.1} % generated, {:.1} % given", 100.0 * generated, 100.0 * given)
        });
        lines.push(format!("  {:.3}  {}  ({by}{missing})", column.distance, column.column));
    }
    lines
}

fn copied(generated: u64, held_out: u64) -> String {
    format!(
        "{} of training rows, {} in the held-out rows",
        count(generated, "copy").replace("copys", "copies"),
        grouped(held_out)
    )
}

/// The negative ELBO of a variational model, for `evaluate` and `fit`.
pub(crate) fn negative_elbo(nats: f64) -> String {
    format!("-ELBO       {nats:.2} nats per sample")
}

/// The summary of a restorer, line by line.
pub(crate) fn restorer_lines(report: &RestorerReport, detail: Detail) -> Vec<String> {
    let mut lines = vec![verdict(&report.verdict()), album(&report.album), format!("removes     {}", report.damage)];
    if detail == Detail::Full {
        lines.push(format!("network     {}; {}", report.network, count(report.parameters, "parameter")));
        lines.push(training(std::slice::from_ref(&report.training)));
    }
    if let Some(quality) = &report.quality {
        let means = &quality.means;
        lines.push(format!(
            "held out    {}: {:.2} dB restored, {:.2} dB corrupted, {:.2} dB by {}",
            count(quality.n, "image"),
            means.restored.psnr,
            means.input.psnr,
            means.baseline.similarity.psnr,
            means.baseline.name
        ));
    }
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}

/// Summary of the images.
fn album(report: &AlbumReport) -> String {
    let span = |[least, greatest]: [usize; 2]| {
        if least == greatest { least.to_string() } else { format!("{least} to {greatest}") }
    };
    let mut text = format!(
        "images      {} read, {} x {} pixels, {}: {} train, {} validation",
        grouped(report.read),
        span(report.heights),
        span(report.widths),
        report.channels.name(),
        grouped(report.train),
        grouped(report.validation)
    );
    if report.calibration > 0 {
        text.push_str(&format!(", {} calibration", grouped(report.calibration)));
    }
    if !report.skipped.is_empty() {
        text.push_str(&format!("; {} unreadable, skipped", grouped(report.skipped.len() as u64)));
    }
    text
}

fn rows(report: &Report) -> String {
    let rows = &report.rows;
    let read = match &report.population {
        Some(all) => format!("a sample of {} of {}", grouped(all.sampled), grouped(all.rows)),
        None => format!("{} read", grouped(rows.read)),
    };
    let mut text = format!(
        "rows        {read}: {} train, {} validation, {} calibration",
        grouped(rows.train),
        grouped(rows.validation),
        grouped(rows.calibration)
    );
    for (left_out, why) in [(rows.not_normal, "not normal"), (rows.unlabelled, "without a label")] {
        if left_out > 0 {
            text.push_str(&format!("; {} {why}, excluded", grouped(left_out)));
        }
    }
    text
}

fn network(report: &Report) -> String {
    let network = &report.network;
    let widths: Vec<String> = network.layers.iter().map(|layer| layer.width.to_string()).collect();
    let members =
        if network.members > 1 { format!("{} of ", count(network.members as u64, "network")) } else { String::new() };
    format!(
        "network     {members}{}, code {}, {}; loss {}",
        widths.join("-"),
        network.code_size,
        count(network.parameters as u64, "parameter"),
        network.loss
    )
}

fn training(members: &[Training]) -> String {
    let steps: u64 = members.iter().map(|training| training.steps).sum();
    let best: Vec<f64> =
        members.iter().filter_map(|training| Some(training.history.get(training.best)?.validation_loss)).collect();
    let mean = best.iter().sum::<f64>() / best.len().max(1) as f64;
    let ended = |stop: Stop| members.iter().filter(|training| training.stopped == stop).count();
    let how = match (ended(Stop::Interrupted), ended(Stop::Early)) {
        (0, 0) => "all steps completed".to_owned(),
        (0, early) if early == members.len() => "stopped early".to_owned(),
        (0, early) => format!("{early} of {} stopped early", members.len()),
        _ => "interrupted; best weights so far kept".to_owned(),
    };
    format!("training    {}, {how}; validation loss {mean:.4}", count(steps, "step"))
}

fn threshold(report: &Report) -> String {
    let detection = &report.detection;
    let promise = match detection.promised_rate {
        Some(rate) => format!("; guarantee: at most {:.3} % false alarms on average", 100.0 * rate),
        None => String::new(),
    };
    let set_aside = match detection.set_aside {
        Some(SetAside { count, of, .. }) => format!("; {count} of {of} held-out scores set aside"),
        None => String::new(),
    };
    format!("threshold   {:.4} by {}{promise}{set_aside}", detection.threshold, detection.rule)
}

fn held_out(report: &Report) -> String {
    if let Some(images) = &report.images {
        let quality = &images.quality;
        return format!(
            "held out    {}: {:.2} dB reconstructed, {:.2} dB by PCA with the same code size",
            count(quality.n, "image"),
            quality.model.psnr,
            quality.pca.psnr
        );
    }
    let pca = &report.pca;
    let baseline = if report.network.code_size >= report.network.inputs {
        "PCA not compared: the code is as wide as the input".to_owned()
    } else {
        format!("PCA with {}: {:.4}", count(pca.components as u64, "component"), pca.pca_error)
    };
    format!("held out    error {:.4}; {baseline}", pca.model_error)
}

/// Information passing through the code; `None` for models of older versions.
fn bottleneck(report: &Report) -> Option<String> {
    report.bottleneck.as_ref().map(|bottleneck| format!("bottleneck  {}", bottleneck.describe()))
}

fn shortened(names: &[String]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}
